"""`clarion bounces`: what came back, how it was understood, and what could not be."""

import asyncio
from typing import Annotated, Any

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.output import fail, print_fields, print_rows
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor, record
from clarion.schemas.commands import ReturnLine, ReturnShown
from clarion.services.notifications.bounces.repository import Returns
from clarion.services.notifications.bounces.said import KINDS
from clarion.services.notifications.commands import AsJson, with_database
from clarion.services.notifications.domain.messages import message_name

bounces = typer.Typer(help="What came back: bounces and complaints.", no_args_is_help=True, rich_markup_mode=None)
Number = Annotated[int, typer.Argument(metavar="ID", help="as `list` shows it")]


def line_of(row: dict[str, Any]) -> ReturnLine:
    """A row with the name of its mail."""
    message = message_name(row["thread_id"], row["revision"]) if row["thread_id"] else None
    names = ("id", "received_at", "way", "kind", "said", "did", "mailbox")
    return ReturnLine(message=message, **{name: row[name] for name in names})


@bounces.command("list")
def list_command(
    kind: Annotated[str | None, typer.Option(help=f"of this kind alone: {', '.join(KINDS)}")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="the newest so many")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what came back, newest first: what each was, and what it did; `unclear` is for you to read.

    Example: clarion bounces list --kind unclear
    """
    if kind is not None and kind not in KINDS:
        fail(f"--kind {kind!r} is not one of: {', '.join(KINDS)}", 2)
    rows = with_database(lambda connection: Returns(connection).list(kind, limit))
    print_rows([line_of(row).model_dump() for row in rows], as_json=as_json, empty="Nothing came back.")


@bounces.command("show")
def show_command(number: Number, as_json: AsJson = False) -> None:
    """Show one, with all that it said if it could not be understood.

    Example: clarion bounces show 12
    """
    row = with_database(lambda connection: Returns(connection).find(number))
    if row is None:
        fail(f"there is nothing {number}; `clarion bounces list` names what came back")
    content = None if row["content"] is None else bytes(row["content"]).decode("utf-8", "replace")
    shown = ReturnShown(**line_of(row).model_dump(), content=content)
    print_fields(shown.model_dump(), as_json=as_json)


@bounces.command("done")
def done_command(
    number: Number, did: Annotated[str, typer.Option(help="what you did about it; it is kept")] = "read by a person"
) -> None:
    """Put aside one that could not be understood, once you have read it; its text is removed.

    Example: clarion bounces done 12 --did "suppressed by hand"
    """
    if not asyncio.run(put_aside(number, did)):
        fail(f"nothing of {number} is kept to be read; `clarion bounces list --kind unclear` names what is")
    typer.echo("It is put aside.")


async def put_aside(number: int, did: str) -> bool:
    """Whether there was anything of it to read."""
    async with open_database(load_settings(), "notifications", size=1) as database, database.transaction() as tx:
        if not await Returns(tx.connection).set_aside(number, did):
            return False
        await record(tx.connection, command_actor(), "return.read", f"return:{number}", at=system_clock())
        return True
