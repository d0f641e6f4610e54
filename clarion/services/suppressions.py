"""`clarion suppressions`: mailboxes that get nothing more; an address has one in each service that keeps people."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Connection, open_database
from clarion.runtime.output import fail, print_rows
from clarion.runtime.settings import Settings, load_settings
from clarion.schemas.mailboxes import MAILBOX_DIGITS, mailbox
from clarion.services.directory.domain.addresses import address
from clarion.services.directory.repository import mailbox_key as directory_key
from clarion.services.notifications.limit_reports import list_suppressions
from clarion.services.notifications.repository import Ledger
from clarion.services.registrations.repository import mailbox_key as registrations_key

suppressions = typer.Typer(help="Mailboxes that get nothing more, whatever is asked.", no_args_is_help=True)

Whom = Annotated[str, typer.Argument(metavar="ADDRESS", help="an address, or a mailbox as `list` names it")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
MAILBOX = re.compile(f"[0-9a-f]{{{MAILBOX_DIGITS}}}")
KEYS: dict[str, Callable[[Connection], Awaitable[bytes]]] = {
    "directory": directory_key,
    "registrations": registrations_key,
}


async def mailboxes_of(settings: Settings, whom: str) -> list[str]:
    """The mailboxes that an address stands for, by the key of each service that keeps people.

    Raises:
        ValueError: it is neither an address nor a mailbox.
    """
    if MAILBOX.fullmatch(whom):
        return [whom]
    known = address(whom)
    found = []
    for service, key_of in KEYS.items():
        async with open_database(settings, service, size=1) as database, database.transaction() as tx:
            found.append(mailbox(known, await key_of(tx.connection)))
    return found


def with_ledger(whom: str, act: Callable[[Ledger, list[str]], Awaitable[list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    """Do it to the mailboxes of an address in one transaction."""

    async def run() -> list[dict[str, Any]]:
        settings = load_settings()
        try:
            mailboxes = await mailboxes_of(settings, whom)
        except ValueError as error:
            fail(f"{whom}: {error}", 2)
        async with open_database(settings, "notifications", size=1) as database, database.transaction() as tx:
            return await act(Ledger(tx.connection), mailboxes)

    return asyncio.run(run())


@suppressions.command("list", epilog="Example: clarion suppressions list --json")
def list_command(
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="the first so many")] = 10_000,
    as_json: AsJson = False,
) -> None:
    """List suppressed mailboxes with the reasons and, where they are known, the ids of their officials."""

    async def run() -> list[dict[str, Any]]:
        opened = open_database(load_settings(), "notifications", size=1)
        async with opened as database, database.connection() as connection:
            return await list_suppressions(connection, limit)

    print_rows(asyncio.run(run()), as_json=as_json, empty="Nobody is suppressed.")


@suppressions.command("add", epilog='Example: clarion suppressions add ada@city.example --reason "asked by phone"')
def add_command(
    whom: Whom,
    reason: Annotated[str, typer.Option(help="why; it is told with the mail that ends by it")] = "by hand",
    as_json: AsJson = False,
) -> None:
    """Send nothing more to an address, mail that is queued included; `remove` undoes it."""

    async def act(ledger: Ledger, mailboxes: list[str]) -> list[dict[str, Any]]:
        now = system_clock()
        added = await ledger.suppress(dict.fromkeys(mailboxes, reason), now)
        return [{"mailbox": one, "reason": reason, "since": now} for one in added]

    print_rows(with_ledger(whom, act), as_json=as_json, empty="It was suppressed already.")


@suppressions.command("remove", epilog="Example: clarion suppressions remove ada@city.example")
def remove_command(whom: Whom, as_json: AsJson = False) -> None:
    """Send to an address again; mail that ended meanwhile is not sent."""
    removed = with_ledger(whom, lambda ledger, mailboxes: ledger.unsuppress(mailboxes))
    if not removed:
        fail(f"{whom} is not suppressed; `clarion suppressions list` names who is")
    print_rows(removed, as_json=as_json, empty="")
