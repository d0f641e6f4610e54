"""Publishes a file of updates: all of it is validated before any of it is published."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from pydantic import JsonValue

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, Transaction
from clarion.runtime.staff.audit import Actor, record
from clarion.services.legislation.intake import InvalidUpdate, Occurrences, read_update
from clarion.services.legislation.operations import Intake, take_in
from clarion.services.legislation.reading import Item, read_items
from clarion.services.legislation.update import Update

DEFAULT_SOURCE = "/clarion/publish"
BATCH = 500
BATCH_BYTES = 250_000
"""So much of a file is in memory at once, however long it is."""
SHOWN_ERRORS = 100

Progress = Callable[[int], None]
"""Told how many more updates are done."""


@dataclass(slots=True)
class Validation:
    """How many updates of a file are valid, and what is wrong with the others: the first hundred mistakes."""

    valid: int = 0
    error_count: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def add(self, item: Item, where: str, message: str) -> None:
        """Count a mistake."""
        self.error_count += 1
        if len(self.errors) < SHOWN_ERRORS:
            self.errors.append({"line": item.line, "index": item.index, "field": where, "message": message})


def validate(file: IO[bytes], source: str | None, progress: Progress) -> Validation:
    """Look at every update of a file."""
    found = Validation()
    occurrences = Occurrences()
    for item in read_items(file):
        try:
            read_item(item, source, occurrences)
        except InvalidUpdate as error:
            for one in error.errors:
                found.add(item, one.field, one.message)
        except ValueError as error:
            found.add(item, "(body)", str(error))
        else:
            found.valid += 1
        progress(1)
    return found


def read_item(item: Item, source: str | None, occurrences: Occurrences) -> Update:
    """An item of a file as an update.

    Raises:
        ValueError: it is not JSON.
        InvalidUpdate: it is no valid update.
    """
    if item.error is not None:
        raise ValueError(item.error)
    return read_update(item.value, identify=occurrences.identify, source=source, default_source=DEFAULT_SOURCE)


async def publish_file(
    database: Database,
    file: IO[bytes],
    source: str | None,
    clock: Clock,
    progress: Progress,
    *,
    by: Actor | None = None,
) -> Intake:
    """Publish the updates of a file that `validate` found no mistake in, a few hundred in a transaction.

    Since every update has an id, what an interruption left out is made up by doing it again. `by` is who does it, for
    the record of acts.
    """
    occurrences = Occurrences()
    published = seen_before = 0
    for items in batches(read_items(file)):
        batch = [read_item(item, source, occurrences) for item in items]
        async with database.transaction() as tx:
            taken = await take_in(tx, batch, clock())
            if by is not None and taken.published:
                await record_publication(tx, by, batch, taken)
        published += taken.published
        seen_before += taken.seen_before
        progress(len(batch))
    return Intake(published, seen_before)


async def record_publication(tx: Transaction, by: Actor, batch: list[Update], taken: Intake) -> None:
    """Write down who published how many, for whom."""
    sources = sorted({update.source for update in batch})
    subject = f"source:{sources[0]}" if len(sources) == 1 else "source:several"
    details: dict[str, JsonValue] = {"published": taken.published, "seen_before": taken.seen_before}
    await record(tx.connection, by, "updates.published", subject, at=tx.clock(), details=details)


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Lists of at most `BATCH`, and not much more than `BATCH_BYTES`."""
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += item.size
        if len(batch) == BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
