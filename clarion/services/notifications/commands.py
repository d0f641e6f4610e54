"""`clarion deliveries`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar, get_args
from uuid import UUID

import typer

from clarion.runtime.database import Connection, open_database
from clarion.runtime.output import fail, print_fields, print_rows
from clarion.runtime.settings import load_settings
from clarion.services.notifications.domain.lanes import ORDER
from clarion.services.notifications.domain.states import State
from clarion.services.notifications.reports import find_story, list_messages

deliveries = typer.Typer(help="What became of mail.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
T = TypeVar("T")


def with_database(act: Callable[[Connection], Awaitable[T]]) -> T:
    """Run it on the running stack's database, or the environment's."""

    async def run() -> T:
        async with (
            open_database(load_settings(), "notifications", size=1) as database,
            database.connection() as connection,
        ):
            return await act(connection)

    return asyncio.run(run())


@deliveries.command(name="list")
def list_deliveries(
    campaign: Annotated[str | None, typer.Option(help="messages of this campaign")] = None,
    matter: Annotated[str | None, typer.Option(help='messages of this matter, such as "campaign:<id>"')] = None,
    state: Annotated[str | None, typer.Option(help=", ".join(get_args(State)))] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="the first so many")] = 1_000,
    as_json: AsJson = False,
) -> None:
    """List messages and their states, without addresses.

    Example: clarion deliveries list --state failed
    """
    if state is not None and state not in get_args(State):
        fail(f"{state!r} is no state; known: {', '.join(get_args(State))}", 2)
    wanted = f"campaign:{campaign}" if campaign else matter
    rows = with_database(lambda connection: list_messages(connection, wanted, state, limit))
    print_rows(rows, as_json=as_json, empty="No messages.")


@deliveries.command()
def show(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="as `list` or the Message-ID name it")],
    as_json: AsJson = False,
) -> None:
    """Tell one mail's whole story: to whom, what, when, each doubt, the relay's last word and its thread's revisions.

    Example: clarion deliveries show 0f8fad5bd9cb469fa165408f17a1a2b3.1
    """
    thread_id, revision = parse_id(message_id)

    async def find(connection: Connection) -> dict[str, Any] | None:
        return await find_story(connection, thread_id, revision)

    story = with_database(find)
    if story is None:
        fail(f"there is no message {message_id}; `clarion deliveries list` names them")
    shown = {**story, "lane": ORDER[story["lane"]]}
    if not as_json:
        shown["thread"] = "\n".join(revision_line(one) for one in story["thread"])
    print_fields(shown, as_json=as_json)


def revision_line(revision: dict[str, Any]) -> str:
    """A revision of a thread in a line: "2 sent 2027-04-02 09:30:00+00:00: Moved: now Thursday, was Wednesday"."""
    said = "; ".join([*revision["says"], *([revision["reason"]] if revision["reason"] else [])])
    at = revision["state_at"].isoformat(sep=" ", timespec="seconds")
    return f"{revision['revision']} {revision['state']} {at}" + (f": {said}" if said else "")


def parse_id(message_id: str) -> tuple[UUID, int | None]:
    """Thread and revision of a message's name; a Message-ID will do, and a thread alone, which is its newest.

    Ends with code 2 if it is none.
    """
    name = message_id.strip("<> ").partition("@")[0]
    thread, _, rest = name.partition(".")
    revision = rest.partition(".")[0]
    try:
        return UUID(thread), int(revision) if revision else None
    except ValueError:
        fail(f"{message_id!r} is no id of a message: it looks like <thread>.<revision>", 2)
