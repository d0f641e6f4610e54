"""`clarion agenda`: the priorities of the association's dated Action Agenda."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Transaction, open_database
from clarion.runtime.output import fail, print_fields, print_json, print_rows
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.services.campaigns.positions.agenda import (
    Setting,
    UnknownPriority,
    change_priority,
    end_priority,
    line,
    list_agenda,
    show_priority,
)
from clarion.services.campaigns.positions.priorities import Unfit, today_at
from clarion.services.campaigns.positions.words import said_change

agenda = typer.Typer(
    help="The dated Action Agenda, to whose priorities positions refer.", no_args_is_help=True, rich_markup_mode=None
)

NAME = "campaigns"
LIST_FIELDS = ("slug", "title", "state", "from_day", "until_day", "place", "positions", "version")
OPEN = "open"

AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
Slug = Annotated[str, typer.Argument(metavar="SLUG", help="its short name, such as housing-2027")]


@agenda.command("list")
def list_priorities(
    ended: Annotated[bool, typer.Option("--ended", help="those that are over as well")] = False,
    as_json: AsJson = False,
) -> None:
    """List the priorities in their order, with how many positions refer to each. Example: clarion agenda list"""
    found = asyncio.run(_listed(ended=ended))
    rows = found if as_json else [{name: row[name] for name in LIST_FIELDS} for row in found]
    print_rows(rows, as_json=as_json, empty="Nothing is on the agenda: `clarion agenda set --help`")


async def _listed(*, ended: bool) -> list[dict[str, Any]]:
    async with open_database(load_settings(), NAME, size=1) as database, database.connection() as connection:
        return await list_agenda(connection, today_at(system_clock()), ended=ended)


@agenda.command("show")
def show(slug: Slug, as_json: AsJson = False) -> None:
    """Show a priority and what each version of it changed. Example: clarion agenda show housing-2027"""
    found = asyncio.run(_shown(slug))
    if found is None:
        fail(str(UnknownPriority(slug)))
    if as_json:
        print_json(found)
        return
    versions = found.pop("versions")
    print_fields(found, as_json=False)
    rows = [
        {"version": one["version"], "at": one["changed_at"], "what": "; ".join(map(said_change, one["changed"]))}
        for one in versions
    ]
    print_rows(rows, as_json=False, empty="")


async def _shown(slug: str) -> dict[str, Any] | None:
    async with open_database(load_settings(), NAME, size=1) as database, database.connection() as connection:
        return None if "\x00" in slug else await show_priority(connection, slug, today_at(system_clock()))


@agenda.command("set")
def set_command(
    *,
    slug: Slug,
    title: Annotated[str | None, typer.Option(help="in a line")] = None,
    text: Annotated[str | None, typer.Option(help="what it is about")] = None,
    from_day: Annotated[str | None, typer.Option("--from", help="its first day; a new one begins today")] = None,
    until_day: Annotated[str | None, typer.Option("--until", help="its last day, or `open`")] = None,
    order: Annotated[int | None, typer.Option(help="its place on the agenda, from 1")] = None,
    adopted_by: Annotated[str | None, typer.Option(help="such as Board of Directors")] = None,
    adopted_on: Annotated[str | None, typer.Option(help="the day")] = None,
    as_json: AsJson = False,
) -> None:
    """Put a priority on the agenda, or change what is given of one; a change is a new version.

    Example: clarion agenda set housing-2027 --title "Housing that cities can plan for" --text "Money, not mandates."
    --from 2027-01-01 --until 2027-12-31 --order 1 --adopted-by "Board of Directors" --adopted-on 2026-12-04
    """
    given = {
        "title": title,
        "body": text,
        "place": order,
        "from_day": day("from", from_day),
        "adopted_by": adopted_by,
        "adopted_on": day("adopted-on", adopted_on),
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if until_day is not None:
        changes["until_day"] = None if until_day == OPEN else day("until", until_day)
    _change(lambda tx: change_priority(tx, command_actor(), slug, changes), as_json=as_json)


@agenda.command("end")
def end(
    slug: Slug,
    on: Annotated[str | None, typer.Option(help="its last day; today unless said")] = None,
    as_json: AsJson = False,
) -> None:
    """Have a priority hold to the end of a day and no longer; positions that refer to it stay.

    Example: clarion agenda end housing-2027 --on 2027-12-31
    """
    last = day("on", on) or today_at(system_clock())
    _change(lambda tx: end_priority(tx, command_actor(), slug, last), as_json=as_json)


def day(option: str, given: str | None) -> date | None:
    """A day as it was given; what is none is wrong use."""
    if given is None:
        return None
    try:
        return date.fromisoformat(given.strip())
    except ValueError:
        fail(f"--{option} {given!r} is no day: write it as 2027-01-31", code=2)


def _change(change: Callable[[Transaction], Awaitable[Setting]], *, as_json: bool) -> None:
    try:
        setting = asyncio.run(_changed(change))
    except Unfit as error:
        fail(str(error), code=2)
    except UnknownPriority as error:
        fail(str(error))
    found = line(setting.item, today_at(system_clock()))
    if as_json:
        print_json(found | {"changed": setting.is_new})
        return
    result = f"version {found['version']}" if setting.is_new else "it stood so before, nothing changed"
    print_fields({name: found[name] for name in LIST_FIELDS[:5]} | {"result": result}, as_json=False)


async def _changed(change: Callable[[Transaction], Awaitable[Setting]]) -> Setting:
    async with open_database(load_settings(), NAME, size=1) as database, database.transaction() as tx:
        return await change(tx)
