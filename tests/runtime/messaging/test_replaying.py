"""What operators have published again: counted, whole, in time, and gone on with after `kill -9`."""

import asyncio
import dataclasses
import json
import os
import sys
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, Transaction
from clarion.runtime.messaging import Outgoing, Subscription, enqueue
from clarion.runtime.messaging.replaying import (
    ROWS_PER_BATCH,
    Asked,
    ReplayRunning,
    count_replayable,
    replay,
)
from clarion.runtime.messaging.topics import TopicError, cluster_id, ensure_topics
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import Actor
from tests.conftest import REPOSITORY, Until
from tests.runtime.messaging.conftest import COMPACTED, ECHO, Bench, Ear, Echo, say
from tests.runtime.messaging.test_relay import relaying

MANY = 40_000
USED = [ECHO, COMPACTED]


async def published_before(echo: Database) -> None:
    """As if the relay had published all, to a broker that is gone."""
    async with echo.connection() as connection:
        await connection.execute("UPDATE outbox SET published_at = now()")


async def numbers_on(bench: Bench, count: int) -> list[int]:
    records = await bench.read(ECHO, count)
    return [Echo.model_validate_json(record.value).number for record in records]


@pytest.fixture
async def compacted(settings: Settings) -> None:
    await ensure_topics(settings, [COMPACTED])


async def test_the_log_is_counted_and_published_again_in_order_while_the_relay_goes_on(
    settings: Settings, echo: Database, bench: Bench, until: Until
) -> None:
    await say(echo, *range(10))
    await published_before(echo)
    await say(echo, 10)
    counted = await count_replayable(settings, ["echo", "listener"], Asked(), topics=USED)
    assert [(one.service, one.topic, one.messages) for one in counted] == [("echo", ECHO.name, 10)]
    heard: list[int] = []
    ada = Actor("command", "ada", "ada", "host")
    done = await replay(settings, ["echo", "listener"], {}, Asked((ECHO.name,)), heard.append, topics=USED, by=ada)
    async with echo.connection() as connection:
        acts = await connection.fetch("SELECT act, actor_id, details FROM clarion.audit")
    assert [(act["act"], act["actor_id"], act["details"]["topics"]) for act in acts] == [
        ("messages.replayed", "ada", [ECHO.name])
    ]
    assert (done.messages, done.entities, done.resumed) == ({"echo": 10, "listener": 0}, {}, False)
    assert heard[-1] == 10
    async with relaying(settings):
        assert await numbers_on(bench, 11) == list(range(11))
    elsewhere = Asked((ECHO.name,), services=("listener",))
    assert await count_replayable(settings, ["echo", "listener"], elsewhere, topics=USED) == []
    assert (await replay(settings, ["echo", "listener"], {}, elsewhere, topics=USED)).messages == {"listener": 0}
    again = await replay(settings, ["echo", "listener"], {}, Asked((ECHO.name,)), topics=USED)
    assert (sum(again.messages.values()), again.resumed) == (11, False)


async def test_only_what_was_enqueued_in_the_time_goes_out(settings: Settings, echo: Database, bench: Bench) -> None:
    await say(echo, 1)
    await say(echo, 2)
    await say(echo, 3)
    await published_before(echo)
    async with echo.connection() as connection:
        times: list[datetime] = [
            row["enqueued_at"] for row in await connection.fetch("SELECT enqueued_at FROM outbox ORDER BY id")
        ]
    asked = Asked((ECHO.name,), since=times[1], until=times[2])
    assert [one.messages for one in await count_replayable(settings, ["echo"], asked, topics=USED)] == [1]
    await replay(settings, ["echo"], {}, asked, topics=USED)
    await replay(settings, ["echo"], {}, Asked((ECHO.name,), since=times[2] + timedelta(seconds=1)), topics=USED)
    await replay(settings, ["echo"], {}, Asked((ECHO.name,), since=times[2]), topics=USED)
    assert await numbers_on(bench, 2) == [2, 3]


async def test_compacted_topics_come_whole_from_the_tables_with_the_tombstones_of_the_log(
    settings: Settings, echo: Database, bench: Bench, compacted: None
) -> None:
    async def state(tx: Transaction) -> int:
        await enqueue(tx, [Outgoing(COMPACTED, "ann", "echo.said", Echo(number=9))])
        return 1

    async with echo.transaction() as tx:
        gone = [Outgoing(COMPACTED, key, "echo.said", Echo(number=1)) for key in ("bob", "cy")]
        erased = [Outgoing(COMPACTED, key, "echo.said", None) for key in ("bob", "cy")]
        await enqueue(tx, [*gone, *erased, Outgoing(COMPACTED, "cy", "echo.said", Echo(number=2))])
    await published_before(echo)
    done = await replay(settings, ["echo"], {"echo": state}, Asked(since=system_clock()), topics=USED)
    assert done.entities == {"echo:state": 2}
    async with relaying(settings):
        records = await bench.read(COMPACTED, 2)
    assert [(record.key, record.value is None) for record in records] == [(b"bob", True), (b"ann", False)]


async def length(bench: Bench) -> int:
    """How many records ECHO's topic has."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bench.settings.kafka_bootstrap)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(bench.name(ECHO), 0)])
        return int(sum(ends.values()))
    finally:
        await consumer.stop()


async def broker_known(url: str | None) -> str | None:
    connection = await asyncpg.connect(url)
    try:
        known: str | None = await connection.fetchval("SELECT cluster_id FROM clarion.broker")
        return known
    finally:
        await connection.close()


async def test_only_a_replay_of_everything_makes_a_new_broker_a_known_one(
    settings: Settings, echo: Database, bench: Bench
) -> None:
    await replay(settings, ["echo"], {}, Asked(since=system_clock()), topics=[ECHO])
    await replay(settings, ["echo"], {}, Asked((ECHO.name,)), topics=[ECHO])
    await replay(settings, ["echo"], {}, Asked(services=("echo",)), topics=[ECHO])
    assert await broker_known(settings.database_url) is None
    await replay(settings, ["echo"], {}, Asked(), topics=[ECHO])
    assert await broker_known(settings.database_url) == await cluster_id(settings)


async def test_a_missing_topic_is_said_at_once(settings: Settings, echo: Database, topics: None) -> None:
    lost = dataclasses.replace(ECHO, name="echo.lost.v1")
    with pytest.raises(TopicError, match=r"echo\.lost\.v1 missing on the broker: run clarion topics"):
        await replay(settings, ["echo"], {}, Asked(), topics=[ECHO, lost])


async def progress(url: str | None) -> dict[str, Any]:
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetchval("SELECT progress ->> 'echo' FROM clarion.replays")
        return {} if found is None else dict(json.loads(found))
    finally:
        await connection.close()


@pytest.mark.slow
async def test_a_replay_that_is_killed_goes_on_where_it_was_and_nobody_does_anything_twice(
    settings: Settings, echo: Database, bench: Bench, until: Until
) -> None:
    await say(echo, *range(MANY))
    await published_before(echo)
    environment = os.environ | {
        "CLARION_DATABASE_URL": str(settings.database_url),
        "CLARION_KAFKA_BOOTSTRAP": str(settings.kafka_bootstrap),
        "CLARION_KAFKA_PREFIX": settings.kafka_prefix,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.runtime.messaging.replay_process", cwd=REPOSITORY, env=environment
    )
    try:
        await until(lambda: progress(settings.database_url))
        with pytest.raises(ReplayRunning):
            await replay(settings, ["echo"], {}, Asked(), topics=[ECHO])
    finally:
        process.kill()
        await process.wait()
    sent = (await progress(settings.database_url))["messages"]
    assert 0 < sent < MANY

    async def free() -> bool:
        try:
            done.append(await replay(settings, ["echo"], {}, Asked(), topics=[ECHO]))
        except ReplayRunning:
            return False
        return True

    done: list[Any] = []
    await until(free)
    assert (done[0].resumed, done[0].messages) == (True, {"echo": MANY})
    found = Counter(await numbers_on(bench, await length(bench)))
    assert found.keys() == set(range(MANY))
    assert sum(found.values()) - MANY <= ROWS_PER_BATCH

    async def all_heard() -> bool:
        return len(set(await bench.heard())) == MANY

    async with bench.subscribed(Subscription(ECHO, Ear())):
        await until(all_heard, 40)
    assert Counter(await bench.heard()).most_common(1)[0][1] == 1
