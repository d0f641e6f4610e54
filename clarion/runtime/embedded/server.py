"""What the embedded servers have in common: one process over one data directory, started and stopped in order."""

import signal
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from clarion.runtime.embedded.errors import EmbeddedError
from clarion.runtime.embedded.lock import DirectoryLock
from clarion.runtime.embedded.process import ServerProcess
from clarion.runtime.logs import Logger

_log = Logger(__name__)


class EmbeddedServer(ABC):
    """A server whose data and port outlast it: stop or kill it, start it again, nothing is lost."""

    name: ClassVar[str]
    """As people call it."""

    def __init__(self, data_dir: Path, port: int | None) -> None:
        self._directory = data_dir.absolute()
        self._wanted_port = port
        self._lock = DirectoryLock(self._directory)
        self._port: int | None = None
        self._process: ServerProcess | None = None

    @property
    def port(self) -> int:
        """The port on loopback; known once started."""
        if self._port is None:
            raise EmbeddedError(f"{self.name} has not been started")
        return self._port

    @property
    def pid(self) -> int:
        """The server's process id, the last one after it ended."""
        return self._started().pid

    @property
    def is_running(self) -> bool:
        """Whether its process is there; it may still be starting."""
        return self._process is not None and self._process.exit_code() is None

    async def start(self) -> None:
        """Start the server and return when it answers; does nothing when it runs.

        Raises `EmbeddedError` when it cannot be started, `DataDirInUse` when another process has
        its data directory and `PortTaken` when the wanted port is in use.
        """
        if self.is_running:
            return
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            await self._prepare_and_start()
        except BaseException:
            if self._process is not None:
                self._process.kill()
            self._lock.release()
            raise
        _log.info(f"{self.name.lower()}_started", pid=self.pid, port=self._port)

    async def stop(self) -> None:
        """Stop the server in order, by force after a bound; harmless when it has ended."""
        if self.is_running:
            process = self._started()
            code = await process.stop(self._stop_steps)
            _log.info(f"{self.name.lower()}_stopped", pid=process.pid, exit_code=code)
        self._lock.release()

    async def wait_stopped(self) -> int:
        """Wait until the server has ended, for whatever reason, and return its exit code."""
        return await self._started().wait()

    def _started(self) -> ServerProcess:
        if self._process is None:
            raise EmbeddedError(f"{self.name} has not been started")
        return self._process

    @property
    @abstractmethod
    def _stop_steps(self) -> Sequence[tuple[signal.Signals, float]]:
        """The signals that end it, each with the seconds it is given."""

    @abstractmethod
    async def _prepare_and_start(self) -> None:
        """Make what it needs in its directory, set port and process, and return when it answers."""
