"""`clarion campaigns`: what campaigns keeps together with what the ledger says of their mail, wave by wave."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Protocol

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, Transaction, open_database
from clarion.runtime.output import fail, print_fields, print_json, print_rows, table_of
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor, record
from clarion.schemas.messages import Pause
from clarion.services.campaigns import commands, pausing, reports
from clarion.services.campaigns.approving import operations
from clarion.services.campaigns.approving.commands import approving
from clarion.services.campaigns.approving.operations import Approver, Refusal
from clarion.services.campaigns.commands import AsJson
from clarion.services.campaigns.outcome.commands import outcomes
from clarion.services.campaigns.outcomes import MATTER
from clarion.services.campaigns.rules.commands import deadlines
from clarion.services.campaigns.starting.commands import starting
from clarion.services.notifications import pauses, resending
from clarion.services.notifications.resending import Resend
from clarion.services.previewing import previewing

campaigns = typer.Typer(
    help="What is asked of whom: campaigns, their waves, and what came of them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
campaigns.add_typer(commands.campaigns)
campaigns.add_typer(deadlines)
campaigns.add_typer(approving)
campaigns.add_typer(outcomes)
campaigns.add_typer(previewing)
campaigns.add_typer(starting)

Campaign = Annotated[str, typer.Argument(help="its id, as `list` shows it")]
Division = Annotated[str | None, typer.Option(help="this division's wave alone")]
COUNTED: Mapping[str, Sequence[str]] = {
    "waiting": ("queued", "claimed", "deferred", "uncertain"),
    "in_flight": ("sending",),
    "sent": ("sent",),
    "failed": ("failed",),
    "suppressed": ("suppressed",),
    "bounced": ("bounced",),
    "expired": ("expired",),
    "unknown": ("unknown",),
    "unneeded": ("unneeded", "superseded"),
}
"""How mailboxes are counted, by the state of their newest message."""
TAKEN_SECONDS = 30.0
"""How long a command waits until the ledger has taken a pause."""
POLL_SECONDS = 0.1
WATCH_SECONDS = 1.0


class Hold(Protocol):
    """Pausing or resuming a campaign, or one division's wave of it."""

    async def __call__(
        self, tx: Transaction, approver: Approver, campaign: str, division: str | None, *, now: datetime
    ) -> list[Pause]:
        """Gives what holds then."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The databases of campaigns and of the ledger."""

    campaigns: Database
    ledger: Database


@asynccontextmanager
async def open_desk() -> AsyncIterator[Desk]:
    """Both databases of the running stack, or of the environment."""
    settings = load_settings()
    async with (
        open_database(settings, "campaigns", size=1) as ours,
        open_database(settings, "notifications", size=1) as ledger,
    ):
        yield Desk(ours, ledger)


async def mail_of(desk: Desk, campaign: str) -> list[dict[str, Any]]:
    """The mail of each wave: whether it runs or is paused, and its mailboxes by what became of their newest message."""
    async with desk.campaigns.connection() as connection:
        wanted = await pausing.pauses_of(connection, campaign)
        names = await reports.wave_names(connection, campaign)
    async with desk.ledger.connection() as connection:
        taken = await pauses.pauses_of(connection, f"{MATTER}{campaign}")
        counts = await pauses.count_by_wave(connection, f"{MATTER}{campaign}")
    return [
        {"slug": slug, "division": names.get(slug, slug or "no division"), "state": state_of(slug, wanted, taken)}
        | {name: sum(counts.get(slug, {}).get(one, 0) for one in states) for name, states in COUNTED.items()}
        for slug in sorted({*names, *counts}, key=lambda slug: (not slug, slug))
    ]


def state_of(wave: str, wanted: Mapping[str | None, Pause], taken: Mapping[str | None, Pause]) -> str:
    """Whether a wave is paused, as it was asked for and as the ledger has it."""

    def paused(known: Mapping[str | None, Pause]) -> bool:
        return any(known[one].paused for one in (None, wave) if one in known)

    match paused(wanted), paused(taken):
        case True, True:
            return "paused"
        case True, False:
            return "pausing"
        case False, True:
            return "resuming"
        case _:
            return "running"


@campaigns.command()
def show(
    campaign: Campaign,
    watch: Annotated[bool, typer.Option("--watch", help="until the end of every message is known")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a campaign: divisions, reasons, its bills, what was told, who was reached, and its mail as it goes.

    Example: clarion campaigns show ID --watch
    """
    found = asyncio.run(_shown(campaign, watch=watch))
    if found is None:
        fail(f"no campaign {campaign}: `clarion campaigns list` shows the ids")
    if as_json:
        print_json(found)
        return
    commands.print_campaign({name: value for name, value in found.items() if name != "mail"})
    commands.print_part("Mail by division", found["mail"], empty="none yet")


async def _shown(campaign: str, *, watch: bool) -> dict[str, Any] | None:
    async with open_desk() as desk:
        if watch:
            await _watch(desk, campaign)
        async with desk.campaigns.connection() as connection:
            found = await reports.campaign_summary(connection, campaign)
        return found and found | {"mail": await mail_of(desk, campaign)}


async def _watch(desk: Desk, campaign: str) -> None:
    """Wait until the end of every message is known; on a terminal with the counts as they go."""
    from rich.console import Console  # noqa: PLC0415 - only who watches needs it
    from rich.live import Live  # noqa: PLC0415

    console = Console(stderr=True)
    with Live(console=console, transient=True, auto_refresh=False) as live:
        while not await _settled(desk, campaign):
            rows = await mail_of(desk, campaign) if sys.stderr.isatty() else []
            if rows:
                live.update(table_of(rows), refresh=True)
            await asyncio.sleep(WATCH_SECONDS)


async def _settled(desk: Desk, campaign: str) -> bool:
    async with desk.campaigns.connection() as connection:
        if not await reports.is_settled(connection, campaign):
            return False
    return not any(row["waiting"] or row["in_flight"] for row in await mail_of(desk, campaign))


@campaigns.command()
def pause(campaign: Campaign, division: Division = None, as_json: AsJson = False) -> None:
    """Pause a campaign's mail: once this says so no mail of it begins, until it is resumed.

    What changes meanwhile is kept up to date, and only the newest state goes out in the end.

    Example: clarion campaigns pause ID --division north-bay
    """
    _hold(operations.pause, campaign, division, as_json=as_json)


@campaigns.command()
def resume(campaign: Campaign, division: Division = None, as_json: AsJson = False) -> None:
    """Resume a campaign's mail, or one division's. Example: clarion campaigns resume ID"""
    _hold(operations.resume, campaign, division, as_json=as_json)


def _hold(act: Hold, campaign: str, division: str | None, *, as_json: bool) -> None:
    try:
        taken, mail = asyncio.run(_held(act, campaign, division))
    except Refusal as refusal:
        fail(str(refusal))
    print_rows(mail, as_json=as_json, empty="No mail of it yet.")
    if not taken:
        fail(
            f"recorded, but the ledger has not heard of it within {TAKEN_SECONDS:.0f} s: it counts once campaigns and "
            "notifications run (`clarion up`, `clarion serve campaigns notifications`)"
        )


async def _held(act: Hold, campaign: str, division: str | None) -> tuple[bool, list[dict[str, Any]]]:
    async with open_desk() as desk:
        async with desk.campaigns.transaction() as tx:
            wanted = await act(tx, Approver(command_actor()), campaign, division, now=system_clock())
        taken = await _taken(desk, f"{MATTER}{campaign}", wanted)
        mail = await mail_of(desk, campaign)
    return taken, [row for row in mail if division in {None, row["slug"]}]


async def _taken(desk: Desk, matter: str, wanted: Sequence[Pause]) -> bool:
    """Wait until the ledger has committed these; False if it takes too long."""
    try:
        async with asyncio.timeout(TAKEN_SECONDS):
            while True:
                async with desk.ledger.connection() as connection:
                    known = await pauses.pauses_of(connection, matter)
                if all(one.wave in known and known[one.wave].revision >= one.revision for one in wanted):
                    return True
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        return False


@campaigns.command()
def resend(
    *,
    campaign: Campaign,
    division: Division = None,
    in_doubt: Annotated[
        bool, typer.Option("--in-doubt", help="also to those of whom nobody knows: some would get it twice")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only count")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="without asking")] = False,
    as_json: AsJson = False,
) -> None:
    """Send the newest message again to those whom it did not reach, while the campaign is open and in time.

    To those whose mail failed, or was suppressed and is no longer; never to who got it. Done twice it changes nothing
    more. What expired is told anew by itself once its time changes.

    Example: clarion campaigns resend ID --division north-bay --dry-run
    """
    wish = Resend(f"{MATTER}{campaign}", division, in_doubt)
    owed = asyncio.run(_owed(campaign, wish))
    mailboxes = sum(owed.values())
    if mailboxes and not (dry_run or yes):
        how = ", ".join(f"{count} {state}" for state, count in owed.items())
        typer.confirm(f"Send it again to {mailboxes} mailboxes ({how})?", abort=True, err=True)
    again = {} if dry_run or not mailboxes else asyncio.run(_sent_again(wish))
    fields = {"campaign": campaign, "division": division, "owed": owed, "sent_again": sum(again.values())}
    if as_json:
        print_json(fields)
        return
    told = [f"{count} {state}" for state, count in owed.items()]
    print_fields(fields | {"owed": told or "nobody: it reached everyone, or may not be sent"}, as_json=False)


async def _owed(campaign: str, wish: Resend) -> Mapping[str, int]:
    now = system_clock()
    async with open_desk() as desk:
        async with desk.campaigns.connection() as connection:
            problem = await reports.why_not_open(connection, campaign, now)
        if problem is not None:
            fail(problem)
        async with desk.ledger.connection() as connection:
            return await resending.count_owed(connection, wish, now)


async def _sent_again(wish: Resend) -> Mapping[str, int]:
    now = system_clock()
    async with open_desk() as desk, desk.ledger.transaction() as tx:
        again = await resending.send_again(tx, wish, "sent again by `clarion campaigns resend`", now)
        await record(
            tx.connection,
            command_actor(),
            "campaign.resent",
            wish.matter,
            at=now,
            details={"division": wish.wave, "in_doubt": wish.in_doubt, "mailboxes": sum(again.values())},
            divisions=[wish.wave] if wish.wave else [],
        )
        return again
