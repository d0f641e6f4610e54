"""What the directory does: import, load the sample, publish again."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, Transaction
from clarion.runtime.ids import new_id
from clarion.schemas.directory import NEEDED_TO_LAUNCH, ImportCompleted, ImportKind, Kind
from clarion.services.directory import repository
from clarion.services.directory.domain.reading import UNDERSTAND, Read
from clarion.services.directory.domain.report import ImportReport, Line, Note, Record, Rejection, Rejections
from clarion.services.directory.files import Source, read_sources
from clarion.services.directory.sample import SEED, sample_source

Progress = Callable[[ImportKind, int], None]
"""Told the kind and how many of its lines were read so far."""

LINES_PER_CHUNK = 1_000
ENTITY: Mapping[ImportKind, Kind] = {
    "divisions": "division",
    "cities": "city",
    "districts": "district",
    "legislators": "legislator",
    "committees": "committee",
    "officials": "official",
}
GAPS: Mapping[str, tuple[str, tuple[ImportKind, ...]]] = {
    "cities_without_division": ("cities in no division", ("cities",)),
    "cities_without_district": ("cities in no district", ("cities", "districts")),
    "legislators_without_district": ("legislators whose district is not known", ("districts", "legislators")),
}
"""What each gap is called, and after which imports it is told."""


@dataclass(slots=True)
class _Tally:
    rejections: Rejections = field(default_factory=Rejections)
    warnings: list[str] = field(default_factory=list)
    staged: int = 0


async def import_kind(
    database: Database,
    kind: ImportKind,
    sources: Iterable[Source],
    *,
    clock: Clock,
    progress: Progress | None = None,
) -> ImportReport:
    """Bring the sources into the directory, whole or not at all; what is new or different is published.

    Lines that cannot be taken are in the report while the rest goes in. Memory is bounded for officials; the
    lines of districts are gathered first.

    Raises:
        UnreadableFile: a source cannot be taken as this kind; nothing was imported.
    """
    async with database.transaction() as tx:
        await repository.lock_imports(tx)
        await repository.prepare_staging(tx)
        references = await repository.load_references(tx, clock().date())
        lines = _watched(read_sources(kind, sources), kind, progress)
        tally = _Tally()
        understood = UNDERSTAND[kind](lines, references)
        while chunk := list(islice(understood, LINES_PER_CHUNK)):
            await _stage(tx, chunk, tally)
        async for repeat in repository.drop_repeats(tx):
            tally.rejections.add(repeat)
        return await _complete(tx, kind, tally, clock)


def _watched(lines: Iterable[Read], kind: ImportKind, progress: Progress | None) -> Iterator[Read]:
    count = 0
    for line in lines:
        count += isinstance(line, Line)
        if progress is not None and count % LINES_PER_CHUNK == 0:
            progress(kind, count)
        yield line
    if progress is not None:
        progress(kind, count)


async def _stage(tx: Transaction, chunk: Iterable[Record | Rejection | Note], tally: _Tally) -> None:
    records: list[tuple[Record, str]] = []
    for item in chunk:
        match item:
            case Record():
                records.append((item, json.dumps(item.state, ensure_ascii=False)))
            case Rejection():
                tally.rejections.add(item)
            case Note():
                tally.warnings.append(item.text)
    await repository.stage(tx, records)
    tally.staged += len(records)


async def _complete(tx: Transaction, kind: ImportKind, tally: _Tally, clock: Clock) -> ImportReport:
    if not tally.staged:
        return _nothing(kind, tally)
    import_id, at = new_id(), clock()
    merged = await repository.merge(tx, ENTITY[kind], import_id, at)
    if kind == "legislators" and (followed := await repository.follow_members(tx, import_id, at)):
        tally.warnings.append(f"{followed} committees changed with their members")
    marker = ImportCompleted(
        import_id=import_id,
        kind=kind,
        completed_at=at,
        added=merged.added,
        changed=merged.changed,
        unchanged=merged.unchanged,
        rejected=tally.rejections.count,
    )
    await repository.insert_import(tx, marker)
    await repository.enqueue_altered(tx)
    await repository.enqueue_markers(tx, [marker])
    tally.warnings += _gaps_told(kind, await repository.find_gaps(tx))
    return _report(marker, tally)


def _gaps_told(kind: ImportKind, gaps: Mapping[str, int]) -> list[str]:
    return [f"{gaps[gap]} {words}" for gap, (words, kinds) in GAPS.items() if kind in kinds and gaps[gap]]


def _nothing(kind: ImportKind, tally: _Tally) -> ImportReport:
    if not tally.rejections.count:
        tally.warnings.append("there is no line in these files")
    return ImportReport(kind, None, 0, 0, 0, tally.rejections.count, tally.rejections.in_order(), tuple(tally.warnings))


def _report(marker: ImportCompleted, tally: _Tally) -> ImportReport:
    return ImportReport(
        kind=marker.kind,
        import_id=marker.import_id,
        added=marker.added,
        changed=marker.changed,
        unchanged=marker.unchanged,
        rejected_count=marker.rejected,
        rejected=tally.rejections.in_order(),
        warnings=tuple(tally.warnings),
    )


async def load_sample(
    database: Database,
    officials: int = 2_000,
    seed: int = SEED,
    *,
    clock: Clock,
    progress: Progress | None = None,
) -> list[ImportReport]:
    """Import California's reference tables and a fictional roster of that many officials; loaded twice, unchanged."""
    return [
        await import_kind(database, kind, [sample_source(kind, officials, seed)], clock=clock, progress=progress)
        for kind in NEEDED_TO_LAUNCH
    ]


async def republish(tx: Transaction) -> int:
    """Publish every entity at the revision it has, then the newest marker of each kind; returns how many events.

    For a broker that lost everything. Consumers that know a revision already drop it.
    """
    await repository.lock_imports(tx)
    count = await repository.enqueue_all(tx)
    markers = await repository.newest_imports(tx)
    await repository.enqueue_markers(tx, markers)
    return count + len(markers)
