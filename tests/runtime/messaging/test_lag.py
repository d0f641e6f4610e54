"""How far a group is behind, as the broker says."""

import pytest
from aiokafka import AIOKafkaProducer

from clarion.runtime.messaging import Subscription
from clarion.runtime.messaging.lag import Reader, standings
from clarion.runtime.messaging.topics import wait_for_groups
from clarion.runtime.settings import Settings
from tests.conftest import Until
from tests.runtime.messaging.conftest import COMPACTED, ECHO, WIDE, Bench, Ear, said

READER = Reader("listener", ECHO)


@pytest.fixture(autouse=True)
async def groups(settings: Settings) -> None:
    """A broker that has just begun takes part in groups a moment later."""
    await wait_for_groups(settings)


async def test_what_nobody_has_read_yet_is_all_behind(bench: Bench) -> None:
    await bench.put(ECHO, said(1), said(2), said(3))
    async with standings(bench.settings) as broker:
        found = await broker.look([READER])
    assert found[READER.key].lag == 3
    assert found[READER.key].ends == {0: 3}


async def test_what_was_acknowledged_is_not_behind_and_what_came_later_is(bench: Bench, ear: Ear, until: Until) -> None:
    await bench.put(ECHO, said(1), said(2))
    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(lambda: bench.committed(ECHO))
    await bench.put(ECHO, said(3))
    async with standings(bench.settings) as broker:
        assert (await broker.look([READER]))[READER.key].lag == 1


async def test_every_partition_counts_and_a_topic_that_is_not_there_is_left_out(bench: Bench) -> None:
    await bench.make(WIDE)
    async with bench.producer() as producer:
        for partition in range(4):
            await producer.send_and_wait(bench.name(WIDE), b"x", partition=partition)
    wide, missing = Reader("listener", WIDE), Reader("listener", COMPACTED)
    async with standings(bench.settings) as broker:
        found = await broker.look([wide, missing])
        await bench.make(COMPACTED)
        later = await broker.look([wide, missing])
    assert found[wide.key].lags == {0: 1, 1: 1, 2: 1, 3: 1}
    assert missing.key not in found
    assert later.keys() == {wide.key, missing.key}


async def test_a_transaction_that_is_open_is_not_behind_until_it_is_committed(bench: Bench, until: Until) -> None:
    async def behind() -> int:
        return (await broker.look([READER]))[READER.key].lag

    producer = AIOKafkaProducer(bootstrap_servers=bench.settings.kafka_bootstrap, transactional_id=bench.name(ECHO))
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(bench.name(ECHO), said(1)[0], partition=0)
        async with standings(bench.settings) as broker:
            assert await behind() == 0
            await producer.commit_transaction()
            await until(behind)
    finally:
        await producer.stop()
