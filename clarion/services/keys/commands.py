"""CLI in: `clarion keys`."""

import asyncio
from typing import Annotated

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.output import fail, print_fields, print_rows
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.runtime.web.keys import SCOPES, list_keys
from clarion.schemas.commands import KeyLine, KeyMade, KeyRevoked
from clarion.services.keys.operations import Revocation, Wish, expiry, make, revoke

ROOM = "directory"
"""The service in whose name this works: it keeps who may do what."""
IN_A_TABLE = ("id", "name", "scopes", "source", "state", "last_used_at", "expires_at")

Json = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
keys = typer.Typer(help="API keys for integrations.", no_args_is_help=True, rich_markup_mode=None)


@keys.command("create", epilog="Example: clarion keys create daily-file --scope updates --expires 365")
def create(
    name: Annotated[str, typer.Argument(help="who uses the key, such as daily-file")],
    scope: Annotated[list[str], typer.Option(help=f"what it is good for: {', '.join(SCOPES)}; may be repeated")],
    source: Annotated[
        str | None, typer.Option(help="source of all events posted with it (default /integrations/NAME)")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="DAYS|DATE", help="good for so many days, or to the end of a day (UTC)")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an API key and print it, this once."""
    try:
        made = asyncio.run(_make(name, scope, source, expires))
    except ValueError as error:
        fail(str(error), 2)
    print_fields(made.model_dump(), as_json=as_json)
    if not as_json:
        typer.echo("Keep it: it is not shown again. Send it as `Authorization: Bearer ...`.")


async def _make(name: str, scopes: list[str], source: str | None, expires: str | None) -> KeyMade:
    now = system_clock()
    wish = Wish(name, scopes, source, None if expires is None else expiry(expires, now))
    async with open_database(load_settings(), ROOM, size=1) as database, database.transaction() as tx:
        return await make(tx.connection, command_actor(), wish, now)


@keys.command("list", epilog="Example: clarion keys list")
def list_command(as_json: Json = False) -> None:
    """All keys, without the secrets: what each is good for, when it was used, and who uses one in vain."""
    found = asyncio.run(_list())
    rows = [line.model_dump() if as_json else row_of(line) for line in found]
    print_rows(rows, as_json=as_json, empty="No keys yet: clarion keys create NAME --scope updates")


async def _list() -> list[KeyLine]:
    async with open_database(load_settings(), ROOM, size=1) as database, database.connection() as connection:
        return [KeyLine.model_validate(row) for row in await list_keys(connection, system_clock())]


def row_of(line: KeyLine) -> dict[str, object]:
    """A key as a line of a table."""
    return line.model_dump(include=set(IN_A_TABLE)) | {"trouble": trouble(line)}


def trouble(line: KeyLine) -> str | None:
    """What somebody should look at: a key that is used in vain, or for another source."""
    said = []
    if line.refused_at is not None:
        said.append(f"refused {line.refused_count:,} times, last {line.refused_at:%Y-%m-%d %H:%M} ({line.refused_why})")
    if line.other_source_at is not None:
        said.append(
            f"{line.other_source_count:,} events named another source, last {line.other_source_at:%Y-%m-%d %H:%M}"
        )
    return "; ".join(said) or None


@keys.command("revoke", epilog="Example: clarion keys revoke 5c0f3a52-6c0a-4c43-9d4c-2f1f3f0f7a11")
def revoke_command(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="the key's id, from keys list")], as_json: Json = False
) -> None:
    """Make a key useless from now on. Done again it changes nothing."""
    revocation = asyncio.run(_revoke(key_id))
    if revocation is None:
        fail(f"there is no key with the id {key_id}: clarion keys list shows them")
    printed = KeyRevoked(id=key_id, revoked=True, revoked_at=revocation.at)
    print_fields(printed.model_dump(), as_json=as_json)


async def _revoke(key_id: str) -> Revocation | None:
    async with open_database(load_settings(), ROOM, size=1) as database, database.transaction() as tx:
        return await revoke(tx.connection, command_actor(), key_id, system_clock())
