"""`clarion webinars` and `clarion registrations`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import typer
from pydantic import JsonValue, ValidationError
from pydantic_core import from_json

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, Transaction, open_database
from clarion.runtime.output import fail, print_fields, print_json, print_rows
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor, record
from clarion.schemas.registrations import Webinar
from clarion.schemas.sheets import to_csv
from clarion.services.registrations import reports, repository
from clarion.services.registrations.desk import Desk, open_desk
from clarion.services.registrations.domain.forms import Unfit, read_form
from clarion.services.registrations.domain.people import address
from clarion.services.registrations.errors import AlreadyCancelled, SlugTaken, UnknownWebinar
from clarion.services.registrations.hosting import cancel_webinar, create_webinar, move_webinar
from clarion.services.registrations.operations import ask_to_cancel, request_seat
from clarion.services.registrations.repository import Event

T = TypeVar("T")

webinars = typer.Typer(help="Webinars and other events with seats.", no_args_is_help=True, rich_markup_mode=None)
registrations = typer.Typer(help="Who registered for an event.", no_args_is_help=True, rich_markup_mode=None)

NAME = "registrations"
ON_ITS_WAY = "received; it is decided in a moment, and mailed: clarion registrations list"
LIST_FIELDS = ("slug", "title", "starts_at", "status", "capacity", "confirmed", "waiting")

AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
SlugName = Annotated[str, typer.Argument(metavar="SLUG", help="the event's name in its address")]
Address = Annotated[str, typer.Argument(metavar="EMAIL", help="the person's mail address")]
Moment = Annotated[str | None, typer.Option(help="ISO 8601; without an offset it is the event's time")]


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Database, Desk]]:
    """The database of the running stack, or of the environment."""
    settings = load_settings()
    async with open_database(settings, NAME) as database:
        yield database, await open_desk(database, settings.public_url or "", system_clock)


def run(work: Callable[[Transaction, Desk], Awaitable[T]]) -> T:
    """Do it in a transaction; what a host can mend is said in a line."""

    async def transact() -> T:
        async with opened() as (database, desk), database.transaction() as tx:
            return await work(tx, desk)

    try:
        return asyncio.run(transact())
    except UnknownWebinar as error:
        fail(f"there is no event called {error}: clarion webinars list shows them")
    except SlugTaken as error:
        fail(f"there is an event called {error} already: clarion webinars show {error}")
    except AlreadyCancelled as error:
        fail(f"{error} was cancelled, which is for good")
    except (ValidationError, Unfit) as error:
        fail(explained(error), 2)


def explained(error: ValidationError | Unfit) -> str:
    """What is wrong, a line for each field."""
    if isinstance(error, Unfit):
        return "\n".join(f"{field}: {message}" for field, message in error.errors.items())
    found = error.errors(include_url=False, include_input=False)
    return "\n".join(f"{'.'.join(map(str, one['loc'])) or 'event'}: {one['msg']}" for one in found)


def moment(option: str, text: str | None, zone: str) -> datetime | None:
    """A time of an option; without an offset it is meant in the zone."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
    except (ValueError, OSError) as error:
        fail(f"--{option}: {text!r} is no time in ISO 8601, or {zone!r} no zone ({error})", 2)


def given(**options: Any) -> dict[str, Any]:
    """The options that were used."""
    return {name: value for name, value in options.items() if value is not None}


@webinars.command("create", epilog="Example: clarion webinars create --file packaging.json")
def create(
    *,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="the event as JSON; options hold over it")
    ] = None,
    slug: Annotated[str | None, typer.Option(help="its name in addresses, such as packaging-law")] = None,
    title: Annotated[str | None, typer.Option(help="what people read")] = None,
    starts_at: Moment = None,
    ends_at: Moment = None,
    closes_at: Moment = None,
    zone: Annotated[str | None, typer.Option(help="such as America/Los_Angeles, which is the default")] = None,
    capacity: Annotated[int | None, typer.Option(min=0, help="seats; 0 is a waiting list from the first")] = None,
    join_url: Annotated[str | None, typer.Option(help="where people join, told to who has a seat")] = None,
    where: Annotated[str | None, typer.Option(help="the place, or Online")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an event that people can register for at /webinars/SLUG, from options or a JSON file."""
    described: dict[str, Any] = read_document(file) if file is not None else {}
    known_zone = str(zone or described.get("zone") or "America/Los_Angeles")
    described |= given(
        slug=slug,
        title=title,
        starts_at=iso(moment("starts-at", starts_at, known_zone)),
        ends_at=iso(moment("ends-at", ends_at, known_zone)),
        registration_closes_at=iso(moment("closes-at", closes_at, known_zone)),
        zone=zone,
        capacity=capacity,
        join_url=join_url,
        where=where,
    )
    try:
        webinar = Webinar.model_validate(described)
    except ValidationError as error:
        fail(explained(error), 2)

    async def work(tx: Transaction, desk: Desk) -> tuple[Event, Desk]:
        event = await create_webinar(tx, desk, webinar)
        await note(tx, "webinar.created", event)
        return event, desk

    show_event(*run(work), as_json=as_json)


async def note(tx: Transaction, act: str, event: Event, mailbox: str | None = None, **details: JsonValue) -> None:
    """Write down what whoever runs this command did with an event, or for somebody's registration."""
    subject = f"webinar:{event.webinar.slug}"
    await record(tx.connection, command_actor(), act, subject, at=tx.clock(), details=details, mailbox=mailbox)


def iso(at: datetime | None) -> str | None:
    """A time as the contract reads it."""
    return None if at is None else at.isoformat()


def read_document(file: Path) -> dict[str, Any]:
    """The JSON object in a file."""
    try:
        document = from_json(file.read_bytes())
    except (OSError, ValueError) as error:
        fail(f"{file} is not JSON: {error}", 2)
    if not isinstance(document, dict):
        fail(f"{file} holds no JSON object", 2)
    return document


async def _with_desk(event: Awaitable[Event], desk: Desk) -> tuple[Event, Desk]:
    return await event, desk


def show_event(event: Event, desk: Desk, *, as_json: bool) -> None:
    """Print an event."""
    shown = reports.webinar_view(event, desk.public_url).model_dump(mode="json")
    shown["join_url"] = event.webinar.join_url
    if not as_json:
        shown["presenters"] = [one.name for one in event.webinar.presenters]
        shown["questions"] = [one.label for one in event.webinar.questions]
    print_fields(shown, as_json=as_json)


@webinars.command("list", epilog="Example: clarion webinars list")
def list_command(as_json: AsJson = False) -> None:
    """All events with their seats."""

    async def load(tx: Transaction, desk: Desk) -> list[dict[str, Any]]:
        found = await repository.list_webinars(tx.connection)
        return [reports.webinar_view(event, desk.public_url).model_dump() for event in found]

    rows = run(load)
    shown = rows if as_json else [{name: row[name] for name in LIST_FIELDS} for row in rows]
    print_rows(shown, as_json=as_json, empty="No events yet: clarion webinars create --help")


async def _event(tx: Transaction, slug: str) -> Event:
    event = await repository.find_webinar(tx.connection, slug)
    if event is None:
        raise UnknownWebinar(slug)
    return event


@webinars.command("show", epilog="Example: clarion webinars show packaging-law")
def show(slug: SlugName, as_json: AsJson = False) -> None:
    """One event with its seats."""
    show_event(*run(lambda tx, desk: _with_desk(_event(tx, slug), desk)), as_json=as_json)


@webinars.command("move", epilog="Example: clarion webinars move packaging-law --starts-at 2027-05-07T10:00")
def move(
    slug: SlugName,
    *,
    starts_at: Moment = None,
    ends_at: Moment = None,
    closes_at: Moment = None,
    capacity: Annotated[
        int | None, typer.Option(min=0, help="seats; more go to who waits, fewer take none back")
    ] = None,
    title: Annotated[str | None, typer.Option(help="what people read")] = None,
    join_url: Annotated[str | None, typer.Option(help="where people join")] = None,
    where: Annotated[str | None, typer.Option(help="the place")] = None,
    as_json: AsJson = False,
) -> None:
    """Move an event, or change its seats or place. Everyone registered is told once of what they act on.

    With a new start, end and closing time move along unless they are given too.
    """

    async def work(tx: Transaction, desk: Desk) -> tuple[Event, Desk]:
        zone = (await _event(tx, slug)).webinar.zone
        changes = given(
            starts_at=moment("starts-at", starts_at, zone),
            ends_at=moment("ends-at", ends_at, zone),
            registration_closes_at=moment("closes-at", closes_at, zone),
            capacity=capacity,
            title=title,
            join_url=join_url,
            where=where,
        )
        event = await move_webinar(tx, desk, slug, changes)
        await note(tx, "webinar.changed", event, changed=[*sorted(changes)])
        return event, desk

    show_event(*run(work), as_json=as_json)


@webinars.command("cancel", epilog='Example: clarion webinars cancel packaging-law --reason "The presenter is ill"')
def cancel(
    slug: SlugName,
    reason: Annotated[str | None, typer.Option(help="told to everyone registered")] = None,
    as_json: AsJson = False,
) -> None:
    """Cancel an event for good. Everyone registered is told once."""

    async def work(tx: Transaction, desk: Desk) -> tuple[Event, Desk]:
        event = await cancel_webinar(tx, desk, slug, reason)
        await note(tx, "webinar.cancelled", event)
        return event, desk

    show_event(*run(work), as_json=as_json)


@registrations.command("list", epilog="Example: clarion registrations list packaging-law")
def list_registrations(slug: SlugName, as_json: AsJson = False) -> None:
    """Who registered, with their places in the waiting list."""

    async def load(tx: Transaction, _desk: Desk) -> list[dict[str, Any]]:
        event = await _event(tx, slug)
        found = await repository.list_registrations(tx.connection, event.id)
        return [reports.list_row(event, one, place) for one, place in found]

    print_rows(run(load), as_json=as_json, empty="Nobody registered yet")


@registrations.command(
    "add", epilog='Example: clarion registrations add packaging-law ada@city.example --name "Ada F."'
)
def add(
    slug: SlugName,
    email: Address,
    name: Annotated[str, typer.Option(help="the person's name")],
    answer: Annotated[list[str] | None, typer.Option(metavar="KEY=TEXT", help="may be repeated")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask for a seat on someone's behalf, by the same rules as on the page."""
    pairs = dict(one.partition("=")[::2] for one in answer or [])

    async def work(tx: Transaction, desk: Desk) -> dict[str, Any]:
        event = await _event(tx, slug)
        form = read_form(event.webinar.questions, name, email, pairs)
        made = await request_seat(tx, desk, event, form)
        await note(tx, "registration.added", event, desk.mailbox(form.email), registration=made.id)
        return {"id": made.id, "status": "pending", "page_url": f"{desk.public_url}/registrations/{made.token}"}

    tell(run(work), as_json=as_json)


def tell(fields: dict[str, Any], *, as_json: bool) -> None:
    """Print what was taken, and for people what comes next."""
    print_fields(fields, as_json=as_json)
    if not as_json:
        typer.echo(ON_ITS_WAY)


@registrations.command("cancel", epilog="Example: clarion registrations cancel packaging-law ada@city.example")
def cancel_registration(slug: SlugName, email: Address, as_json: AsJson = False) -> None:
    """Give up someone's seat or place; a freed seat goes to the next at once."""

    async def work(tx: Transaction, desk: Desk) -> str:
        event = await _event(tx, slug)
        try:
            mailbox = desk.mailbox(address(email))
        except ValueError as error:
            fail(f"{email}: {error}", 2)
        found = await repository.find_active(tx.connection, event.id, mailbox)
        if found is None:
            fail(f"{email} is not registered for {slug}: clarion registrations list {slug}")
        await ask_to_cancel(tx, desk, found)
        await note(tx, "registration.cancelled", event, mailbox, registration=found.id)
        return found.id

    tell({"id": run(work), "cancellation": "received"}, as_json=as_json)


@registrations.command("export", epilog="Example: clarion registrations export packaging-law --output people.csv")
def export(
    slug: SlugName,
    output: Annotated[Path | None, typer.Option(help="a file instead of standard output")] = None,
    as_json: AsJson = False,
) -> None:
    """The list as CSV with the answers, for a spreadsheet: no cell is taken for a formula there."""

    async def load(tx: Transaction, _desk: Desk) -> tuple[list[str], list[dict[str, Any]]]:
        event = await _event(tx, slug)
        found = await repository.list_registrations(tx.connection, event.id)
        await note(tx, "registrations.exported", event, people=len(found))
        return reports.export_columns(event), [reports.export_row(event, one, place) for one, place in found]

    columns, rows = run(load)
    if as_json:
        print_json(rows)
    elif output is None:
        typer.echo(to_csv(columns, rows), nl=False)
    else:
        output.write_text(to_csv(columns, rows), encoding="utf-8-sig", newline="")
        typer.echo(f"{len(rows)} registrations written to {output}")
