"""`clarion suppressions`: mailboxes that get nothing more."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Connection, Transaction, mailbox_key, open_database
from clarion.runtime.output import fail, print_rows
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor, record
from clarion.schemas.mailboxes import MAILBOX_DIGITS, mailbox
from clarion.services.directory.domain.addresses import address
from clarion.services.notifications.commands import AsJson, with_database
from clarion.services.notifications.limit_reports import list_suppressions
from clarion.services.notifications.repository import Ledger

suppressions = typer.Typer(help="Mailboxes that get nothing more, whatever is asked.", no_args_is_help=True)

Whom = Annotated[str, typer.Argument(metavar="ADDRESS", help="an address, or a mailbox as `list` names it")]
MAILBOX = re.compile(f"[0-9a-f]{{{MAILBOX_DIGITS}}}")


async def mailbox_of(connection: Connection, whom: str) -> str:
    """The mailbox that an address, or the mailbox itself, stands for.

    Raises:
        ValueError: it is neither.
    """
    return whom if MAILBOX.fullmatch(whom) else mailbox(address(whom), await mailbox_key(connection))


def in_ledger(whom: str, act: Callable[[Transaction, str], Awaitable[list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    """Do it to the mailbox of an address in one transaction."""

    async def run() -> list[dict[str, Any]]:
        opened = open_database(load_settings(), "notifications", size=1)
        async with opened as database, database.transaction() as tx:
            try:
                found = await mailbox_of(tx.connection, whom)
            except ValueError as error:
                fail(f"{whom}: {error}", 2)
            return await act(tx, found)

    return asyncio.run(run())


async def note(tx: Transaction, act: str, known: str, now: datetime) -> None:
    """Write down what was done to a mailbox, and by whom."""
    await record(tx.connection, command_actor(), act, f"mailbox:{known}", at=now, mailbox=known)


@suppressions.command("list", epilog="Example: clarion suppressions list --json")
def list_command(
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="the first so many")] = 10_000,
    as_json: AsJson = False,
) -> None:
    """List suppressed mailboxes with the reasons and, where they are known, the ids of their officials."""
    rows = with_database(lambda connection: list_suppressions(connection, limit))
    print_rows(rows, as_json=as_json, empty="Nobody is suppressed.")


@suppressions.command("add", epilog='Example: clarion suppressions add ada@city.example --reason "asked by phone"')
def add_command(
    whom: Whom,
    reason: Annotated[str, typer.Option(help="why; it is told with the mail that ends by it")] = "by hand",
    as_json: AsJson = False,
) -> None:
    """Send nothing more to an address, mail that is queued included; `remove` undoes it."""

    async def act(tx: Transaction, known: str) -> list[dict[str, Any]]:
        now = system_clock()
        added = await Ledger(tx.connection).suppress({known: reason}, now, "hand")
        if added:
            await note(tx, "mailbox.suppressed", known, now)
        return [{"mailbox": one, "kind": "hand", "reason": reason, "since": now} for one in added]

    print_rows(in_ledger(whom, act), as_json=as_json, empty="It was suppressed already.")


@suppressions.command("remove", epilog="Example: clarion suppressions remove ada@city.example")
def remove_command(whom: Whom, as_json: AsJson = False) -> None:
    """Send to an address again; mail that ended meanwhile is not sent."""

    async def act(tx: Transaction, known: str) -> list[dict[str, Any]]:
        found = await Ledger(tx.connection).unsuppress([known])
        if found:
            await note(tx, "mailbox.unsuppressed", known, system_clock())
        return found

    removed = in_ledger(whom, act)
    if not removed:
        fail(f"{whom} is not suppressed; `clarion suppressions list` names who is")
    print_rows(removed, as_json=as_json, empty="")
