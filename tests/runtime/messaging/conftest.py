"""A service called echo with a topic of its own, and a hand at the raw broker."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pydantic import BaseModel, ConfigDict

from clarion.runtime.database import Database, Transaction, migrate
from clarion.runtime.messaging import Outgoing, Received, Subscription, enqueue
from clarion.runtime.messaging.subscribers import Subscribers
from clarion.runtime.messaging.topics import ensure_topics
from clarion.runtime.settings import Settings
from clarion.schemas.topics import Topic
from tests.conftest import TEMPLATE, cloned, with_database


class Echo(BaseModel):
    """What echo says."""

    model_config = ConfigDict(frozen=True)

    number: int
    text: str = ""


ECHO = Topic("echo.said.v1", partitions=1, key="speaker", types={"echo.said": Echo})
WIDE = Topic("echo.wide.v1", partitions=4, key="speaker", types={"echo.said": Echo})
INBOUND = Topic("echo.inbound.v1", partitions=1, key="speaker", types={"echo.said": Echo}, inbound=True)
COMPACTED = Topic("echo.state.v1", partitions=1, key="speaker", types={"echo.said": Echo}, compacted=True)


@pytest.fixture(scope="session")
def echo_template(postgres_url: str) -> str:
    """A database in which echo and its listener have schemas, to be cloned."""
    name = f"echo_template_{os.getpid()}"
    asyncio.run(make_template(postgres_url, name))
    return name


async def make_template(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    await connection.close()
    nowhere = Path("/nonexistent")
    await migrate(with_database(url, name), ["echo", "listener"], folders={"echo": nowhere, "listener": nowhere})


@pytest.fixture
async def database_url(postgres_url: str, echo_template: str) -> AsyncIterator[str]:
    """In place of the common one: a clone that has echo's schemas too."""
    async with cloned(postgres_url, echo_template) as url:
        yield url


@pytest.fixture
async def echo(database_url: str) -> AsyncIterator[Database]:
    """The database of the service that speaks."""
    database = await Database.connect(database_url, "echo")
    yield database
    await database.close()


@pytest.fixture
async def listener(database_url: str) -> AsyncIterator[Database]:
    """The database of the service that listens; its table `heard` has no constraint that hides a repetition."""
    database = await Database.connect(database_url, "listener")
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE heard (number integer, event_id text, key text, at timestamptz)")
    yield database
    await database.close()


@pytest.fixture
async def topics(settings: Settings) -> None:
    """Echo's own topic, on the broker."""
    await ensure_topics(settings, [ECHO])


@dataclass
class Ear:
    """A handler that writes down what it hears, and fails or rejects where it is told to."""

    fail_on: set[int] = field(default_factory=set)
    reject: set[int] = field(default_factory=set)
    batches: list[list[int]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, tx: Transaction, events: Sequence[Received[Any]]) -> None:
        numbers = [event.data.number if event.data else -1 for event in events]
        self.batches.append(numbers)
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        rows = [
            (number, event.attributes.id, event.key, event.received_at)
            for number, event in zip(numbers, events, strict=True)
        ]
        await tx.connection.executemany("INSERT INTO heard VALUES ($1, $2, $3, $4)", rows)
        for event, number in zip(events, numbers, strict=True):
            if number in self.fail_on:
                raise LookupError(f"no such number: {number}")
            if number in self.reject:
                tx.reject(event, "not handled yet")


@pytest.fixture
def ear() -> Ear:
    return Ear()


@dataclass
class Bench:
    """What the tests do with the raw broker and look up in the tables."""

    settings: Settings
    listener: Database

    @asynccontextmanager
    async def subscribed(
        self, *subscriptions: Subscription, settings: Settings | None = None
    ) -> AsyncIterator[Subscribers]:
        """The listener's subscribers, joined."""
        subscribers = Subscribers(settings or self.settings, self.listener, subscriptions)
        await subscribers.start()
        try:
            await subscribers.joined()
            yield subscribers
        finally:
            await subscribers.stop()

    @asynccontextmanager
    async def producer(self, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
        """A plain producer, as an integration may have one."""
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.kafka_bootstrap, **options)
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    async def make(self, topic: Topic) -> None:
        """Another topic, on the broker."""
        await ensure_topics(self.settings, [topic])

    def name(self, topic: Topic) -> str:
        return f"{self.settings.kafka_prefix}{topic.name}"

    async def put(
        self, topic: Topic, *records: tuple[bytes | None, list[tuple[str, Any]]], key: bytes = b"k", **options: Any
    ) -> None:
        """Put records of (body, headers) on partition 0 of the topic, in one go."""
        async with self.producer(**options) as producer:
            sent = [
                await producer.send(self.name(topic), body, key, headers=headers, partition=0)
                for body, headers in records
            ]
            await asyncio.gather(*sent)

    async def heard(self) -> list[int]:
        """The numbers in the order in which they were written."""
        async with self.listener.connection() as connection:
            return [row["number"] for row in await connection.fetch("SELECT number FROM heard ORDER BY ctid")]

    async def letters(self) -> list[dict[str, Any]]:
        """The listener's dead letters, the oldest first."""
        async with self.listener.connection() as connection:
            return [dict(row) for row in await connection.fetch("SELECT * FROM dead_letters ORDER BY id")]

    async def committed(self, topic: Topic, partition: int = 0) -> int | None:
        """The offset that the listener's group has committed."""
        group = f"{self.settings.kafka_prefix}clarion.listener.{topic.name}"
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka_bootstrap, group_id=group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            return await consumer.committed(TopicPartition(self.name(topic), partition))
        finally:
            await consumer.stop()

    async def read(self, topic: Topic, count: int) -> list[Any]:
        """The first records of all partitions of a topic, once there are so many."""
        consumer = AIOKafkaConsumer(
            self.name(topic),
            bootstrap_servers=self.settings.kafka_bootstrap,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            found: list[Any] = []
            async with asyncio.timeout(20):
                while len(found) < count:
                    found += [one for batch in (await consumer.getmany(timeout_ms=200)).values() for one in batch]
            return found
        finally:
            await consumer.stop()


@pytest.fixture
def bench(settings: Settings, listener: Database, topics: None) -> Bench:
    return Bench(settings, listener)


def said(number: int, event_id: str | None = None, **more: Any) -> tuple[bytes, list[tuple[str, Any]]]:
    """A good record of body and headers."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", (event_id or f"e{number}").encode()),
        ("ce_source", b"/tests"),
        ("ce_type", b"echo.said"),
        ("content-type", b"application/json"),
    ]
    return json.dumps({"number": number, **more}).encode(), headers


async def say(
    database: Database, *numbers: int, topic: Topic = ECHO, key: Callable[[int], str] = lambda _: "k"
) -> None:
    """Enqueue these in one transaction."""
    async with database.transaction() as tx:
        await enqueue(tx, [Outgoing(topic, key(number), "echo.said", Echo(number=number)) for number in numbers])
