"""Consumers that are told to end while their group rebalances, on the real broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from structlog.testing import capture_logs

from clarion.runtime.messaging import Subscription
from clarion.runtime.messaging.consumer import SteadyConsumer
from clarion.runtime.process import Service, run_services
from clarion.schemas.topics import Topic
from tests.conftest import Until
from tests.runtime.messaging.conftest import ECHO, WIDE, Bench, Ear, said

PROMPT_SECONDS = 5.0
"""Half a session: who ends later has waited for others, and who takes over later has waited for a session's end."""


@dataclass
class Neighbour(ConsumerRebalanceListener):  # type: ignore[misc]
    """Another member of the group, which takes its time to give its partitions up where `free` is not set."""

    bench: Bench
    topic: Topic = ECHO
    free: asyncio.Event = field(default_factory=asyncio.Event)
    has: set[TopicPartition] | None = None

    async def on_partitions_revoked(self, _revoked: set[TopicPartition]) -> None:
        self.has = None
        await self.free.wait()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self.has = assigned

    @contextlib.asynccontextmanager
    async def joining(self) -> AsyncIterator[AIOKafkaConsumer]:
        """It joins meanwhile."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bench.settings.kafka_bootstrap,
            group_id=f"{self.bench.settings.kafka_prefix}clarion.listener.{self.topic.name}",
            heartbeat_interval_ms=100,
            enable_auto_commit=False,
        )
        consumer.subscribe([self.bench.name(self.topic)], listener=self)
        starting = asyncio.create_task(consumer.start())
        try:
            yield consumer
        finally:
            self.free.set()
            await starting
            await consumer.stop()


def neighbour(bench: Bench, topic: Topic = ECHO) -> Neighbour:
    """One that gives its partitions up at once, until told otherwise."""
    made = Neighbour(bench, topic)
    made.free.set()
    return made


def rebalancing(consumer: SteadyConsumer | None) -> bool:
    return consumer is not None and bool(consumer._subscription.reassignment_in_progress)


def waits_to_be_joined(consumer: SteadyConsumer | None) -> bool:
    coordinator: Any = consumer._coordinator if consumer is not None else None
    return coordinator is not None and coordinator._performed_join_prepare and coordinator._heartbeat_task is None


async def test_who_has_a_batch_in_work_while_its_group_rebalances_ends_with_the_batch(
    bench: Bench, ear: Ear, until: Until
) -> None:
    ear.gate = asyncio.Event()
    other = neighbour(bench)
    await bench.put(ECHO, said(1))
    async with bench.subscribed(Subscription(ECHO, ear, use_inbox=False)) as subscribers:
        await ear.entered.wait()
        async with other.joining():
            await until(lambda: rebalancing(subscribers.made[0].consumer))
            ending = asyncio.create_task(subscribers.stop())
            await asyncio.sleep(0)
            ear.gate.set()
            async with asyncio.timeout(PROMPT_SECONDS):
                await ending
            await until(lambda: other.has, PROMPT_SECONDS)
    assert await bench.heard() == [1]
    assert await bench.committed(ECHO) == 1


@pytest.mark.parametrize("name", [None, "replica-1"])
async def test_who_waits_for_the_others_of_its_group_ends_at_once_and_leaves_it_to_them(
    name: str | None, bench: Bench, ear: Ear, until: Until
) -> None:
    settings = bench.settings.model_copy(update={"kafka_instance": name})
    await bench.make(WIDE)
    slow, late = neighbour(bench, WIDE), neighbour(bench, WIDE)
    async with slow.joining():
        await until(lambda: slow.has)
        async with bench.subscribed(Subscription(WIDE, ear), settings=settings) as subscribers:
            await until(lambda: slow.has is not None)
            slow.free.clear()
            async with late.joining():
                await until(lambda: waits_to_be_joined(subscribers.made[0].consumer))
                async with asyncio.timeout(PROMPT_SECONDS):
                    await subscribers.stop()
                assert (slow.has, late.has) == (None, None)
                slow.free.set()
                await until(lambda: len(slow.has or ()) + len(late.has or ()) == WIDE.partitions, PROMPT_SECONDS)


@pytest.mark.parametrize("name", [None, "replica-1"])
async def test_a_process_that_has_not_joined_yet_ends_at_once(
    name: str | None, bench: Bench, ear: Ear, until: Until
) -> None:
    settings = bench.settings.model_copy(update={"kafka_instance": name})
    slow, stopping = neighbour(bench), asyncio.Event()
    service = Service("listener", bench.listener, subscriptions=[Subscription(ECHO, ear)])
    async with slow.joining():
        await until(lambda: slow.has)
        slow.free.clear()
        running = asyncio.create_task(run_services([service], settings, stopping=stopping))
        await until(lambda: slow.has is None)
        stopping.set()
        with capture_logs() as logs:
            async with asyncio.timeout(PROMPT_SECONDS):
                await running
        assert not [one for one in logs if one["event"] in ("process.cancelled", "process.task_failed")]
