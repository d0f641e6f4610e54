"""`clarion campaigns waiting`, `approve`, `reject`, `stop`, `close`, `leave-out`, `add`, `undo` and `paragraph`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, TypeAlias

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Transaction, open_database
from clarion.runtime.output import fail, print_fields, print_json, print_rows
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.services.campaigns.approving import operations as waves
from clarion.services.campaigns.approving.operations import Approver, Refusal, WaitingPage, WaveDetails
from clarion.services.campaigns.approving.waves import WAVES_AT_MOST

approving = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

NAME = "campaigns"
NO_DIVISION = "-"
CLOSED_FIELDS = ("division", "state", "officials", "reason")
LIST_FIELDS = ("campaign", "division", "title", "officials", "urgent", "useless_at")
PARTS = ("facts", "bills", "history", "look")

Campaign: TypeAlias = Annotated[str, typer.Argument(help="its id, as `list` shows it")]
Official: TypeAlias = Annotated[str, typer.Argument(help="the official's id, as `preview` shows it")]
Division: TypeAlias = Annotated[str, typer.Option(help="its slug; - for cities without one, * for bills added since")]
Reason: TypeAlias = Annotated[str, typer.Option(help="why; others read it")]
Look: TypeAlias = Annotated[str | None, typer.Option(help="refuse unless what would be read still has this look")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
Act = Callable[[Transaction, Approver, str, str, datetime], Awaitable[object]]


@approving.command()
def waiting(
    division: Annotated[str | None, typer.Option(help="of this division alone")] = None,
    limit: Annotated[int, typer.Option(min=1, max=WAVES_AT_MOST, help="at most so many")] = WAVES_AT_MOST,
    after: Annotated[str, typer.Option(help="from behind these on: what was said below the page before")] = "",
    as_json: AsJson = False,
) -> None:
    """List the waves that wait for approval, those that are useless first first.

    Example: clarion campaigns waiting --division north-bay --limit 50
    """
    try:
        found = asyncio.run(_waiting(division, after, limit))
    except Refusal as refusal:
        fail(str(refusal), 2)
    rows = [fields_of(each) for each in found.waves]
    shown = rows if as_json else [{name: row[name] for name in LIST_FIELDS} for row in rows]
    print_rows(shown, as_json=as_json, empty="No wave waits for approval." if not after else "No further wave waits.")
    if found.next:
        typer.echo(f"more wait: --after {found.next}", err=True)


async def _waiting(division: str | None, after: str, limit: int) -> WaitingPage:
    divisions = None if division is None else frozenset({slug(division)})
    async with open_database(load_settings(), NAME) as database, database.connection() as connection:
        return await waves.waiting_waves(connection, divisions, system_clock(), after=after, limit=limit)


@approving.command()
def approve(campaign: Campaign, division: Division, look: Look = None, as_json: AsJson = False) -> None:
    """Let a division's calls go out. Example: clarion campaigns approve ID --division north-bay"""

    async def act(tx: Transaction, approver: Approver, campaign: str, division: str, now: datetime) -> None:
        await waves.approve(tx, approver, campaign, division, look=look, now=now)

    _act(act, campaign, division, as_json=as_json)


@approving.command()
def reject(campaign: Campaign, division: Division, reason: Reason, as_json: AsJson = False) -> None:
    """Have a division's calls not go out; they can be approved after all.

    Example: clarion campaigns reject ID --division north-bay --reason "Our cities are of two minds."
    """

    async def act(tx: Transaction, approver: Approver, campaign: str, division: str, now: datetime) -> None:
        await waves.reject(tx, approver, campaign, division, reason=reason, now=now)

    _act(act, campaign, division, as_json=as_json)


@approving.command()
def stop(campaign: Campaign, division: Division, reason: Reason, as_json: AsJson = False) -> None:
    """End a division's calls: what is unsent never goes out, and who was told is told why, once.

    Example: clarion campaigns stop ID --division north-bay --reason "The author took our amendments."
    """

    async def act(tx: Transaction, approver: Approver, campaign: str, division: str, now: datetime) -> None:
        await waves.stop(tx, approver, campaign, division, reason=reason, now=now)

    _act(act, campaign, division, as_json=as_json)


@approving.command()
def close(
    campaign: Campaign,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="without asking")] = False,
    as_json: AsJson = False,
) -> None:
    """End a whole campaign before its time: what is unsent never goes out, and who was told is told why, once.

    Each division can be approved again while that helps. To hold it back without a word there is `pause`.

    Example: clarion campaigns close ID --reason "The author took our amendments."
    """
    if not yes:
        typer.confirm("End it for all its divisions? Who was told already is mailed the reason.", abort=True, err=True)
    try:
        found = asyncio.run(_closed(campaign, reason))
    except Refusal as refusal:
        fail(str(refusal))
    rows = [fields_of(each) for each in found]
    shown = rows if as_json else [{name: row[name] for name in CLOSED_FIELDS} for row in rows]
    print_rows(shown, as_json=as_json, empty="It has no wave.")


async def _closed(campaign: str, reason: str) -> list[WaveDetails]:
    now = system_clock()
    async with open_database(load_settings(), NAME) as database, database.transaction() as tx:
        await waves.close(tx, Approver(command_actor()), campaign, reason=reason, now=now)
        return await waves.list_waves(tx.connection, campaign, now)


@approving.command("leave-out")
def leave_out(
    campaign: Campaign, official: Official, division: Division, reason: Reason, as_json: AsJson = False
) -> None:
    """Have an official not be asked; who was told already is told why, once.

    Example: clarion campaigns leave-out ID OFFICIAL --division north-bay --reason "Spoke to the author already."
    """

    async def act(tx: Transaction, approver: Approver, campaign: str, division: str, now: datetime) -> None:
        await waves.leave_out(tx, approver, campaign, division, official, reason=reason, now=now)

    _act(act, campaign, division, as_json=as_json)


@approving.command("add")
def add_official(
    *,
    campaign: Campaign,
    official: Official,
    division: Division,
    reason: Reason,
    ask: Annotated[list[str] | None, typer.Option(help="letter (what is to be written there) or testimony")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask somebody in office in the division who would not be asked otherwise.

    Example: clarion campaigns add ID OFFICIAL --division north-bay --ask letter --reason "Knows the street."
    """

    async def act(tx: Transaction, approver: Approver, campaign: str, division: str, now: datetime) -> None:
        await waves.add(tx, approver, campaign, division, official, reason=reason, asks=ask or ["letter"], now=now)

    _act(act, campaign, division, as_json=as_json)


@approving.command("undo")
def undo(campaign: Campaign, official: Official, division: Division, as_json: AsJson = False) -> None:
    """Take back that somebody was left out or added. Example: clarion campaigns undo ID OFFICIAL --division delta"""

    async def act(tx: Transaction, approver: Approver, campaign: str, division: str, now: datetime) -> None:
        await waves.undo_choice(tx, approver, campaign, division, official, now=now)

    _act(act, campaign, division, as_json=as_json)


@approving.command()
def paragraph(
    campaign: Campaign,
    text: Annotated[str, typer.Argument(help="the paragraph; an empty one takes it out")],
    division: Division,
    as_json: AsJson = False,
) -> None:
    """Write a division's own paragraph, which stands in all its calls, before they are approved.

    Example: clarion campaigns paragraph ID "Three of our cities are named in the bill." --division north-bay
    """

    async def act(tx: Transaction, approver: Approver, campaign: str, division: str, now: datetime) -> None:
        await waves.write_paragraph(tx, approver, campaign, division, text, now)

    _act(act, campaign, division, as_json=as_json)


def _act(act: Act, campaign: str, division: str, *, as_json: bool) -> None:
    """Do it, and show the wave as it is then."""
    try:
        wave = asyncio.run(_acted(act, campaign, slug(division)))
    except Refusal as refusal:
        fail(str(refusal))
    if as_json:
        print_json(fields_of(wave))
        return
    print_wave(wave)


async def _acted(act: Act, campaign: str, division: str) -> WaveDetails:
    now = system_clock()
    async with open_database(load_settings(), NAME) as database, database.transaction() as tx:
        await act(tx, Approver(command_actor()), campaign, division, now)
        wave = await waves.show_wave(tx.connection, campaign, division, now)
    if wave is None:
        raise Refusal(f"Nobody of {division or 'no division'} is asked in campaign {campaign} any more.")
    return wave


def print_wave(wave: WaveDetails) -> None:
    """A wave for people."""
    asks = [f"{kind} {count}" for kind, count in wave.asks.items()]
    fields = {name: value for name, value in fields_of(wave).items() if name not in PARTS}
    history = [str(each) for each in wave.history]
    print_fields(fields | {"asks": asks, "history": history}, as_json=False)


def fields_of(wave: WaveDetails) -> dict[str, Any]:
    """A wave as machines read it."""
    return wave.model_dump()


def slug(division: str) -> str:
    """The division that is named."""
    return "" if division == NO_DIVISION else division
