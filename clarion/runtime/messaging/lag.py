"""How far consumer groups are behind, asked of the broker: neither FastStream nor Kafka's client has such a figure."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from clarion.runtime.messaging.connection import group_name, kafka_options, topic_name
from clarion.runtime.settings import Settings
from clarion.schemas.topics import Topic

REQUEST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Reader:
    """A service that reads a topic: one group."""

    service: str
    topic: Topic

    @property
    def key(self) -> tuple[str, str]:
        """The service and the topic's name."""
        return self.service, self.topic.name


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a group stands: by partition the end of what can be read, and how many records it has not committed."""

    ends: Mapping[int, int]
    lags: Mapping[int, int]

    @property
    def lag(self) -> int:
        """Records to read, in all partitions."""
        return sum(self.lags.values())


class Standings:
    """Asks the broker by clients of its own, so that a consumer that hangs is seen all the same."""

    def __init__(self, settings: Settings, consumer: Any, admin: Any) -> None:
        self._settings = settings
        self._consumer = consumer
        self._admin = admin
        self._there: set[str] = set()

    async def look(self, readers: Sequence[Reader]) -> dict[tuple[str, str], Standing]:
        """Where these stand, by service and topic. Topics that are not there are left out.

        Raises:
            KafkaError, TimeoutError: the broker does not answer.
        """
        async with asyncio.timeout(REQUEST_SECONDS):
            await self._find(readers)
            known = [one for one in readers if topic_name(self._settings, one.topic) in self._there]
            every = sorted({place for one in known for place in self._places(one)})
            # Of an integration's transactions what is committed counts: the rest cannot be read yet.
            ends = await self._consumer.end_offsets(every) if every else {}
            return {one.key: await self._standing(one, ends) for one in known}

    async def _find(self, readers: Sequence[Reader]) -> None:
        """Which topics are there, until all are: the broker tells it of every partition that it has."""
        if not self._there.issuperset(topic_name(self._settings, one.topic) for one in readers):
            self._there = {found["topic"] for found in await self._admin.describe_topics()}

    def _places(self, reader: Reader) -> list[TopicPartition]:
        name = topic_name(self._settings, reader.topic)
        return [TopicPartition(name, number) for number in range(reader.topic.partitions)]

    async def _committed(self, reader: Reader) -> dict[TopicPartition, int]:
        group = group_name(self._settings, reader.service, reader.topic)
        found = await self._admin.list_consumer_group_offsets(group)
        return {place: kept.offset for place, kept in found.items()}

    async def _standing(self, reader: Reader, ends: Mapping[TopicPartition, int]) -> Standing:
        places, committed = self._places(reader), await self._committed(reader)
        fresh = [place for place in places if committed.get(place, -1) < 0 and ends[place]]
        begins = await self._consumer.beginning_offsets(fresh) if fresh else {}
        read = {place: max(committed.get(place, 0), begins.get(place, 0)) for place in places}
        return Standing(
            {place.partition: ends[place] for place in places},
            {place.partition: max(0, ends[place] - read[place]) for place in places},
        )


@contextlib.asynccontextmanager
async def standings(settings: Settings) -> AsyncIterator[Standings]:
    """Clients of the broker until the end of the block. Raises aiokafka's errors when it is not there."""
    options = kafka_options(settings)
    consumer = AIOKafkaConsumer(**options, isolation_level="read_committed", enable_auto_commit=False)
    admin = AIOKafkaAdminClient(**options)
    try:
        await consumer.start()
        await admin.start()
        yield Standings(settings, consumer, admin)
    finally:
        await admin.close()
        await consumer.stop()
