"""`clarion positions` and `clarion campaigns`."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from pydantic import JsonValue

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Transaction, open_database
from clarion.runtime.output import fail, print_fields, print_json, print_rows, say
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import Actor, command_actor, record
from clarion.schemas.campaigns import Stance
from clarion.schemas.deadlines import Due
from clarion.schemas.legislation import bill_key
from clarion.services.campaigns import bills, reports, repository
from clarion.services.campaigns.domain.due import spoken_due
from clarion.services.campaigns.domain.model import AdoptedPosition, Position
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.operations import Adoption, adopt_position

positions = typer.Typer(help="Our stances on bills.", no_args_is_help=True)
campaigns = typer.Typer(help="What came of hearings with our positions on the agenda.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
TextFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, readable=True, metavar="FILE")]
NAME = "campaigns"
ROW_FIELDS = ("bill", "session", "stance", "ask", "policy_area", "statewide", "launch", "version")
LIST_FIELDS = ("id", "title", "status", "problem", "officials", "asked", "reached", "failed")


@positions.command()
def adopt(
    *,
    bill: Annotated[str, typer.Option(help='such as "SB 79"')],
    session: Annotated[str, typer.Option(help="as notices name it, such as 20252026")],
    stance: Annotated[str, typer.Option(help=", ".join(get_args(Stance)))],
    ask: Annotated[str, typer.Option(help='what the legislator is to do, such as "vote no on SB 79"')],
    why: Annotated[str, typer.Option(help="the reason, in one paragraph")],
    policy_area: Annotated[str | None, typer.Option(help="such as housing")] = None,
    points: TextFile = None,
    letter: TextFile = None,
    statewide: Annotated[bool, typer.Option(help="it concerns every city")] = False,
    include_non_members: Annotated[bool, typer.Option(help="call cities that are no members too")] = False,
    launch: Annotated[str, typer.Option(help="auto or approval: whether calls go out by themselves")] = "approval",
    jurisdiction: Annotated[str, typer.Option(help="as notices name it")] = CALIFORNIA,
    as_json: AsJson = False,
) -> None:
    """Adopt a position, before or after the bill is set for hearing; again, with another stance, a new version.

    Example: clarion positions adopt --bill "SB 79" --session 20252026 --stance oppose --ask "vote no on SB 79"
    --why "It takes zoning away from cities." --launch auto
    """
    position = Position(
        jurisdiction=_text("jurisdiction", jurisdiction),
        session=_text("session", session),
        bill=_text("bill", bill),
        bill_key=_text("bill", bill_key(bill)),
        stance=_choice("stance", stance, get_args(Stance)),
        ask=_text("ask", ask),
        why=_text("why", why),
        policy_area=policy_area,
        points=_content(points),
        letter=_content(letter),
        statewide=statewide,
        include_non_members=include_non_members,
        launch=_choice("launch", launch, ("auto", "approval")),
    )
    adoption = asyncio.run(_adopt(position))
    if as_json:
        print_json(position_fields(adoption.adopted) | {"changed": adoption.is_new})
        return
    done = "adopted" if adoption.is_new else "already adopted, nothing changed"
    print_fields(
        {"position": f"{stance} {bill} ({session})", "version": adoption.adopted.version, "result": done}, as_json=False
    )


def _text(option: str, value: str) -> str:
    text = value.strip()
    if not text or "\x00" in text or len(text) > 20_000:
        fail(f"--{option} is empty, too long or not text", code=2)
    return text


def _choice(option: str, value: str, known: tuple[str, ...]) -> Any:
    if value not in known:
        fail(f"--{option} {value!r} is not one of: {', '.join(known)}", code=2)
    return value


def _content(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path} cannot be read as UTF-8 text: {error}")
    if "\x00" in text or len(text) > 20_000:
        fail(f"{path} holds a NUL or more than 20,000 characters")
    return text or None


async def _adopt(position: Position) -> Adoption:
    async with open_database(load_settings(), NAME) as database, database.transaction() as tx:
        adoption = await adopt_position(tx, position, system_clock)
        if adoption.is_new:
            await record_adoption(tx, command_actor(), adoption.adopted)
        return adoption


async def record_adoption(tx: Transaction, actor: Actor, adopted: AdoptedPosition) -> None:
    """Write down who adopted it; which stance it takes is in the position alone."""
    details: dict[str, JsonValue] = {
        "bill": adopted.position.bill,
        "session": adopted.position.session,
        "version": adopted.version,
    }
    await record(tx.connection, actor, "position.adopted", f"position:{adopted.id}", at=tx.clock(), details=details)


def position_fields(adopted: AdoptedPosition) -> dict[str, Any]:
    """A position as machines read it."""
    return asdict(adopted.position) | {
        "id": adopted.id,
        "version": adopted.version,
        "adopted_at": adopted.adopted_at,
    }


@positions.command("list")
def list_positions(as_json: AsJson = False) -> None:
    """List the positions in force, with where their bills stand. Example: clarion positions list"""
    found = asyncio.run(_positions())
    rows = (
        found
        if as_json
        else [{name: row[name] for name in ROW_FIELDS} | bills.summary(row["progress"]) for row in found]
    )
    print_rows(rows, as_json=as_json, empty="No position is adopted: `clarion positions adopt --help`")


async def _positions() -> list[dict[str, Any]]:
    async with open_database(load_settings(), NAME) as database, database.connection() as connection:
        adopted = await repository.list_positions(connection)
        progress = await bills.progress_on(connection, [each.position for each in adopted])
    return [position_fields(each) | {"progress": state} for each, state in zip(adopted, progress, strict=True)]


@positions.command("show")
def show_position(
    bill: Annotated[str, typer.Argument(help='such as "SB 79"')],
    session: Annotated[str | None, typer.Option(help="of this session only")] = None,
    jurisdiction: Annotated[str | None, typer.Option(help="of this jurisdiction only")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the position on a bill: its versions, where the bill stands, and the hearings ahead.

    Example: clarion positions show "SB 79"
    """
    found = asyncio.run(_position(bill, session, jurisdiction))
    if found is None:
        fail(f"no position on {bill}")
    if as_json:
        print_json(found)
        return
    parts = {name: found.pop(name) for name in ("others", "progress", "hearings")}
    print_fields(found, as_json=False)
    print_rows([parts["progress"]] if parts["progress"] else [], as_json=False, empty="nothing told of the bill yet")
    print_rows(parts["hearings"], as_json=False, empty="no hearing ahead")
    if parts["others"]:
        print_rows(parts["others"], as_json=False, empty="")


async def _position(bill: str, session: str | None, jurisdiction: str | None) -> dict[str, Any] | None:
    async with open_database(load_settings(), NAME) as database, database.connection() as connection:
        versions = await repository.position_versions(connection, bill_key(bill), session, jurisdiction)
        if not versions:
            return None
        position = versions[0].position
        [progress] = await bills.progress_on(connection, [position])
        hearings = await bills.coming_hearings(connection, position, system_clock())
    others = [version_fields(each) for each in versions[1:]]
    return position_fields(versions[0]) | {"progress": progress, "hearings": hearings, "others": others}


def version_fields(adopted: AdoptedPosition) -> dict[str, Any]:
    """Another version of a position, or one of another session."""
    return {
        "session": adopted.position.session,
        "version": adopted.version,
        "stance": adopted.position.stance,
        "adopted_at": adopted.adopted_at,
    }


@campaigns.command("list")
def list_campaigns(as_json: AsJson = False) -> None:
    """List the campaigns, the latest hearing first. Example: clarion campaigns list"""
    found = asyncio.run(_campaigns())
    rows = found if as_json else [{name: row[name] for name in LIST_FIELDS} for row in found]
    print_rows(rows, as_json=as_json, empty="No campaign: publish a hearing with a bill that a position is on")


async def _campaigns() -> list[dict[str, Any]]:
    async with open_database(load_settings(), NAME) as database, database.connection() as connection:
        return await reports.list_campaigns(connection)


def print_campaign(found: dict[str, Any]) -> None:
    """A campaign for people: its divisions, reasons, bills, what was told and who was reached."""
    parts = ("waves", "reasons", "outcomes", "told", "progress")
    fields = {name: value for name, value in found.items() if name not in parts}
    outcomes = [f"{name} {count}" for name, count in found["outcomes"].items()]
    due = fields["due_source"] and spoken_due(Due.model_validate(fields["due_source"]))
    print_fields(fields | {"outcomes": outcomes, "due_source": due}, as_json=False)
    print_part("Calls by division", found["waves"], empty="none yet")
    print_part("Why they are asked", found["reasons"], empty="nobody is asked yet")
    print_part("What became of its bills", found["progress"], empty="nothing was heard of them yet")
    print_part("What was told", [told_row(each) for each in found["told"]], empty="nothing yet")


def print_part(title: str, rows: Sequence[dict[str, Any]], *, empty: str) -> None:
    """A list below others, under its title."""
    say(f"\n{title}")
    print_rows(rows, as_json=False, empty=empty)


def told_row(told: dict[str, Any]) -> dict[str, Any]:
    """A revision that was told, for people: when, and what was new."""
    changes = [f"{each['label']}: now {each['now']}, was {each['was']}" for each in told["changed"]]
    first = "the first call" if told["revision"] == 1 else "who is concerned"
    return {"told": told["revision"], "at": told["told_at"], "what": "; ".join(changes) or first}
