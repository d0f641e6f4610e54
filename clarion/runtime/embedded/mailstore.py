"""The mails that the catcher received, kept in SQLite."""

import json
import re
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import aiosql

_queries = aiosql.from_path(Path(__file__).with_name("sql") / "mail.sql", "sqlite3", mandatory_parameters=False)

# One pass over the few headers that are shown; email.parser takes twenty times as long.
_HEADER = re.compile(
    rb"^(subject|message-id|clarion-thread|clarion-revision):[ \t]*(.*(?:\n[ \t].*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(r"\r?\n")


@dataclass(frozen=True)
class CaughtMail:
    """One mail as the server got it; `content` is there only when it was asked for by id."""

    id: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    message_id: str | None
    thread: str | None
    revision: int | None
    content: bytes = b""


class MailStore:
    """Keeps mails in the file at `path`, or in memory for None; safe to use from several threads."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False)
        _queries.create_tables(self._connection)

    def add(self, envelope_from: str, rcpts: Sequence[str], content: bytes, received_at: datetime) -> int:
        """Keep one mail, received at an aware time; returns its id."""
        columns = _header_columns(content) | {
            "received_at": received_at.astimezone(UTC).isoformat(),
            "sender": envelope_from,
            "recipients": json.dumps(list(rcpts), ensure_ascii=False),
            "content": content,
        }
        with self._lock, self._connection:
            mail_id = int(_queries.insert_mail(self._connection, **columns))
            rows = [{"mail_id": mail_id, "address": address} for address in rcpts]
            _queries.insert_recipients(self._connection, rows)
        return mail_id

    def count(self) -> int:
        """How many mails are kept."""
        with self._lock:
            return int(_queries.count_mails(self._connection))

    def list(
        self,
        limit: int = 50,
        *,
        offset: int = 0,
        before_id: int | None = None,
        to: str | None = None,
        query: str | None = None,
    ) -> Sequence[CaughtMail]:
        """The newest mails first, without content: to one address, with a text in their headers."""
        with self._lock:
            rows = _queries.list_mails(
                self._connection, limit=limit, offset=offset, before_id=before_id, address=to, query=query
            )
            return [_mail(row) for row in rows]

    def get(self, mail_id: int) -> CaughtMail | None:
        """One mail with its content, or None when there is none with this id."""
        with self._lock:
            row = _queries.get_mail(self._connection, id=mail_id)
        return _mail(row) if row else None

    def clear(self) -> None:
        """Forget all mails; ids go on from where they were."""
        with self._lock, self._connection:
            _queries.clear_recipients(self._connection)
            _queries.clear_mails(self._connection)

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()


def _mail(row: Sequence[Any]) -> CaughtMail:
    mail_id, received_at, sender, recipients, *rest = row
    return CaughtMail(mail_id, datetime.fromisoformat(received_at), sender, tuple(json.loads(recipients)), *rest)


def _header_columns(content: bytes) -> dict[str, Any]:
    end = _END_OF_HEADERS.search(content)
    block = content[: end.start()] if end else content
    found = {name.lower(): _text(value) for name, value in reversed(_HEADER.findall(block))}
    revision = found.get(b"clarion-revision", "")
    return {
        "subject": _decoded(found.get(b"subject", "")),
        "message_id": found.get(b"message-id"),
        "thread": found.get(b"clarion-thread"),
        "revision": int(revision) if re.fullmatch(r"[0-9]{1,18}", revision) else None,
    }


def _text(value: bytes) -> str:
    return _FOLD.sub("", value.decode("utf-8", "replace")).strip()


def _decoded(subject: str) -> str:
    if "=?" not in subject:
        return subject
    try:
        # Undecodable bytes come as lone surrogates, which SQLite cannot keep.
        return str(make_header(decode_header(subject))).encode("utf-8", "replace").decode()
    except (HeaderParseError, LookupError, ValueError):
        return subject
