"""What the directory does: import, load the sample, tell what the day changed, publish again."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice

from pydantic import JsonValue

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, Transaction
from clarion.runtime.ids import new_id
from clarion.runtime.staff.audit import Actor, record
from clarion.schemas.directory import ImportCompleted, ImportKind
from clarion.services.directory import repository
from clarion.services.directory.domain.days import day_of
from clarion.services.directory.domain.leaving import Leaving, leaving
from clarion.services.directory.domain.lines import Read, Understood
from clarion.services.directory.domain.reading import UNDERSTAND
from clarion.services.directory.domain.report import Effect, ImportReport, Line, Note, Record, Rejection, Rejections
from clarion.services.directory.files import Source, read_sources
from clarion.services.directory.repository import Counts, StoredKind
from clarion.services.directory.sample import SAMPLE_KINDS, SEED, sample_source

Progress = Callable[[ImportKind, int], None]
"""Told the kind and how many of its lines were read so far."""

LINES_PER_CHUNK = 2_000
LINES_PER_WORD = 1_000
"""After so many progress is told."""
ENTITY: Mapping[ImportKind, StoredKind] = {
    "divisions": "division",
    "cities": "city",
    "districts": "district",
    "legislators": "legislator",
    "committees": "committee",
    "groups": "group",
    "officials": "official",
    "memberships": "membership",
    "partners": "partner",
}
GAPS: Mapping[str, tuple[str, tuple[ImportKind, ...]]] = {
    "cities_without_division": ("cities in no division", ("cities",)),
    "cities_without_district": ("cities in no district", ("cities", "districts")),
    "legislators_without_district": ("legislators whose district is not known", ("districts", "legislators")),
}
"""What each gap is called, and after which imports it is told."""


@dataclass(slots=True)
class _Tally:
    kind: ImportKind
    rejections: Rejections = field(default_factory=Rejections)
    warnings: list[str] = field(default_factory=list)
    staged: int = 0

    def reject(self, rejection: Rejection) -> None:
        """Count one that was staged before it turned out to be none."""
        self.staged -= 1
        self.rejections.add(rejection)


class _Undone(Exception):
    """Takes the report out of a transaction that is not to be kept."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__()
        self.report = report


async def import_kind(
    database: Database,
    kind: ImportKind,
    sources: Iterable[Source],
    *,
    clock: Clock,
    progress: Progress | None = None,
    full: bool = False,
    dry_run: bool = False,
    allow_large: bool = False,
    actor: Actor | None = None,
) -> ImportReport:
    """Bring the sources into the directory, whole or not at all; what is new or different is published.

    Lines that cannot be taken are in the report while the rest goes in. With `full` the sources are everything there
    is of this kind: who is missing is marked as left, which is `refused` above a tenth of them without `allow_large`;
    while a line names nobody that can be read, nobody is. With `dry_run` all of it is done and undone, so that the
    report says exactly what would happen. Memory is bounded for officials and memberships; the lines of districts,
    committees and partners are gathered first. What an `actor` imports is in the record of acts.

    Raises:
        UnreadableFile: a source cannot be taken as this kind; nothing was imported.
    """
    try:
        async with database.transaction() as tx:
            await repository.lock_imports(tx)
            tally = await _staged(tx, kind, sources, clock, progress)
            report = await _complete(tx, tally, clock, full=full, allow_large=allow_large)
            if actor is not None:
                await _record(tx, actor, report, full=full)
            return _kept(report, dry_run=dry_run)
    except _Undone as undone:
        return replace(undone.report, import_id=None, dry_run=dry_run)


async def _record(tx: Transaction, actor: Actor, report: ImportReport, *, full: bool) -> None:
    details: dict[str, JsonValue] = {"kind": report.kind, "full": full}
    counts = {"added": report.added, "changed": report.changed, "left": report.left, "rejected": report.rejected_count}
    subject = f"import:{report.import_id}"
    if report.import_id is not None:
        await record(tx.connection, actor, "directory.imported", subject, at=tx.clock(), details=details | counts)


def _kept(report: ImportReport, *, dry_run: bool) -> ImportReport:
    if dry_run or report.refused:
        raise _Undone(report)
    return report


async def _staged(
    tx: Transaction, kind: ImportKind, sources: Iterable[Source], clock: Clock, progress: Progress | None
) -> _Tally:
    await repository.prepare_staging(tx)
    references = await repository.load_references(tx, kind, clock().date())
    tally = _Tally(kind)
    understood = UNDERSTAND[kind](_watched(read_sources(kind, sources), kind, progress), references)
    await repository.stage(tx, _sorted(understood, tally))
    await repository.analyze_staging(tx)
    if kind == "memberships":
        async for stranger in repository.drop_strangers(tx):
            tally.reject(stranger)
        await repository.gather_terms(tx)
    if kind == "officials":
        async for erased in repository.drop_erased(tx):
            tally.reject(erased)
    async for repeat in repository.drop_repeats(tx):
        tally.reject(repeat)
    return tally


def _watched(lines: Iterable[Read], kind: ImportKind, progress: Progress | None) -> Iterator[Read]:
    count = 0
    for line in lines:
        count += isinstance(line, Line)
        if progress is not None and count % LINES_PER_WORD == 0:
            progress(kind, count)
        yield line
    if progress is not None:
        progress(kind, count)


async def _sorted(understood: Iterator[Understood], tally: _Tally) -> AsyncIterator[list[Record | Rejection]]:
    """What goes on to the server, some thousand at a time, while it works on those before; the rest is told."""
    while chunk := list(islice(understood, LINES_PER_CHUNK)):
        for item in chunk:
            match item:
                case Record():
                    tally.staged += 1
                case Rejection():
                    tally.rejections.add(item)
                case Note():
                    tally.warnings.append(item.text)
        yield [item for item in chunk if not isinstance(item, Note)]


async def _complete(tx: Transaction, tally: _Tally, clock: Clock, *, full: bool, allow_large: bool) -> ImportReport:
    if not tally.staged:
        return _nothing(tally)
    kind, import_id, at = tally.kind, new_id(), clock()
    await repository.weigh(tx, ENTITY[kind])
    gone = await _leaving(tx, tally, full=full, allow_large=allow_large)
    effects = await repository.effects_shown(tx, ENTITY[kind])
    counts = await repository.merge(tx, ENTITY[kind], import_id, at)
    await _follow(tx, tally, import_id, clock)
    marker = ImportCompleted(
        import_id=import_id,
        kind=kind,
        completed_at=at,
        added=counts.added,
        changed=counts.changed,
        unchanged=counts.unchanged,
        left=counts.left,
        held=counts.held,
        rejected=tally.rejections.count,
    )
    await repository.insert_import(tx, marker)
    await repository.enqueue_altered(tx)
    await repository.enqueue_markers(tx, [marker])
    tally.warnings += _gaps_told(kind, await repository.find_gaps(tx))
    return _report(tally, import_id, counts, effects, gone.refused)


async def _leaving(tx: Transaction, tally: _Tally, *, full: bool, allow_large: bool) -> Leaving:
    """Weigh who is missing, if they are to be marked as left at all."""
    if not full:
        return Leaving()
    known, missing = await repository.count_missing(tx, ENTITY[tally.kind])
    decided = leaving(known, missing, tally.rejections.unreadable, allow_large=allow_large)
    if decided.kept is not None:
        tally.warnings.append(decided.kept)
    else:
        await repository.weigh_missing(tx, ENTITY[tally.kind])
    return decided


async def _follow(tx: Transaction, tally: _Tally, import_id: str, clock: Clock) -> None:
    """Bring along what other entities carry of those that were imported."""
    at = clock()
    if tally.kind == "legislators" and (followed := await repository.follow_members(tx, import_id, at)):
        tally.warnings.append(f"{followed} committees changed with their members")
    if tally.kind == "groups" and (strangers := await repository.count_strangers(tx)):
        tally.warnings.append(
            f"{strangers} officials that groups name are not known; they count once they are imported"
        )
    await repository.concern(tx, ENTITY[tally.kind])
    if touched := await repository.refresh_derived(tx, day_of(at), import_id, at):
        tally.warnings.append(f"{touched} officials and cities changed with their memberships")


def _gaps_told(kind: ImportKind, gaps: Mapping[str, int]) -> list[str]:
    return [f"{gaps[gap]} {words}" for gap, (words, kinds) in GAPS.items() if kind in kinds and gaps[gap]]


def _nothing(tally: _Tally) -> ImportReport:
    if not tally.rejections.count:
        tally.warnings.append("there is no line in these files")
    return _report(tally, None, Counts(), (), None)


def _report(
    tally: _Tally, import_id: str | None, counts: Counts, effects: tuple[Effect, ...], refused: str | None
) -> ImportReport:
    return ImportReport(
        kind=tally.kind,
        import_id=import_id,
        added=counts.added,
        changed=counts.changed,
        unchanged=counts.unchanged,
        left=counts.left,
        held=counts.held,
        rejected_count=tally.rejections.count,
        rejected=tally.rejections.in_order(),
        warnings=tuple(tally.warnings),
        effects=effects,
        refused=refused,
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
        for kind in SAMPLE_KINDS
    ]


async def tell_the_day(tx: Transaction, today: date) -> int:
    """Publish what is different by date alone: memberships that begin or end, cities that join or leave; how many."""
    await repository.lock_imports(tx)
    await repository.prepare_staging(tx)
    await repository.concern_dated(tx)
    count = await repository.refresh_derived(tx, today, None, tx.clock())
    await repository.enqueue_altered(tx)
    return count


async def tell_today(tx: Transaction) -> int:
    """`tell_the_day`, for the day it is."""
    return await tell_the_day(tx, day_of(tx.clock()))


async def republish(tx: Transaction) -> int:
    """Publish every entity at the revision it has, then the newest marker of each kind; returns how many events.

    For a broker that lost everything. Consumers that know a revision already drop it.
    """
    await repository.lock_imports(tx)
    await repository.prepare_staging(tx)
    count = await repository.enqueue_all(tx)
    markers = await repository.newest_imports(tx)
    await repository.enqueue_markers(tx, markers)
    return count + len(markers)
