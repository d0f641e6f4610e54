"""`clarion dead-letters`: what could not be handled, of all services, and handing it over once more."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from clarion.runtime.database import open_database
from clarion.runtime.messaging.dead_letters import DeadLetters, LetterState, UnknownLetter, Wanted
from clarion.runtime.messaging.record import headers_from_json
from clarion.runtime.output import counting, fail, print_fields, print_rows
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import Actor, command_actor
from clarion.runtime.telemetry import configure_logs
from clarion.schemas.commands import LetterLine, LetterOutcome, LetterShown
from clarion.services.builders import BUILDERS

dead_letters = typer.Typer(help="What could not be handled, with the reason.", no_args_is_help=True)

MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
STATES: dict[str, LetterState | None] = {"open": "open", "retried": "retried", "discarded": "discarded", "all": None}
IN_A_TABLE = ("id", "topic", "type", "reason", "seen", "first_seen_at", "state")

AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
Letter = Annotated[str, typer.Argument(metavar="ID", help="as `list` shows it, such as legislation-12")]
Letters = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="as `list` shows them")]
OfService = Annotated[str | None, typer.Option("--service", help=f"of one service: {', '.join(BUILDERS)}")]
OfTopic = Annotated[str | None, typer.Option("--topic", help="of one topic, such as legislation.updates.v1")]
OfType = Annotated[str | None, typer.Option("--type", help="of one event type")]
Since = Annotated[datetime | None, typer.Option("--since", formats=MOMENTS, help="seen since then; UTC")]
Cause = Annotated[str | None, typer.Option("--cause", metavar="TEXT", help="with this text in the reason")]
Who = Annotated[str | None, typer.Option("--by", help="who decides it, for the history (the account's name)")]

Chosen = tuple[str, int]


def parsed_id(text: str) -> Chosen:
    """The service and number of `legislation-12`; anything else ends the command."""
    service, _, number = text.rpartition("-")
    if service not in BUILDERS or not (number.isascii() and number.isdigit()):
        fail(
            f"{text!r} is no dead letter's id; one looks like {next(iter(BUILDERS))}-12: see clarion dead-letters list",
            2,
        )
    return service, int(number)


def wanted_of(topic: str | None, kind: str | None, since: datetime | None, cause: str | None) -> Wanted:
    """The filters of a command; a time without a zone is UTC."""
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    return Wanted(topic, kind, since, cause)


def services_of(name: str | None) -> Sequence[str]:
    """The services whose letters are meant; an unknown name ends the command."""
    if name is not None and name not in BUILDERS:
        fail(f"no service is named {name}; there are {', '.join(BUILDERS)}", 2)
    return list(BUILDERS) if name is None else [name]


def decider(name: str | None) -> Actor:
    """Who decides it: whoever runs this command, under the name that they gave."""
    actor = command_actor()
    return actor if name is None else replace(actor, name=name)


def line_of(service: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row of a service's letters as it is told."""
    return row | {"service": service, "id": f"{service}-{row['id']}"}


def text_of(content: bytes | None) -> str | None:
    """Bytes as a reader can make something of them."""
    return None if content is None else content.decode("utf-8", errors="backslashreplace")


@contextlib.asynccontextmanager
async def opened_letters(services: Iterable[str]) -> AsyncIterator[dict[str, DeadLetters]]:
    """The dead letters of these services; only the database is needed."""
    settings = load_settings()
    async with contextlib.AsyncExitStack() as stack:
        yield {
            name: DeadLetters(await stack.enter_async_context(open_database(settings, name, size=1)))
            for name in services
        }


async def listed(
    services: Sequence[str], wanted: Wanted, state: LetterState | None, at_most: int = 1_000
) -> list[LetterLine]:
    """The letters of these services, newest first."""
    found: list[LetterLine] = []
    async with opened_letters(services) as opened:
        for service, letters in opened.items():
            rows = await letters.list(wanted, state=state, at_most=at_most)
            found += [LetterLine.model_validate(line_of(service, row)) for row in rows]
    return sorted(found, key=lambda letter: letter.first_seen_at, reverse=True)[:at_most]


async def shown(service: str, number: int) -> LetterShown:
    """Everything about one letter, its content as text."""
    async with opened_letters([service]) as opened:
        row = await opened[service].get(number)
    headers = [(name, text_of(value)) for name, value in headers_from_json(row["headers"])]
    told = line_of(service, row) | {"key": text_of(row["key"]), "body": text_of(row["body"]), "headers": headers}
    return LetterShown.model_validate({name: told[name] for name in LetterShown.model_fields})


async def chosen_letters(services: Sequence[str], wanted: Wanted, state: LetterState) -> list[Chosen]:
    """All letters of that state which fit, the oldest of each service first."""
    async with opened_letters(services) as opened:
        return [
            (service, number)
            for service, letters in opened.items()
            for number in await letters.numbers(wanted, state=state)
        ]


async def retried(letters: Sequence[Chosen], by: Actor, told: Callable[[int], None]) -> list[LetterOutcome]:
    """Hand these to their handlers again, each in a transaction of its own; `told` hears how many are done."""
    from clarion.services.running import open_services  # noqa: PLC0415 - no other of these needs the services' code

    outcomes = []
    async with open_services(load_settings(), sorted({service for service, _ in letters})) as opened:
        by_name = {service.name: service for service in opened}
        for done, (name, number) in enumerate(letters, 1):
            service = by_name[name]
            retry = await DeadLetters(service.database).retry(number, service.subscriptions, by=by)
            outcomes.append(LetterOutcome(id=f"{name}-{number}", state=retry.state, reason=retry.reason))
            told(done)
    return outcomes


async def put_aside(letters: Sequence[Chosen], by: Actor, why: str | None, *, back: bool) -> list[LetterOutcome]:
    """Discard these, or take them back; one that is not in a state to be is left as it is, which its reason says."""
    outcomes = []
    async with opened_letters({service for service, _ in letters}) as kept:
        for name, number in letters:
            done = await (kept[name].take_back if back else kept[name].discard)(number, by=by, why=why)
            state = (await kept[name].get(number))["state"]
            reason = None if done else f"it was {state} already"
            outcomes.append(LetterOutcome(id=f"{name}-{number}", state=state, reason=reason))
    return outcomes


def meant(
    letters: list[str] | None, filters: tuple[str | None, Wanted], state: LetterState, *, everything: bool
) -> list[Chosen]:
    """The letters that a command is to act on: those named, or all that fit with `--all` or a filter."""
    service, wanted = filters
    if bool(letters) == (everything or service is not None or wanted != Wanted()):
        fail("name the dead letters, or say --all or which (--service, --topic, --type, --since, --cause)", 2)
    if letters:
        return [parsed_id(letter) for letter in letters]
    return asyncio.run(chosen_letters(services_of(service), wanted, state))


@dead_letters.command("list", epilog="Example: clarion dead-letters list --topic legislation.updates.v1 --cause field")
def list_command(
    *,
    service: OfService = None,
    topic: OfTopic = None,
    kind: OfType = None,
    since: Since = None,
    cause: Cause = None,
    state: Annotated[str, typer.Option(help=", ".join(STATES))] = "open",
    everything: Annotated[bool, typer.Option("--all", help="those retried and discarded too")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="the newest so many")] = 1_000,
    as_json: AsJson = False,
) -> None:
    """List what could not be handled, newest first."""
    if state not in STATES:
        fail(f"--state {state!r} is not one of: {', '.join(STATES)}", 2)
    of_state = None if everything else STATES[state]
    found = asyncio.run(listed(services_of(service), wanted_of(topic, kind, since, cause), of_state, limit))
    rows = [letter.model_dump(include=None if as_json else set(IN_A_TABLE)) for letter in found]
    print_rows(rows, as_json=as_json, empty="no dead letters: everything that came in was handled")


@dead_letters.command("show", epilog="Example: clarion dead-letters show legislation-12")
def show_command(letter: Letter, as_json: AsJson = False) -> None:
    """Show one dead letter with its content, its cause and what became of it so far."""
    service, number = parsed_id(letter)
    try:
        fields = asyncio.run(shown(service, number)).model_dump()
    except UnknownLetter as error:
        fail(str(error))
    if not as_json:
        fields["headers"] = "\n".join(f"{name}: {value}" for name, value in fields["headers"])
        fields["history"] = "\n".join(note_line(note) for note in fields["history"])
    print_fields(fields, as_json=as_json)


def note_line(note: dict[str, Any]) -> str:
    """An entry of a letter's history in a line: "2027-04-02 09:30:00+00:00 discarded by ada: a test"."""
    by = f" by {note['who']}" if note["who"] else ""
    why = f": {note['why']}" if note["why"] else ""
    return f"{note['at'].isoformat(sep=' ', timespec='seconds')} {note['what']}{by}{why}"


@dead_letters.command(
    "retry", epilog="Example: clarion dead-letters retry legislation-12   (or --all, or --cause TEXT)"
)
def retry_command(
    *,
    letters: Letters = None,
    everything: Annotated[bool, typer.Option("--all", help="all that are open")] = False,
    service: OfService = None,
    topic: OfTopic = None,
    kind: OfType = None,
    since: Since = None,
    cause: Cause = None,
    by: Who = None,
    as_json: AsJson = False,
) -> None:
    """Hand records to their handlers again; those that fail again stay, with the new reason.

    A discarded one is retried where it is named.
    """
    configure_logs("ERROR", as_json=False)
    chosen = meant(letters, (service, wanted_of(topic, kind, since, cause)), "open", everything=everything)
    try:
        with counting("retrying", len(chosen)) as told:
            outcomes = asyncio.run(retried(chosen, decider(by), told))
    except UnknownLetter as error:
        fail(str(error))
    print_rows([one.model_dump() for one in outcomes], as_json=as_json, empty="no dead letters are open")
    if any(one.state == "open" for one in outcomes):
        raise typer.Exit(1)


@dead_letters.command(
    "discard", epilog='Example: clarion dead-letters discard legislation-12 --reason "sent as a test"'
)
def discard_command(
    *,
    letters: Letters = None,
    reason: Annotated[str | None, typer.Option(help="why; it is kept with the letter")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="take discarded ones back: they are open again")] = False,
    everything: Annotated[bool, typer.Option("--all", help="all that are open (with --undo: discarded)")] = False,
    service: OfService = None,
    topic: OfTopic = None,
    kind: OfType = None,
    since: Since = None,
    cause: Cause = None,
    by: Who = None,
    as_json: AsJson = False,
) -> None:
    """Put records aside that nobody needs handled. Until they are purged they can be taken back or retried."""
    if not undo and not reason:
        fail("say why with --reason: whoever looks later will ask", 2)
    filters = (service, wanted_of(topic, kind, since, cause))
    chosen = meant(letters, filters, "discarded" if undo else "open", everything=everything)
    try:
        outcomes = asyncio.run(put_aside(chosen, decider(by), reason, back=undo))
    except UnknownLetter as error:
        fail(str(error))
    print_rows([one.model_dump() for one in outcomes], as_json=as_json, empty="there is none")
