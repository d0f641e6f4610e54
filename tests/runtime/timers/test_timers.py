"""Jobs that come round: one replica does each, a kill costs a step, and what is too old goes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from pydantic import ValidationError

from clarion.runtime.database import Database, Transaction
from clarion.runtime.settings import Settings
from clarion.runtime.timers import Job, Timers, upkeep
from tests.conftest import Until

QUICK = {"poll_seconds": 0.05, "lease": timedelta(seconds=30)}
OLD = "now() - interval '%s days'"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.connect(database_url, "legislation")
    async with opened.connection() as connection:
        await connection.execute("CREATE TABLE pile (number integer)")
    yield opened
    await opened.close()


async def fetch(database: Database, query: str, *values: Any) -> list[asyncpg.Record]:
    async with database.connection() as connection:
        return await connection.fetch(query, *values)


async def job_row(database: Database, name: str = "pile") -> asyncpg.Record:
    [row] = await fetch(database, "SELECT *, due_at - ended_at AS pause FROM jobs WHERE name = $1", name)
    return row


@contextlib.asynccontextmanager
async def timers(database: Database, jobs: Sequence[Job], replicas: int = 1, **changes: Any) -> AsyncIterator[None]:
    """Replicas at work."""
    stopping = asyncio.Event()
    runs = [Timers(database, jobs, **{**QUICK, **changes}).run(stopping) for _ in range(replicas)]
    tasks = [asyncio.create_task(run) for run in runs]
    try:
        yield
    finally:
        stopping.set()
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks)


class Pile:
    """Takes three off a pile at a time."""

    def __init__(self, *, fail: Exception | None = None) -> None:
        self.fail = fail
        self.steps: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, tx: Transaction) -> int:
        await self.gate.wait()
        taken = await tx.connection.fetch(
            "DELETE FROM pile WHERE ctid = ANY (ARRAY(SELECT ctid FROM pile LIMIT 3)) RETURNING 1"
        )
        self.steps.append(len(taken))
        if self.fail:
            raise self.fail
        return len(taken)


async def heap(database: Database, count: int) -> None:
    await fetch(database, "INSERT INTO pile SELECT generate_series(1, $1)", count)


async def ended(database: Database) -> bool:
    rows = await fetch(database, "SELECT FROM jobs WHERE ended_at IS NOT NULL")
    return bool(rows)


async def test_of_many_replicas_one_does_a_job_step_by_step_and_then_it_waits_for_its_next_time(
    database: Database, until: Until
) -> None:
    await heap(database, 7)
    pile = Pile()
    async with timers(database, [Job("pile", pile, timedelta(hours=3))], replicas=4):
        await until(lambda: ended(database))
    assert pile.steps == [3, 3, 1, 0]
    row = await job_row(database)
    assert (row["rows"], row["run"], row["error"], row["lease_until"]) == (7, 1, None, None)
    assert row["pause"] == timedelta(hours=3)
    assert row["seconds"] >= 0


async def test_a_job_comes_round(database: Database, until: Until) -> None:
    pile = Pile()
    async with timers(database, [Job("pile", pile, timedelta(seconds=0.1))]):
        await until(lambda: len(pile.steps) >= 3)
    assert (await job_row(database))["run"] >= 3


async def test_a_job_whose_replica_died_is_gone_on_with_once_its_lease_ended(database: Database, until: Until) -> None:
    await heap(database, 4)
    await fetch(database, "INSERT INTO jobs (name, run, lease_until) VALUES ('pile', 8, now() + interval '1 second')")
    pile = Pile()
    async with timers(database, [Job("pile", pile)]):
        await until(lambda: ended(database))
    assert (await job_row(database))["run"] == 9
    assert pile.steps == [3, 1, 0]


async def test_a_replica_that_was_taken_over_from_does_nothing_more(database: Database, until: Until) -> None:
    await heap(database, 5)
    slow, quick = Pile(), Pile()
    slow.gate.clear()
    async with timers(database, [Job("pile", slow)], lease=timedelta(seconds=0.2)):

        async def lapsed() -> bool:
            return bool(await fetch(database, "SELECT FROM jobs WHERE lease_until < now()"))

        await until(lapsed)
        async with timers(database, [Job("pile", quick)]):
            await until(lambda: ended(database))
        await heap(database, 2)
        slow.gate.set()
        await until(lambda: slow.steps)
    assert len(await fetch(database, "SELECT FROM pile")) == 2, "what it did is rolled back"
    assert quick.steps == [3, 2, 0]
    row = await job_row(database)
    assert (row["run"], row["rows"], row["error"]) == (2, 5, None)


async def test_a_job_that_fails_changes_nothing_says_so_and_is_tried_again_soon(
    database: Database, until: Until
) -> None:
    await heap(database, 3)
    async with timers(database, [Job("pile", Pile(fail=LookupError("x")), timedelta(hours=3))]):
        await until(lambda: ended(database))
    row = await job_row(database)
    assert (row["error"], row["pause"]) == ("LookupError", timedelta(minutes=5))
    assert len(await fetch(database, "SELECT FROM pile")) == 3


async def test_a_job_that_is_stopped_is_given_back_at_once(database: Database, until: Until) -> None:
    await heap(database, 300)
    pile = Pile()
    async with timers(database, [Job("pile", pile)]):
        await until(lambda: pile.steps)
    row = await job_row(database)
    assert (row["lease_until"], row["ended_at"]) == (None, None)
    assert 0 < len(await fetch(database, "SELECT FROM pile")) < 300


async def test_what_waits_behind_others_is_postponed(database: Database, until: Until) -> None:
    async def blocked(tx: Transaction) -> int:
        await tx.connection.execute("LOCK TABLE pile")
        return 0

    async with database.transaction() as tx:
        await tx.connection.execute("LOCK TABLE pile")
        async with timers(database, [Job("pile", blocked)]):
            await until(lambda: ended(database))
    assert (await job_row(database))["error"] == "others were at it"


async def test_outbox_inbox_and_letters_are_kept_for_their_time_and_open_letters_for_ever(
    database: Database, settings: Settings, until: Until
) -> None:
    await fetch(
        database,
        "INSERT INTO outbox (topic, headers, enqueued_at, published_at)"
        " SELECT 't', '[]', now() - make_interval(days => age), CASE WHEN age <> 8 THEN now() END"
        " FROM unnest(ARRAY[1, 6, 8, 9]) AS age",
    )
    await fetch(
        database,
        "INSERT INTO inbox SELECT 't', 's', age::text, now() - make_interval(days => age)"
        " FROM unnest(ARRAY[1, 29, 31]) AS age",
    )
    await fetch(
        database,
        'INSERT INTO dead_letters (fingerprint, topic, partition, "offset", headers, received_at, claimed, reason,'
        " state, resolved_at)"
        " SELECT sha256((state || age)::bytea), 't', 0, 0, '[]', now(), false, state || age, state,"
        " CASE WHEN state <> 'open' THEN now() - make_interval(days => age) END"
        " FROM unnest(ARRAY['open', 'retried', 'discarded']) AS state, unnest(ARRAY[89, 91]) AS age",
    )
    async with timers(database, upkeep(settings)):

        async def all_ended() -> bool:
            return not await fetch(database, "SELECT FROM jobs WHERE ended_at IS NULL") and await ended(database)

        await until(all_ended)
    assert len(await fetch(database, "SELECT FROM outbox WHERE published_at IS NULL")) == 1
    assert len(await fetch(database, "SELECT FROM outbox")) == 3
    assert {row["event_id"] for row in await fetch(database, "SELECT event_id FROM inbox")} == {"1", "29"}
    reasons = {row["reason"] for row in await fetch(database, "SELECT reason FROM dead_letters")}
    assert reasons == {"open89", "open91", "retried89", "discarded89"}
    errors = await fetch(database, "SELECT name, error FROM jobs WHERE error IS NOT NULL")
    assert errors == []
    tomorrow: datetime = (await fetch(database, "SELECT now() + interval '2 days' AS at"))[0]["at"]
    names = {row["name"] for row in await fetch(database, "SELECT relname AS name FROM pg_class WHERE relkind = 'r'")}
    assert f"outbox_{tomorrow:%Y%m%d}" in names


def test_an_inbox_that_forgets_before_the_outbox_does_is_refused() -> None:
    with pytest.raises(ValidationError, match="CLARION_OUTBOX_DAYS"):
        Settings(_env_file=None, outbox_days=30)
    assert Settings(_env_file=None, outbox_days=30, inbox_days=31).inbox_days == 31
