"""Sending again to those whom a matter's newest message did not reach."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from clarion.runtime.database import Connection, Transaction
from clarion.services.notifications.operations import LEDGER_CHANGED
from clarion.services.notifications.repository import queries


@dataclass(frozen=True, slots=True)
class Resend:
    """To whom it goes: those of a matter, or of one wave, who did not get it; `in_doubt`: and of whom nobody knows."""

    matter: str
    wave: str | None = None
    in_doubt: bool = False


async def count_owed(connection: Connection, resend: Resend, now: datetime) -> Mapping[str, int]:
    """How many mailboxes it would go to, by how their newest message ended."""
    rows = queries.count_owed(connection, matter=resend.matter, wave=resend.wave, in_doubt=resend.in_doubt, now=now)
    return {row["state"]: row["mailboxes"] async for row in rows}


async def send_again(tx: Transaction, resend: Resend, why: str, now: datetime) -> Mapping[str, int]:
    """Queue the newest message of each once more, as if just asked for; counts them by how it had ended.

    Done twice it changes nothing more: what is queued or was sent is not owed.
    """
    rows = queries.send_again(
        tx.connection, matter=resend.matter, wave=resend.wave, in_doubt=resend.in_doubt, why=why, now=now
    )
    found = Counter([row["state"] async for row in rows])
    tx.notify(LEDGER_CHANGED)
    return dict(found)
