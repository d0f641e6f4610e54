"""`clarion deliveries`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer

from clarion.runtime.database import Connection, open_database
from clarion.runtime.output import fail, print_fields
from clarion.runtime.settings import load_settings
from clarion.services.notifications.reports import find_story

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


@deliveries.command()
def show(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="as `list` or the Message-ID name it")],
    as_json: AsJson = False,
) -> None:
    """Tell one mail's whole story: to whom, what, each move with its time and reason, and its thread's revisions.

    Example: clarion deliveries show 0f8fad5bd9cb469fa165408f17a1a2b3.1
    """
    thread_id, revision = parse_id(message_id)

    async def find(connection: Connection) -> dict[str, Any] | None:
        return await find_story(connection, thread_id, revision)

    story = with_database(find)
    if story is None:
        fail(f"there is no message {message_id}; `clarion deliveries list` names them")
    if not as_json:
        story["moves"] = "\n".join(move_line(one) for one in story["moves"])
        story["came_back"] = "\n".join(returned_line(one) for one in story["came_back"])
        story["thread"] = "\n".join(revision_line(one) for one in story["thread"])
    print_fields(story, as_json=as_json)


def move_line(move: dict[str, Any]) -> str:
    """A move in a line: "2027-04-02 09:30:00+00:00 deferred: the relay deferred it: 451 later"."""
    at = move["at"].isoformat(sep=" ", timespec="seconds")
    return f"{at} {move['state']}" + (f": {move['reason']}" if move["reason"] else "")


def returned_line(one: dict[str, Any]) -> str:
    """What came back in a line: "2027-04-02 09:30:00+00:00 hard by mail: there is no such mailbox (5.1.1): bounced"."""
    at = one["received_at"].isoformat(sep=" ", timespec="seconds")
    came = f"{one['kind'] or 'not handled yet'} by {one['way']}"
    return f"{at} " + ": ".join(part for part in (came, one["said"], one["did"]) if part)


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
