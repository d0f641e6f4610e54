"""Through real Kafka: a replica killed in the middle of 2,000 requests sells no seat twice and forgets nobody."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from clarion.runtime.database import Database
from clarion.runtime.messaging.connection import topic_name
from clarion.runtime.messaging.relay import make_producer
from clarion.runtime.messaging.topics import ensure_topics
from clarion.runtime.settings import Settings
from clarion.schemas.topics import REGISTRATIONS_NOTICES, REGISTRATIONS_OUTCOMES, REGISTRATIONS_REQUESTS
from clarion.services.registrations.crowd import record
from tests.services.registrations.conftest import opened

REQUESTS = 2_000
SEATS = 100


@asynccontextmanager
async def replica(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.services.registrations.admitting_process",
        settings.model_dump_json(),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def send(settings: Settings, records: list[Any], key: str) -> None:
    producer = make_producer(settings)
    await producer.start()
    try:
        for headers, body in records:
            await producer.send(topic_name(settings, REGISTRATIONS_REQUESTS), body, key.encode(), headers=headers)
    finally:
        await producer.stop()


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("at", [1, 1_200])
async def test_a_replica_killed_in_the_middle_sells_no_seat_twice_and_every_request_is_answered(
    settings: Settings, until: Callable[..., Any], at: int
) -> None:
    settings = settings.model_copy(update={"kafka_session_seconds": 3})
    await ensure_topics(settings, [REGISTRATIONS_REQUESTS, REGISTRATIONS_OUTCOMES, REGISTRATIONS_NOTICES])
    database = await Database.connect(str(settings.database_url), "registrations", max_size=2)
    house = await opened(database)
    event = await house.create(capacity=SEATS, starts_at="2099-05-06T10:00:00Z", ends_at="2099-05-06T11:00:00Z",
                               registration_closes_at=None)  # fmt: skip
    records = [record(event.id, number) for number in range(REQUESTS)]

    async def decided() -> int:
        rows = await house.fetch("SELECT last_position FROM webinars")
        return int(rows[0]["last_position"])

    async def reached() -> bool:
        return await decided() >= at

    async def answered() -> bool:
        rows = await house.fetch(
            "SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL) + (SELECT count(*) FROM tellings) AS open"
        )
        return await decided() >= REQUESTS and rows[0]["open"] == 0

    try:
        async with replica(settings) as first, replica(settings) as second:
            await asyncio.gather(send(settings, records[:1_300], event.id), until(reached, 90))
            first.kill()
            await first.wait()
            # What was sent already is sent once more, as a producer does that got no answer.
            await send(settings, records[1_200:], event.id)
            await until(answered, 120)
            second.terminate()
            assert await second.wait() == 0
        outcomes = await house.outcomes()
        told = {body["registration_id"]: kind for kind, body in outcomes}
        assert len(outcomes) == len(told) == REQUESTS
        assert sum(kind == "registration.confirmed" for kind in told.values()) == SEATS
        places = sorted(body["place"] for _, body in outcomes if body["place"])
        assert places == list(range(1, REQUESTS - SEATS + 1))
        assert len(await house.notices()) == REQUESTS
        assert await house.reasons() == []
        await house.check_counts()
    finally:
        await database.close()
