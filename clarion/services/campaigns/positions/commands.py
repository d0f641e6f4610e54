"""`clarion positions`: our stances on bills, regulations and ballot measures."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Connection, open_database
from clarion.runtime.output import fail, print_fields, print_json, print_rows, say
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.schemas.campaigns import Stance
from clarion.services.campaigns import bills
from clarion.services.campaigns.domain.model import Subject
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.positions import story
from clarion.services.campaigns.positions.drafts import Draft, position_from
from clarion.services.campaigns.positions.operations import (
    Adoption,
    Unadoptable,
    UnknownPosition,
    adopt,
    withdraw,
)
from clarion.services.campaigns.positions.repository import Place, Wanted, position_versions
from clarion.services.campaigns.positions.subjects import subject_key
from clarion.services.campaigns.positions.words import said, said_change, to_follow_said

positions = typer.Typer(
    help="Our stances on bills, regulations and ballot measures.", no_args_is_help=True, rich_markup_mode=None
)

NAME = "campaigns"
ROW_FIELDS = ("bill", "session", "stance", "ask", "policy_area", "priority", "statewide", "launch", "version")
PARTS = ("versions", "progress", "hearings", "past_hearings", "campaigns", "others")
CAMPAIGN_FIELDS = ("id", "title", "status", "problem", "asked", "reached", "failed", "ended")

AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
TextFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, readable=True, metavar="FILE")]
Bill = Annotated[str | None, typer.Option(help='a bill\'s number, such as "SB 79"')]
Regulation = Annotated[str | None, typer.Option(help="in place of a bill: a regulation's name")]
Measure = Annotated[str | None, typer.Option(help="in place of a bill: a ballot measure's name; it asks nothing")]
Session = Annotated[str | None, typer.Option(help="a bill's, as notices name it, such as 20252026")]
Jurisdiction = Annotated[str, typer.Option(help="as notices name it")]
Name = Annotated[str, typer.Argument(metavar="BILL", help='such as "SB 79", or what else it is on')]


@positions.command("adopt")
def adopt_command(
    *,
    bill: Bill = None,
    regulation: Regulation = None,
    measure: Measure = None,
    session: Session = None,
    stance: Annotated[str, typer.Option(help=", ".join(get_args(Stance)))],
    ask: Annotated[str, typer.Option(help='what is to be done, such as "vote no on SB 79"')] = "",
    why: Annotated[str, typer.Option(help="the reason, in one paragraph")],
    policy_area: Annotated[str, typer.Option(help="such as housing")] = "",
    points: TextFile = None,
    letter: TextFile = None,
    statewide: Annotated[bool, typer.Option(help="it concerns every city")] = False,
    include_non_members: Annotated[bool, typer.Option(help="call cities that are no members too")] = False,
    group: Annotated[list[str], typer.Option(help="a group of the directory that it concerns, by its id")] = [],  # noqa: B006
    launch: Annotated[str, typer.Option(help="auto or approval: whether calls go out by themselves")] = "approval",
    priority: Annotated[str, typer.Option(help="of the agenda, as `clarion agenda list` shows them")] = "",
    representative: Annotated[str, typer.Option(help="a staff account's address, or a name")] = "",
    representative_email: Annotated[str, typer.Option(help="of somebody who has no account")] = "",
    representative_phone: Annotated[str, typer.Option(help="to be asked at")] = "",
    adopted_by: Annotated[str, typer.Option(help="the body that took it, such as Board of Directors")] = "",
    adopted_on: Annotated[str, typer.Option(help="the day on which it did, such as 2027-01-31")] = "",
    jurisdiction: Jurisdiction = CALIFORNIA,
    as_json: AsJson = False,
) -> None:
    """Adopt a position, before or after the bill is set for hearing; again, with another stance, a new version.

    Example: clarion positions adopt --bill "SB 79" --session 20252026 --stance oppose --ask "vote no on SB 79"
    --why "It takes zoning away from cities." --launch auto
    """
    subject, name = subject_of(bill, regulation, measure)
    draft = Draft(name, stance, why, ask, subject, session or "", jurisdiction, policy_area)
    draft = replace(draft, points=_content(points), letter=_content(letter), launch=launch, priority=priority)
    draft = replace(draft, statewide=statewide, include_non_members=include_non_members, groups=group)
    draft = replace(draft, adopted_by=adopted_by, adopted_on=adopted_on, representative=representative)
    draft = replace(draft, representative_email=representative_email, representative_phone=representative_phone)
    try:
        changed = asyncio.run(_adopt(draft))
    except Unadoptable as error:
        fail(explained(error), code=2)
    done = f"adopted{following(changed)}" if changed["changed"] else "already adopted, nothing changed"
    print_change(changed, done, as_json=as_json)


def subject_of(bill: str | None, regulation: str | None, measure: str | None) -> tuple[Subject, str]:
    """What it is on, and its name; not exactly one of them is wrong use."""
    named: dict[Subject, str | None] = {"bill": bill, "regulation": regulation, "measure": measure}
    given = [(subject, name) for subject, name in named.items() if name is not None]
    if len(given) != 1:
        fail("name what it is on by one of --bill, --regulation and --measure", code=2)
    return given[0]


def explained(error: Unadoptable) -> str:
    """What is wrong, a line for each option."""
    return "\n".join(f"--{field.replace('_', '-')} {message}" for field, message in error.errors.items())


def following(changed: dict[str, Any]) -> str:
    """What is yet to come of it, in words, where that is more than a moment's work."""
    return f"; {to_follow_said(changed['to_follow'])}" if changed["to_follow"] else ""


def print_change(changed: dict[str, Any], done: str, *, as_json: bool) -> None:
    """What became of a position."""
    if as_json:
        print_json(changed)
        return
    on = f"{changed['bill']} ({changed['session']})" if changed["session"] else changed["bill"]
    print_fields(
        {"position": f"{changed['stance']} {on}", "version": changed["version"], "result": done}, as_json=False
    )


def _content(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path} cannot be read as UTF-8 text: {error}")


async def _adopt(draft: Draft) -> dict[str, Any]:
    async with open_database(load_settings(), NAME) as database, database.transaction() as tx:
        adoption = await adopt(tx, command_actor(), await position_from(tx.connection, draft), system_clock)
        return await _changed(tx.connection, adoption)


async def _changed(connection: Connection, adoption: Adoption) -> dict[str, Any]:
    shown = await story.change_shown(connection, adoption.adopted)
    return shown | {"changed": adoption.is_new, "to_follow": adoption.to_follow}


@positions.command("withdraw")
def withdraw_command(
    *,
    bill: Bill = None,
    regulation: Regulation = None,
    measure: Measure = None,
    session: Session = None,
    reason: Annotated[str, typer.Option(help="why, for the position's story; it is not mailed")],
    jurisdiction: Jurisdiction = CALIFORNIA,
    as_json: AsJson = False,
) -> None:
    """Withdraw a position: nobody is asked about it any more, and who was is told once that nothing is left to be done.

    Mail about it that is not sent ends; a campaign with other bills goes on without it. Adopting it again undoes this.

    Example: clarion positions withdraw --bill "SB 79" --session 20252026 --reason "Amended as cities asked"
    """
    subject, name = subject_of(bill, regulation, measure)
    try:
        changed = asyncio.run(_withdraw(subject, name, session, jurisdiction, reason))
    except Unadoptable as error:
        fail(explained(error), code=2)
    except UnknownPosition as error:
        fail(str(error))
    done = f"withdrawn{following(changed)}" if changed["changed"] else "withdrawn before, nothing changed"
    print_change(changed, done, as_json=as_json)


async def _withdraw(subject: Subject, name: str, session: str | None, jurisdiction: str, reason: str) -> dict[str, Any]:
    async with open_database(load_settings(), NAME) as database, database.transaction() as tx:
        versions = await position_versions(tx.connection, [subject_key(subject, name)], session, jurisdiction)
        found = {Place.of(one.position) for one in versions}
        if len(found) > 1:
            sessions = ", ".join(sorted(place.session for place in found))
            raise Unadoptable({"session": f"say which: there are positions on {name} in {sessions}"})
        if not found:
            raise UnknownPosition(name)
        [place] = found
        withdrawal = await withdraw(tx, command_actor(), place, reason, system_clock)
        return await _changed(tx.connection, withdrawal)


@positions.command("list")
def list_command(
    *,
    stance: Annotated[str | None, typer.Option(help="with this stance")] = None,
    subject: Annotated[str | None, typer.Option(help="bill, regulation or measure")] = None,
    session: Annotated[str | None, typer.Option(help="of this session")] = None,
    priority: Annotated[str | None, typer.Option(help="that refer to this priority")] = None,
    policy_area: Annotated[str | None, typer.Option(help="of this policy area")] = None,
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="those that were withdrawn as well")] = False,
    as_json: AsJson = False,
) -> None:
    """List the positions in force, with where their bills stand. Example: clarion positions list --stance oppose"""
    wanted = Wanted(stance, subject, session, priority, policy_area, withdrawn)
    found = asyncio.run(_listed(wanted))
    rows = (
        found
        if as_json
        else [{name: row[name] for name in ROW_FIELDS} | bills.summary(row["progress"]) for row in found]
    )
    print_rows(rows, as_json=as_json, empty="No such position is adopted: `clarion positions adopt --help`")


async def _listed(wanted: Wanted) -> list[dict[str, Any]]:
    async with open_database(load_settings(), NAME) as database, database.connection() as connection:
        return await story.listed(connection, wanted)


@positions.command("show")
def show_command(
    bill: Name,
    session: Annotated[str | None, typer.Option(help="of this session only")] = None,
    jurisdiction: Annotated[str | None, typer.Option(help="of this jurisdiction only")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a bill's whole story: the position and its versions, where the bill stands, its hearings and campaigns.

    Example: clarion positions show "SB 79"
    """
    found = asyncio.run(_shown(bill, session, jurisdiction))
    if found is None:
        fail(f"no position on {bill}")
    if as_json:
        print_json(found)
        return
    print_story(found)


async def _shown(name: str, session: str | None, jurisdiction: str | None) -> dict[str, Any] | None:
    if "\x00" in name:
        return None
    async with open_database(load_settings(), NAME) as database, database.connection() as connection:
        return await story.story_named(connection, name, session, jurisdiction, system_clock())


def print_story(found: dict[str, Any]) -> None:
    """A position for people."""
    fields = {name: value for name, value in found.items() if name not in PARTS}
    withdrawal = fields.pop("withdrawal")
    if withdrawal:
        fields |= {"withdrawn_at": withdrawal["at"], "withdrawn_because": withdrawal["reason"]}
    print_fields(fields | {"representative": said(fields["representative"])}, as_json=False)
    _part("Where the bill stands", [found["progress"]] if found["progress"] else [], "nothing told of the bill yet")
    _part("What we said when", [_version_row(each) for each in found["versions"]], "")
    _part("Hearings ahead", found["hearings"], "no hearing ahead")
    _part("Hearings before", found["past_hearings"], "none")
    rows = [{name: each[name] for name in CAMPAIGN_FIELDS} for each in found["campaigns"]]
    _part("Campaigns, and whom they reached", rows, "none yet")
    if found["others"]:
        _part("Other positions of this name", found["others"], "")


def _version_row(version: dict[str, Any]) -> dict[str, Any]:
    changes = "; ".join(said_change(each) for each in version["changed"])
    reason = f" ({version['reason']})" if version["reason"] else ""
    what = f"{changes}{reason}" or "as adopted first"
    return {"version": version["version"], "at": version["adopted_at"], "stance": version["stance"], "what": what}


def _part(title: str, rows: Sequence[dict[str, Any]], empty: str) -> None:
    say(f"\n{title}")
    print_rows(rows, as_json=False, empty=empty)
