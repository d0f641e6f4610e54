"""`clarion staff ...`"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Transaction, open_database
from clarion.runtime.output import fail, print_fields, print_rows
from clarion.runtime.settings import MissingSetting, Settings, load_settings
from clarion.runtime.staff.accounts import Account, find_account, list_accounts
from clarion.runtime.staff.audit import command_actor
from clarion.runtime.staff.rights import Role
from clarion.schemas.commands import StaffLine
from clarion.services.directory.staff.admission import Unfit, Wish, changed
from clarion.services.directory.staff.operations import (
    NOBODY,
    Hand,
    LastAdministrator,
    UnknownAccount,
    add_staff,
    change_staff,
    find_by_address,
    remove_staff,
    restore_staff,
)
from clarion.services.directory.staff.tellings import Site

staff = typer.Typer(help="Who acts for the association, and what they may.", no_args_is_help=True)

Found = TypeVar("Found")
ROLES = ", ".join(Role)
Email = Annotated[str, typer.Argument(help="the address by which they sign in")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]


@staff.command(epilog="Example: clarion staff add robin@association.example --name 'Robin Sample' --role admin")
def add(  # noqa: PLR0917 - its options
    email: Email,
    name: Annotated[str, typer.Option(help="as others see it")],
    role: Annotated[str, typer.Option(help=ROLES)],
    division: Annotated[list[str] | None, typer.Option(help="a manager's division; may be repeated")] = None,
    deputy_in: Annotated[list[str] | None, typer.Option(help="where a manager stands in; may be repeated")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an account: the first administrator is made so. They sign in at /sign-in, by a link in a mail."""
    wish = Wish(email, name, role, division or (), deputy_in or ())

    async def work(tx: Transaction, hand: Hand) -> StaffLine:
        return await printed(tx, (await add_staff(tx, hand, wish)).id)

    settings, made = done(work)
    print_fields(made.model_dump(), as_json=as_json)
    if not as_json and settings.public_url:
        typer.echo(f"They sign in at {settings.public_url.rstrip('/')}/sign-in")


@staff.command(epilog="Example: clarion staff change robin@association.example --role manager --division peninsula")
def change(  # noqa: PLR0917 - its options
    email: Email,
    name: Annotated[str | None, typer.Option(help="another name")] = None,
    role: Annotated[str | None, typer.Option(help=ROLES)] = None,
    division: Annotated[list[str] | None, typer.Option(help="in place of those before; may be repeated")] = None,
    deputy_in: Annotated[list[str] | None, typer.Option(help="in place of those before; may be repeated")] = None,
    address: Annotated[str | None, typer.Option(help="another address")] = None,
    as_json: AsJson = False,
) -> None:
    """Change an account; what it may do holds from the next request on."""

    async def work(tx: Transaction, hand: Hand) -> StaffLine:
        account = await find_by_address(tx, email)
        fields = {"email": address, "name": name, "role": role, "divisions": division, "deputy_in": deputy_in}
        await change_staff(tx, hand, account.staff.id, changed(Wish.of(account.staff), **fields))
        return await printed(tx, account.staff.id)

    _, made = done(work)
    print_fields(made.model_dump(), as_json=as_json)


@staff.command("list", epilog="Example: clarion staff list --removed")
def list_command(
    removed: Annotated[bool, typer.Option("--removed", help="also those who were removed")] = False,
    as_json: AsJson = False,
) -> None:
    """All accounts by name."""
    _, found = done(lambda tx, _hand: list_accounts(tx.connection, removed=removed))
    left_out = set() if as_json or removed else {"removed_at"}
    rows = [line_of(account).model_dump(exclude=left_out) for account in found]
    print_rows(rows, as_json=as_json, empty="Nobody yet: clarion staff add EMAIL --name NAME --role admin")


@staff.command(epilog="Example: clarion staff remove robin@association.example")
def remove(email: Email, as_json: AsJson = False) -> None:
    """End an account, with all its sessions; `restore` undoes it. The last administrator stays."""

    async def work(tx: Transaction, hand: Hand) -> StaffLine:
        account = await find_by_address(tx, email)
        await remove_staff(tx, hand, account.staff.id)
        return await printed(tx, account.staff.id)

    _, gone = done(work)
    print_fields(gone.model_dump(), as_json=as_json)


@staff.command(epilog="Example: clarion staff restore robin@association.example")
def restore(email: Email, as_json: AsJson = False) -> None:
    """Bring back an account that was removed, with the rights that it had."""

    async def work(tx: Transaction, hand: Hand) -> StaffLine:
        account = await find_by_address(tx, email)
        await restore_staff(tx, hand, account.staff.id)
        return await printed(tx, account.staff.id)

    _, back = done(work)
    print_fields(back.model_dump(), as_json=as_json)


def done(work: Callable[[Transaction, Hand], Awaitable[Found]]) -> tuple[Settings, Found]:
    """What the work gives, done in one transaction of the directory; what is wrong with it is said."""
    try:
        return asyncio.run(_done(work))
    except Unfit as error:
        fail(str(error), 2)
    except (UnknownAccount, LastAdministrator, MissingSetting) as error:
        fail(str(error))


async def _done(work: Callable[[Transaction, Hand], Awaitable[Found]]) -> tuple[Settings, Found]:
    settings = load_settings()
    async with open_database(settings, "directory", size=1) as database, database.transaction() as tx:
        site = Site(settings.public_url) if settings.public_url else None
        return settings, await work(tx, Hand(command_actor(), system_clock(), site))


async def printed(tx: Transaction, staff_id: str) -> StaffLine:
    """An account as it is now."""
    account = await find_account(tx.connection, staff_id)
    if account is None:
        raise UnknownAccount(NOBODY)
    return line_of(account)


def line_of(account: Account) -> StaffLine:
    """An account as it is printed."""
    one = account.staff
    return StaffLine(
        id=one.id,
        email=one.email,
        name=one.name,
        role=str(one.role),
        divisions=sorted(one.divisions),
        deputy_in=sorted(one.deputy_in),
        added_at=account.added_at,
        removed_at=account.removed_at,
    )
