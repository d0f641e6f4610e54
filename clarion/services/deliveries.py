"""`clarion deliveries`: what became of mail, found by address too, as the key of mailboxes is the installation's."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, cast, get_args
from uuid import UUID

import typer

from clarion.runtime.database import Connection
from clarion.runtime.output import fail, print_fields, print_rows
from clarion.schemas.messages import Lane
from clarion.services.notifications import commands
from clarion.services.notifications.commands import AsJson, parse_id, with_database
from clarion.services.notifications.domain.lanes import ORDER, number
from clarion.services.notifications.domain.states import State
from clarion.services.notifications.reports import Filter, count_messages, list_messages
from clarion.services.suppressing.operations import mailbox_of

deliveries = typer.Typer(help="What became of mail.", no_args_is_help=True, rich_markup_mode=None)
deliveries.add_typer(commands.deliveries)

MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


@deliveries.command("list")
def list_command(
    *,
    campaign: Annotated[str | None, typer.Option(help="messages of this campaign")] = None,
    division: Annotated[str | None, typer.Option(help="of this division's wave")] = None,
    matter: Annotated[str | None, typer.Option(help='messages of this matter, such as "campaign:<id>"')] = None,
    to: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="an address, or a mailbox as a list names it")
    ] = None,
    official: Annotated[str | None, typer.Option(metavar="ID", help="for this official")] = None,
    state: Annotated[str | None, typer.Option(help=", ".join(get_args(State)))] = None,
    lane: Annotated[str | None, typer.Option(help=", ".join(ORDER))] = None,
    since: Annotated[datetime | None, typer.Option(formats=MOMENTS, help="asked for from then on; UTC")] = None,
    until: Annotated[datetime | None, typer.Option(formats=MOMENTS, help="asked for before; UTC")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="so many at once")] = 1_000,
    after: Annotated[str | None, typer.Option(metavar="ID", help="the page that follows this message")] = None,
    count: Annotated[bool, typer.Option("--count", help="only how many there are, by state")] = False,
    as_json: AsJson = False,
) -> None:
    """List messages and their states, oldest first, without addresses.

    Example: clarion deliveries list --campaign ID --state failed
    """
    wanted = Filter(
        matter=f"campaign:{campaign}" if campaign else matter,
        wave=division,
        official=official,
        state=_choice("state", state, get_args(State)),
        lane=number(cast("Lane", lane)) if _choice("lane", lane, ORDER) else None,
        since=_aware(since),
        until=_aware(until),
    )
    if count:
        print_fields(with_database(lambda connection: _counted(connection, wanted, to)), as_json=as_json)
        return
    place = _place(after)
    rows = with_database(lambda connection: _listed(connection, wanted, to, limit, place))
    print_rows(rows, as_json=as_json, empty="No messages.")
    if len(rows) == limit:
        typer.echo(f"There may be more: --after {rows[-1]['id']}", err=True)


def _choice(option: str, value: str | None, known: Sequence[str]) -> str | None:
    if value is not None and value not in known:
        fail(f"--{option} {value!r} is not one of: {', '.join(known)}", 2)
    return value


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _place(after: str | None) -> tuple[UUID, int] | None:
    if after is None:
        return None
    thread_id, revision = parse_id(after)
    if revision is None:
        fail(f"--after {after!r} names no revision: take the id as a list shows it", 2)
    return thread_id, revision


async def _narrowed(connection: Connection, wanted: Filter, to: str | None) -> Filter:
    if to is None:
        return wanted
    try:
        return replace(wanted, mailboxes=[await mailbox_of(connection, to)])
    except ValueError as error:
        fail(f"--to {to}: {error}", 2)


async def _listed(
    connection: Connection, wanted: Filter, to: str | None, limit: int, after: tuple[UUID, int] | None
) -> list[dict[str, Any]]:
    return await list_messages(connection, await _narrowed(connection, wanted, to), limit, after)


async def _counted(connection: Connection, wanted: Filter, to: str | None) -> dict[str, int]:
    return await count_messages(connection, await _narrowed(connection, wanted, to))
