"""A raw record, as it was read from a topic or is kept in a dead letter."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Record:
    """Key, headers and body just as the broker gave them; `topic` is without the installation's prefix.

    `unreadable` says why the client library could not decode it; such a record has no content.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[Header, ...]
    body: bytes | None
    received_at: datetime
    unreadable: str | None = None

    def fingerprint(self) -> bytes:
        """The same for the same content on the same topic, wherever it stands."""
        digest = hashlib.sha256(self.topic.encode())
        if self.unreadable is not None:
            digest.update(f"\x00{self.partition}\x00{self.offset}\x00{self.unreadable}".encode(errors="replace"))
        for part in (self.key, self.body, headers_to_json(self.headers).encode()):
            digest.update(b"\x00-" if part is None else b"\x00+%d:" % len(part) + part)
        return digest.digest()


def headers_to_json(headers: Iterable[Header]) -> str:
    """Headers as PostgreSQL can keep them: `[[name, text | null | {"base64": ...}], ...]`."""
    return json.dumps([[printable(name), _value_to_json(value)] for name, value in headers], ensure_ascii=False)


def headers_from_json(kept: Sequence[Sequence[Any]]) -> list[Header]:
    """The headers that `headers_to_json` wrote."""
    return [(name, value.encode() if type(value) is str else _value_from_json(value)) for name, value in kept]


def _value_to_json(value: bytes | None) -> str | dict[str, str] | None:
    if value is None:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\x00"
    return text if "\x00" not in text else {"base64": base64.b64encode(value).decode()}


def _value_from_json(value: Any) -> bytes | None:
    if value is None:
        return None
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else str(value).encode()


def printable(text: str, limit: int | None = None) -> str:
    """The text with what PostgreSQL cannot keep written out, cut to `limit` characters."""
    return text.encode(errors="backslashreplace").decode().replace("\x00", "\\x00")[:limit]


def instant(milliseconds: int, otherwise: datetime) -> datetime:
    """A record's timestamp in UTC, or `otherwise` if it is not one."""
    if not 0 <= milliseconds < 253_402_300_800_000:
        return otherwise
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
