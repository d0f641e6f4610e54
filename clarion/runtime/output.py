"""What commands print: tables for people, JSON for machines, and errors that say what to do."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from pydantic import BaseModel

if TYPE_CHECKING:
    from rich.table import Table

PIPE_COLUMNS = 10_000


def plain(value: Any) -> Any:
    """A value as JSON knows it: times in ISO 8601 with their offset."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, default=plain, ensure_ascii=False, indent=1))


def cell(value: Any) -> str:
    """A value as a table's cell."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case list() | tuple():
            return ", ".join(cell(item) for item in value)
        case _:
            return str(value)


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print a list: an array of objects, or a table, or the sentence `empty` if there is nothing."""
    if as_json:
        print_json([dict(row) for row in rows])
        return
    if not rows:
        print(empty)
        return
    print_table(rows)


def table_of(rows: Sequence[Mapping[str, Any]]) -> "Table":
    """A table of rows that all have the first one's columns."""
    from rich.table import Table  # noqa: PLC0415 - a command that prints no table starts without it

    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold", no_wrap=name == "id")
    for row in rows:
        table.add_row(*(cell(value) for value in row.values()))
    return table


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows that all have the first one's columns."""
    from rich.console import Console  # noqa: PLC0415 - see above

    # A pipe has no width: what reads it wants a line a row.
    Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS, markup=False).print(table_of(rows))


def print_fields(fields: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing: an object, or a line for each field."""
    if as_json:
        print_json(dict(fields))
        return
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        lines = cell(value).splitlines() or [""]
        print(f"{name.replace('_', ' ').ljust(width)}  {lines[0]}")
        for line in lines[1:]:
            print(f"{' ' * width}  {line}")


@contextlib.contextmanager
def counting(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar of work done on a terminal, and nothing in a pipe; what it gives is told how much there is by now."""
    from rich.console import Console  # noqa: PLC0415 - see above
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415 - see above

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=total)

        def told(done: int) -> None:
            bar.update(task, completed=done)

        yield told


def say(line: str) -> None:
    """A line to whoever watches, at once."""
    print(line, flush=True)


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what went wrong on standard error and end with the code (1 failed, 2 wrong use)."""
    print(message, file=sys.stderr)
    raise typer.Exit(code)
