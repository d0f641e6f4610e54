"""CLI in: `clarion audit`."""

import asyncio
from datetime import datetime
from enum import StrEnum
from typing import Annotated, get_args

import typer

from clarion.runtime.database import open_database
from clarion.runtime.output import print_rows
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import ActorKind
from clarion.runtime.staff.reading import Entry, Wanted, list_entries
from clarion.schemas.commands import AuditEntry
from clarion.services.audit.words import MOMENTS, aware, spoken_details

ROOM = "directory"
"""The service in whose name this works: it keeps who may do what."""

Kind = StrEnum("Kind", {name: name for name in get_args(ActorKind)})  # type: ignore[misc]

audit = typer.Typer(help="Who did what, to what, when and from where.", no_args_is_help=True, rich_markup_mode=None)


@audit.callback()
def _group() -> None:
    """Who did what, to what, when and from where."""


@audit.command("list", epilog="Example: clarion audit list --subject campaign --since 2027-04-01")
def list_command(
    *,
    who: Annotated[str | None, typer.Option(help="by whom: an id, or a part of the name")] = None,
    kind: Annotated[Kind | None, typer.Option(help="by people of this kind, or by keys")] = None,
    act: Annotated[str | None, typer.Option(help="one act, such as key.revoked, or all of a kind, such as key")] = None,
    subject: Annotated[str | None, typer.Option(help="to one thing, such as campaign:ID, or all of a kind")] = None,
    since: Annotated[datetime | None, typer.Option(formats=MOMENTS, help="from then on; UTC")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="the newest so many")] = 1_000,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    """List what was done, newest first."""
    found = asyncio.run(_list(Wanted(who, act, subject, aware(since), kind=kind), limit))
    rows = [printed(entry).model_dump() if as_json else row_of(entry) for entry in found]
    print_rows(rows, as_json=as_json, empty="Nothing that fits was done.")


async def _list(wanted: Wanted, limit: int) -> list[Entry]:
    async with open_database(load_settings(), ROOM, size=1) as database, database.connection() as connection:
        return await list_entries(connection, wanted, at_most=limit)


def printed(entry: Entry) -> AuditEntry:
    """An entry as machines read it."""
    return AuditEntry(
        id=entry.id,
        at=entry.at,
        actor_kind=entry.actor.kind,
        actor_id=entry.actor.id,
        actor_name=entry.actor.name,
        place=entry.actor.place,
        act=entry.act,
        subject=entry.subject,
        details=dict(entry.details),
        divisions=list(entry.divisions),
    )


def row_of(entry: Entry) -> dict[str, object]:
    """An entry as a line of a table."""
    return {
        "at": entry.at,
        "who": f"{entry.actor.name} ({entry.actor.kind})",
        "from": entry.actor.place,
        "what": entry.words,
        "to": f"{entry.subject_name} ({entry.subject})" if entry.subject_name else entry.subject,
        "details": spoken_details(entry.details),
    }
