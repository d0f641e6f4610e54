"""Reads what an import is given: tables (CSV, RFC 4180) and documents (Open States' people YAML)."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from clarion.schemas.directory import ImportKind
from clarion.services.directory.documents import read_documents
from clarion.services.directory.domain.lines import Read
from clarion.services.directory.domain.report import Line, Note, Rejection
from clarion.services.directory.domain.rows import COLUMNS
from clarion.services.directory.errors import UnreadableFile

DOCUMENT_SUFFIXES = (".yml", ".yaml")
DOCUMENTED: tuple[ImportKind, ...] = ("legislators", "committees")
"""The kinds that also come as documents."""
BYTE_ORDER_MARK = "\ufeff"
AS_UTF8 = 'save it as "CSV UTF-8"'
LINE_BYTES = 1_000_000
"""A longer line is not kept in memory. The reader takes cells of up to 131,072 characters and no longer ones."""
TOO_LONG = "x" * (csv.field_size_limit() + 1)
"""Stands for such a line: the reader refuses it as it would the line itself."""
CSV_FAULTS = {
    "field larger": f"a cell is longer than {csv.field_size_limit():,} characters, or a quote is never closed",
    "unexpected end": "a quote is opened and never closed",
    "new-line character": "a carriage return stands in a cell without quotes; save it with the line ends of Unix",
}
"""The reader's words, by how they begin, in words that help."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table that stands in no file: rows by column name, told under `name` in reports."""

    name: str
    rows: Iterable[Mapping[str, str]]


Source = Path | Rows


def read_sources(kind: ImportKind, sources: Iterable[Source]) -> Iterator[Read]:
    """Everything the sources say, in order.

    Raises:
        UnreadableFile: a source cannot be taken as this kind.
    """
    for source in sources:
        if isinstance(source, Rows):
            yield from _read_rows(source)
        elif not source.exists():
            raise UnreadableFile(f"{source}: there is no such file")
        elif kind in DOCUMENTED and (source.is_dir() or _is_document(source)):
            yield from _read_people(source)
        else:
            yield from _read_table(source, kind)


def _read_rows(source: Rows) -> Iterator[Line]:
    for number, row in enumerate(source.rows, 1):
        yield Line(source.name, number, _filled(row.items()))


def _read_people(source: Path) -> Iterator[Read]:
    found = sorted(path for path in _files_of(source) if _is_document(path))
    if not found:
        raise UnreadableFile(f"{source}: no YAML file in this folder")
    for path in found:
        yield from read_documents(path)


def _is_document(path: Path) -> bool:
    return path.suffix.casefold() in DOCUMENT_SUFFIXES


def _files_of(source: Path) -> Iterator[Path]:
    return source.rglob("*") if source.is_dir() else iter([source])


def _read_table(source: Path, kind: ImportKind) -> Iterator[Read]:
    if source.is_dir():
        raise UnreadableFile(f"{source}: {kind} are read from CSV files, and this is a folder")
    reader = csv.reader(_lines(source), strict=True)
    header = _header(source, reader)
    known = set(COLUMNS[kind].model_fields)
    _refuse_bad_header(source, kind, header)
    if ignored := [column for column in header if column not in known]:
        yield Note(f"{source}: ignored columns {', '.join(ignored)}")
    yield from _body(source, reader, header)


def _lines(source: Path) -> Iterator[str]:
    try:
        with source.open("rb") as file:
            for number in count(1):
                if not (raw := file.readline(LINE_BYTES)):
                    return
                if len(raw) == LINE_BYTES and not raw.endswith(b"\n"):
                    _skip_line(file)
                    yield TOO_LONG
                else:
                    yield _decoded(source, number, raw)
    except OSError as error:
        raise UnreadableFile(f"{source}: {error.strerror}") from error


def _skip_line(file: BinaryIO) -> None:
    while (raw := file.readline(LINE_BYTES)) and not raw.endswith(b"\n"):
        pass


def _decoded(source: Path, number: int, raw: bytes) -> str:
    if number == 1 and (fault := _other_format(raw)):
        raise UnreadableFile(f"{source}: {fault}; {AS_UTF8}")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        place = f"{source}, line {number}, byte {error.start + 1}"
        raise UnreadableFile(
            f"{place}: not UTF-8, probably Windows-1252 or Latin-1; {AS_UTF8}, or turn it into UTF-8: "
            f"iconv -f WINDOWS-1252 -t UTF-8 {source.name} > utf8.csv"
        ) from error
    return text.removeprefix(BYTE_ORDER_MARK) if number == 1 else text


def _other_format(first: bytes) -> str | None:
    """What a file is by its first bytes, if it is no text in UTF-8."""
    if first.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "this is a spreadsheet's own format and no CSV"
    if first.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in first[:4]:
        return "this is UTF-16 (or UTF-32) and not UTF-8"
    return None


def _header(source: Path, reader: Iterator[list[str]]) -> list[str]:
    try:
        return [column.strip().casefold() for column in next(reader)]
    except StopIteration:
        raise UnreadableFile(f"{source}: the file is empty") from None
    except csv.Error as error:
        raise UnreadableFile(f"{source}, line 1: {_in_words(str(error))}") from error


def _refuse_bad_header(source: Path, kind: ImportKind, header: list[str]) -> None:
    fields = COLUMNS[kind].model_fields
    missing = [name for name, field in fields.items() if field.is_required() and name not in header]
    if missing:
        hint = _delimiter_hint(header)
        raise UnreadableFile(f"{source}: missing columns {', '.join(missing)}; known: {', '.join(fields)}{hint}")
    if twice := sorted({column for column in header if column and header.count(column) > 1}):
        raise UnreadableFile(f"{source}: columns named twice: {', '.join(twice)}")


def _delimiter_hint(header: list[str]) -> str:
    """Spreadsheets of many countries part cells by semicolons."""
    for delimiter, word in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and delimiter in header[0]:
            return f"; cells seem to be parted by {word}: save the file with commas"
    return ""


def _body(source: Path, reader: Any, header: list[str]) -> Iterator[Line | Rejection]:
    name = str(source)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Rejection(name, number, _in_words(str(error)))
            continue
        if not any(cells):
            continue
        if len(cells) != len(header):
            yield Rejection(name, number, f"{len(cells)} cells where the header has {len(header)}")
            continue
        yield Line(name, number, _filled(zip(header, cells, strict=True)))


def _in_words(error: str) -> str:
    return next((words for begin, words in CSV_FAULTS.items() if error.startswith(begin)), error)


def _filled(cells: Iterable[tuple[str, str]]) -> dict[str, str]:
    """An empty cell says nothing."""
    return {column: text for column, raw in cells if (text := raw.strip())}
