"""Forward-only migrations: numbered SQL files, applied once each and never changed afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import asyncpg

from clarion.runtime.database.pool import role_of
from clarion.runtime.database.queries import load_queries
from clarion.runtime.logs import Logger

log = Logger(__name__)

NO_TRANSACTION = "-- migrate: no-transaction"
LOCK_WAIT_SECONDS = 300.0
LOCK_POLL_SECONDS = 0.1
LOCK_TIMEOUT = "5s"
LOCK_ATTEMPTS = 6
CONFLICT_ATTEMPTS = 20


class MigrationError(Exception):
    """The schema cannot be brought to this version."""


class MigrationChangedError(MigrationError):
    """A file that was applied before has other content now."""


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    """A file that was applied: to which schema, from which source (runtime or the service), and its name."""

    schema: str
    source: str
    name: str


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """One file as it stands in the code."""

    schema: str
    source: str
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def in_transaction(self) -> bool:
        return not self.text.startswith(NO_TRANSACTION)

    @property
    def applied(self) -> AppliedMigration:
        return AppliedMigration(self.schema, self.source, self.name)


def discover_services() -> list[str]:
    """The names of all services that keep something in the database, in alphabetical order."""
    return sorted(entry.name for entry in files("clarion.services").iterdir() if (entry / "migrations").is_dir())


async def migrate(
    url: str, services: Sequence[str] | None = None, *, folders: Mapping[str, Path] | None = None
) -> list[AppliedMigration]:
    """Bring the schemas of `services` (all, if None) to this version and say which files were applied.

    Any number of processes may do so at once. A database that is newer than the code is left as it is. `folders` gives
    the migrations of services that are no package of `clarion.services`.

    Raises:
        MigrationChangedError: an applied file was changed.
        MigrationError: a name is unknown, two files have one number, or another migration does not end.
    """
    chosen = list(services) if services is not None else discover_services()
    steps = [(service, list(_files_of(service, folders or {}))) for service in chosen]
    connection = await asyncpg.connect(url, timeout=10)
    try:
        async with _alone(connection):
            return await _bring_up(connection, steps)
    finally:
        await connection.close()


async def pending(url: str, services: Sequence[str] | None = None) -> list[AppliedMigration]:
    """The files of this version that were not applied yet, of `services` or all; nothing is changed.

    Raises:
        OSError or asyncpg's errors: there is no database.
    """
    chosen = services if services is not None else discover_services()
    known = {file.applied for service in chosen for file in _files_of(service, {})}
    known |= {file.applied for file in _own_files()}
    connection = await asyncpg.connect(url, timeout=10)
    try:
        rows = [row async for row in load_queries("clarion.runtime.database").applied(connection)]
    except (asyncpg.InvalidSchemaNameError, asyncpg.UndefinedTableError):
        rows = []
    finally:
        await connection.close()
    applied = {AppliedMigration(row["schema"], row["source"], row["name"]) for row in rows}
    return sorted(known - applied, key=lambda one: (one.schema, one.source, one.name))


async def _bring_up(
    connection: asyncpg.Connection[asyncpg.Record], steps: Sequence[tuple[str, list[MigrationFile]]]
) -> list[AppliedMigration]:
    queries = load_queries("clarion.runtime.database")
    await queries.bootstrap(connection)
    rows = [row async for row in queries.applied(connection)]
    known = {AppliedMigration(row["schema"], row["source"], row["name"]): row["checksum"] for row in rows}
    done = await _apply_missing(connection, list(_own_files()), known)
    own_changed = bool(done)
    for service, found in steps:
        # Tables of our own are granted to every service, also to those that were there before them.
        if own_changed or any(file.applied not in known for file in found):
            await _create_service(connection, service)
        done += await _apply_missing(connection, found, known)
    return done


async def _create_service(connection: asyncpg.Connection[asyncpg.Record], service: str) -> object:
    queries = load_queries("clarion.runtime.database")
    for attempt in range(CONFLICT_ATTEMPTS):
        try:
            return await queries.create_service(connection, service=service)
        except asyncpg.InternalServerError as error:
            # "tuple concurrently updated": another database's migration grants the same role.
            if attempt == CONFLICT_ATTEMPTS - 1 or type(error) is not asyncpg.InternalServerError:
                raise
            await asyncio.sleep(LOCK_POLL_SECONDS)
    return None


async def _apply_missing(
    connection: asyncpg.Connection[asyncpg.Record],
    found: Sequence[MigrationFile],
    known: Mapping[AppliedMigration, str],
) -> list[AppliedMigration]:
    for file in found:
        if known.get(file.applied, file.checksum) != file.checksum:
            raise MigrationChangedError(
                f"{file.schema}: {file.source}/{file.name} was applied before and has changed since; "
                "put the change into a new file"
            )
    missing = [file for file in found if file.applied not in known]
    for file in missing:
        await _apply(connection, file)
        log.info("database.migrated", schema=file.schema, source=file.source, file=file.name)
    return [file.applied for file in missing]


async def _apply(connection: asyncpg.Connection[asyncpg.Record], file: MigrationFile) -> None:
    run = _run_in_transaction if file.in_transaction else _run_alone
    for attempt in range(LOCK_ATTEMPTS):
        try:
            return await run(connection, file)
        except asyncpg.LockNotAvailableError as error:
            if attempt == LOCK_ATTEMPTS - 1:
                raise MigrationError(f"{file.schema}: {file.name} did not get its locks: {error}") from error
        except asyncpg.PostgresError as error:
            raise MigrationError(f"{file.schema}: {file.source}/{file.name}: {error}") from error
    return None


async def _run_in_transaction(connection: asyncpg.Connection[asyncpg.Record], file: MigrationFile) -> None:
    async with connection.transaction():
        await _assume(connection, file, local=True)
        await connection.execute(file.text)
        await connection.execute("SET LOCAL ROLE none")
        await _record(connection, file)


async def _run_alone(connection: asyncpg.Connection[asyncpg.Record], file: MigrationFile) -> None:
    queries = load_queries("clarion.runtime.database")
    unfinished = [row["removal"] async for row in queries.unfinished_indexes(connection, schema=file.schema)]
    await _assume(connection, file, local=False)
    try:
        for removal in unfinished:
            await connection.execute(removal)
        await connection.execute(file.text)
    finally:
        await connection.execute("RESET ROLE")
        await connection.execute("RESET ALL")
    await _record(connection, file)


async def _assume(connection: asyncpg.Connection[asyncpg.Record], file: MigrationFile, *, local: bool) -> None:
    await load_queries("clarion.runtime.database").assume(
        connection,
        role="none" if file.schema == "clarion" else role_of(file.schema),
        search_path=file.schema,
        lock_timeout=LOCK_TIMEOUT,
        local=local,
    )


async def _record(connection: asyncpg.Connection[asyncpg.Record], file: MigrationFile) -> None:
    await load_queries("clarion.runtime.database").record(
        connection, schema=file.schema, source=file.source, name=file.name, checksum=file.checksum
    )


@contextlib.asynccontextmanager
async def _alone(connection: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[None]:
    # Polled: a session that waits inside pg_advisory_lock() holds a snapshot, for which CONCURRENTLY would wait.
    queries = load_queries("clarion.runtime.database")
    async with _bounded():
        while not await queries.try_lock(connection):  # noqa: ASYNC110 - nobody in this process can tell
            await asyncio.sleep(LOCK_POLL_SECONDS)
    try:
        yield
    finally:
        if not connection.is_closed():
            await queries.unlock(connection)


@contextlib.asynccontextmanager
async def _bounded() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(LOCK_WAIT_SECONDS):
            yield
    except TimeoutError:
        raise MigrationError(f"another migration has been running for {LOCK_WAIT_SECONDS:.0f} seconds") from None


def _own_files() -> Iterator[MigrationFile]:
    return _read("clarion", "runtime", files("clarion.runtime.database") / "migrations")


def _files_of(service: str, folders: Mapping[str, Path]) -> Iterator[MigrationFile]:
    own: Traversable
    if service in folders:
        own = folders[service]
    elif service in discover_services():
        own = files("clarion.services") / service / "migrations"
    else:
        raise MigrationError(f"there is no service {service!r}; known: {', '.join(discover_services())}")
    yield from _read(service, "messaging", files("clarion.runtime.messaging") / "migrations")
    yield from _read(service, "service", own)


def _read(schema: str, source: str, folder: Traversable) -> Iterator[MigrationFile]:
    if not folder.is_dir():
        return
    numbers: dict[str, str] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not entry.name.endswith(".sql"):
            continue
        number = entry.name.split("_")[0]
        if number in numbers:
            raise MigrationError(f"{schema}: {numbers[number]} and {entry.name} have the same number")
        numbers[number] = entry.name
        yield MigrationFile(schema, source, entry.name, entry.read_text("utf-8"))
