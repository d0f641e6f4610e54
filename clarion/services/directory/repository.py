"""The directory's rows, and what goes out of them. Decides nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pydantic_core import to_json

from clarion.runtime import traces
from clarion.runtime.database import Transaction, load_queries, mailbox_key
from clarion.runtime.ids import new_id
from clarion.runtime.messaging import MessageTooLarge, Outgoing, enqueue
from clarion.schemas.cloudevents import binary_headers
from clarion.schemas.directory import IMPORT_EXTENSION, ImportCompleted, ImportKind, Kind
from clarion.schemas.topics import DIRECTORY_ENTITIES
from clarion.services.directory.domain.references import Names, References, Seat
from clarion.services.directory.domain.report import SHOWN_EFFECTS, Effect, Record, Rejection

queries = load_queries("clarion.services.directory")

StoredKind = Kind | Literal["membership"]
RESTATED: Mapping[ImportKind, Kind] = {"committees": "committee", "partners": "partner"}
"""Kinds of which a file may leave something unsaid, beside legislators; there are few of each."""

STAGING_SECONDS = 24 * 3600.0
COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


@dataclass(frozen=True, slots=True)
class Counts:
    """What a merge did to the entities of a kind; `held` are among the unchanged."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    left: int = 0
    held: int = 0


async def lock_imports(tx: Transaction) -> None:
    """Wait for imports under way; none begins before this transaction ends."""
    await queries.lock_imports(tx.connection)


async def prepare_staging(tx: Transaction) -> None:
    """Make room for lines."""
    await queries.prepare_staging(tx.connection)


async def load_references(tx: Transaction, kind: ImportKind, today: date) -> References:
    """What lines of this kind may refer to."""
    connection = tx.connection
    legislators = {row["id"]: row["state"] async for row in queries.stated(connection, kind="legislator")}
    stated = legislators if kind == "legislators" else {}
    if kind in RESTATED:
        stated = {row["id"]: row["state"] async for row in queries.stated(connection, kind=RESTATED[kind])}
    return References(
        today=today,
        mailbox_key=await mailbox_key(connection),
        divisions=await _names(tx, "division"),
        cities=await _names(tx, "city"),
        groups=await _names(tx, "group"),
        seats={
            identity: Seat(state["name"], state["chamber"], state["district"])
            for identity, state in legislators.items()
        },
        shares={
            row["id"]: {share["city"]: share["share"] for share in row["cities"]}
            async for row in queries.districts(connection)
        },
        stated=stated,
    )


async def _names(tx: Transaction, kind: Kind) -> Names:
    return Names(kind, [(row["id"], row["name"]) async for row in queries.named(tx.connection, kind=kind)])


async def stage(tx: Transaction, chunks: AsyncIterator[Sequence[Record | Rejection]]) -> None:
    """Put entities where the merge finds them, and beside them, without a state, whom rejected lines name.

    One COPY for all of them: the server reads while the next ones are understood.
    """

    async def copied() -> AsyncIterator[bytes]:
        async for chunk in chunks:
            yield b"".join(_copied(item) for item in chunk)

    await tx.connection.copy_to_table(
        "incoming",
        schema_name="pg_temp",
        columns=["id", "state", "derived", "file", "line"],
        source=copied(),
        timeout=STAGING_SECONDS,
    )


def _copied(item: Record | Rejection) -> bytes:
    """A line of PostgreSQL's COPY in text format; JSON has no control characters, so only its backslashes count."""
    file = item.file.translate(COPY_ESCAPES).encode()
    if isinstance(item, Rejection):
        named = (item.names or "").translate(COPY_ESCAPES).encode()
        return b"%b\t\\N\t{}\t%b\t%d\n" % (named, file, item.line) if named else b""
    state, derived = (to_json(value).replace(b"\\", b"\\\\") for value in (item.state, item.derived))
    return b"%b\t%b\t%b\t%b\t%d\n" % (item.id.translate(COPY_ESCAPES).encode(), state, derived, file, item.line)


async def analyze_staging(tx: Transaction) -> None:
    """Let the server look at what was staged."""
    await queries.analyze_staging(tx.connection)


async def drop_repeats(tx: Transaction) -> AsyncIterator[Rejection]:
    """Of staged entities with one id keep the first; the others are rejections."""
    async for row in queries.drop_repeats(tx.connection):
        place = f"line {row['first_line']}"
        if row["first_file"] != row["file"]:
            place = f"{row['first_file']}, {place}"
        yield Rejection(row["file"], row["line"], f"{row['id']} stands already in {place}", row["id"])


async def drop_erased(tx: Transaction) -> AsyncIterator[Rejection]:
    """Hold back who was erased; each is a rejection."""
    async for row in queries.drop_erased(tx.connection):
        reason = f"{row['id']} is held back, having been erased: clarion people readmit ADDRESS lets them in again"
        yield Rejection(row["file"], row["line"], reason, row["id"])


async def drop_strangers(tx: Transaction) -> AsyncIterator[Rejection]:
    """Of staged memberships drop those of officials whom nobody knows; they are rejections.

    Such an id may be one that was mistyped, so it is not said whom the line names.
    """
    async for row in queries.drop_strangers(tx.connection):
        yield Rejection(row["file"], row["line"], f'official "{row["member"]}" is not known')


async def gather_terms(tx: Transaction) -> None:
    """Put together the terms of one member in one group that stand in several lines."""
    await queries.gather_terms(tx.connection)


async def count_strangers(tx: Transaction) -> int:
    """How many officials that groups name are not known."""
    return int(await queries.strangers(tx.connection))


async def weigh(tx: Transaction, kind: StoredKind) -> None:
    """Compare what is staged with what is known."""
    await queries.weigh(tx.connection, kind=kind)


async def count_missing(tx: Transaction, kind: StoredKind) -> tuple[int, int]:
    """How many there are of a kind, and how many of them no line names."""
    row = await queries.missing(tx.connection, kind=kind)
    return row["known"], row["missing"]


async def weigh_missing(tx: Transaction, kind: StoredKind) -> None:
    """Take whom no line names for gone."""
    await queries.weigh_missing(tx.connection, kind=kind)


async def effects_shown(tx: Transaction, kind: StoredKind) -> tuple[Effect, ...]:
    """The first of each effect; asked before the merge."""
    rows = queries.effects_shown(tx.connection, kind=kind, at_most=SHOWN_EFFECTS)
    return tuple([Effect(row["effect"], row["id"], row["name"], tuple(row["fields"])) async for row in rows])


async def merge(tx: Transaction, kind: StoredKind, import_id: str, at: datetime) -> Counts:
    """Bring what was weighed into the directory; only what is new or different gets a revision."""
    connection = tx.connection
    await queries.insert_added(connection, kind=kind, import_id=import_id, at=at)
    await queries.update_changed(connection, kind=kind, import_id=import_id, at=at)
    await queries.update_left(connection, kind=kind, import_id=import_id, at=at)
    await queries.note_altered(connection, kind=kind)
    return Counts(**dict(await queries.effect_counts(connection)))


async def follow_members(tx: Transaction, import_id: str, at: datetime) -> int:
    """Bring committees' memberships up to date with their legislators; returns how many committees changed."""
    return int(await queries.follow_members(tx.connection, import_id=import_id, at=at))


async def concern(tx: Transaction, kind: StoredKind) -> None:
    """Look up whose memberships may be different now that entities of this kind are."""
    match kind:
        case "city":
            await queries.concern_cities(tx.connection)
        case "official":
            await queries.concern_officials(tx.connection)
        case "group":
            await queries.concern_groups(tx.connection)
        case "membership":
            await queries.concern_memberships(tx.connection)
        case _:
            pass


async def concern_dated(tx: Transaction) -> None:
    """Look up for whom a day can make a difference."""
    await queries.concern_dated(tx.connection)


async def refresh_derived(tx: Transaction, today: date, import_id: str | None, at: datetime) -> int:
    """Bring what the concerned carry of memberships and dates up to that day; how many changed that had not already.

    Without an import they keep the one that brought them.
    """
    return int(await queries.refresh_derived(tx.connection, today=today.isoformat(), import_id=import_id, at=at))


async def find_gaps(tx: Transaction) -> dict[str, int]:
    """How many cities and legislators lack a division or a district."""
    return dict(await queries.gaps(tx.connection))


async def insert_import(tx: Transaction, marker: ImportCompleted) -> None:
    """Keep the marker of an import that is complete."""
    await queries.insert_import(tx.connection, id=marker.import_id, **marker.model_dump(exclude={"import_id", "note"}))


async def enqueue_altered(tx: Transaction) -> int:
    """Publish what was altered in this transaction; returns how many entities.

    Raises:
        MessageTooLarge: one is larger than the topic allows.
    """
    headers = binary_headers(
        id="", source=f"/clarion/{tx.service}", type="", time=tx.clock(), subject=None, extensions={}
    )
    alike = [[name, value] for name, value in headers.items() if value]
    if (current := traces.traceparent()) is not None:
        alike.append([traces.TRACEPARENT, current])
    put = await queries.enqueue_altered(tx.connection, topic=DIRECTORY_ENTITIES.name, headers=alike, batch=new_id())
    if put["largest"] > DIRECTORY_ENTITIES.max_bytes:
        raise MessageTooLarge(f"{put['largest']} bytes for {DIRECTORY_ENTITIES.name}")
    tx.notify("outbox")
    return int(put["messages"])


async def enqueue_all(tx: Transaction) -> int:
    """Publish every entity at the revision it has; returns how many."""
    await queries.all_altered(tx.connection)
    return await enqueue_altered(tx)


async def newest_imports(tx: Transaction) -> list[ImportCompleted]:
    """The newest marker of each kind."""
    return [ImportCompleted.model_validate(dict(row)) async for row in queries.newest_imports(tx.connection)]


async def enqueue_markers(tx: Transaction, markers: Sequence[ImportCompleted]) -> None:
    """Publish markers; a consumer then knows that what came before is whole."""
    await enqueue(tx, [_marker(marker) for marker in markers])


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
