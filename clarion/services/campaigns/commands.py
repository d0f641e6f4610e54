"""`clarion campaigns`, as far as campaigns alone knows."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.output import fail, print_fields, print_rows, say
from clarion.runtime.settings import load_settings
from clarion.schemas.deadlines import Due
from clarion.services.campaigns import reports
from clarion.services.campaigns.domain.due import spoken_due
from clarion.services.campaigns.starting.progress import QUERIES

campaigns = typer.Typer(
    help="What is asked of whom: campaigns, their waves, and what came of them.", no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
NAME = "campaigns"
PAGE = 50
LIST_FIELDS = ("id", "title", "status", "problem", "officials", "asked", "reached", "failed")


@campaigns.command("list")
def list_campaigns(
    *,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="so many at once")] = PAGE,
    after: Annotated[str | None, typer.Option(metavar="ID", help="the page that follows this campaign")] = None,
    skip: Annotated[int, typer.Option(min=0, help="after so many")] = 0,
    open_only: Annotated[bool, typer.Option("--open", help="only those whose voices still count")] = False,
    as_json: AsJson = False,
) -> None:
    """List the campaigns, the latest hearing first. Example: clarion campaigns list --open"""
    page = reports.Page(limit, skip, system_clock() if open_only else None, after)
    found, more, waiting = asyncio.run(_campaigns(page))
    rows = found if as_json else [{name: row[name] for name in LIST_FIELDS} for row in found]
    print_rows(rows, as_json=as_json, empty="No campaign: publish a hearing with a bill that a position is on")
    if waiting and not as_json:
        say(f"drafted until a hearing is set: {', '.join(waiting)} (clarion campaigns follow-ups)")
    if more:
        typer.echo(f"There are more: --after {found[-1]['id']}", err=True)


async def _campaigns(page: reports.Page) -> tuple[list[dict[str, Any]], bool, list[str]]:
    """The campaigns, whether there are more, and the bills whose next one waits for its hearing."""
    async with open_database(load_settings(), NAME) as database, database.connection() as connection:
        if page.after is not None and not await reports.is_campaign(connection, page.after):
            fail(f"--after {page.after!r} is no campaign: take the id as the list shows it", 2)
        found, more = await reports.page_of_campaigns(connection, page)
        waiting = [] if more else [row["bill"] async for row in QUERIES.list_follow_ups(connection, id=None)]
        return found, more, waiting


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
    first = "the first call" if told["revision"] == 1 else "whom it concerns, or what still helps"
    return {"told": told["revision"], "at": told["told_at"], "what": "; ".join(changes) or first}
