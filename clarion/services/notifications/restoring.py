"""What becomes of mail in a ledger that was restored, since nobody wrote down whether it was sent after the dump."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clarion.runtime.database import Database, Transaction
from clarion.schemas.deliveries import Delivery
from clarion.services.notifications.operations import announce
from clarion.services.notifications.repository import queries

ROWS_AT_ONCE = 5_000
NAME = re.compile(r"<?\b([0-9a-f]{32})\.(\d{1,9})(?:\.(\d{1,9}))?@")


@dataclass(frozen=True, slots=True)
class Name:
    """Of one mail, as its Message-ID has it."""

    thread: UUID
    revision: int
    resend: int = 0


def names_in(lines: Iterable[str]) -> Iterator[Name]:
    """The mails whose Message-IDs stand in a relay's log, or in any other text."""
    for line in lines:
        for thread, revision, resend in NAME.findall(line):
            yield Name(UUID(thread), int(revision), int(resend or 0))


async def forget_senders(tx: Transaction) -> None:
    """Whoever held mail when the dump was made is gone."""
    await queries.forget_senders(tx.connection)


async def settle_sent(database: Database, names: Iterable[Name], now: datetime) -> int:
    """Write down as sent what a log names; how many those were."""
    settled, chunk = 0, list[Name]()
    for name in {*names}:
        chunk.append(name)
        if len(chunk) == ROWS_AT_ONCE:
            settled += sum((await _settle(database, chunk, now, why="", doubt=False)).values())
            chunk = []
    return settled + sum((await _settle(database, chunk, now, why="", doubt=False)).values())


async def settle_unknown(database: Database, now: datetime, why: str, since: datetime | None = None) -> Counter[str]:
    """Leave what still waits (asked for from `since` on, if that is given) to staff; how much that is, by matter."""
    doubted: Counter[str] = Counter()
    while found := await _settle(database, [], now, why=why, doubt=True, since=since):
        doubted += found
    return doubted


async def count_waiting(database: Database) -> Counter[str]:
    """What the ledger takes for unsent, by matter."""
    async with database.connection() as connection:
        return Counter({row["matter"]: row["messages"] async for row in queries.count_waiting(connection)})


async def _settle(
    database: Database, names: list[Name], now: datetime, *, why: str, doubt: bool, since: datetime | None = None
) -> Counter[str]:
    async with database.transaction() as tx:
        await queries.stop_marks(tx.connection)
        rows = queries.settle_restored(
            tx.connection,
            thread_ids=[name.thread for name in names],
            revisions=[name.revision for name in names],
            resends=[name.resend for name in names],
            doubt_the_rest=doubt,
            since=since,
            now=now,
            why=why,
            at_most=ROWS_AT_ONCE,
        )
        settled = [_delivery(row) async for row in rows]
        await announce(tx, settled)
    return Counter(one.matter for one in settled)


def _delivery(row: object) -> Delivery:
    return Delivery.model_validate({**dict(row), "at": row["state_at"]})  # type: ignore[call-overload,index]
