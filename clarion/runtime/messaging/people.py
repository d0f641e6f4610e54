"""What the outbox and the dead letters of a service hold of a person, and taking it out."""

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from pydantic import JsonValue

from clarion.runtime.database import Connection, Transaction, load_queries
from clarion.runtime.people import Erased, Person

NOBODY = "erased"
"""What stands in a text where the address stood."""


async def export(connection: Connection, who: Person) -> dict[str, JsonValue]:
    """Messages and dead letters that name the person, of each what is about them."""
    queries = load_queries("clarion.runtime.messaging")
    messages = [row async for row in queries.outgoing_about(connection, **_asked(who))]
    said = [(row, _said(row, who)) for row in messages]
    return {
        "outbox": [
            {"topic": row["topic"], **_times(row, "enqueued_at", "published_at"), "said": parts}
            for row, parts in said
            if parts
        ],
        "dead_letters": [
            {
                "topic": row["topic"],
                "type": row["type"],
                "reason": row["reason"],
                **_times(row, "first_seen_at"),
                "content": None if row["body"] is None else bytes(row["body"]).decode(errors="backslashreplace"),
            }
            for row in await _letters(connection, who)
        ],
    }


async def erase(tx: Transaction, who: Person) -> Erased:
    """Take the person out of every message, and make dead letters that name them blank.

    A message that is about nobody else goes, whether the broker has it or not: its topic forgets it in its own time.
    """
    queries = load_queries("clarion.runtime.messaging")
    messages = [row async for row in queries.outgoing_about(tx.connection, **_asked(who))]
    concerned = [(row, _without(row, who)) for row in messages if _said(row, who)]
    await _blank(tx.connection, [row for row, body in concerned if body is None])
    changed = [(row, body) for row, body in concerned if body is not None]
    await queries.rewrite_outgoing(
        tx.connection,
        ids=[row["id"] for row, _ in changed],
        ats=[row["enqueued_at"] for row, _ in changed],
        bodies=[body for _, body in changed],
    )
    letters = [row["id"] for row in await _letters(tx.connection, who)]
    await queries.blank_letters(tx.connection, ids=letters)
    return Erased({"outbox": len(concerned), "dead_letters": len(letters)})


async def _letters(connection: Connection, who: Person) -> list[Any]:
    rows = load_queries("clarion.runtime.messaging").letters_about(connection, **_asked(who))
    return [row async for row in rows if _is_about(row, who)]


def _is_about(row: Any, who: Person) -> bool:
    if _key(row) in _keys(who):
        return True
    content = b"%s %s" % (row["key"] or b"", row["body"] or b"")
    return mentions(f"{content.decode(errors='replace')} {row['beside']}", who)


def mentions(text: str, who: Person) -> bool:
    """Whether a text says the address, as a whole; and where others share that, one of the names."""
    if _said_as_a_whole(who).search(text) is None:
        return False
    return who.alone or any(name in text.casefold() for name in who.folded_names)


@lru_cache(maxsize=4)
def _said_as_a_whole(who: Person) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.+%-]){re.escape(who.address)}(?![\w-]|\.\w)", re.IGNORECASE)


def _times(row: Any, *names: str) -> dict[str, JsonValue]:
    return {name: row[name].isoformat() if row[name] else None for name in names}


async def _blank(connection: Connection, rows: Sequence[Any]) -> None:
    await load_queries("clarion.runtime.messaging").blank_outgoing(
        connection, ids=[row["id"] for row in rows], ats=[row["enqueued_at"] for row in rows]
    )


def _asked(who: Person) -> dict[str, Any]:
    return {"keys": [key.encode() for key in _keys(who)], "words": [who.address.lower()]}


def _keys(who: Person) -> list[str]:
    """The keys of records about the officials themselves."""
    return [f"official:{one}" for one in who.officials]


def _key(row: Any) -> str:
    return bytes(row["key"] or b"").decode(errors="replace")


def _said(row: Any, who: Person) -> list[JsonValue]:
    body = _parsed(row["body"])
    return [body] if _key(row) in _keys(who) else list(parts_about(body, who))


def _without(row: Any, who: Person) -> bytes | None:
    """The body without the person; None if nothing else is in it."""
    body = _parsed(row["body"])
    if _key(row) in _keys(who) or names(body, who):
        return None
    left = without(body, who)
    return None if _is_empty(left) else json.dumps(left, ensure_ascii=False, separators=(",", ":")).encode()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _is_empty(body: Any) -> bool:
    """Whether a batch of messages has no recipient any more."""
    return isinstance(body, dict) and body.get("recipients") == []


def names(value: Any, who: Person) -> bool:
    """Whether an object is about the person: one of its own texts is the address, and its name is not another's."""
    if not isinstance(value, dict):
        return False
    texts = [text.casefold() for text in value.values() if isinstance(text, str)]
    if who.address.casefold() not in texts:
        return False
    name = value.get("name")
    return who.alone or not isinstance(name, str) or name.casefold() in who.folded_names


def parts_about(value: Any, who: Person) -> Iterator[JsonValue]:
    """The objects within a value that are about the person, and the texts that say their address."""
    if names(value, who):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from parts_about(part, who)
    elif isinstance(value, str) and who.alone and mentions(value, who):
        yield value


def without(value: Any, who: Person) -> Any:
    """The value without the objects about the person, out of lists and null elsewhere; no text says their address."""
    if isinstance(value, list):
        return [without(part, who) for part in value if not names(part, who)]
    if isinstance(value, dict):
        return {key: None if names(part, who) else without(part, who) for key, part in value.items()}
    if isinstance(value, str) and who.alone:
        return _said_as_a_whole(who).sub(NOBODY, value)
    return value
