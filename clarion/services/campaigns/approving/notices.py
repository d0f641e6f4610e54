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
    Bursts,
    Manager,
    Waiting,
    content_of,
    is_settled,
)
from clarion.services.campaigns.approving.repository import QUERIES
from clarion.services.campaigns.approving.states import urgent_from
from clarion.services.campaigns.repository import QUERIES as CAMPAIGNS

log = structlog.get_logger(__name__)

POLL_SECONDS = 2.0
NOBODYS = "-"
"""What stands in an address for the wave of cities without a division."""

Told = tuple[str, str, datetime | None]
"""A wave by its campaign and division, and the moment for which it is urgent."""


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
        untold = await QUERIES.untold(connection, now=now)
        if not untold["waves"] or not is_settled(untold["oldest"], untold["newest"], now):
            return 0
    async with database.transaction() as tx:
        await CAMPAIGNS.lock_decisions(tx.connection)
        bursts = Bursts([account.staff for account in await list_accounts(tx.connection)])
        told = await _read(tx, bursts, now)
        await enqueue(tx, [await _mail(tx, burst, public_url) for burst in bursts.due])
        await _note(tx, told, now)
        log.info("campaigns.waiting_told", mails=len(bursts.due), waves=len(told))
        return len(bursts.due)


async def _read(tx: Transaction, bursts: Bursts, now: datetime) -> list[Told]:
    """Read all waves that wait, of which there may be thousands, one after the other; those that are told of now."""
    told: list[Told] = []
    async with QUERIES.list_waiting_cursor(tx.connection, now=now) as rows:
        async for row in rows:
            wave = waiting_of(row, now)
            manager = Manager(row["manager_name"] or row["name"], row["manager_email"])
            if bursts.add(wave, manager) and wave.is_news:
                told.append((row["campaign"], row["division"], wave.useless_at if wave.urgent else None))
    return told


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
        matter=f"waiting:{burst.named[0].division or NOBODYS}:{reader.key}:{new_id()}",
        revision=1,
        template="notice",
        lane="registration",
        not_after=burst.until,
        facts=[],
        content=content_of(burst, public_url).model_dump(mode="json"),
        recipients=[Recipient(mailbox=to, address=reader.address, name=reader.name)],
    )
    return Outgoing(CAMPAIGNS_CALLS, f"waiting/{bucket_of(to)}", "messages.requested", batch)


async def _note(tx: Transaction, told: Sequence[Told], now: datetime) -> None:
    campaigns, divisions, urgent_for = zip(*told, strict=True) if told else ((), (), ())
    await QUERIES.mark_told(tx.connection, campaigns=campaigns, divisions=divisions, urgent_for=urgent_for, now=now)
