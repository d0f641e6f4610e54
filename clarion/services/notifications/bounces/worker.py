"""The worker that handles what came back, one after another, each in a transaction of its own."""

import asyncio
from collections import Counter
from datetime import timedelta

import structlog

from clarion.runtime.beats import beat
from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, is_transient
from clarion.services.notifications.bounces.operations import RETURNED, handle
from clarion.services.notifications.bounces.repository import Return, Returns
from clarion.services.notifications.bounces.return_path import ReturnPath
from clarion.services.notifications.bounces.said import Conclusion

log = structlog.get_logger(__name__)

POLL_SECONDS = 5.0
RETRY = timedelta(seconds=30)
GIVE_UP_AFTER = 10


class ReturnsWorker:
    """Handles what is due. Any number of them work side by side.

    `counted` is what came since it began, by way and kind: what was known already is not among it.
    """

    name = "returns"

    def __init__(self, database: Database, return_path: ReturnPath | None, clock: Clock) -> None:
        self.database = database
        self.return_path = return_path
        self.clock = clock
        self.counted: Counter[tuple[str, str]] = Counter()

    async def run(self, stopping: asyncio.Event) -> None:
        """Handle what comes until stopped."""
        async with self.database.listen(f"clarion_notifications_{RETURNED}") as wakeups:
            while not stopping.is_set():
                beat()
                if await self.handle_one():
                    continue
                waiting = [asyncio.create_task(wakeups.wait(await self._pause())), asyncio.create_task(stopping.wait())]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in waiting:
                    task.cancel()

    async def _pause(self) -> float:
        """Until the next one is due, at most a few seconds."""
        try:
            async with self.database.connection() as connection:
                due_at = await Returns(connection).next_due()
        except Exception as error:
            if not is_transient(error):
                raise
            return POLL_SECONDS
        left = POLL_SECONDS if due_at is None else (due_at - self.clock()).total_seconds()
        return min(POLL_SECONDS, max(0.05, left))

    async def handle_one(self) -> bool:
        """Whether there was one to handle."""
        one: Return | None = None
        try:
            async with self.database.transaction() as tx:
                one = await Returns(tx.connection).take(self.clock())
                if one is None:
                    return False
                found = await handle(tx, one, self.return_path, self.clock())
        except Exception as error:
            if is_transient(error):
                return False
            if one is None:
                raise
            await self._put_aside(one, error)
            return True
        if found is not None and found.news:
            self.counted[found.way, found.kind] += 1
        return True

    async def _put_aside(self, one: Return, error: Exception) -> None:
        """One that cannot be handled is tried again later, and in the end kept for a person; the others go on."""
        said = f"it could not be handled: {type(error).__name__}"
        log.error("returns.failed", number=one.id, error=type(error).__name__)
        async with self.database.transaction() as tx:
            returns = Returns(tx.connection)
            if one.tries < GIVE_UP_AFTER:
                await returns.postpone(one, self.clock() + RETRY, said)
            else:
                await returns.close(one, Conclusion("unclear", said), "kept for a person to read", one.about, None)
