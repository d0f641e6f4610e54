"""CLI in: `clarion committees holidays`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Transaction, open_database
from clarion.runtime.output import fail, print_fields, print_rows
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.schemas.deadlines import HolidayChanged, HolidayLine, HolidayYearSet
from clarion.services.campaigns.commands import AsJson
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.rules.calendar import Calendar, calendar_of
from clarion.services.campaigns.rules.closing import (
    By,
    DayOutcome,
    Source,
    YearOutcome,
    add_holiday,
    remove_holiday,
    set_year,
)
from clarion.services.campaigns.rules.wishes import Refusal

NAME = "campaigns"
T = TypeVar("T")

holidays = typer.Typer(
    help="Days on which the legislature's offices are closed.", no_args_is_help=True, rich_markup_mode=None
)

Day = Annotated[str, typer.Argument(help="such as 2029-01-01")]
Jurisdiction = Annotated[str, typer.Option(help="as notices name it")]
Page = Annotated[str, typer.Option(help="the page where it is written down")]
CheckedOn = Annotated[str, typer.Option(help='when you looked there: "today", or 2027-01-31')]


@holidays.command("list", epilog="Example: clarion committees holidays list --year 2029")
def list_holidays(
    year: Annotated[int | None, typer.Option(help="of this year only")] = None,
    jurisdiction: Jurisdiction = CALIFORNIA,
    as_json: AsJson = False,
) -> None:
    """List the holidays: the project's own, version 0, and what was added or taken out here."""
    calendar = asyncio.run(_calendar(jurisdiction))
    found = [line for line in calendar.days.values() if year in {None, line.year}]
    rows = [line.model_dump(mode="json") if as_json else row_of(line) for line in found]
    print_rows(rows, as_json=as_json, empty="No holiday is known: clarion committees holidays add --help")
    if not as_json:
        whole = ", ".join(str(each) for each, line in calendar.years.items() if line.whole and year in {None, each})
        typer.echo(f"All of their holidays are known: {whole or 'no year'}", err=True)


@holidays.command(epilog='Example: clarion committees holidays add 2029-01-01 "New Year\'s Day" --source https://...')
def add(
    *,
    day: Day,
    name: Annotated[str, typer.Argument(help="what it is called")],
    source: Page,
    checked_on: CheckedOn = "today",
    jurisdiction: Jurisdiction = CALIFORNIA,
    as_json: AsJson = False,
) -> None:
    """Add a holiday, or correct one; hearings ahead whose deadline changes by it are decided on again."""
    found = _write(jurisdiction, lambda tx, by: add_holiday(tx, day, name, Source(source, checked_on), by))
    _print_day(found, as_json=as_json)


@holidays.command(epilog="Example: clarion committees holidays remove 2029-03-31")
def remove(day: Day, jurisdiction: Jurisdiction = CALIFORNIA, as_json: AsJson = False) -> None:
    """Take a holiday out: offices are open on that day. `add` is the way back."""
    _print_day(_write(jurisdiction, lambda tx, by: remove_holiday(tx, day, by)), as_json=as_json)


@holidays.command(epilog="Example: clarion committees holidays year 2029 --source https://...")
def year(
    *,
    year: Annotated[int, typer.Argument(help="such as 2029")],
    source: Annotated[str | None, typer.Option(help="the page where all of them are written down")] = None,
    checked_on: CheckedOn = "today",
    unknown: Annotated[bool, typer.Option("--unknown", help="some are not known: what is counted says so")] = False,
    jurisdiction: Jurisdiction = CALIFORNIA,
    as_json: AsJson = False,
) -> None:
    """Say that all of a year's holidays stand here, so that days counted in it are no guess; or that some do not."""
    if (source is None) != unknown:
        fail("say --source ADDRESS, where all of them are written down, or --unknown", 2)
    stated = None if source is None else Source(source, checked_on)
    found = _write(jurisdiction, lambda tx, by: set_year(tx, year, stated, by))
    line = HolidayYearSet(**dict(found.line), changed=found.changed, decided_again=found.decided_again)
    fields = line.model_dump(mode="json")
    shown = {"year": line.year, "all known": "yes" if line.whole else "no", "source": line.source or "-"}
    print_fields(fields if as_json else shown | result_of(found), as_json=as_json)


async def _calendar(jurisdiction: str) -> Calendar:
    async with open_database(load_settings(), NAME, size=1) as database, database.connection() as connection:
        return await calendar_of(connection, jurisdiction)


def _write(jurisdiction: str, act: Callable[[Transaction, By], Awaitable[T]]) -> T:
    """Do it; a refusal is told, with exit code 1."""

    async def done() -> T:
        async with open_database(load_settings(), NAME, size=1) as database, database.transaction() as tx:
            return await act(tx, By(command_actor(), system_clock(), jurisdiction))

    try:
        return asyncio.run(done())
    except Refusal as refusal:
        fail(str(refusal))


def _print_day(found: DayOutcome, *, as_json: bool) -> None:
    line = HolidayChanged(**dict(found.line), changed=found.changed, decided_again=found.decided_again)
    fields = line.model_dump(mode="json")
    print_fields(fields if as_json else row_of(found.line) | result_of(found), as_json=as_json)


def result_of(found: DayOutcome | YearOutcome) -> dict[str, Any]:
    """What came of it, for people."""
    again = f"decided again on {found.decided_again} hearings ahead"
    return {"result": again if found.changed else "nothing changed"}


def row_of(line: HolidayLine) -> dict[str, Any]:
    """A day as a line of a table."""
    return {
        "day": line.day,
        "name": line.name if line.closed else f"{line.name}: taken out, offices are open",
        "checked_on": line.checked_on or "never",
        "source": line.source or "-",
        "version": line.version,
        "made_by": line.made_by or "the project",
    }
