"""CLI in: `clarion keys`."""

import asyncio
from typing import Annotated, Any

import typer

from clarion.runtime.database import open_database
from clarion.runtime.output import fail, print_fields, print_rows
from clarion.runtime.settings import load_settings
from clarion.runtime.web.keys import SCOPES, create_key, list_keys, revoke_key

NAME = "legislation"

Json = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
keys = typer.Typer(help="API keys for integrations.", no_args_is_help=True, rich_markup_mode=None)


@keys.command("create")
def create(
    name: Annotated[str, typer.Argument(help="who uses the key, such as daily-file")],
    scope: Annotated[list[str], typer.Option(help=f"what it is good for: {', '.join(SCOPES)}; may be repeated")],
    source: Annotated[
        str | None, typer.Option(help="source of all events posted with it (default /integrations/NAME)")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an API key and print it, this once.

    Example: clarion keys create daily-file --scope updates
    """
    unknown = [one for one in scope if one not in SCOPES]
    if unknown:
        fail(f"unknown scope {', '.join(unknown)}; known: {', '.join(SCOPES)}", 2)

    async def run() -> tuple[str, str]:
        async with open_database(load_settings(), NAME) as database, database.transaction() as tx:
            return await create_key(tx.connection, name, scope, source)

    key_id, key = asyncio.run(run())
    print_fields({"id": key_id, "key": key}, as_json=as_json)
    if not as_json:
        typer.echo("Keep it: it is not shown again. Send it as `Authorization: Bearer ...`.")


@keys.command("list")
def list_command(as_json: Json = False) -> None:
    """All keys, without the secrets.

    Example: clarion keys list
    """

    async def run() -> list[dict[str, Any]]:
        async with open_database(load_settings(), NAME) as database, database.connection() as connection:
            return await list_keys(connection)

    print_rows(asyncio.run(run()), as_json=as_json, empty="No keys yet: clarion keys create NAME --scope updates")


@keys.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="the key's id, from keys list")], as_json: Json = False
) -> None:
    """Make a key useless from now on.

    Example: clarion keys revoke 5c0f3a52-6c0a-4c43-9d4c-2f1f3f0f7a11
    """

    async def run() -> bool:
        async with open_database(load_settings(), NAME) as database, database.transaction() as tx:
            return await revoke_key(tx.connection, key_id)

    if not asyncio.run(run()):
        fail(f"there is no key with the id {key_id}: clarion keys list shows them")
    print_fields({"id": key_id, "revoked": True}, as_json=as_json)
