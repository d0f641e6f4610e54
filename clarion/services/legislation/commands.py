"""CLI in: `clarion publish`."""

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.output import fail, print_fields, print_json
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.services.legislation.operations import Intake
from clarion.services.legislation.publication import Validation, publish_file, validate

IN_MEMORY_BYTES = 1_000_000
NEXT_STEPS = "What became of it: clarion campaigns list; what could not be handled: clarion dead-letters list"

Json = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
Source = Annotated[str | None, typer.Option(help="whose statements these are; holds over what the events say")]
File = Annotated[str, typer.Argument(metavar="FILE", help="JSON or JSON Lines; - reads standard input")]


def publish(
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="validate only")] = False,
    source: Source = None,
    as_json: Json = False,
) -> None:
    """Validate and publish legislative updates: all of the file, or nothing.

    An event without an id gets one from what it says, so a file published twice changes nothing.

    Example: clarion publish notices.jsonl
    """
    if source is not None and not 0 < len(source.strip()) <= 500:
        fail("--source takes 1 to 500 characters, such as /integrations/daily-file", 2)
    with opened(file) as content:
        with counting("validated") as progress:
            found = validate(content, source, progress)
        if found.error_count:
            refuse(found, as_json=as_json)
        if dry_run:
            tell({"valid": found.valid, "published": 0}, "--dry-run: nothing was published", as_json=as_json)
            return
        with counting("published") as progress:
            taken = asyncio.run(publish_content(content, source, progress))
    tell({"published": taken.published, "seen_before": taken.seen_before}, NEXT_STEPS, as_json=as_json)


async def publish_content(content: IO[bytes], source: str | None, progress: "Counter") -> Intake:
    """Publish what was validated."""
    async with open_database(load_settings(), "legislation") as database:
        return await publish_file(database, content, source, system_clock, progress, by=command_actor())


@contextlib.contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """A file that can be read twice; standard input is kept in a temporary one."""
    with contextlib.ExitStack() as stack:
        if name == "-":
            kept = stack.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES))
            shutil.copyfileobj(sys.stdin.buffer, kept)
            yield kept
            return
        try:
            content = stack.enter_context(Path(name).open("rb"))
        except OSError as error:
            fail(f"{name} cannot be read: {error.strerror}")
        yield content


class Counter:
    """Shows on a terminal how many updates are done, and nothing in a pipe."""

    def __init__(self, progress: Progress, verb: str) -> None:
        self.progress = progress
        self.task = progress.add_task(verb, total=None)

    def __call__(self, more: int) -> None:
        """So many more are done."""
        self.progress.advance(self.task, more)


@contextlib.contextmanager
def counting(verb: str) -> Iterator[Counter]:
    """Show progress on standard error until the end of the block."""
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Counter(progress, verb)


def refuse(found: Validation, *, as_json: bool) -> None:
    """Say what is wrong and end with 1."""
    if as_json:
        print_json({"published": 0, "error_count": found.error_count, "errors": found.errors})
        raise typer.Exit(1)
    lines = [f"{place(one)}: {one['field']}: {one['message']}" for one in found.errors]
    if found.error_count > len(found.errors):
        lines.append(f"... and {found.error_count - len(found.errors)} more")
    fail(
        "\n".join(
            [*lines, f"{found.error_count} mistake{'' if found.error_count == 1 else 's'}: nothing was published"]
        )
    )


def place(error: dict[str, Any]) -> str:
    """Where in a file a mistake is."""
    index = "" if error["index"] is None else f"[{error['index']}]"
    return f"line {error['line']}{index}"


def tell(counts: dict[str, Any], next_steps: str, *, as_json: bool) -> None:
    """Print the counts, and for people what to do next."""
    print_fields(counts, as_json=as_json)
    if not as_json:
        typer.echo(next_steps)
