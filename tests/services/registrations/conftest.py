"""An event to vary, and the service's consumption on a real database."""

import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clarion.runtime.database import Database
from clarion.runtime.messaging.consumption import Consumption
from clarion.runtime.messaging.record import Record
from clarion.schemas.registrations import Webinar
from clarion.services.registrations.desk import SOURCE, Desk, open_desk
from clarion.services.registrations.handlers import subscriptions
from clarion.services.registrations.hosting import cancel_webinar, create_webinar, move_webinar
from clarion.services.registrations.repository import Event
from clarion.services.registrations.tellings import Teller

NOW = datetime(2027, 5, 1, 16, tzinfo=UTC)
STARTS_AT = "2027-05-06T10:00:00-07:00"
CLOSES_AT = "2027-05-05T12:00:00-07:00"


def make_webinar(**changes: Any) -> dict[str, Any]:
    """An event of fictional content, as its host describes it."""
    return {
        "slug": "packaging-law",
        "title": "How the packaging law will affect local governments",
        "starts_at": STARTS_AT,
        "ends_at": "2027-05-06T11:30:00-07:00",
        "registration_closes_at": CLOSES_AT,
        "capacity": 3,
        "where": "Online",
        "join_url": "https://join.league.example/1",
        "host": "League of Fictional Cities",
        "contact": {"name": "Robin Sample", "address": "events@league.example", "phone": "555-0100"},
        "presenters": [{"name": "Alex Invented", "title": "Representative", "role": "moderator"}],
        "partners": ["Institute for Local Waste"],
        "questions": [
            {"key": "city", "label": "Your city", "required": True},
            {"key": "role", "label": "Your role", "choices": ["Elected", "Staff"]},
        ],
    } | changes


@dataclass
class Registrations:
    """The service on a database of its own; its clock stands still until it is set."""

    database: Database
    desk: Desk = field(init=False)
    now: datetime = NOW
    offsets: "itertools.count[int]" = field(default_factory=itertools.count)

    def clock(self) -> datetime:
        return self.now

    @property
    def consumption(self) -> Consumption:
        return Consumption(self.database, subscriptions(self.desk)[0])

    async def create(self, **changes: Any) -> Event:
        async with self.database.transaction() as tx:
            return await create_webinar(tx, self.desk, Webinar.model_validate(make_webinar(**changes)))

    async def move(self, slug: str = "packaging-law", **changes: Any) -> Event:
        async with self.database.transaction() as tx:
            return await move_webinar(tx, self.desk, slug, changes)

    async def call_off(self, slug: str = "packaging-law", reason: str | None = None) -> Event:
        async with self.database.transaction() as tx:
            return await cancel_webinar(tx, self.desk, slug, reason)

    def record(
        self,
        data: Any,
        *,
        kind: str = "registration.requested",
        event_id: str | None = None,
        source: str = "/integrations/form",
        at: datetime | None = None,
        time: datetime | None = None,
    ) -> Record:
        offset = next(self.offsets)
        attributes = {"specversion": "1.0", "id": event_id or f"e{offset}", "type": kind, "source": source}
        if time is not None:
            attributes["time"] = time.isoformat()
        headers = tuple((f"ce_{name}", value.encode()) for name, value in attributes.items())
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        return Record("registrations.requests.v1", 0, offset, b"event", headers, body, at or self.now)

    def asks(self, event: Event, person: str, **more: Any) -> Record:
        """A request of an integration; `at` is the record's timestamp."""
        known = {name: more.pop(name) for name in ("event_id", "source", "time", "at") if name in more}
        data = {"event_id": event.id, "name": person.title(), "email": f"{person}@city.example"} | more
        return self.record(data, **known)

    def cancels(self, event: Event, person: str | None = None, **more: Any) -> Record:
        known = {name: more.pop(name) for name in ("time", "at") if name in more}
        data = {"event_id": event.id} | more
        if person is not None:
            data["email"] = f"{person}@city.example"
        return self.record(data, kind="registration.cancellation-requested", **known)

    async def hear(self, *records: Record) -> None:
        await self.consumption.handle(records)

    async def tell(self) -> None:
        """Let the teller tell all that was decided."""
        teller = Teller(self.database, self.desk)
        while await teller.turn():
            pass

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch(query, *arguments))

    async def published(self, topic: str) -> list[tuple[str, dict[str, Any]]]:
        """Type and body of what is in the outbox for a topic, in its order, once all is told."""
        await self.tell()
        rows = await self.fetch("SELECT headers, body FROM outbox WHERE topic = $1 ORDER BY id", topic)
        return [(dict(row["headers"])["ce_type"], json.loads(row["body"])) for row in rows]

    async def outcomes(self) -> list[tuple[str, dict[str, Any]]]:
        return await self.published("registrations.outcomes.v1")

    async def notices(self) -> list[dict[str, Any]]:
        return [body for _, body in await self.published("registrations.notices.v1")]

    async def forget_published(self) -> None:
        await self.tell()
        async with self.database.transaction() as tx:
            await tx.connection.execute("DELETE FROM outbox")

    async def deliver(self) -> None:
        """Hand what waits for the topic of requests over, as the relay and Kafka would."""
        query = "DELETE FROM outbox WHERE topic = 'registrations.requests.v1' RETURNING id, key, headers, body"
        rows = sorted(await self.fetch(query), key=lambda row: row["id"])
        await self.hear(
            *(
                Record(
                    "registrations.requests.v1",
                    0,
                    next(self.offsets),
                    row["key"],
                    tuple((name, value.encode()) for name, value in dict(row["headers"]).items()),
                    row["body"],
                    self.now + timedelta(hours=1),
                )
                for row in rows
            )
        )

    async def standing(self) -> dict[str, tuple[str, int | None]]:
        """Status and place of each person, by the address before its @."""
        rows = await self.fetch(
            """SELECT split_part(email, '@', 1) AS person, status,
                      CASE WHEN status = 'waitlisted'
                           THEN row_number() OVER (PARTITION BY event_id, status ORDER BY position) END AS place
               FROM registrations WHERE status <> 'repeated' ORDER BY decided_at, position"""
        )
        return {row["person"]: (row["status"], row["place"]) for row in rows}

    async def reasons(self) -> list[str]:
        return [row["reason"] for row in await self.fetch("SELECT reason FROM dead_letters ORDER BY id")]

    async def check_counts(self) -> None:
        """The counts are what they count; nobody has two seats."""
        rows = await self.fetch(
            """SELECT w.confirmed, w.waiting,
                      count(r.id) FILTER (WHERE r.status = 'confirmed') AS seated,
                      count(r.id) FILTER (WHERE r.status = 'waitlisted') AS queued
               FROM webinars AS w LEFT JOIN registrations AS r ON r.event_id = w.id GROUP BY w.id"""
        )
        for row in rows:
            assert (row["confirmed"], row["waiting"]) == (row["seated"], row["queued"])
        people = Counter(
            (row["event_id"], row["mailbox"])
            for row in await self.fetch(
                "SELECT event_id, mailbox FROM registrations WHERE status IN ('confirmed', 'waitlisted')"
            )
        )
        assert max(people.values(), default=1) == 1


async def opened(database: Database) -> Registrations:
    """The service over this database."""
    made = Registrations(database)
    made.desk = await open_desk(database, "http://clarion.example", made.clock)
    return made


@pytest.fixture
async def registrations(database_url: str) -> AsyncIterator[Registrations]:
    database = await Database.connect(database_url, "registrations")
    try:
        yield await opened(database)
    finally:
        await database.close()


__all__ = ["CLOSES_AT", "NOW", "SOURCE", "STARTS_AT", "Registrations", "make_webinar", "opened"]
