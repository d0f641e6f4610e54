"""The pool, its transactions and wake-ups, also across a restart of the server."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from clarion.runtime.database import Database, is_transient, migrate
from clarion.runtime.embedded import PostgresServer
from tests.conftest import Until


@pytest.fixture
async def database(database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """Of a service called probe."""
    await migrate(database_url, ["probe"], folders={"probe": tmp_path})
    database = await Database.connect(database_url, "probe", max_size=2)
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE things (id integer PRIMARY KEY, what jsonb)")
    yield database
    await database.close()


async def test_a_transaction_is_committed_whole_or_not_at_all(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.connection.execute("INSERT INTO things VALUES (1)")
    with pytest.raises(asyncpg.UniqueViolationError):
        await insert_twice(database)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT array_agg(id) FROM things") == [1]


async def insert_twice(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.connection.execute("INSERT INTO things VALUES (2)")
        await tx.connection.execute("INSERT INTO things VALUES (1)")


async def test_json_is_python_objects_both_ways(database: Database) -> None:
    kept = {"name": "Ünal", "list": [1, None]}
    async with database.connection() as connection:
        await connection.execute("INSERT INTO things VALUES (1, $1)", kept)
        assert await connection.fetchval("SELECT what FROM things") == kept


async def test_a_rejection_where_nobody_writes_it_is_an_error(database: Database) -> None:
    async def reject() -> None:
        async with database.transaction() as tx:
            tx.reject(object(), "why")  # type: ignore[arg-type]

    with pytest.raises(RuntimeError, match="handler of a subscription only"):
        await reject()


async def test_a_notification_wakes_after_the_commit(database: Database) -> None:
    async with database.listen("clarion_probe_work") as wakeups, database.listen("clarion_probe_other") as other:
        assert await wakeups.wait(5)
        assert await other.wait(5)
        async with database.transaction() as tx:
            tx.notify("work")
            tx.notify("work")
            assert not await wakeups.wait(0.05)
        assert await wakeups.wait(5)
        assert not await wakeups.wait(0.05)
        assert not await other.wait(0)


async def test_pool_and_wakeups_heal_after_the_server_was_killed(tmp_path: Path, until: Until) -> None:
    server = PostgresServer(tmp_path / "postgres", fsync=False)
    await server.start()
    await migrate(server.url, ["probe"], folders={"probe": tmp_path})
    database = await Database.connect(server.url, "probe")

    async def answers() -> bool:
        try:
            async with database.connection() as connection:
                return bool(await connection.fetchval("SELECT true"))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            if not is_transient(error):
                raise
            return False

    async with database.listen("clarion_probe_work") as wakeups:
        assert await wakeups.wait(5)
        os.kill(server.pid, signal.SIGKILL)
        await server.wait_stopped()
        await until(lambda: not_now(answers))
        await server.start()
        await until(answers)
        assert await wakeups.wait(20), "a notification may have been missed, so everyone is woken"
        async with database.transaction() as tx:
            tx.notify("work")
        assert await wakeups.wait(5)
    await database.close()
    await server.remove()


async def not_now(answers: object) -> bool:
    return not await answers()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (asyncpg.CannotConnectNowError("x"), True),
        (asyncpg.TooManyConnectionsError("x"), True),
        (asyncpg.DeadlockDetectedError("x"), True),
        (asyncpg.SerializationError("x"), True),
        (asyncpg.AdminShutdownError("x"), True),
        (asyncpg.ConnectionDoesNotExistError("x"), True),
        (asyncpg.LockNotAvailableError("x"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InvalidCachedStatementError("x"), True),
        (asyncpg.UniqueViolationError("x"), False),
        (asyncpg.CharacterNotInRepertoireError("x"), False),
        (asyncpg.UndefinedTableError("x"), False),
        (asyncpg.DataError("x"), False),
        (LookupError(), False),
        (ValueError(), False),
    ],
)
def test_only_the_databases_own_failures_pass_by_themselves(error: Exception, *, transient: bool) -> None:
    assert is_transient(error) is transient


async def test_on_a_living_connection_a_refused_connection_is_somebody_elses(database: Database) -> None:
    async with database.connection() as connection:
        assert not is_transient(ConnectionRefusedError(), connection)
        assert not is_transient(asyncpg.InterfaceError("another operation is in progress"), connection)
        assert is_transient(asyncpg.DeadlockDetectedError("x"), connection)
