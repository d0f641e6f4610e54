"""Migrations, roles and named queries."""

import asyncio
import subprocess
import sys
import uuid
from importlib import import_module
from pathlib import Path

import asyncpg
import pytest

from clarion.runtime.database import (
    Database,
    MigrationChangedError,
    MigrationError,
    discover_services,
    load_queries,
    migrate,
    pending,
)
from clarion.runtime.database.queries import _refuse_repeated_names
from tests.conftest import Until, with_database

# The package has a function of the same name.
migrations = import_module("clarion.runtime.database.migrate")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The migrations of a service called probe."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_things.sql").write_text("CREATE TABLE things (id integer PRIMARY KEY);\n")
    return folder


async def bring_up(url: str, folder: Path) -> list[str]:
    return [one.name for one in await migrate(url, ["probe"], folders={"probe": folder}) if one.source == "service"]


async def test_each_file_is_applied_once_in_order(empty_url: str, folder: Path) -> None:
    assert await bring_up(empty_url, folder) == ["0001_things.sql"]
    (folder / "0003_c.sql").write_text("ALTER TABLE things ADD c integer;")
    (folder / "0002_b.sql").write_text("ALTER TABLE things ADD b integer;")
    assert await bring_up(empty_url, folder) == ["0002_b.sql", "0003_c.sql"]
    assert await bring_up(empty_url, folder) == []


async def test_what_is_granted_to_all_services_later_is_granted_to_those_that_were_there(
    empty_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bring_up(empty_url, folder)
    own = list(migrations._own_files())
    connection = await asyncpg.connect(empty_url)
    await connection.execute("REVOKE ALL ON clarion.audit FROM clarion_probe")
    assert await bring_up(empty_url, folder) == []
    granted = "SELECT has_table_privilege('clarion_probe', 'clarion.audit', 'INSERT')"
    assert not await connection.fetchval(granted)
    later = migrations.MigrationFile("clarion", "runtime", "9999_later.sql", "SELECT 1;")
    monkeypatch.setattr(migrations, "_own_files", lambda: iter([*own, later]))
    await bring_up(empty_url, folder)
    assert await connection.fetchval(granted)
    await connection.close()


async def test_a_changed_file_is_refused_by_name(empty_url: str, folder: Path) -> None:
    await bring_up(empty_url, folder)
    (folder / "0001_things.sql").write_text("CREATE TABLE things (id bigint PRIMARY KEY);\n")
    with pytest.raises(MigrationChangedError, match=r"probe: service/0001_things\.sql was applied before"):
        await bring_up(empty_url, folder)


async def test_a_database_that_is_newer_than_the_code_is_left_as_it_is(empty_url: str, folder: Path) -> None:
    (folder / "0002_b.sql").write_text("ALTER TABLE things ADD b integer;")
    await bring_up(empty_url, folder)
    (folder / "0002_b.sql").unlink()
    assert await bring_up(empty_url, folder) == []


async def test_two_files_with_one_number_are_refused(empty_url: str, folder: Path) -> None:
    (folder / "0001_other.sql").write_text("SELECT 1")
    with pytest.raises(MigrationError, match=r"0001_other\.sql and 0001_things\.sql have the same number"):
        await bring_up(empty_url, folder)


async def test_a_failing_file_leaves_nothing_behind_and_is_named(empty_url: str, folder: Path) -> None:
    (folder / "0002_bad.sql").write_text("CREATE TABLE half (); SELECT nonsense;")
    with pytest.raises(MigrationError, match=r"0002_bad\.sql: column \"nonsense\" does not exist"):
        await bring_up(empty_url, folder)
    (folder / "0002_bad.sql").write_text("CREATE TABLE half ();")
    assert await bring_up(empty_url, folder) == ["0002_bad.sql"]


async def test_a_file_may_run_outside_a_transaction(empty_url: str, folder: Path) -> None:
    (folder / "0002_index.sql").write_text(
        "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY things_by_id ON things (id);\n"
    )
    (folder / "0003_after.sql").write_text("CREATE TABLE after ();")
    assert await bring_up(empty_url, folder) == ["0001_things.sql", "0002_index.sql", "0003_after.sql"]
    connection = await asyncpg.connect(empty_url)
    owners = await connection.fetch("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'probe'")
    await connection.close()
    assert [row["tableowner"] for row in owners] == ["clarion_probe"]


async def test_ten_may_migrate_at_once(empty_url: str, folder: Path) -> None:
    (folder / "0002_index.sql").write_text(
        "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY things_by_id ON things (id);\n"
    )
    done = await asyncio.gather(*(bring_up(empty_url, folder) for _ in range(10)))
    assert sorted(map(len, done)) == [0] * 9 + [2]


async def test_databases_of_one_server_may_migrate_at_once(postgres_url: str, folder: Path) -> None:
    """Roles belong to the server, so their migrations meet there."""
    connection = await asyncpg.connect(postgres_url)
    names = [f"test_{uuid.uuid4().hex[:16]}" for _ in range(4)]
    service = f"probe{uuid.uuid4().hex[:6]}"
    for name in names:
        await connection.execute(f"CREATE DATABASE {name}")
    try:
        urls = [with_database(postgres_url, name) for name in names]
        await asyncio.gather(*(migrate(url, [service], folders={service: folder}) for url in urls))
    finally:
        for name in names:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.execute(f"DROP ROLE clarion_{service}")
        await connection.close()


async def test_a_lock_that_is_held_is_waited_for(empty_url: str, folder: Path) -> None:
    await bring_up(empty_url, folder)
    (folder / "0002_b.sql").write_text("ALTER TABLE things ADD b integer;")
    holder = await asyncpg.connect(empty_url)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("LOCK TABLE probe.things")
    waiting = asyncio.create_task(bring_up(empty_url, folder))
    done, _ = await asyncio.wait([waiting], timeout=0.3)
    assert not done
    await transaction.rollback()
    assert await waiting == ["0002_b.sql"]
    await holder.close()


async def test_what_is_missing_is_told_and_nothing_is_changed(empty_url: str) -> None:
    everything = await pending(empty_url)
    assert len(everything) == len(await pending(empty_url)) == len(await migrate(empty_url))
    assert await pending(empty_url) == []


def migrating(url: str, folder: Path | None = None) -> subprocess.Popen[bytes]:
    """A process of its own that migrates, all services or the one in the folder."""
    given = "None" if folder is None else f"['probe'], folders={{'probe': pathlib.Path({str(folder)!r})}}"
    code = (
        f"import asyncio, pathlib; from clarion.runtime.database import migrate; asyncio.run(migrate({url!r}, {given}))"
    )
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
async def test_a_migration_killed_in_the_middle_is_finished_by_the_next(
    share: float, empty_url: str, until: Until
) -> None:
    everything = len(await pending(empty_url))
    process = migrating(empty_url)

    async def on_the_way() -> bool:
        return len(await pending(empty_url)) <= everything * (1 - share)

    await until(on_the_way, 40)
    process.kill()
    process.wait()
    left = await pending(empty_url)
    assert len(await migrate(empty_url)) == len(left)
    assert await pending(empty_url) == []


async def test_an_index_that_a_killed_migration_left_half_made_is_made_whole(
    empty_url: str, folder: Path, until: Until
) -> None:
    await bring_up(empty_url, folder)
    (folder / "0002_index.sql").write_text(
        "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS things_by_id ON things (id);\n"
    )
    holder = await asyncpg.connect(empty_url)
    writing = holder.transaction()
    await writing.start()
    await holder.execute("INSERT INTO probe.things VALUES (1)")
    process = migrating(empty_url, folder)
    builder = "SELECT pid FROM pg_stat_progress_create_index WHERE datname = current_database()"
    watcher = await asyncpg.connect(empty_url)
    await until(lambda: watcher.fetchval(builder), 40)
    process.kill()
    process.wait()
    await watcher.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index")
    await writing.commit()
    await until(lambda: watcher.fetchval(f"SELECT NOT EXISTS ({builder})"), 20)
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'probe.things_by_id'::regclass"
    assert await watcher.fetchval(valid) is False
    assert await bring_up(empty_url, folder) == ["0002_index.sql"]
    assert await watcher.fetchval(valid) is True
    await watcher.close()
    await holder.close()


async def test_an_unknown_service_is_refused(empty_url: str) -> None:
    with pytest.raises(MigrationError, match="there is no service 'nobody'"):
        await migrate(empty_url, ["nobody"])


async def test_the_template_has_every_service_of_this_code(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT schemaname FROM pg_tables WHERE tablename = 'dead_letters'")
    await connection.close()
    assert sorted(row["schemaname"] for row in rows) == discover_services()


async def test_one_services_role_cannot_read_anothers_tables(empty_url: str, folder: Path) -> None:
    await migrate(empty_url, ["probe", "other"], folders={"probe": folder, "other": folder})
    probe = await Database.connect(empty_url, "probe")
    async with probe.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM things") == 0
        assert await connection.fetchval("SELECT count(*) FROM clarion.api_keys") == 0
        for statement in (
            "SELECT * FROM other.things",
            "INSERT INTO other.things VALUES (1)",
            "SELECT * FROM clarion.migrations",
            "CREATE TABLE clarion.mine ()",
            "CREATE TABLE public.mine ()",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    await probe.close()


def test_queries_are_loaded_once_and_two_of_one_name_are_refused() -> None:
    assert load_queries("clarion.runtime.messaging") is load_queries("clarion.runtime.messaging")
    with pytest.raises(ValueError, match="two queries named get_it"):
        _refuse_repeated_names("some.package", "-- name: get-it^\nSELECT 1\n-- name: get_it(a)$\nSELECT :a")
