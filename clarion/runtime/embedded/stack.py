"""What a machine without infrastructure runs of its own: started, kept alive and stopped together."""

import asyncio
import contextlib
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.embedded.errors import EmbeddedError
from clarion.runtime.embedded.kafka import KafkaServer
from clarion.runtime.embedded.lock import DirectoryLock
from clarion.runtime.embedded.mailcatcher import MailCatcher
from clarion.runtime.embedded.mailstore import MailStore
from clarion.runtime.embedded.postgres import PostgresServer
from clarion.runtime.embedded.server import EmbeddedServer

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0
_STABLE_SECONDS = 60.0

_log = structlog.get_logger(__name__)


class EmbeddedStack:
    """Those servers that are wanted, over one data directory; an async context manager.

    A server that dies is started again on its port. `remove_at_end` deletes the data directory, and
    what is kept outside of it, when the stack ends. Entering raises `DataDirInUse` when another
    process has the directory and `EmbeddedError` when a server cannot be started.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        kafka: bool = True,
        postgres: bool = True,
        mail: bool = True,
        keep_records_for_ever: bool = False,
        fsync: bool = True,
        remove_at_end: bool = False,
        clock: Clock = system_clock,
    ) -> None:
        self._directory = data_dir.absolute()
        self._remove_at_end = remove_at_end
        self._clock = clock
        self._wants_mail = mail
        self.kafka = (
            KafkaServer(self._directory / "kafka", keep_records_for_ever=keep_records_for_ever) if kafka else None
        )
        self.postgres = PostgresServer(self._directory / "postgres", fsync=fsync) if postgres else None
        self.mail: MailCatcher | None = None
        self._ending = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start all that is wanted, at once."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with contextlib.AsyncExitStack() as ending:
            lock = DirectoryLock(self._directory)
            lock.acquire()
            ending.callback(lock.release)
            self._remember_removal(ending)
            await self._start_all(ending)
            self._ending = ending.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop Kafka, then PostgreSQL, then the mail catcher."""
        await self._ending.__aexit__(kind, error, trace)

    def _remember_removal(self, ending: contextlib.AsyncExitStack) -> None:
        if not self._remove_at_end:
            return
        ending.callback(shutil.rmtree, self._directory, ignore_errors=True)
        if self.postgres is not None:
            ending.push_async_callback(self.postgres.remove)

    async def _start_all(self, ending: contextlib.AsyncExitStack) -> None:
        if self._wants_mail:
            await self._start_mail(ending)
        for server in (self.postgres, self.kafka):
            if server is not None:
                ending.push_async_callback(server.stop)
        servers = {"kafka": self.kafka, "postgres": self.postgres}
        wanted = {name: server for name, server in servers.items() if server is not None}
        for failure in await asyncio.gather(*(server.start() for server in wanted.values()), return_exceptions=True):
            if failure is not None:
                raise failure
        for name, server in wanted.items():
            task = asyncio.create_task(_keep_alive(name, server), name=f"keep {name} alive")
            ending.push_async_callback(_cancel, task)

    async def _start_mail(self, ending: contextlib.AsyncExitStack) -> None:
        store = MailStore(self._directory / "mail.sqlite")
        ending.callback(store.close)
        self.mail = MailCatcher(store, port_path=self._directory / "mail-port", clock=self._clock)
        ending.push_async_callback(self.mail.stop)
        await self.mail.start()


async def _keep_alive(name: str, server: EmbeddedServer) -> None:
    pause = _FIRST_PAUSE_SECONDS
    while True:
        started_at = time.monotonic()
        code = await server.wait_stopped()
        if time.monotonic() - started_at > _STABLE_SECONDS:
            pause = _FIRST_PAUSE_SECONDS
        _log.warning("embedded_server_died", server=name, exit_code=code, again_in_seconds=pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        try:
            await server.start()
        except (EmbeddedError, OSError) as error:
            _log.error("embedded_server_start_failed", server=name, error=str(error))


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
