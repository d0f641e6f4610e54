"""CLI in: `clarion committees`, and `clarion campaigns deadline`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Connection, Transaction, open_database
from clarion.runtime.output import fail, print_fields, print_rows
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.schemas.deadlines import DeadlineSet, RuleChanged, RuleConcern
from clarion.services.campaigns.commands import AsJson
from clarion.services.campaigns.domain.deadlines import HOW_TO_SAY_TIME, HOW_TO_SAY_WHEN, NO_RULE, spoken_rule
from clarion.services.campaigns.domain.due import spoken_due
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.rules.checking import STALE_DAYS, check_rules
from clarion.services.campaigns.rules.holiday_commands import holidays
from clarion.services.campaigns.rules.operations import Outcome, history_of, restore_rule, set_rule
from clarion.services.campaigns.rules.overriding import override_deadline
from clarion.services.campaigns.rules.repository import KnownRule, rules_in_force
from clarion.services.campaigns.rules.showing import line_of
from clarion.services.campaigns.rules.wishes import Refusal, Wish, moment_of

NAME = "campaigns"
T = TypeVar("T")
SET_BY_HAND = 'clarion campaigns deadline ID --at 2027-04-14T12:00 --reason "the committee said so"'

committees = typer.Typer(help="Committees: until when they take letters.", no_args_is_help=True, rich_markup_mode=None)
rules = typer.Typer(help="Until when committees take letters.", no_args_is_help=True, rich_markup_mode=None)
committees.add_typer(rules, name="rules")
committees.add_typer(holidays, name="holidays")
deadlines = typer.Typer(rich_markup_mode=None)

Committee = Annotated[str, typer.Argument(help='its name, such as "Housing"')]
Chamber = Annotated[str, typer.Option(help="upper, lower or joint; senate or assembly will do")]
Jurisdiction = Annotated[str, typer.Option(help="as notices name it")]


@rules.command("list", epilog="Example: clarion committees rules list")
def list_rules(
    jurisdiction: Annotated[str | None, typer.Option(help="of this one only")] = None, as_json: AsJson = False
) -> None:
    """List the rules in force: the project's own, version 0, and what was changed here."""
    found = asyncio.run(_read(lambda connection: rules_in_force(connection, jurisdiction)))
    rows = [line_of(each).model_dump(mode="json") if as_json else row_of(each) for each in found]
    print_rows(rows, as_json=as_json, empty="No rule: clarion committees rules set --help")


@rules.command("show", epilog='Example: clarion committees rules show "Housing" --chamber senate')
def show_rule(
    committee: Committee, chamber: Chamber, jurisdiction: Jurisdiction = CALIFORNIA, as_json: AsJson = False
) -> None:
    """Show every version of a committee's rule, newest first."""
    found = _told(_read(lambda connection: history_of(connection, Wish(jurisdiction, chamber, committee))))
    rows = [line_of(each).model_dump(mode="json") if as_json else row_of(each) for each in found]
    print_rows(rows, as_json=as_json, empty="")


@rules.command(
    "set", epilog='Example: clarion committees rules set "Housing" --chamber senate --when "Wednesday before"'
)
def set_command(
    *,
    committee: Committee,
    chamber: Chamber,
    when: Annotated[str | None, typer.Option(help=HOW_TO_SAY_WHEN)] = None,
    at: Annotated[str | None, typer.Option(help=HOW_TO_SAY_TIME)] = None,
    unknown: Annotated[bool, typer.Option("--unknown", help="nobody knows it: the mail says so")] = False,
    source: Annotated[str | None, typer.Option(help="the page where it is written down")] = None,
    checked_on: Annotated[str | None, typer.Option(help='when you looked there: "today", or 2027-01-31')] = None,
    alias: Annotated[list[str] | None, typer.Option(help="another name of it; may be repeated")] = None,
    note: Annotated[str | None, typer.Option(help="what else there is to know")] = None,
    jurisdiction: Jurisdiction = CALIFORNIA,
    as_json: AsJson = False,
) -> None:
    """Set a committee's rule, or what of it is said here; the hearings ahead that it concerns are decided on again."""
    if unknown and when is not None:
        fail("--unknown and --when exclude each other", 2)
    wish = Wish(
        jurisdiction,
        chamber,
        committee,
        when=NO_RULE if unknown else when,
        at=at,
        aliases=None if alias is None else tuple(alias),
        source=source,
        checked_on=checked_on,
        note=note,
    )
    _print(_told(_write(lambda tx: set_rule(tx, wish, command_actor(), system_clock()))), as_json=as_json)


@rules.command("restore", epilog='Example: clarion committees rules restore "Housing" --chamber senate')
def restore_command(
    committee: Committee,
    chamber: Chamber,
    version: Annotated[
        int | None, typer.Option(help="this one; 0 is the project's own (default: the one before)")
    ] = None,
    jurisdiction: Jurisdiction = CALIFORNIA,
    as_json: AsJson = False,
) -> None:
    """Have an earlier version of a rule again; it becomes the newest."""
    wish = Wish(jurisdiction, chamber, committee)

    async def restore(tx: Transaction) -> Outcome:
        return await restore_rule(tx, wish, version, actor=command_actor(), now=system_clock())

    _print(_told(_write(restore)), as_json=as_json)


@rules.command("check", epilog="Example: clarion committees rules check --days 90")
def check_command(
    days: Annotated[int, typer.Option(min=1, help="how old the last look at a rule may be")] = STALE_DAYS,
    jurisdiction: Jurisdiction = CALIFORNIA,
    as_json: AsJson = False,
) -> None:
    """Say what is to be looked at: old rules, where the holidays end, committees without a rule, rules of none."""

    async def check(connection: Connection) -> list[RuleConcern]:
        return await check_rules(connection, system_clock(), days=days, jurisdiction=jurisdiction)

    found = asyncio.run(_read(check))
    print_rows([each.model_dump() for each in found], as_json=as_json, empty="Everything is known and was looked at.")


@deadlines.command("deadline", epilog=f"Example: {SET_BY_HAND}")
def deadline_command(
    *,
    campaign: Annotated[str, typer.Argument(metavar="ID", help="the campaign's id, as `list` shows it")],
    at: Annotated[str | None, typer.Option(help="until then, in the time of the hearing's place")] = None,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="nobody knows it, whatever the notice or a rule says")
    ] = False,
    clear: Annotated[bool, typer.Option("--clear", help="take it back: the notice or the rule holds again")] = False,
    reason: Annotated[str, typer.Option(help="who said so, or why")],
    as_json: AsJson = False,
) -> None:
    """Set the letters' deadline of one hearing by hand; whoever was told another is told."""
    if (at is not None) + unknown + clear != 1:
        fail("say one of --at TIME, --unknown and --clear", 2)

    async def override(tx: Transaction) -> DeadlineSet:
        actor, now, due_at = command_actor(), system_clock(), None if at is None else moment_of(at)
        return await override_deadline(tx, campaign, due_at, reason=reason, actor=actor, now=now, withdrawn=clear)

    found = _told(_write(override))
    fields = found.model_dump(mode="json")
    print_fields(fields if as_json else fields | {"due": spoken_due(found.due)}, as_json=as_json)


async def _read(reading: Callable[[Connection], Awaitable[T]]) -> T:
    async with open_database(load_settings(), NAME, size=1) as database, database.connection() as connection:
        return await reading(connection)


async def _write(writing: Callable[[Transaction], Awaitable[T]]) -> T:
    async with open_database(load_settings(), NAME, size=1) as database, database.transaction() as tx:
        return await writing(tx)


def _told(work: Any) -> Any:
    """What the work gives; a refusal is told, with exit code 1."""
    try:
        return asyncio.run(work)
    except Refusal as refusal:
        fail(str(refusal))


def row_of(known: KnownRule) -> dict[str, Any]:
    """A rule as a line of a table."""
    return {
        "committee": known.rule.committee,
        "chamber": known.rule.chamber,
        "rule": spoken_rule(known.rule),
        "checked_on": known.rule.checked_on or "never",
        "source": known.rule.source,
        "version": known.version,
        "made_by": known.made_by or "the project",
    }


def _print(outcome: Outcome, *, as_json: bool) -> None:
    line = line_of(outcome.known)
    changed = RuleChanged(**dict(line), changed=outcome.changed, decided_again=outcome.decided_again)
    if as_json:
        print_fields(changed.model_dump(mode="json"), as_json=True)
        return
    result = f"decided again on {outcome.decided_again} hearings ahead" if outcome.changed else "nothing changed"
    print_fields(row_of(outcome.known) | {"result": result}, as_json=False)
