"""The embedded PostgreSQL keeps its data, password and port, as root and not, behind closed folders."""

import os
import signal
import socket
import stat
import subprocess
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from embedded_processes import is_alive, listening_addresses, running_stack

from clarion.runtime.embedded import DataDirInUse, EmbeddedError, PortTaken, PostgresServer
from clarion.runtime.embedded import seat as seats

AS_ROOT = os.geteuid() == 0
NOBODY = 65534


def outside_home(directory: Path) -> Path:
    """Where the data of that directory are kept when they cannot be in place."""
    return seats.OUTSIDE / f"clarion-{(directory / 'database.id').read_text().strip()}"


@asynccontextmanager
async def running(directory: Path, **options: Any) -> AsyncIterator[PostgresServer]:
    """A server of a test's own, removed at the end."""
    server = PostgresServer(directory, fsync=False, **options)
    try:
        await server.start()
        yield server
    finally:
        await server.remove()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PostgresServer]:
    """A server for the tests that leave it running."""
    async with running(tmp_path_factory.mktemp("shared") / "pg") as server:
        yield server


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def run(server: PostgresServer, statement: str) -> None:
    async with connected(server.url) as connection:
        await connection.execute(statement)


async def value(server: PostgresServer, query: str) -> Any:
    async with connected(server.url) as connection:
        return await connection.fetchval(query)


@pytest.mark.parametrize("outside", [False, True])
async def test_data_survive_a_stop_and_a_kill_behind_a_closed_folder(hard_dir: Path, outside: bool) -> None:
    async with running(hard_dir, _refuse_user_namespace=outside) as server:
        url = server.url
        await run(server, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
        await server.stop()
        assert await server.wait_stopped() == 0
        await server.start()
        await run(server, "INSERT INTO kept VALUES (2)")
        os.kill(server.pid, signal.SIGKILL)
        assert await server.wait_stopped() == -signal.SIGKILL
        await server.start()
        assert server.url == url
        assert await value(server, "SELECT array_agg(n ORDER BY n) FROM kept") == [1, 2]
        assert stat.S_IMODE(hard_dir.parent.stat().st_mode) == 0o700
        away = hard_dir / "cluster" if not (outside and AS_ROOT) else outside_home(hard_dir)
        assert away.exists()
    assert not any(path.exists() for path in (away, hard_dir))


async def test_a_kill_right_after_commits_loses_none(shared: PostgresServer) -> None:
    await run(shared, "CREATE TABLE committed (n int)")
    connection = await asyncpg.connect(shared.url)
    for number in range(200):
        await connection.execute("INSERT INTO committed VALUES ($1)", number)
    os.kill(shared.pid, signal.SIGKILL)
    await shared.wait_stopped()
    connection.terminate()
    await shared.start()
    assert await value(shared, "SELECT count(*) FROM committed") == 200


async def test_the_login_may_create_roles_and_schemas_in_utf8(shared: PostgresServer) -> None:
    await run(shared, "CREATE ROLE part; CREATE SCHEMA part AUTHORIZATION part")
    assert await value(shared, "SELECT lower('ÄÉ') || current_setting('server_encoding')") == "äéUTF8"
    assert await value(shared, "SELECT current_setting('server_version_num')::int / 10000") == 18


async def test_a_wrong_password_is_refused_and_the_right_one_is_for_its_owner_only(shared: PostgresServer) -> None:
    secret = shared._password_path
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    for wrong in ("wrong", ""):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(shared.url.replace(secret.read_text().strip(), wrong))


async def test_it_listens_on_loopback_only(shared: PostgresServer) -> None:
    assert listening_addresses(shared.pid) == {"127.0.0.1"}


async def test_its_log_has_no_statement_and_no_values(shared: PostgresServer) -> None:
    await run(shared, "CREATE TABLE person (address text UNIQUE)")
    await run(shared, "INSERT INTO person VALUES ('mayor@city.example')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await run(shared, "INSERT INTO person VALUES ('mayor@city.example')")
    log = (shared._directory / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "mayor" not in log


async def test_a_stale_pid_file_that_names_a_living_process_is_overcome(tmp_path: Path) -> None:
    async with running(tmp_path / "pg") as server:
        file = tmp_path / "pg" / "cluster" / "postmaster.pid"
        lines = file.read_text().splitlines()
        os.kill(server.pid, signal.SIGKILL)
        await server.wait_stopped()
        with subprocess.Popen(["sleep", "600"]) as other:
            file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
            (tmp_path / "pg" / "postgres.pid").write_text(f"{other.pid}\n")
            await server.start()
            assert await value(server, "SELECT 1") == 1
            assert other.poll() is None
            other.kill()


async def test_with_its_kept_port_taken_it_moves_and_a_wanted_one_is_said(tmp_path: Path) -> None:
    async with running(tmp_path / "pg") as server:
        before = server._port
        assert before is not None
        await server.stop()
        with socket.create_server(("127.0.0.1", before)):
            await server.start()
            assert server._port != before
            assert await value(server, "SELECT 1") == 1
            with pytest.raises(PortTaken, match=f"port {before} is taken"):
                await PostgresServer(tmp_path / "other", port=before, fsync=False).start()


async def test_two_run_at_once_but_not_on_the_same_data(tmp_path: Path) -> None:
    async with running(tmp_path / "one") as one, running(tmp_path / "two") as two:
        assert one.url != two.url
        with pytest.raises(DataDirInUse, match=f"pid {os.getpid()}"):
            await PostgresServer(tmp_path / "one").start()
        assert await value(one, "SELECT 1") == await value(two, "SELECT 1") == 1


async def test_a_set_up_cut_short_is_done_again(tmp_path: Path) -> None:
    half = tmp_path / "pg" / "initdb-half" / "cluster"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    async with running(tmp_path / "pg") as server:
        assert await value(server, "SELECT 1") == 1
        assert not half.exists()


async def test_a_database_that_cannot_start_says_why(tmp_path: Path) -> None:
    async with running(tmp_path / "pg") as server:
        await server.stop()
        version = tmp_path / "pg" / "cluster" / "PG_VERSION"
        version.write_text("12\n")
        with pytest.raises(EmbeddedError, match="incompatible with server"):
            await server.start()
        version.write_text("18\n")
        await server.start()


@pytest.mark.skipif(not AS_ROOT, reason="only root runs it as another user")
async def test_a_database_begun_in_place_moves_out_when_it_must(tmp_path: Path) -> None:
    inside = PostgresServer(tmp_path / "pg", fsync=False)
    await inside.start()
    await run(inside, "CREATE TABLE kept AS SELECT 42 AS n")
    await inside.stop()
    async with running(tmp_path / "pg", _refuse_user_namespace=True) as server:
        assert await value(server, "SELECT n FROM kept") == 42
        assert not (tmp_path / "pg" / "cluster").exists()


@pytest.mark.skipif(not AS_ROOT, reason="only root runs it as another user")
async def test_a_folder_of_a_strangers_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "pg").mkdir()
    name = str(uuid.uuid4())
    (tmp_path / "pg" / "database.id").write_text(name)
    strangers = seats.OUTSIDE / f"clarion-{name}"
    strangers.mkdir(mode=0o777)
    try:
        with pytest.raises(EmbeddedError, match="is not ours"):
            await PostgresServer(tmp_path / "pg", fsync=False).start()
    finally:
        strangers.rmdir()


@pytest.mark.skipif(not AS_ROOT, reason="only root can give files away")
async def test_data_of_another_user_are_refused_with_their_owner(tmp_path: Path) -> None:
    (tmp_path / "pg" / "cluster").mkdir(parents=True)
    os.chown(tmp_path / "pg" / "cluster", NOBODY, NOBODY)
    with pytest.raises(EmbeddedError, match=f"belongs to the user with id {NOBODY}"):
        await PostgresServer(tmp_path / "pg", fsync=False).start()


@pytest.mark.parametrize("words", [("postgres",), ("postgres", "outside")])
async def test_no_server_outlives_a_killed_parent_and_the_data_do(hard_dir: Path, words: tuple[str, ...]) -> None:
    with running_stack(hard_dir, *words) as parent:
        pid, url = parent.told["postgres"]
        async with connected(url) as connection:
            await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        parent.kill()
        assert not is_alive(pid)
    async with running(hard_dir / "postgres", _refuse_user_namespace="outside" in words) as server:
        assert server.url == url
        assert await value(server, "SELECT n FROM kept") == 7


async def test_a_server_left_without_its_guard_is_ended_by_the_next_start(tmp_path: Path) -> None:
    async with running(tmp_path / "pg") as first:
        assert first._process is not None
        first._process._guard.kill()
        first._process._guard.wait()
        first._lock.release()
        second = PostgresServer(tmp_path / "pg", fsync=False)
        await second.start()
        assert await value(second, "SELECT 1") == 1
        assert await first.wait_stopped() == 0
        await second.stop()
