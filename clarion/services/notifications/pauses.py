"""Waves that are paused: nothing of them begins to be sent until they are resumed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from clarion.runtime.clock import Clock
from clarion.runtime.database import Connection, Database, Transaction
from clarion.schemas.messages import Pause
from clarion.services.notifications.operations import LEDGER_CHANGED
from clarion.services.notifications.repository import queries

THREADS_AT_ONCE = 5_000


async def pause(tx: Transaction, wishes: Sequence[Pause], now: datetime) -> None:
    """Pause and resume waves, or whole matters; of each the newest revision holds.

    No mail of a paused wave begins after the commit. To be done before the transaction locks anything else, since it
    waits for the marks under way.
    """
    if not wishes:
        return
    newest = {(one.matter, one.wave): one for one in sorted(wishes, key=lambda one: one.revision)}
    await queries.stop_marks(tx.connection)
    await queries.save_pauses(tx.connection, rows=[one.model_dump(mode="json") for one in newest.values()], now=now)
    tx.notify(LEDGER_CHANGED)


async def follow_pauses(database: Database, clock: Clock, room: int = THREADS_AT_ONCE) -> None:
    """Put aside what is paused, and have due what is resumed, `room` threads in a transaction.

    Marks go by the pauses alone; this keeps claims from passing over what they may not take.
    """
    async with database.connection() as connection:
        seen = [dict(row) async for row in queries.unfollowed_pauses(connection)]
    for matter in dict.fromkeys(row["matter"] for row in seen):
        after: UUID | None = UUID(int=0)
        while after is not None:
            async with database.transaction() as tx:
                await queries.lock_following(tx.connection)
                after = await queries.follow_pauses(tx.connection, matter=matter, after=after, room=room, now=clock())
                tx.notify(LEDGER_CHANGED)
    if seen:
        async with database.transaction() as tx:
            await queries.save_followed(tx.connection, rows=seen)


async def pauses_of(connection: Connection, matter: str) -> dict[str | None, Pause]:
    """What is known of the pauses of a matter, by wave; None is the whole."""
    rows = queries.pauses_of(connection, matter=matter)
    return {
        row["wave"]: Pause(matter=matter, wave=row["wave"], revision=row["revision"], paused=row["paused"])
        async for row in rows
    }


async def count_by_wave(connection: Connection, matter: str) -> dict[str, dict[str, int]]:
    """How many mailboxes of each wave are in which state."""
    found: dict[str, dict[str, int]] = {}
    async for row in queries.count_by_wave(connection, matter=matter):
        found.setdefault(row["wave"], {})[row["state"]] = row["mailboxes"]
    return found
