"""`clarion dead-letters`: what could not be handled, of all services, and handing it over once more."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from clarion.runtime.messaging.dead_letters import DeadLetters, Retry, UnknownLetter
from clarion.runtime.output import fail, print_fields, print_rows
from clarion.runtime.process import Service
from clarion.runtime.settings import load_settings
from clarion.services.running import BUILDERS, open_services

dead_letters = typer.Typer(help="What could not be handled, with the reason.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
Letter = Annotated[str, typer.Argument(metavar="ID", help="as `list` shows it, such as legislation-12")]
SHOWN = ("topic", "type", "reason", "event_id", "seen", "first_seen_at", "state")


def parsed_id(text: str) -> tuple[str, int]:
    """The service and number of `legislation-12`; anything else ends the command."""
    service, _, number = text.rpartition("-")
    if service not in BUILDERS or not number.isdigit():
        fail(
            f"{text!r} is no dead letter's id; one looks like {next(iter(BUILDERS))}-12: see clarion dead-letters list",
            2,
        )
    return service, int(number)


async def listed(state: str | None) -> list[dict[str, Any]]:
    """The letters of all services, newest first."""
    rows = []
    async with open_services(load_settings()) as services:
        for service in services:
            letters = await DeadLetters(service.database).list(state=state)
            rows += [{"id": f"{service.name}-{one['id']}"} | {name: one[name] for name in SHOWN} for one in letters]
    return sorted(rows, key=lambda row: row["first_seen_at"], reverse=True)


async def shown(service: str, number: int) -> dict[str, Any]:
    """Everything about one letter, its content as text where it is text."""
    async with open_services(load_settings(), [service]) as [opened]:
        letter = await DeadLetters(opened.database).get(number)
    told = {name: value for name, value in letter.items() if name != "fingerprint"}
    readable = {name: text_of(value) if isinstance(value, bytes) else value for name, value in told.items()}
    return readable | {"id": f"{service}-{number}"}


def text_of(content: bytes) -> str:
    """Bytes as a reader can make something of them."""
    return content.decode("utf-8", errors="backslashreplace")


async def retried(letters: Sequence[tuple[str, int]] | None) -> list[tuple[str, Retry]]:
    """Hand these letters, or all open ones, to their handlers again, oldest first."""
    outcomes = []
    async with open_services(load_settings()) as services:
        for service in services:
            for number in await numbers_of(service, letters):
                retry = await DeadLetters(service.database).retry(number, service.subscriptions)
                outcomes.append((f"{service.name}-{number}", retry))
    return outcomes


async def numbers_of(service: Service, letters: Sequence[tuple[str, int]] | None) -> list[int]:
    """The chosen letters of one service, or all its open ones, oldest first."""
    if letters is not None:
        return [number for name, number in letters if name == service.name]
    return sorted(letter["id"] for letter in await DeadLetters(service.database).list())


@dead_letters.command("list", epilog="Example: clarion dead-letters list --all")
def list_command(
    everything: Annotated[bool, typer.Option("--all", help="those retried and discarded too")] = False,
    as_json: AsJson = False,
) -> None:
    """List what could not be handled, newest first."""
    rows = asyncio.run(listed(None if everything else "open"))
    print_rows(rows, as_json=as_json, empty="no dead letters: everything that came in was handled")


@dead_letters.command("show", epilog="Example: clarion dead-letters show legislation-12")
def show_command(letter: Letter, as_json: AsJson = False) -> None:
    """Show one dead letter with its content and its cause."""
    service, number = parsed_id(letter)
    try:
        print_fields(asyncio.run(shown(service, number)), as_json=as_json)
    except UnknownLetter as error:
        fail(str(error))


@dead_letters.command("retry", epilog="Example: clarion dead-letters retry legislation-12   (or --all)")
def retry_command(
    letters: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="as `list` shows them")] = None,
    everything: Annotated[bool, typer.Option("--all", help="all that are open")] = False,
    as_json: AsJson = False,
) -> None:
    """Hand records to their handlers again; those that fail again stay, with the new reason."""
    if bool(letters) == everything:
        fail("name the dead letters to retry, or --all", 2)
    try:
        outcomes = asyncio.run(retried(None if everything else [parsed_id(letter) for letter in letters or []]))
    except UnknownLetter as error:
        fail(str(error))
    rows = [{"id": letter, "state": retry.state, "reason": retry.reason} for letter, retry in outcomes]
    print_rows(rows, as_json=as_json, empty="no dead letters are open")
    if any(retry.state == "open" for _, retry in outcomes):
        raise typer.Exit(1)
