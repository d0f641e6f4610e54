"""Reads and writes lists of suppressed addresses: our own, and those that other senders of mail export."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from clarion.schemas.sheets import FORMULA_STARTS, cell
from clarion.services.notifications.domain.suppressions import KINDS, SuppressionKind

COLUMNS = ("mailbox", "kind", "reason", "since")
ADDRESS = ("address", "email", "email address", "emailaddress", "e-mail", "recipient")
SINCE = ("since", "unsub_time", "clean_time", "lastupdatetime", "updated_at", "created_at")
SES_KEY = "SuppressedDestinationSummaries"
# As `aws sesv2 list-suppressed-destinations` says it (API reference: ListSuppressedDestinations).
SES_KINDS: Mapping[str, SuppressionKind] = {"bounce": "hard-bounce", "complaint": "complaint"}
LISTMONK_STATUS = "blocklisted"
"""listmonk's export has everybody; only who is blocklisted gets nothing at all."""
REASON_CHARACTERS = 500
CELL_CHARACTERS = 10_000


class Unreadable(Exception):
    """The file cannot be taken as a list of suppressions; nothing was imported."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: an address or a mailbox, why, of which kind, and since when (None: now)."""

    number: int
    whom: str
    kind: SuppressionKind
    reason: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that cannot be taken, and why."""

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line of somebody who is not suppressed where the file comes from."""

    number: int


Read = Line | Bad | LeftOut


def read_file(path: Path) -> Iterator[Read]:
    """The lines of a file: CSV with a header, or the JSON that Amazon SES lists.

    Raises:
        Unreadable: it is none of that, or not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from read_json(file) if path.suffix.casefold() == ".json" else read_table(file)
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path}: not UTF-8; save it as CSV in UTF-8") from error
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from error


def read_json(file: TextIO) -> Iterator[Read]:
    """What `aws sesv2 list-suppressed-destinations` prints."""
    try:
        listed = json.load(file)[SES_KEY]
        rows = [{str(name): str(value) for name, value in row.items()} for row in listed]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"this JSON has no list {SES_KEY}") from error
    for number, row in enumerate(rows, 1):
        yield read_row(number, row)


def read_table(file: TextIO) -> Iterator[Read]:
    """CSV in any order of columns; others are left alone."""
    reader = csv.DictReader(file)
    try:
        names = {name.strip().casefold() for name in reader.fieldnames or ()}
        if not names & {*ADDRESS, "mailbox"}:
            raise Unreadable("no column is called address, email, Email Address or mailbox")
        for row in reader:
            yield read_row(reader.line_num, {name: value for name, value in row.items() if name and value})
    except csv.Error as error:
        raise Unreadable(f"line {reader.line_num}: {error}") from error


def read_row(number: int, row: Mapping[str, str]) -> Read:
    """One row, whosever columns it has."""
    found = {name.strip().casefold(): unquoted(value.strip()) for name, value in row.items()}
    if any(len(value) > CELL_CHARACTERS or "\x00" in value for value in found.values()):
        return Bad(number, f"a cell has more than {CELL_CHARACTERS:,} characters, or a NUL")
    if (status := found.get("status")) is not None and status.casefold() != LISTMONK_STATUS:
        return LeftOut(number)
    whom = found.get("mailbox") or next((found[name] for name in ADDRESS if found.get(name)), None)
    if whom is None:
        return Bad(number, "it names no address")
    try:
        return Line(number, whom, kind_of(found), reason_of(found), since_of(found))
    except ValueError as error:
        return Bad(number, str(error))


def kind_of(found: Mapping[str, Any]) -> SuppressionKind:
    """Of which kind a line is: its own word, or what its columns tell. Raises ValueError."""
    said = found.get("kind")
    if said:
        if said not in KINDS:
            raise ValueError(f"{said!r} is no kind; there are {', '.join(KINDS)}")
        return KINDS[KINDS.index(said)]
    if (by_ses := SES_KINDS.get(str(found.get("reason", "")).casefold())) is not None:
        return by_ses
    return "hard-bounce" if found.get("clean_time") else "import"


def reason_of(found: Mapping[str, str]) -> str:
    """Why, in a line."""
    said = found.get("reason") or found.get("unsub_reason") or found.get("status") or "imported"
    return " ".join(said.split())[:REASON_CHARACTERS]


def since_of(found: Mapping[str, str]) -> datetime | None:
    """Since when; a time without a zone is UTC. Raises ValueError."""
    said = next((found[name] for name in SINCE if found.get(name)), None)
    if said is None:
        return None
    try:
        at = datetime.fromisoformat(said)
    except ValueError as error:
        raise ValueError(f"{said!r} is no time: write 2027-03-01 or 2027-03-01T09:30:00-08:00") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def unquoted(text: str) -> str:
    """A cell as it was before it was made safe for spreadsheets."""
    return text[1:] if text.startswith("'") and text[1:].lstrip(" ").startswith(FORMULA_STARTS) else text


def write_table(file: TextIO, rows: Iterator[Mapping[str, Any]]) -> int:
    """Write our own list as CSV (RFC 4180), whose cells no spreadsheet computes; how many lines that were."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - it is the number of the last
        writer.writerow([cell(row["since"].isoformat() if name == "since" else row[name]) for name in COLUMNS])
    return count
