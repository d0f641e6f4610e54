"""`clarion campaigns preview`: whom a wave would ask and why, and one mail as it would be; nothing is sent."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Connection, open_database
from clarion.runtime.output import fail, print_json, print_rows, say
from clarion.runtime.settings import Settings, load_settings
from clarion.schemas.messages import MessageBatch
from clarion.services.campaigns.approving import commands as approving
from clarion.services.campaigns.approving import operations as waves
from clarion.services.campaigns.approving.operations import RecipientView, WaveDetails

previewing = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

PEOPLE_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Preview:
    """A wave, its people with their names, and the mail of one of them or why there is none."""

    wave: WaveDetails
    people: list[dict[str, Any]]
    mail: dict[str, Any] | None
    none: str = ""


@previewing.command()
def preview(
    campaign: approving.Campaign,
    division: Annotated[
        str | None, typer.Option(help="its slug, or - for none; without it all waves are listed")
    ] = None,
    official: Annotated[str | None, typer.Option(help="whose mail; without it, that of the first who is asked")] = None,
    as_json: approving.AsJson = False,
) -> None:
    """Show whom a wave would ask with all reasons, and one mail as it would be. Nothing is sent.

    Example: clarion campaigns preview ID --division north-bay
    """
    if division is None:
        found = asyncio.run(_waves(campaign))
        if not found:
            fail(f"no campaign {campaign} with anybody to ask: `clarion campaigns list` shows the ids")
        print_rows(found, as_json=as_json, empty="")
        return
    shown = asyncio.run(_preview(campaign, approving.slug(division), official))
    if shown is None:
        fail(f"no wave of {division} in campaign {campaign}: `clarion campaigns preview {campaign}` lists them")
    if as_json:
        print_json({"wave": approving.fields_of(shown.wave), "recipients": shown.people, "mail": shown.mail})
        return
    print_preview(shown)


def print_preview(shown: Preview) -> None:
    """A preview for people."""
    approving.print_wave(shown.wave)
    say("\nWho is asked, and why")
    print_rows(shown.people, as_json=False, empty="nobody")
    if shown.mail is None:
        say(f"\nNo mail to show: {shown.none}")
        return
    say(f"\nThe mail to {shown.mail['official']}, {shown.mail['bytes']:,} bytes\n\nSubject: {shown.mail['subject']}\n")
    say(shown.mail["text"])


async def _waves(campaign: str) -> list[dict[str, Any]]:
    names = ("division", "name", "state", "cities", "officials", "mailboxes", "urgent", "useless_at")
    async with open_database(load_settings(), "campaigns") as database, database.connection() as connection:
        found = await waves.list_waves(connection, campaign, system_clock())
    return [{name: getattr(each, name) for name in names} for each in found]


async def _preview(campaign: str, division: str, official: str | None) -> Preview | None:
    settings = load_settings()
    async with open_database(settings, "campaigns") as database, database.connection() as connection:
        wave = await waves.show_wave(connection, campaign, division, system_clock())
        if wave is None:
            return None
        people = await _people(connection, wave)
        whose = official or next((each.official for each in people if each.included), None)
        batch = whose and await waves.sample_batch(connection, campaign, division, whose, system_clock())
    return await _with_mail(settings, wave, people, whose or "", batch or None)


async def _people(connection: Connection, wave: WaveDetails) -> list[RecipientView]:
    found: list[RecipientView] = []
    while page := await waves.recipients(
        connection,
        wave.campaign,
        wave.division,
        after=found[-1].official if found else "",
        limit=PEOPLE_AT_ONCE,
        now=system_clock(),
    ):
        found += page
    return found


async def _with_mail(
    settings: Settings, wave: WaveDetails, people: list[RecipientView], whose: str, batch: MessageBatch | None
) -> Preview:
    from clarion.services.campaigning.names import UNKNOWN, names_of  # noqa: PLC0415 - no other command needs pages
    from clarion.services.templating.mails import Unshown, rendered  # noqa: PLC0415

    async with open_database(settings, "notifications") as ledger:
        async with ledger.connection() as connection:
            names = await names_of(connection, [each.official for each in people])
        rows = [{"name": names.get(each.official, UNKNOWN)} | each.model_dump() for each in people]
        if batch is None:
            return Preview(wave, rows, None, "nobody is asked" if not whose else f"{whose} is not asked")
        try:
            mail = await rendered(ledger, settings, batch, batch.recipients[0], system_clock())
        except Unshown as unshown:
            return Preview(wave, rows, None, str(unshown))
    shown = {"official": whose, "subject": mail.subject, "bytes": mail.bytes_, "text": mail.text, "html": mail.html}
    return Preview(wave, rows, shown)
