"""The directory's rows, and what goes out of them. Decides nothing."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from asyncpg import Record as Row

from clarion.runtime.database import Transaction, load_queries, mailbox_key
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.schemas.directory import IMPORT_EXTENSION, ImportCompleted, Kind
from clarion.schemas.topics import DIRECTORY_ENTITIES
from clarion.services.directory.domain.references import Names, References, Seat
from clarion.services.directory.domain.report import Record, Rejection

queries = load_queries("clarion.services.directory")

ENTITIES_PER_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did to the entities that were staged."""

    added: int
    changed: int
    unchanged: int


async def lock_imports(tx: Transaction) -> None:
    """Wait for imports under way; none begins before this transaction ends."""
    await queries.lock_imports(tx.connection)


async def prepare_staging(tx: Transaction) -> None:
    """Make room for lines."""
    await queries.prepare_staging(tx.connection)


async def load_references(tx: Transaction, today: date) -> References:
    """What lines may refer to."""
    connection = tx.connection
    return References(
        today=today,
        mailbox_key=await mailbox_key(connection),
        divisions=await _names(tx, "division"),
        cities=await _names(tx, "city"),
        seats={
            row["id"]: Seat(row["name"], row["chamber"], row["district"]) async for row in queries.seats(connection)
        },
        shares={
            row["id"]: {share["city"]: share["share"] for share in row["cities"]}
            async for row in queries.districts(connection)
        },
    )


async def _names(tx: Transaction, kind: Kind) -> Names:
    return Names(kind, [(row["id"], row["name"]) async for row in queries.named(tx.connection, kind=kind)])


async def stage(tx: Transaction, records: Sequence[tuple[Record, str]]) -> None:
    """Put entities, each with its state as JSON, where the merge finds them."""
    await tx.connection.copy_records_to_table(
        "incoming",
        schema_name="pg_temp",
        columns=["id", "state", "file", "line"],
        records=[(record.id, state, record.file, record.line) for record, state in records],
    )


async def drop_repeats(tx: Transaction) -> AsyncIterator[Rejection]:
    """Of staged entities with one id keep the first; the others are rejections."""
    async for row in queries.drop_repeats(tx.connection):
        place = f"line {row['first_line']}"
        if row["first_file"] != row["file"]:
            place = f"{row['first_file']}, {place}"
        yield Rejection(row["file"], row["line"], f"{row['id']} stands already in {place}")


async def merge(tx: Transaction, kind: Kind, import_id: str, at: datetime) -> Merged:
    """Bring what is staged into the directory; only what is new or different gets a revision."""
    await queries.merge(tx.connection, kind=kind, import_id=import_id, at=at)
    counts = await queries.merge_counts(tx.connection)
    altered = counts["added"] + counts["changed"]
    return Merged(counts["added"], counts["changed"], counts["accepted"] - altered)


async def follow_members(tx: Transaction, import_id: str, at: datetime) -> int:
    """Bring committees' memberships up to date with their legislators; returns how many committees changed."""
    return int(await queries.follow_members(tx.connection, import_id=import_id, at=at))


async def find_gaps(tx: Transaction) -> dict[str, int]:
    """How many cities and legislators lack a division or a district."""
    return dict(await queries.gaps(tx.connection))


async def insert_import(tx: Transaction, marker: ImportCompleted) -> None:
    """Keep the marker of an import that is complete."""
    await queries.insert_import(tx.connection, id=marker.import_id, **marker.model_dump(exclude={"import_id", "note"}))


async def enqueue_altered(tx: Transaction) -> int:
    """Publish what this import altered; returns how many entities."""
    return await _enqueue_entities(tx, queries.altered_entities.sql)


async def enqueue_all(tx: Transaction) -> int:
    """Publish every entity at the revision it has; returns how many."""
    return await _enqueue_entities(tx, queries.all_entities.sql)


async def newest_imports(tx: Transaction) -> list[ImportCompleted]:
    """The newest marker of each kind."""
    return [ImportCompleted.model_validate(dict(row)) async for row in queries.newest_imports(tx.connection)]


async def enqueue_markers(tx: Transaction, markers: Sequence[ImportCompleted]) -> None:
    """Publish markers; a consumer then knows that what came before is whole."""
    await enqueue(tx, [_marker(marker) for marker in markers])


async def _enqueue_entities(tx: Transaction, statement: str) -> int:
    count = 0
    cursor = await tx.connection.cursor(statement)
    while rows := await cursor.fetch(ENTITIES_PER_CHUNK):
        await enqueue(tx, [_entity(row) for row in rows])
        count += len(rows)
    return count


def _entity(row: Row) -> Outgoing:
    kind = f"{row['kind']}.changed"
    body: dict[str, Any] = {"id": row["id"], "revision": row["revision"], "active": row["active"]}
    return Outgoing(
        DIRECTORY_ENTITIES,
        key=f"{row['kind']}:{row['id']}",
        type=kind,
        data=DIRECTORY_ENTITIES.types[kind].model_validate(body | row["state"]),
        subject=row["id"],
        extensions={IMPORT_EXTENSION: row["import_id"]},
    )


def _marker(marker: ImportCompleted) -> Outgoing:
    return Outgoing(
        DIRECTORY_ENTITIES,
        key=f"import:{marker.kind}",
        type="import.completed",
        data=marker,
        subject=marker.kind,
        extensions={IMPORT_EXTENSION: marker.import_id},
        time=marker.completed_at,
    )
