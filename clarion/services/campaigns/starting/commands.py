"""CLI in: `clarion campaigns create|move|cancel|take-back|follow-ups`."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Transaction, open_database
from clarion.runtime.output import fail, print_fields, print_json, print_rows, say
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.runtime.web.fields import FieldError, field_errors
from clarion.services.campaigns.starting import changing, operations
from clarion.services.campaigns.starting.changing import Changer, Wish
from clarion.services.campaigns.starting.drafts import Change, OccasionDraft
from clarion.services.campaigns.starting.errors import NotToBeStarted, Unfit
from clarion.services.campaigns.starting.kinds import KINDS
from clarion.services.campaigns.starting.progress import QUERIES
from clarion.services.campaigns.starting.views import Counted, Foreseen, Started, follow_up

starting = typer.Typer(help="Campaigns that are no hearing's.", no_args_is_help=True, rich_markup_mode=None)
NAME = "campaigns"
Done = TypeVar("Done")

AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
TextFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, readable=True, metavar="FILE")]
Names = Annotated[list[str] | None, typer.Option(help="may be repeated; any of them will do")]
Campaign = Annotated[str, typer.Argument(help="its id, as `list` shows it")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only count the mails, and say what they tell")]
CREATE_HELP = """Start a campaign that is no hearing's: count it with --dry-run, then start it; it waits for approval.

Options of one kind are joined by "or", the kinds by "and".

Examples:

clarion campaigns create floor-vote --decider "Senate floor" --bill "SB 79" --at 2027-05-27T10:00 --statewide

clarion campaigns create governor --bill "SB 79" --presented 2027-09-13 --role mayor --statewide

clarion campaigns create comment-period --decider CalRecycle --about "SB 54 packaging regulations"
--ask "ask that producers pay" --why "Cities pay for sorting." --at 2027-06-14T17:00 --group coastal-cities

clarion campaigns create programme --division east-bay --about "Street trees" --ask "join by Friday"
--why "The state pays half." --at 2027-06-30

clarion campaigns create volunteer --decider "The board" --about "Packaging task force" --ask "send your name"
--why "It meets from July on." --at 2027-06-30 --group city-managers

clarion campaigns create threat --decider "The Legislature" --about "A raid on city funds" --ask "write today"
--why "It takes a third of your budget." --at 2027-06-15
"""
AUDIENCE = {
    "division": "divisions",
    "city": "cities",
    "group": "groups",
    "role": "roles",
    "district": "districts",
    "committee": "committees",
    "official": "officials",
}
"""The options that say who is asked, and the draft's names for them."""
OPTION_OF = {"decided_at": "at", "due_at": "due", "bills": "bill", "own": "about", "presented_on": "presented"}
OPTION_OF |= {name: option for option, name in AUDIENCE.items()} | {"session_ended_on": "session-ended"}


@starting.command(help=CREATE_HELP)
def create(
    kind: Annotated[str, typer.Argument(help=", ".join(KINDS))],
    *,
    file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="a draft as the API takes it")] = None,
    draft_id: Annotated[str | None, typer.Option("--id", help="the draft's; started twice it is one campaign")] = None,
    decider: Annotated[str | None, typer.Option(help='who decides, such as "Senate floor"')] = None,
    at: Annotated[
        str | None, typer.Option(help="from when on nobody's voice counts: a time, or a day to its end")
    ] = None,
    due: Annotated[str | None, typer.Option(help="when what is written has to be there, if earlier")] = None,
    presented: Annotated[str | None, typer.Option(help="the day on which the Governor got the bill")] = None,
    session_ended: Annotated[str | None, typer.Option(help="the day on which the houses adjourned")] = None,
    bill: Annotated[list[str] | None, typer.Option(help="with an adopted position; may be repeated")] = None,
    session: Annotated[str | None, typer.Option(help="of the bills, where there are several")] = None,
    about: Annotated[str | None, typer.Option(help="what is asked about without a position")] = None,
    ask: Annotated[str | None, typer.Option(help="what is asked there")] = None,
    why: Annotated[str | None, typer.Option(help="the reason, in one paragraph")] = None,
    points: TextFile = None,
    letter: TextFile = None,
    first_ask: Annotated[str | None, typer.Option(help="letter, comment-letter, phone or volunteer")] = None,
    launch: Annotated[str, typer.Option(help="auto or approval")] = "approval",
    where: Annotated[str | None, typer.Option(help="the place, or an address")] = None,
    notice_url: Annotated[str | None, typer.Option(help="the notice's address")] = None,
    division: Names = None,
    city: Names = None,
    group: Annotated[
        list[str] | None, typer.Option(help="of people or cities; latino-caucus:chair is a role in it")
    ] = None,
    role: Names = None,
    district: Annotated[list[str] | None, typer.Option(help='such as "SD 7"')] = None,
    committee: Annotated[list[str] | None, typer.Option(help="its members' districts")] = None,
    official: Annotated[list[str] | None, typer.Option(help="an id; asked whatever the rest says")] = None,
    members: Annotated[str, typer.Option(help="members, others or all: which cities")] = "members",
    statewide: Annotated[bool, typer.Option("--statewide", help="every city")] = False,
    jurisdiction: Annotated[str | None, typer.Option(help="as notices name it")] = None,
    zone: Annotated[str | None, typer.Option(help="of times without an offset")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only count whom it would ask")] = False,
    as_json: AsJson = False,
) -> None:
    """Start a campaign, or count whom it would ask; `CREATE_HELP` is what people read."""
    given = dict(locals())
    draft = _read(_from_file(file, kind) if file else _from_options(given))
    if dry_run:
        _tell_count(_on_database(lambda tx: operations.count(tx.connection, draft, tx.clock())), as_json=as_json)
        return
    started = _on_database(lambda tx: operations.start(tx, draft, command_actor(), None, tx.clock()))
    _tell_started(started, as_json=as_json)


def _tell_started(started: Started, *, as_json: bool) -> None:
    if as_json:
        print_json(started)
        return
    said = "started" if started.created else "started before: nothing changed"
    print_fields({"campaign": started.id, "result": said}, as_json=False)


def _from_file(file: Path, kind: str) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        fail(f"{file} cannot be read as JSON: {error}")
    if not isinstance(found, dict):
        fail(f"{file} holds no draft: one JSON object is wanted")
    return {"kind": kind} | found


def _from_options(given: dict[str, Any]) -> dict[str, Any]:
    """The draft that the options make, without what was left out."""
    own = {"subject": given["about"], "ask": given["ask"], "why": given["why"]}
    own |= {name: given[name].read_text(encoding="utf-8-sig") for name in ("points", "letter") if given[name]}
    named = {
        "id": "draft_id",
        "decided_at": "at",
        "due_at": "due",
        "presented_on": "presented",
        "session_ended_on": "session_ended",
        "bills": "bill",
    }
    plain = ("kind", "decider", "session", "first_ask", "launch", "where", "notice_url", "jurisdiction", "zone")
    fields = {name: given[name] for name in plain} | {name: given[option] for name, option in named.items()}
    asked = {name: value for name, value in own.items() if value is not None}
    audience = {name: given[option] or [] for option, name in AUDIENCE.items()}
    return {name: value for name, value in fields.items() if value is not None} | {
        "own": [asked] if asked else [],
        "audience": audience | {"members": given["members"], "statewide": given["statewide"]},
    }


def _read(document: dict[str, Any]) -> OccasionDraft:
    try:
        return OccasionDraft.model_validate(document)
    except ValidationError as error:
        _refuse(field_errors(error.errors(include_url=False), document))


@starting.command()
def move(
    *,
    campaign: Campaign,
    at: Annotated[str | None, typer.Option(help="the new end: a time, or a day to its end")] = None,
    due: Annotated[str | None, typer.Option(help="the new time until which what is written has to be there")] = None,
    where: Annotated[str | None, typer.Option(help="the new place")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Move a campaign that somebody started; who was told is told what changed, as of a hearing that moves.

    Example: clarion campaigns move ID --at 2027-06-21T17:00 --dry-run
    """
    document = {"decided_at": at, "due_at": due, "where": where}
    try:
        change = Change.model_validate(document)
    except ValidationError as error:
        _refuse(field_errors(error.errors(include_url=False), document))
    _change(campaign, change, "is moved", dry_run=dry_run, as_json=as_json)


@starting.command()
def cancel(campaign: Campaign, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Cancel a campaign that somebody started; who was told is told that it is off.

    Example: clarion campaigns cancel ID --dry-run
    """
    _change(campaign, "cancel", "is cancelled", dry_run=dry_run, as_json=as_json)


@starting.command("take-back")
def take_back(campaign: Campaign, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Take the last move of a campaign that somebody started back, or its cancellation.

    Who was told of it is told again; whose mail of it did not go out yet gets none.

    Example: clarion campaigns take-back ID --dry-run
    """
    _change(campaign, "take-back", "is as it was before", dry_run=dry_run, as_json=as_json)


def _change(campaign: str, wish: Wish, done: str, *, dry_run: bool, as_json: bool) -> None:
    """Count what a change does, and make it unless only that is wanted."""
    changer = Changer(command_actor())

    async def act(tx: Transaction) -> Foreseen:
        found = await changing.foresee(tx.connection, campaign, wish, changer, tx.clock())
        if not dry_run:
            await changing.change(tx, campaign, wish, changer, tx.clock())
        return found

    found = _on_database(act)
    if as_json:
        print_json(found.model_dump(mode="json") | {"changed": not dry_run})
        return
    say(f"{campaign} {done}" if not dry_run else "nothing is changed yet")
    said = [f"{each.label}: {each.now or 'no more'}, was {each.was or 'not said'}" for each in found.changes]
    mails = {"mails of amendment": found.amended, "mails still on their way": found.unsent}
    print_fields({"campaign": found.title, "what is new": said or "nothing that was told"} | mails, as_json=False)


@starting.command("follow-ups")
def follow_ups(as_json: AsJson = False) -> None:
    """List the campaigns that wait for the next hearing of a bill. Example: clarion campaigns follow-ups"""
    found = _on_database(_follow_ups)
    print_rows(found, as_json=as_json, empty="No bill on which we called goes on without a hearing that is set.")


async def _follow_ups(tx: Transaction) -> list[dict[str, Any]]:
    return [follow_up(row).model_dump() async for row in QUERIES.list_follow_ups(tx.connection, id=None)]


def _on_database(act: Callable[[Transaction], Awaitable[Done]]) -> Done:
    """Do it in one transaction; what cannot be done is said and ends the command."""

    async def done() -> Done:
        async with open_database(load_settings(), NAME, system_clock) as database, database.transaction() as tx:
            return await act(tx)

    try:
        return asyncio.run(done())
    except Unfit as refusal:
        _refuse(refusal.errors)
    except NotToBeStarted as refusal:
        fail(str(refusal))


def _refuse(errors: Sequence[FieldError]) -> NoReturn:
    """Say what is wrong, by the option where it is one."""
    names = [error.field.removeprefix("audience.").partition("[")[0].partition(".")[0] for error in errors]
    lines = [
        f"--{OPTION_OF.get(name, name).replace('_', '-')}: {error.message}"
        for name, error in zip(names, errors, strict=True)
    ]
    fail("\n".join([*lines, "nothing was done"]), code=2)


def _tell_count(found: Counted, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_rows([each.model_dump() for each in found.divisions], as_json=False, empty="nobody would be asked")
    without = ", ".join(found.without_anyone) or "none"
    print_fields(
        {
            "title": found.title,
            "cities": found.cities,
            "officials": found.officials,
            "mailboxes": found.mailboxes,
            "cities without anyone to ask": without,
            "to note": found.warnings or "nothing",
        },
        as_json=False,
    )
