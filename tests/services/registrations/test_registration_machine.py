"""Any sequence of requests, cancellations, moves and resizes, on the real tables, beside a model in a few lines."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from clarion.runtime.database import Database
from tests.conftest import TEMPLATE, cloned
from tests.services.registrations.conftest import Registrations, opened

PEOPLE = [f"p{number}" for number in range(7)]
STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "ask", "cancel", "cancel by id", "twice"]), st.sampled_from(PEOPLE)),
    min_size=1,
    max_size=8,
)


class Model:
    """Who sits and who waits, as anyone would keep it on paper."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.seated: list[str] = []
        self.waiting: list[str] = []
        self.is_cancelled = False
        self.told: dict[str, str] = {}

    def ask(self, person: str) -> None:
        if person in self.seated or person in self.waiting:
            return
        if self.is_cancelled:
            self.told[person] = "declined"
            return
        self.waiting.append(person)
        self.fill()
        if person in self.waiting:
            self.told[person] = "waitlisted"

    def cancel(self, person: str) -> None:
        if person in self.seated or person in self.waiting:
            (self.seated if person in self.seated else self.waiting).remove(person)
            self.told[person] = "cancelled"
            self.fill()

    def fill(self) -> None:
        while self.waiting and len(self.seated) < self.capacity:
            self.seated.append(self.waiting.pop(0))
            self.told[self.seated[-1]] = "confirmed"

    def call_off(self) -> None:
        for person in [*self.seated, *self.waiting]:
            self.told[person] = "cancelled"
        self.seated, self.waiting, self.is_cancelled = [], [], True


class Machine(RuleBasedStateMachine):
    """Drives both; `house` and `loop` are set by the test."""

    loop: asyncio.AbstractEventLoop
    house: Registrations
    events = 0

    def __init__(self) -> None:
        super().__init__()
        Machine.events += 1
        self.slug = f"event-{Machine.events}"
        self.run(self.house.forget_published())
        self.model = Model(2)
        self.event = self.run(self.house.create(slug=self.slug, capacity=2))
        self.start = self.event.webinar.starts_at
        self.moves = 0

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    @rule(steps=STEPS)
    def hear(self, steps: list[tuple[str, str]]) -> None:
        records = []
        for what, person in steps:
            known = self.run(self.newest(person)) if what == "cancel by id" else None
            if what in {"ask", "twice"}:
                record = self.house.asks(self.event, person)
                records += [record, record] if what == "twice" else [record]
                self.model.ask(person)
            elif known is not None:
                records.append(self.house.cancels(self.event, registration_id=known["id"]))
                is_active = known["status"] in {"confirmed", "waitlisted"}
                still = person in [*self.model.seated, *self.model.waiting]
                again = any(step == ("cancel", person) for step in steps[: len(records)])
                if is_active and still and not again:
                    self.model.cancel(person)
                else:
                    records.pop()
            else:
                records.append(self.house.cancels(self.event, person))
                self.model.cancel(person)
        self.run(self.house.hear(*records))

    async def newest(self, person: str) -> Any:
        query = (
            "SELECT id, status FROM registrations WHERE event_id = $1 AND email LIKE $2 || '@%' "
            "AND status IN ('confirmed', 'waitlisted')"
        )
        rows = await self.house.fetch(query, self.event.id, person)
        return rows[0] if rows else None

    @precondition(lambda self: not self.model.is_cancelled)
    @rule(capacity=st.integers(0, 6))
    def resize(self, capacity: int) -> None:
        self.model.capacity = capacity
        self.model.fill()
        self.run(self.house.move(self.slug, capacity=capacity))

    @precondition(lambda self: not self.model.is_cancelled)
    @rule(days=st.integers(0, 3), capacity=st.none() | st.integers(0, 6))
    def move(self, days: int, capacity: int | None) -> None:
        start = self.start + timedelta(days=days)
        changes: dict[str, Any] = {"starts_at": start}
        if capacity is not None:
            changes["capacity"] = self.model.capacity = capacity
            self.model.fill()
        self.run(self.house.move(self.slug, **changes))

    @precondition(lambda self: not self.model.is_cancelled)
    @rule(sure=st.integers(0, 4))
    def call_off(self, sure: int) -> None:
        if sure == 0:
            self.model.call_off()
            self.run(self.house.call_off(self.slug))

    @invariant()
    def the_tables_are_as_the_model(self) -> None:
        self.run(self.check())

    async def check(self) -> None:
        query = (
            "SELECT id, split_part(email, '@', 1) AS who, status, revision FROM registrations "
            "WHERE event_id = $1 AND status <> 'repeated' ORDER BY position"
        )
        rows = await self.house.fetch(query, self.event.id)
        assert [row["who"] for row in rows if row["status"] == "waitlisted"] == self.model.waiting
        assert {row["who"] for row in rows if row["status"] == "confirmed"} == set(self.model.seated)
        await self.house.check_counts()
        await self.check_told({row["id"]: row for row in rows})

    async def check_told(self, rows: dict[str, Any]) -> None:
        """The newest mail and outcome of each registration state what holds; no revision is told twice."""
        notices = [one for one in await self.house.notices() if one["matter"].partition(":")[2] in rows]
        keys = [(one["matter"], one["revision"]) for one in notices]
        assert len(keys) == len(set(keys))
        newest = {one["matter"].partition(":")[2]: one for one in sorted(notices, key=lambda one: one["revision"])}
        assert {key: one["content"]["status"] for key, one in newest.items()} == {
            key: row["status"] for key, row in rows.items()
        }
        assert {key: one["revision"] for key, one in newest.items()} == {
            key: row["revision"] for key, row in rows.items()
        }
        active = [one for key, one in newest.items() if rows[key]["status"] in {"confirmed", "waitlisted"}]
        event = await self.house.fetch("SELECT starts_at FROM webinars WHERE id = $1", self.event.id)
        for one in active:
            day = event[0]["starts_at"].astimezone(UTC).day
            assert f"May {day}, 2027" in one["content"]["when"]


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_any_sequence_ends_as_the_model_says(postgres_url: str) -> None:
    loop = asyncio.new_event_loop()

    async def prepared() -> tuple[Any, Registrations]:
        clone = cloned(postgres_url, TEMPLATE)
        database = await Database.connect(await clone.__aenter__(), "registrations", max_size=2)
        return clone, await opened(database)

    clone, Machine.house = loop.run_until_complete(prepared())
    Machine.loop = loop
    try:
        machine: Any = Machine
        machine.TestCase.settings = settings(
            max_examples=20, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
        )
        machine.TestCase("runTest").runTest()
    finally:
        loop.run_until_complete(Machine.house.database.close())
        loop.run_until_complete(clone.__aexit__(None, None, None))
        loop.close()


async def test_two_replicas_at_once_never_give_a_seat_twice(registrations: Registrations) -> None:
    event = await registrations.create(capacity=50)
    records = [registrations.asks(event, f"p{number}") for number in range(400)]
    again = [registrations.asks(event, f"p{number}") for number in range(0, 400, 7)]
    records += again + [registrations.cancels(event, f"p{number}") for number in range(1_000, 1_010)]
    random.Random(7).shuffle(records)
    parts = [records[start : start + 40] for start in range(0, len(records), 40)]
    second = await Database.connect(registrations.database.url, "registrations")
    other = await opened(second)
    try:
        await asyncio.gather(
            *((registrations if number % 2 else other).hear(*part) for number, part in enumerate(parts)),
            registrations.move(capacity=60),
            other.move(starts_at=datetime(2027, 5, 8, 17, tzinfo=UTC)),
        )
    finally:
        await second.close()
    standing = await registrations.standing()
    assert sum(status == "confirmed" for status, _ in standing.values()) == 60
    assert sorted(place for _, place in standing.values() if place) == list(range(1, 341))
    assert await registrations.reasons() == []
    await registrations.check_counts()
