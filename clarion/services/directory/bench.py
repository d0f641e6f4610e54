"""`clarion bench directory`: imports of a large roster, beside the bare COPY of the same file in the same run."""

import asyncio
import csv
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, load_queries, migrate
from clarion.runtime.embedded import EmbeddedStack
from clarion.runtime.output import print_fields, say
from clarion.runtime.telemetry import configure_logs
from clarion.schemas.directory import ImportKind
from clarion.services.directory.domain.report import ImportReport
from clarion.services.directory.operations import import_kind, load_sample
from clarion.services.directory.roster import fictional_officials
from clarion.services.directory.sample import SEED, california_cities

MEGABYTE = 1_000_000
CHANGED_EVERY = 100


@dataclass(slots=True)
class Memory:
    """The most resident memory of this process seen while lines were read, in megabytes."""

    process: psutil.Process = field(default_factory=psutil.Process)
    peak_mb: float = 0.0

    def look(self, _kind: ImportKind | None = None, _lines: int = 0) -> None:
        """Look at it now."""
        self.peak_mb = max(self.peak_mb, self.process.memory_info().rss / MEGABYTE)


def directory(
    officials: Annotated[int, typer.Option(min=1_000, max=5_000_000, help="lines of the roster")] = 500_000,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    """Rows a second of a first import, of the same file again and of one with a changed line in a hundred.

    On a PostgreSQL of its own. Example: clarion bench directory --officials 500000
    """
    configure_logs("ERROR", as_json=False)
    print_fields(asyncio.run(measure(officials, quiet=as_json)), as_json=as_json)


async def measure(officials: int, *, quiet: bool) -> dict[str, Any]:
    """The three imports and the bare COPY."""
    with tempfile.TemporaryDirectory(prefix="clarion-bench-") as folder:
        first, changed = Path(folder) / "officials.csv", Path(folder) / "changed.csv"
        write_rosters(first, changed, officials)
        stack = EmbeddedStack(Path(folder) / "data", mail=False, kafka=False, remove_at_end=True)
        async with stack as embedded:
            if embedded.postgres is None:
                raise RuntimeError("the stack lacks a server")
            await migrate(embedded.postgres.url, ["directory"])
            database = await Database.connect(embedded.postgres.url, "directory", max_size=1)
            try:
                return await measure_on(database, first, changed, officials, quiet=quiet)
            finally:
                await database.close()


async def measure_on(database: Database, first: Path, changed: Path, officials: int, *, quiet: bool) -> dict[str, Any]:
    """The same on a database that is migrated and empty."""
    tell = (lambda _: None) if quiet else say
    await load_sample(database, 1, clock=system_clock)
    memory = Memory()
    memory.look()
    before_mb = memory.peak_mb
    rates = {"bare_copy": officials / await _copy(database, first)}
    tell(f"bare COPY: {rates['bare_copy']:,.0f} rows/s")
    for name, source in (("first_import", first), ("unchanged", first), ("one_in_100_changed", changed)):
        began = time.monotonic()
        report = await import_kind(database, "officials", [source], clock=system_clock, progress=memory.look)
        rates[name] = officials / (time.monotonic() - began)
        _refuse_other(report, officials)
        tell(f"{name}: {rates[name]:,.0f} rows/s; {report.added} added, {report.changed} changed")
    return {
        "officials": officials,
        **{f"{name}_rows_per_second": round(rate) for name, rate in rates.items()},
        **{f"{name}_to_bare_copy": round(rate / rates["bare_copy"], 3) for name, rate in rates.items()},
        "memory_before_mb": round(before_mb),
        "peak_memory_mb": round(memory.peak_mb),
    }


def _refuse_other(report: ImportReport, officials: int) -> None:
    if report.imported != officials:
        raise RuntimeError(f"{report.imported} of {officials} went in; {report.rejected[:1]}")


async def _copy(database: Database, source: Path) -> float:
    """Seconds for the file as it is into a table of its own, keyed by id."""
    queries = load_queries("clarion.services.directory")
    async with database.transaction() as tx:
        await queries.bench_table(tx.connection)
        began = time.monotonic()
        await tx.connection.copy_to_table("bench_rows", source=source, format="csv", header=True)
    return time.monotonic() - began


def write_rosters(first: Path, changed: Path, officials: int) -> None:
    """So many fictional officials, and the same with another phone in every hundredth line."""
    rows = fictional_officials(california_cities(), officials, SEED)
    with first.open("w", newline="", encoding="utf-8") as one, changed.open("w", newline="", encoding="utf-8") as other:
        _write(rows, csv.writer(one), csv.writer(other))


def _write(rows: Iterable[Mapping[str, str]], one: Any, other: Any) -> None:
    for number, row in enumerate(rows):
        if number == 0:
            one.writerow(row)
            other.writerow(row)
        one.writerow(row.values())
        moved = {"phone": "555-0199"} if number % CHANGED_EVERY == 0 else {}
        other.writerow((dict(row) | moved).values())
