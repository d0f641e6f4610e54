"""`clarion campaigns outcome`."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.output import fail, print_fields, print_json, print_rows
from clarion.runtime.settings import load_settings
from clarion.schemas.outcomes import CampaignOutcome
from clarion.services.campaigns.outcome.operations import By, lines_of, outcome_of, sheet_of

outcomes = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

SHOWN = ("asked", "reached", "bounced", "failed", "suppressed", "in_doubt", "pending", "other", "to_approve")
NAMED: dict[By, tuple[str, ...]] = {
    "division": ("division", "cities"),
    "member": ("name", "role", "district", "cities"),
    "city": ("name", "division", "officials"),
}


@outcomes.command()
def outcome(
    campaign: Annotated[str, typer.Argument(help="its id, as `list` shows it")],
    by: Annotated[str, typer.Option(help=f"{', '.join(NAMED)}: one line each")] = "division",
    csv: Annotated[str | None, typer.Option(metavar="FILE", help="write them as CSV; - for standard output")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines, with all of it")] = False,
) -> None:
    """Show what came of a campaign so far: who was asked and reached, who bounced, and who still waits for approval.

    With the cities that have nobody to ask.

    Example: clarion campaigns outcome ID --by member
    """
    wanted = _by(by)
    found = asyncio.run(_outcome(campaign))
    if found is None:
        fail(f"no campaign {campaign}: `clarion campaigns list` shows the ids")
    if csv is not None:
        _write(sheet_of(found, wanted), csv)
    elif as_json:
        print_json(found.model_dump(mode="json"))
    else:
        _print(found, wanted)


def _by(text: str) -> By:
    for by in NAMED:
        if text == by:
            break
    else:
        fail(f"--by {text!r} is not one of: {', '.join(NAMED)}", code=2)
    return by


async def _outcome(campaign: str) -> CampaignOutcome | None:
    async with open_database(load_settings(), "campaigns") as database, database.connection() as connection:
        return await outcome_of(connection, campaign, system_clock())


def _write(sheet: str, name: str) -> None:
    if name == "-":
        typer.echo(sheet, nl=False)
        return
    try:
        Path(name).write_text(sheet, encoding="utf-8-sig", newline="")
    except OSError as error:
        fail(f"{name} cannot be written: {error.strerror}")
    typer.echo(f"{sheet.count(chr(10)) - 1} lines written to {name}")


def _print(found: CampaignOutcome, by: By) -> None:
    said: dict[str, Any] = {"title": found.title, "status": found.status, **found.total.model_dump()}
    print_fields(said | {"without anyone to ask": found.without or "none"}, as_json=False)
    typer.echo()
    rows = [line.model_dump(include={*NAMED[by], *SHOWN}) for line in lines_of(found, by)]
    print_rows([{name: row[name] for name in (*NAMED[by], *SHOWN)} for row in rows], as_json=False, empty="nobody")
