"""Who answers for waves is mailed that they wait: once for each burst, and again when something becomes urgent."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import structlog

from clarion.runtime.beats import beat
from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, Transaction, mailbox_key
from clarion.runtime.ids import new_id
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.runtime.staff.accounts import list_accounts
from clarion.schemas.mailboxes import mailbox
from clarion.schemas.messages import MessageBatch, Recipient
from clarion.schemas.topics import CAMPAIGNS_CALLS
from clarion.schemas.topics import bucket as bucket_of
from clarion.services.campaigns.approving.bursts import (
    Burst,
    Manager,
    Waiting,
    bursts,
    content_of,
    is_settled,
    readers_of,
)
from clarion.services.campaigns.approving.repository import QUERIES
from clarion.services.campaigns.approving.states import urgent_from
from clarion.services.campaigns.repository import QUERIES as CAMPAIGNS

log = structlog.get_logger(__name__)

POLL_SECONDS = 2.0
NOBODYS = "-"
"""What stands in an address for the wave of cities without a division."""


class Notices:
    """Mails those who are to approve; any number of workers may run."""

    name = "approval notices"

    def __init__(self, database: Database, public_url: str, clock: Clock) -> None:
        self._database = database
        self._public_url = public_url
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Look every two seconds, and when something begins to wait, until told to stop."""
        async with self._database.listen("clarion_campaigns_waiting") as wakeups:
            while not stopping.is_set():
                beat()
                await tell_waiting(self._database, self._public_url, self._clock())
                await wakeups.wait(POLL_SECONDS)


async def tell_waiting(database: Database, public_url: str, now: datetime) -> int:
    """Mail whoever is to be told of waves that wait, if something is news to them; says how many mails that were.

    What was told is noted in the transaction that tells it, while nobody decides: a death costs nothing and doubles
    nothing.
    """
    async with database.connection() as connection:
        if not await QUERIES.any_untold(connection, now=now):
            return 0
    async with database.transaction() as tx:
        await CAMPAIGNS.lock_decisions(tx.connection)
        rows = [dict(row) async for row in QUERIES.list_waiting(tx.connection, now=now)]
        waiting = [waiting_of(row, now) for row in rows]
        if not is_settled(waiting, now):
            return 0
        staff = [account.staff for account in await list_accounts(tx.connection)]
        managers = {row["division"]: Manager(row["manager_name"] or row["name"], row["manager_email"]) for row in rows}
        found = bursts(waiting, staff, managers)
        await enqueue(tx, [await _mail(tx, burst, public_url) for burst in found])
        await _note(tx, [pair for pair in zip(rows, waiting, strict=True) if readers_of(pair[1], staff, managers)], now)
        log.info("campaigns.waiting_told", mails=len(found), waves=len(waiting))
        return len(found)


def waiting_of(row: Mapping[str, Any], now: datetime) -> Waiting:
    """A wave that waits, by its row."""
    urgent = urgent_from(row["since"], row["useless_at"]) <= now
    division = quote(row["division"], safe="") or NOBODYS
    return Waiting(
        division=row["division"],
        name=row["name"],
        title=row["title"],
        path=f"/campaigns/{quote(row['campaign'], safe='')}/{division}",
        officials=row["officials"],
        since=row["since"],
        useless_at=row["useless_at"],
        zone=row["zone"],
        urgent=urgent,
        is_new=row["told_at"] is None,
        newly_urgent=urgent and row["urgent_for"] != row["useless_at"],
    )


async def _mail(tx: Transaction, burst: Burst, public_url: str) -> Outgoing:
    reader = burst.reader
    to = mailbox(reader.address, await mailbox_key(tx.connection))
    batch = MessageBatch(
        # each burst is a matter of its own, since what waited before says nothing about what waits now
        matter=f"waiting:{burst.news[0].division or NOBODYS}:{reader.key}:{new_id()}",
        revision=1,
        template="notice",
        lane="registration",
        not_after=max(wave.useless_at for wave in burst.news),
        facts=[],
        content=content_of(burst, public_url).model_dump(mode="json"),
        recipients=[Recipient(mailbox=to, address=reader.address, name=reader.name)],
    )
    return Outgoing(CAMPAIGNS_CALLS, f"waiting/{bucket_of(to)}", "messages.requested", batch)


async def _note(tx: Transaction, told: Sequence[tuple[Mapping[str, Any], Waiting]], now: datetime) -> None:
    await QUERIES.mark_told(
        tx.connection,
        campaigns=[row["campaign"] for row, _ in told],
        divisions=[row["division"] for row, _ in told],
        urgent_for=[wave.useless_at if wave.urgent else None for _, wave in told],
        now=now,
    )
