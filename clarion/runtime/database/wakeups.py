"""Wake-ups by NOTIFY that outlive a restart of the database."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg

from clarion.runtime.backoff import jittered
from clarion.runtime.logs import Logger

log = Logger(__name__)

_RETRY_SECONDS = 0.2
_RETRY_LIMIT_SECONDS = 5.0


class Wakeups:
    """Says that something was notified since the last wait; several notifications count as one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wake(self) -> None:
        """Let the current or the next wait return at once."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait at most that many seconds; False when nothing was notified meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Listener:
    """One listening connection shared by all wake-ups of a service.

    After a lost connection every wake-up is woken, since a notification may have been missed.
    """

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self._connect = connect
        self._channels: dict[str, list[Wakeups]] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[Wakeups]:
        """Wake-ups of `channel`, from the moment the connection is up; the first wait returns at once."""
        wakeups = Wakeups()
        self._channels.setdefault(channel, []).append(wakeups)
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="database-listener")
        try:
            yield wakeups
        finally:
            self._channels[channel].remove(wakeups)

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        delay = _RETRY_SECONDS
        while True:
            try:
                connection = await self._connect()
                try:
                    delay = _RETRY_SECONDS
                    await self._serve(connection)
                finally:
                    connection.terminate()
            # Of these the last: the server died in the middle of an answer.
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                log.warning("database.listener_lost", error=type(error).__name__)
            await asyncio.sleep(jittered(delay))
            delay = min(delay * 2, _RETRY_LIMIT_SECONDS)

    async def _serve(self, connection: asyncpg.Connection) -> None:
        connection.add_termination_listener(lambda _: self._changed.set())
        listening: set[str] = set()
        while not connection.is_closed():
            self._changed.clear()
            for channel in self._channels.keys() - listening:
                await connection.add_listener(channel, self._notified)
                listening.add(channel)
                self._notified(None, 0, channel, "")
            await self._changed.wait()

    def _notified(self, _connection: object, _pid: int, channel: str, _payload: object) -> None:
        for wakeups in self._channels.get(channel, ()):
            wakeups.wake()
