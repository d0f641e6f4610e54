"""`clarion directory ...`"""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast, get_args

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.output import fail, print_fields
from clarion.runtime.settings import MissingSetting, Settings, load_settings
from clarion.schemas.directory import ImportKind
from clarion.services.directory.domain.report import ImportReport
from clarion.services.directory.errors import UnreadableFile
from clarion.services.directory.operations import import_kind

directory = typer.Typer(
    help="Cities, divisions, districts, legislators, committees and officials.", no_args_is_help=True
)

KindName = StrEnum("KindName", {name: name for name in get_args(ImportKind)})  # type: ignore[misc]
LINES_SHOWN = 50


@directory.callback()
def _group() -> None:
    """Cities, divisions, districts, legislators, committees and officials."""


@directory.command(
    "import",
    epilog="Example: clarion directory import officials roster.csv",
    help=(
        "Bring files into the directory: divisions, cities, districts and officials from CSV, legislators and "
        "committees from Open States people YAML (files or folders). The same file twice changes nothing. Lines that "
        "cannot be taken are told with line and reason while the rest goes in; the exit code is 1 only if nothing "
        "could be imported."
    ),
)
def import_files(
    kind: Annotated[KindName, typer.Argument(help="what the files hold")],
    files: Annotated[list[Path], typer.Argument(help="files, or folders of YAML files")],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    try:
        report = asyncio.run(_import(load_settings(), cast("ImportKind", kind.value), files))
    except (MissingSetting, UnreadableFile, OSError) as error:
        fail(str(error))
    _print_report(report, as_json=as_json)
    if not report.imported:
        fail("nothing was imported")


async def _import(settings: Settings, kind: ImportKind, files: Sequence[Path]) -> ImportReport:
    async with open_database(settings, "directory", size=1) as database:
        with _progress() as told:
            return await import_kind(database, kind, files, clock=system_clock, progress=told)


@contextmanager
def _progress() -> Iterator[Callable[[ImportKind, int], None]]:
    """A counter on a terminal, nothing in a pipe."""
    columns = SpinnerColumn(), TextColumn("{task.description}: {task.completed:,.0f} lines read"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("import", total=None)

        def told(kind: ImportKind, count: int) -> None:
            bar.update(task, description=kind, completed=count)

        yield told


def _print_report(report: ImportReport, *, as_json: bool) -> None:
    fields = {
        "kind": report.kind,
        "import_id": report.import_id,
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "rejected": report.rejected_count,
    }
    if as_json:
        lines = [{"file": line.file, "line": line.line, "reason": line.reason} for line in report.rejected]
        print_fields(fields | {"rejections": lines, "warnings": list(report.warnings)}, as_json=True)
        return
    shown = [f"{line.file}, line {line.line}: {line.reason}" for line in report.rejected[:LINES_SHOWN]]
    if more := report.rejected_count - len(shown):
        shown.append(f"and {more} more (--json shows up to 1,000)")
    print_fields(fields | {"rejections": shown, "warnings": list(report.warnings)}, as_json=False)
