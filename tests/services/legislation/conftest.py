"""A notice to vary, and the service's consumption on a real database."""

import itertools
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from clarion.runtime.database import Database
from clarion.runtime.messaging import Subscription
from clarion.runtime.messaging.consumption import Consumption
from clarion.runtime.messaging.record import Record
from clarion.schemas.topics import LEGISLATION_UPDATES
from clarion.services.legislation.app import PART_BYTES
from clarion.services.legislation.handlers import on_updates
from clarion.services.legislation.settling import Settling

NOW = datetime(2027, 4, 1, 12, tzinfo=UTC)
CALIFORNIA = "ocd-jurisdiction/country:us/state:ca/government"


def make_notice(**changes: Any) -> dict[str, Any]:
    """A hearing of fictional content, as a source writes it."""
    return {
        "hearing_id": "ca-2027-04-21-s-housing",
        "jurisdiction": CALIFORNIA,
        "session": "20272028",
        "committee": {"name": "Housing", "chamber": "upper", "id": None},
        "starts_at": "2027-04-21T13:30:00-07:00",
        "location": {"name": "1021 O Street, Room 1200"},
        "agenda": [{"bill": "SB 79", "title": "Housing near transit", "author": "Rivera"}],
    } | changes


@pytest.fixture
def notice() -> Callable[..., dict[str, Any]]:
    return make_notice


@dataclass
class Legislation:
    """The service on a database of its own; its clock stands still until a test moves it."""

    database: Database
    now: datetime = NOW
    settle: timedelta = timedelta(seconds=60)
    offsets: "itertools.count[int]" = field(default_factory=itertools.count)

    def clock(self) -> datetime:
        return self.now

    async def wait(self, seconds: float) -> None:
        """Let time go by, and the worker that looks for what is due."""
        self.now += timedelta(seconds=seconds)
        await Settling(self.database, self.clock, self.settle).settle()

    @property
    def consumption(self) -> Consumption:
        handle = partial(on_updates, clock=self.clock, settle=self.settle)
        subscription = Subscription(LEGISLATION_UPDATES, handle, part_bytes=PART_BYTES)
        return Consumption(self.database, subscription)

    def record(
        self,
        data: Any,
        event_id: str,
        *,
        source: str = "/sources/a",
        kind: str = "hearing.scheduled",
        time: datetime | None = None,
    ) -> Record:
        """A record in binary mode."""
        headers = {"ce_specversion": "1.0", "ce_id": event_id, "ce_type": kind, "ce_source": source}
        if time is not None:
            headers["ce_time"] = time.isoformat()
        encoded = tuple((name, value.encode()) for name, value in headers.items())
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        return Record("legislation.updates.v1", 0, next(self.offsets), b"ca", encoded, body, self.now)

    async def hear(self, *records: Record) -> None:
        """Handle these in one batch."""
        await self.consumption.handle(records)

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch(query, *arguments))

    async def alerts(self) -> list[dict[str, Any]]:
        """The alerts of hearings in the outbox, in its order."""
        return [body for body in await self.published() if "hearing_id" in body]

    async def progress(self) -> list[dict[str, Any]]:
        """What was told of bills, in the order of the outbox."""
        return [body for body in await self.published() if "bill_id" in body]

    async def published(self) -> list[dict[str, Any]]:
        """All that was told, in the order of the outbox."""
        rows = await self.fetch("SELECT body FROM outbox WHERE topic = 'legislation.alerts.v1' ORDER BY id")
        return [json.loads(row["body"]) for row in rows]

    async def types(self) -> list[str]:
        """The types of the alerts, in the order of the outbox."""
        rows = await self.fetch("SELECT headers FROM outbox WHERE topic = 'legislation.alerts.v1' ORDER BY id")
        return [dict(row["headers"])["ce_type"].removeprefix("bill-hearing.") for row in rows]

    async def outcomes(self) -> dict[str, tuple[str, str | None]]:
        """Outcome and note by event id."""
        rows = await self.fetch("SELECT event_id, outcome, note FROM history")
        return {row["event_id"]: (row["outcome"], row["note"]) for row in rows}

    async def reasons(self) -> list[str]:
        """Why there are dead letters."""
        return [row["reason"] for row in await self.fetch("SELECT reason FROM dead_letters ORDER BY id")]


@pytest.fixture
async def legislation(database_url: str) -> AsyncIterator[Legislation]:
    database = await Database.connect(database_url, "legislation")
    try:
        yield Legislation(database)
    finally:
        await database.close()
