"""`clarion directory ...`"""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypedDict, cast, get_args

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.messaging import MessageTooLarge
from clarion.runtime.output import fail, print_fields
from clarion.runtime.settings import MissingSetting, Settings, load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.schemas.directory import ImportKind
from clarion.services.directory.domain.report import Effect, ImportReport
from clarion.services.directory.errors import UnreadableFile
from clarion.services.directory.operations import import_kind

ABOUT = "Cities, divisions, districts, legislators, committees, groups, officials and partners."
directory = typer.Typer(help=ABOUT, no_args_is_help=True)

KindName = StrEnum("KindName", {name: name for name in get_args(ImportKind)})  # type: ignore[misc]
LINES_SHOWN = 50
EXAMPLES: dict[ImportKind, tuple[str, str]] = {
    "divisions": (
        "slug,name,manager_name,manager_email,manager_phone",
        "north-bay,North Bay,Ada Fern,ada@league.example,555-0100",
    ),
    "cities": (
        "ocd_id,name,county,division,population,member,member_since,member_until",
        "ocd-division/country:us/state:ca/place:napa,Napa,Napa,North Bay,79246,yes,1950-01-01,",
    ),
    "districts": ("city,chamber,district,area_share", "Napa,senate,3,1.0"),
    "legislators": ("id,name,chamber,district,party,email,family_name", "ocd-person/1,Bo Reed,senate,3,,,Reed"),
    "committees": (
        "id,name,chamber,legislator_id,role,jurisdiction,other_names",
        "ocd-organization/1,Housing,senate,ocd-person/1,vice chair,,",
    ),
    "groups": ("slug,name,kind,open_to,cities,officials", "coastal,Coastal Cities,city-group,,Napa;Sonoma,1001;1002"),
    "officials": (
        "id,name,city,roles,email,phone,groups,testifies,elected",
        "1001,Cy Moss,Napa,mayor;council member,cy@napa.example,555-0101,coastal,yes,elected",
    ),
    "memberships": ("group,official,city,role,since,until", "coastal,1001,,vice chair,2026-01-01,2026-12-31"),
    "partners": (
        "id,name,kind,person,title,email,phone",
        "p-7,Recycling Council,co-host,Di Vale,Director,di@recycling.example,555-0102",
    ),
}
"""The columns of each kind, and a line."""


@directory.callback()
def _group() -> None:
    """Cities, divisions, districts, legislators, committees, groups, officials and partners."""


def _tables() -> str:
    """Each kind's columns and a line of it; `\\b` keeps the lines as they are."""
    return "\n\n".join(f"\b\n{kind}\n  {columns}\n  {line}" for kind, (columns, line) in EXAMPLES.items())


@directory.command(
    "import",
    epilog=(
        "Example: clarion directory import officials roster.csv --full --dry-run\n\n"
        f"The columns of each kind, and a line:\n\n{_tables()}"
    ),
    help=(
        "Bring files into the directory: CSV in UTF-8 with a header line and any order of columns, several values of a "
        "cell parted by a semicolon; legislators and committees also from Open States people YAML (files or folders). "
        "The same file twice changes nothing. Lines that cannot be taken are told with line and reason while the rest "
        "goes in; the exit code is 1 if nothing could be imported."
    ),
)
def import_files(
    kind: Annotated[KindName, typer.Argument(help="what the files hold")],
    files: Annotated[list[Path], typer.Argument(help="files, or folders of YAML files")],
    *,
    full: Annotated[bool, typer.Option("--full", help="the files name everyone: who is missing has left")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would happen, exactly")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="with --full: even if more than a tenth would leave")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    wanted = Wanted(full=full, dry_run=dry_run, allow_large=yes)
    try:
        report = asyncio.run(_import(load_settings(), cast("ImportKind", kind.value), files, wanted))
    except (MissingSetting, UnreadableFile, MessageTooLarge, OSError) as error:
        fail(str(error))
    _print_report(report, as_json=as_json)
    if report.refused:
        fail(f"nothing was imported: {report.refused}")
    if not report.imported:
        fail("nothing was imported")


class Wanted(TypedDict):
    """How files are to be imported."""

    full: bool
    dry_run: bool
    allow_large: bool


async def _import(settings: Settings, kind: ImportKind, files: Sequence[Path], wanted: Wanted) -> ImportReport:
    async with open_database(settings, "directory", size=1) as database:
        with _progress() as told:
            return await import_kind(
                database, kind, files, clock=system_clock, progress=told, actor=command_actor(), **wanted
            )


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
    fields: dict[str, object] = {
        "kind": report.kind,
        "import_id": report.import_id,
        "dry_run": report.dry_run,
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "left": report.left,
        "held": report.held,
        "rejected": report.rejected_count,
    }
    if as_json:
        rejections = [{"file": line.file, "line": line.line, "reason": line.reason} for line in report.rejected]
        fields |= {"refused": report.refused, "effects": [asdict(effect) for effect in report.effects]}
        print_fields(fields | {"rejections": rejections, "warnings": list(report.warnings)}, as_json=True)
        return
    lines = [f"{line.file}, line {line.line}: {line.reason}" for line in report.rejected[:LINES_SHOWN]]
    if more := report.rejected_count - len(lines):
        lines.append(f"and {more} more (--json shows up to 1,000)")
    lists = {"effects": _effects(report), "rejections": lines, "warnings": report.warnings}
    print_fields(fields | {name: "\n".join(shown) for name, shown in lists.items()}, as_json=False)


def _effects(report: ImportReport) -> list[str]:
    """What happens to whom, where it is not simply added by an import that is done."""
    told = [effect for effect in report.effects if report.dry_run or report.refused or effect.effect != "added"]
    shown = [_effect(effect) for effect in told]
    counts = {"added": report.added, "changed": report.changed, "left": report.left, "held": report.held}
    named = Counter(effect.effect for effect in told)
    return shown + [f"{name}: and {counts[name] - n:,} more" for name, n in named.items() if counts[name] > n]


def _effect(effect: Effect) -> str:
    fields = f" ({', '.join(effect.fields)})" if effect.fields else ""
    return f"{effect.effect}: {effect.id}{f' {effect.name}' if effect.name else ''}{fields}"
