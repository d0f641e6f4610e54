"""`clarion people`: everything kept about one address, handed out or erased."""

import asyncio
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from clarion.runtime.output import fail, print_fields, print_json, say
from clarion.runtime.people import Person
from clarion.runtime.settings import Settings, load_settings, write_private
from clarion.runtime.staff.audit import command_actor
from clarion.schemas.commands import PersonErased, PersonReadmitted, TopicUntil
from clarion.services.people import operations
from clarion.services.people.operations import Done, InUse, NotFinished, Plan, SeveralKnown

people = typer.Typer(help="Everything that is kept about a person.", no_args_is_help=True)

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="the person's mail address")]
Officials = Annotated[
    list[str] | None, typer.Option("--official", metavar="ID", help="of several who share the address, this one")
]
Everyone = Annotated[bool, typer.Option("--everyone", help="all who share the address")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
T = TypeVar("T")


@people.command("export", epilog="Example: clarion people export ada@city.example --to ada.json")
def export_command(
    given: Address,
    officials: Officials = None,
    everyone: Everyone = False,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="where to write it, for your eyes alone")
    ] = None,
) -> None:
    """Print one JSON document with everything that is kept about an address, in all services."""
    settings = load_settings()
    who = run(whom(settings, given, officials, everyone=everyone))
    kept = run(operations.export(settings, who, by=command_actor()))
    if to is None:
        print_json(kept)
    else:
        write_private(to, kept.model_dump_json(indent=1) + "\n")


@people.command("erase", epilog="Example: clarion people erase ada@city.example")
def erase_command(
    given: Address,
    officials: Officials = None,
    everyone: Everyone = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a person from all services: mail stops, counts stay, and imports do not bring them back.

    It says what it is going to do, and asks. Killed, the same command goes on. What Kafka still holds goes in its own
    time, which is said.
    """
    settings = load_settings()
    begun = run(operations.unfinished(settings, given))
    who = begun or run(whom(settings, given, officials, everyone=everyone))
    plan = run(operations.plan(settings, who))
    if not yes:
        ask(plan)
    done = run(operations.erase(settings, who, command_actor()))
    printed = PersonErased(id=done.id, counts=done.counts, held=until(done))
    print_fields(printed.model_dump(mode="json"), as_json=True) if as_json else tell(done)


@people.command("readmit", epilog="Example: clarion people readmit ada@city.example")
def readmit_command(given: Address, officials: Officials = None, as_json: AsJson = False) -> None:
    """Let somebody who was erased be imported and written to again; nothing comes back by itself.

    Name the old id too, with --official, where the association's list still has it.
    """
    let_in = run(operations.readmit(load_settings(), given, officials or (), by=command_actor()))
    if not let_in:
        fail(f"{given} is not held back")
    printed = PersonReadmitted(readmitted=True)
    print_fields(printed.model_dump(), as_json=as_json)


def run(work: Awaitable[T]) -> T:
    """Wait for it; what whoever gives the command can mend ends it with a line."""

    async def done() -> T:
        return await work

    try:
        return asyncio.run(done())
    except SeveralKnown as error:
        fail(several(error), 2)
    except InUse as error:
        fail(str(error))
    except NotFinished as error:
        fail(str(error))
    except ValueError as error:
        fail(str(error), 2)


async def whom(settings: Settings, given: str, officials: list[str] | None, *, everyone: bool) -> Person:
    """Who is meant."""
    return await operations.find(settings, given, officials or (), everyone=everyone)


def several(error: SeveralKnown) -> str:
    """Who shares an address, and how to say which."""
    named = "\n".join(f"  --official {one}  {name}" for one, name in error.readers.items())
    return f"{error}: name the one who is meant, or all with --everyone\n{named}"


def ask(plan: Plan) -> None:
    """Say what is going to happen, and end the command unless somebody says yes."""
    say("This erases, for good:" if not plan.resumed else "An erasure that was begun goes on. It erases, for good:")
    for service, counts in plan.kept.items():
        say(f"  {service}: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))
    if not plan.kept:
        say("  nothing: nothing is kept about this address")
    say("Mail stops at once, and imports that list the address again are held back. Counts stay.")
    for topic in plan.held:
        say(f"  {topic.topic} may hold something until {topic.until:%Y-%m-%d}")
    if not sys.stdin.isatty():
        fail("nothing was erased: say --yes where nobody can be asked", 2)
    typer.confirm("Erase?", abort=True)


def tell(done: Done) -> None:
    """What was done."""
    for service, counts in done.counts.items():
        say(f"{service}: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))
    say("erased. The address is held back from imports and mail; clarion people readmit lets it in again")
    for topic in done.held:
        say(f"{topic.topic} may hold something until {topic.until:%Y-%m-%d}")


def until(done: Done) -> list[TopicUntil]:
    """The topics as they are printed."""
    return [TopicUntil(topic=one.topic, until=one.until) for one in done.held]
