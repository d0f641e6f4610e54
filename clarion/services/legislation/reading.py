"""Reads files of updates: JSON Lines in bounded memory, or one JSON document."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from pydantic_core import from_json

CLOSING = {b"{": b"}", b"[": b"]"}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Item:
    """One event as it stands in a file: the line it begins on (or its document does), its place in an array there."""

    line: int
    value: Any
    index: int | None = None
    error: str | None = None


def read_items(file: IO[bytes]) -> Iterator[Item]:
    """All events of a file from its start; what is not JSON comes as an item with the error."""
    file.seek(0)
    first = next((line for line in file if content_of(line)), b"")
    file.seek(0)
    if is_document(content_of(first)):
        yield from parsed(1, content_of(file.read()))
        return
    for number, line in enumerate(file, 1):
        text = content_of(line)
        if text:
            yield from parsed(number, text)


def content_of(text: bytes) -> bytes:
    """A text without space and mark around it."""
    return text.removeprefix(BYTE_ORDER_MARK).strip()


def is_document(line: bytes) -> bool:
    """Whether a file that begins with this line is one document: what the line opens ends later."""
    closing = CLOSING.get(line[:1])
    return closing is not None and (len(line) == 1 or not line.endswith(closing))


def parsed(number: int, text: bytes) -> Iterator[Item]:
    """The events of a text: the elements of an array, or the one that it is."""
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        yield Item(number, None, error=f"not JSON: {error}")
        return
    if isinstance(value, list):
        yield from (Item(number, one, index) for index, one in enumerate(value))
    else:
        yield Item(number, value)
