"""Reads files of updates, JSON Lines or one JSON document, in bounded memory: of an array an element at a time."""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import IO, Any

from pydantic_core import from_json

CLOSING = {b"{": b"}", b"[": b"]"}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CHUNK_BYTES = 65_536
TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*("?)|[][{},]', re.DOTALL)
"""What tells where an element ends: the marks, and texts, in which none counts; one that is cut off has no group."""
OPENING, ENDING = b"[{", b"]}"


@dataclass(frozen=True, slots=True)
class Item:
    """One event as it stands in a file: the line it begins on (or its document does), its place in an array there.

    `size` is about how many bytes it takes there.
    """

    line: int
    value: Any
    index: int | None = None
    error: str | None = None
    size: int = 0


def read_items(file: IO[bytes]) -> Iterator[Item]:
    """All events of a file from its start; what is not JSON comes as an item with the error."""
    start, line = first_content(file)
    file.seek(start)
    if file.read(1) == b"[":
        line = yield from Elements(file, line).read()
    else:
        file.seek(start)
        is_whole = is_document(content_of(file.readline()))
        file.seek(start)
        if is_whole:
            yield from parsed(line, content_of(file.read()))
            return
    for number, text in enumerate(file, line):
        content = content_of(text)
        if content:
            yield from parsed(number, content)


def first_content(file: IO[bytes]) -> tuple[int, int]:
    """Where the first thing stands that is no space: its offset and its line."""
    file.seek(0)
    start = len(BYTE_ORDER_MARK) if file.read(len(BYTE_ORDER_MARK)) == BYTE_ORDER_MARK else 0
    file.seek(start)
    line = 1
    while chunk := file.read(CHUNK_BYTES):
        spaces = len(chunk) - len(chunk.lstrip())
        line += chunk[:spaces].count(b"\n")
        start += spaces
        if spaces < len(chunk):
            break
    return start, line


class Elements:
    """The elements of an array whose bracket was read, with as much of the file in memory as the longest of them."""

    def __init__(self, file: IO[bytes], line: int) -> None:
        self._file = file
        self._line = line
        self._lines = 0
        self._text = b""
        self._scanned = 0
        self._depth = 1
        self._count = 0

    def read(self) -> Generator[Item, None, int]:
        """All of them; gives the line on which the array ends, and leaves the file behind it."""
        while more := self._file.read(max(CHUNK_BYTES, len(self._text))):
            self._text += more
            yield from self._ended()
            if not self._depth:
                self._file.seek(self._file.tell() - len(self._text))
                return self._line + self._lines
        yield Item(self._line, None, error="not JSON: the array does not end")
        return self._line

    def _ended(self) -> Iterator[Item]:
        """What ends in the text that was read so far, which is dropped."""
        done = 0
        for token in TOKEN.finditer(self._text, self._scanned):
            mark = token[0]
            if token[1] == b"":
                self._scanned = token.start()
                break
            self._scanned = token.end()
            self._depth += (mark in OPENING) - (mark in ENDING)
            if not self._depth or (self._depth == 1 and mark == b","):
                yield from self._element(self._text[done : token.start()], is_last=not self._depth)
                done = token.end()
                if not self._depth:
                    break
        else:
            self._scanned = len(self._text)
        self._lines += self._text.count(b"\n", 0, done)
        self._text = self._text[done:]
        self._scanned -= done

    def _element(self, text: bytes, *, is_last: bool) -> Iterator[Item]:
        content = text.strip()
        if is_last and not self._count and not content:
            return
        index, self._count = self._count, self._count + 1
        try:
            yield Item(self._line, from_json(content, allow_inf_nan=False), index, size=len(content))
        except ValueError as error:
            yield Item(self._line, None, index, f"not JSON: {error}", len(content))


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
        size = len(text) // max(len(value), 1)
        yield from (Item(number, one, index, size=size) for index, one in enumerate(value))
    else:
        yield Item(number, value, size=len(text))
