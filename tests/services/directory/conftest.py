"""A directory of a test's own, and ways to feed it and to look at what it publishes."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clarion.runtime.database import Database
from clarion.services.directory.domain.reading import UNDERSTAND
from clarion.services.directory.domain.references import Names, References
from clarion.services.directory.domain.report import ImportReport, Record, Rejection
from clarion.services.directory.files import DOCUMENTED, read_sources
from clarion.services.directory.operations import import_kind

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def clock() -> datetime:
    """The same day in every test."""
    return NOW


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The directory's own pool."""
    opened = await Database.connect(database_url, "directory", max_size=2)
    yield opened
    await opened.close()


Bring = Callable[..., Awaitable[ImportReport]]


@pytest.fixture
def bring(database: Database, tmp_path: Path) -> Bring:
    """Import a kind from texts, each a file of its own."""

    async def import_texts(kind: Any, *texts: str | bytes, **options: Any) -> ImportReport:
        return await import_kind(database, kind, _written(tmp_path, kind, texts), clock=clock, **options)

    return import_texts


def _written(folder: Path, kind: str, texts: Sequence[str | bytes]) -> list[Path]:
    endings = [".yaml" if kind in DOCUMENTED and not _is_table(text) else ".csv" for text in texts]
    paths = [folder / f"{kind}-{number}{ending}" for number, ending in enumerate(endings)]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return paths


def _is_table(text: str | bytes) -> bool:
    return "," in (text if isinstance(text, str) else text.decode("latin-1")).partition("\n")[0]


Understand = Callable[..., tuple[list[Record], list[Rejection]]]


@pytest.fixture
def understand(tmp_path: Path) -> Understand:
    """What an import would make of texts, each a file of its own: entities and rejections. Two cities are known."""

    def read(kind: Any, *texts: str | bytes) -> tuple[list[Record], list[Rejection]]:
        cities = Names("city", [("place:napa", "Napa"), ("place:sonoma", "Sonoma")])
        references = References(NOW.date(), b"a key", Names("division", []), cities)
        found = list(UNDERSTAND[kind](read_sources(kind, _written(tmp_path, kind, texts)), references))
        return (
            [item for item in found if isinstance(item, Record)],
            [item for item in found if isinstance(item, Rejection)],
        )

    return read


@pytest.fixture
def published(database: Database) -> Callable[[], Awaitable[list[dict[str, Any]]]]:
    """What stands in the outbox since the last look, in order."""
    seen = 0

    async def look() -> list[dict[str, Any]]:
        nonlocal seen
        async with database.connection() as connection:
            rows = await connection.fetch("SELECT * FROM outbox WHERE id > $1 ORDER BY id", seen)
        seen = rows[-1]["id"] if rows else seen
        return [_event(row) for row in rows]

    return look


def _event(row: Any) -> dict[str, Any]:
    headers = {pair[0]: pair[1] for pair in row["headers"]} if isinstance(row["headers"], list) else row["headers"]
    return {"key": bytes(row["key"]).decode(), "headers": headers, "data": json.loads(row["body"])}


@pytest.fixture
def entities(database: Database) -> Callable[[str], Awaitable[dict[str, dict[str, Any]]]]:
    """The directory's entities of one kind by id, with their revision."""

    async def look(kind: str) -> dict[str, dict[str, Any]]:
        async with database.connection() as connection:
            rows = await connection.fetch("SELECT id, revision, state FROM entities WHERE kind = $1", kind)
        return {row["id"]: row["state"] | {"revision": row["revision"]} for row in rows}

    return look


def reasons(report: ImportReport) -> Sequence[str]:
    """The reasons of a report's rejections."""
    return [rejection.reason for rejection in report.rejected]
