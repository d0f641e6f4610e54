"""Suppressing and letting in again, with the record of who did it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from clarion.runtime.database import Connection, Transaction, load_queries, mailbox_key
from clarion.runtime.staff.audit import Actor, record
from clarion.schemas.mailboxes import MAILBOX_DIGITS, mailbox
from clarion.services.directory.domain.addresses import address
from clarion.services.notifications.repository import Ledger
from clarion.services.suppressing.files import Bad, LeftOut, Line, Read

MAILBOX = re.compile(f"[0-9a-f]{{{MAILBOX_DIGITS}}}")
LINES_AT_ONCE = 2_000
SHOWN = 100

queries = load_queries("clarion.services.suppressing")


@dataclass(slots=True)
class Report:
    """What an import did: lines added, known, left out as not suppressed where they come from, and rejected."""

    added: int = 0
    known: int = 0
    left_out: int = 0
    rejected_count: int = 0
    rejected: list[Bad] = field(default_factory=list)

    def reject(self, bad: Bad) -> None:
        """Count a line that cannot be taken."""
        self.rejected_count += 1
        if len(self.rejected) < SHOWN:
            self.rejected.append(bad)


class Erased(Exception):
    """The mailbox is that of somebody who was erased."""


class DryRun(Exception):
    """Takes the report out of a transaction that is not to be kept."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


async def mailbox_of(connection: Connection, whom: str) -> str:
    """The mailbox that an address, or the mailbox itself, stands for.

    Raises:
        ValueError: it is neither.
    """
    return whom if MAILBOX.fullmatch(whom) else mailbox(address(whom), await mailbox_key(connection))


async def suppress(tx: Transaction, actor: Actor, known: str, reason: str, now: datetime) -> bool:
    """Send nothing more to a mailbox, mail that is queued included; False if it was suppressed already."""
    added = await Ledger(tx.connection).suppress({known: reason}, now, "hand")
    if added:
        await note(tx, actor, "mailbox.suppressed", known, now)
    return bool(added)


async def let_in(tx: Transaction, actor: Actor, known: str, now: datetime) -> dict[str, Any] | None:
    """Send to a mailbox again, which gives what was noted of it; mail that ended meanwhile is not sent.

    Raises:
        Erased: who read it was erased.
    """
    known_as = await find(tx.connection, known)
    if known_as is not None and known_as["kind"] == "erased":
        raise Erased("this person was erased: only clarion people readmit lets them in again")
    removed = await Ledger(tx.connection).unsuppress([known])
    if not removed:
        return None
    await note(tx, actor, "mailbox.unsuppressed", known, now)
    return removed[0]


async def put_back(tx: Transaction, actor: Actor, row: dict[str, Any], now: datetime) -> bool:
    """Suppress again, as it was before somebody let it in; False if it is suppressed."""
    done = await queries.put_back(tx.connection, **row) is not None
    if done:
        await note(tx, actor, "mailbox.suppressed", row["mailbox"], now)
    return done


async def everybody(connection: Connection) -> list[dict[str, Any]]:
    """All suppressed mailboxes, oldest first."""
    return [dict(row) async for row in queries.all_suppressed(connection)]


async def newest(connection: Connection, room: int) -> list[dict[str, Any]]:
    """The mailboxes suppressed last, with the names of who reads them."""
    return [dict(row) async for row in queries.newest_suppressed(connection, room=room)]


async def find(connection: Connection, known: str) -> dict[str, Any] | None:
    """What is noted of a mailbox, if it is suppressed."""
    row = await queries.suppressed_of(connection, mailbox=known)
    return None if row is None else dict(row)


async def divisions_of(connection: Connection, known: str) -> frozenset[str]:
    """The divisions of the officials who read a mailbox; `connection` is the directory's."""
    rows = queries.divisions_of_mailbox(connection, mailbox=known)
    return frozenset([row["division"] async for row in rows])


async def import_lines(tx: Transaction, actor: Actor, lines: Iterable[Read], *, dry_run: bool) -> Report:
    """Suppress everybody a file names; who is suppressed already stays as they are.

    Raises:
        Unreadable: the file broke off; nothing is imported.
        DryRun: if that was asked for, with the report of what would have been done.
    """
    report, key, now = Report(), await mailbox_key(tx.connection), tx.clock()
    for chunk in chunks(lines):
        taken = [one for read in chunk if (one := _taken(read, key, report)) is not None]
        added = queries.suppress_each(
            tx.connection,
            mailboxes=[found for _, found in taken],
            kinds=[line.kind for line, _ in taken],
            reasons=[line.reason for line, _ in taken],
            sinces=[line.since or now for line, _ in taken],
            now=now,
        )
        fresh = len([row async for row in added])
        report.added += fresh
        report.known += len(taken) - fresh
    if dry_run:
        raise DryRun(report)
    details = {"added": report.added, "rejected": report.rejected_count}
    await record(tx.connection, actor, "mailboxes.imported", "suppressions", at=now, details=details)
    return report


def _taken(read: Read, key: bytes, report: Report) -> tuple[Line, str] | None:
    """A line and its mailbox; what cannot be taken is counted."""
    match read:
        case Bad():
            report.reject(read)
        case LeftOut():
            report.left_out += 1
        case Line():
            try:
                found = read.whom if MAILBOX.fullmatch(read.whom) else mailbox(address(read.whom), key)
            except ValueError as error:
                report.reject(Bad(read.number, str(error)))
            else:
                return read, found
    return None


def chunks(lines: Iterable[Read]) -> Iterator[list[Read]]:
    """The lines, so many at a time."""
    left = iter(lines)
    while chunk := list(islice(left, LINES_AT_ONCE)):
        yield chunk


async def note(tx: Transaction, actor: Actor, act: str, known: str, now: datetime) -> None:
    """Write down what was done to a mailbox, and by whom."""
    await record(tx.connection, actor, act, f"mailbox:{known}", at=now, mailbox=known)
