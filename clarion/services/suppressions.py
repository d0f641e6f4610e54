"""`clarion suppressions`: mailboxes that get nothing more."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Transaction, open_database
from clarion.runtime.output import fail, print_fields, print_rows, say
from clarion.runtime.settings import load_settings
from clarion.runtime.staff.audit import command_actor
from clarion.schemas.commands import RejectedLine, SuppressionsExported, SuppressionsImported
from clarion.services.notifications.commands import AsJson, with_database
from clarion.services.notifications.limit_reports import list_suppressions
from clarion.services.suppressing import operations
from clarion.services.suppressing.files import Unreadable, read_file, write_table
from clarion.services.suppressing.operations import DryRun, Report

suppressions = typer.Typer(help="Mailboxes that get nothing more, whatever is asked.", no_args_is_help=True)

Whom = Annotated[str, typer.Argument(metavar="ADDRESS", help="an address, or a mailbox as `list` names it")]


def in_ledger(whom: str, act: Callable[[Transaction, str], Awaitable[list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    """Do it to the mailbox of an address in one transaction."""

    async def run() -> list[dict[str, Any]]:
        opened = open_database(load_settings(), "notifications", size=1)
        async with opened as database, database.transaction() as tx:
            try:
                found = await operations.mailbox_of(tx.connection, whom)
            except ValueError as error:
                fail(f"{whom}: {error}", 2)
            return await act(tx, found)

    return asyncio.run(run())


@suppressions.command("list", epilog="Example: clarion suppressions list --json")
def list_command(
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="the first so many")] = 10_000,
    as_json: AsJson = False,
) -> None:
    """List suppressed mailboxes with the reasons and, where they are known, the ids of their officials."""
    rows = with_database(lambda connection: list_suppressions(connection, limit))
    print_rows(rows, as_json=as_json, empty="Nobody is suppressed.")


@suppressions.command("add", epilog='Example: clarion suppressions add ada@city.example --reason "asked by phone"')
def add_command(
    whom: Whom,
    reason: Annotated[str, typer.Option(help="why; it is told with the mail that ends by it")] = "by hand",
    as_json: AsJson = False,
) -> None:
    """Send nothing more to an address, mail that is queued included; `remove` undoes it."""

    async def act(tx: Transaction, known: str) -> list[dict[str, Any]]:
        now = system_clock()
        added = await operations.suppress(tx, command_actor(), known, reason, now)
        return [{"mailbox": known, "kind": "hand", "reason": reason, "since": now}] if added else []

    print_rows(in_ledger(whom, act), as_json=as_json, empty="It was suppressed already.")


@suppressions.command("remove", epilog="Example: clarion suppressions remove ada@city.example")
def remove_command(whom: Whom, as_json: AsJson = False) -> None:
    """Send to an address again; mail that ended meanwhile is not sent."""

    async def act(tx: Transaction, known: str) -> list[dict[str, Any]]:
        found = await operations.let_in(tx, command_actor(), known, system_clock())
        return [] if found is None else [found]

    try:
        removed = in_ledger(whom, act)
    except operations.Erased as error:
        fail(str(error))
    if not removed:
        fail(f"{whom} is not suppressed; `clarion suppressions list` names who is")
    print_rows(removed, as_json=as_json, empty="")


@suppressions.command("import", epilog="Example: clarion suppressions import cleaned_members.csv --dry-run")
def import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, or the JSON that Amazon SES lists")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what it would do, and change nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Suppress everybody a file names; who is suppressed already stays as they are.

    Columns: address (or email, Email Address) or mailbox, and where there are any kind, reason, since. So it takes what
    `export` writes, Mailchimp's unsubscribed and cleaned members, listmonk's subscribers (those who are blocklisted)
    and what `aws sesv2 list-suppressed-destinations` prints. It ends with 1 if a line could not be taken.
    """
    try:
        report = asyncio.run(bring_in(file, dry_run=dry_run))
    except Unreadable as error:
        fail(f"nothing was imported: {error}")
    printed = SuppressionsImported(
        dry_run=dry_run,
        added=report.added,
        known=report.known,
        left_out=report.left_out,
        rejected_count=report.rejected_count,
        rejected=[RejectedLine(line=bad.number, reason=bad.why) for bad in report.rejected],
    )
    if as_json:
        print_fields(printed.model_dump(mode="json"), as_json=True)
    else:
        tell(printed)
    if report.rejected_count:
        raise typer.Exit(1)


async def bring_in(file: Path, *, dry_run: bool) -> Report:
    """Import it, or see what that would do."""
    try:
        opened = open_database(load_settings(), "notifications", size=1)
        async with opened as database, database.transaction() as tx:
            return await operations.import_lines(tx, command_actor(), read_file(file), dry_run=dry_run)
    except DryRun as found:
        return found.report


def tell(printed: SuppressionsImported) -> None:
    """The report for people."""
    would = "would be " if printed.dry_run else ""
    say(f"{printed.added:,} {would}added, {printed.known:,} known before, {printed.rejected_count:,} rejected")
    if printed.left_out:
        say(f"{printed.left_out:,} left out: they are not blocked where the file comes from")
    for bad in printed.rejected:
        say(f"  line {bad.line}: {bad.reason}")


@suppressions.command("export", epilog="Example: clarion suppressions export suppressed.csv")
def export_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="where to write it; - is the output")],
    as_json: AsJson = False,
) -> None:
    """Write all suppressed mailboxes as CSV, which `import` takes; no cell of it is a formula.

    Mailboxes are keyed hashes: they mean something in this installation alone.
    """
    rows = with_database(operations.everybody)
    if str(file) == "-":
        write_table(sys.stdout, iter(rows))
        return
    with file.open("w", encoding="utf-8", newline="") as out:
        count = write_table(out, iter(rows))
    print_fields(SuppressionsExported(written=count).model_dump(), as_json=as_json)
