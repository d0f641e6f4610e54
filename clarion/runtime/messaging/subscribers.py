"""The one place that makes Kafka subscribers: FastStream's, without the ways in which it can lose a message."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import structlog
from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage
from faststream.kafka.subscriber.usecase import BatchSubscriber

from clarion.runtime import traces
from clarion.runtime.backoff import Backoff
from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.messaging.connection import group_name, kafka_options, topic_name
from clarion.runtime.messaging.consumer import DrainOnRevoke, Pulse, SteadyConsumer, Unreadable, consumer_settings
from clarion.runtime.messaging.consumption import Consumption, Tally
from clarion.runtime.messaging.metrics import Meters
from clarion.runtime.messaging.record import Record, instant
from clarion.runtime.messaging.subscription import Subscription
from clarion.runtime.settings import Settings

log = structlog.get_logger(__name__)

PAUSE_AFTER_NOTHING_MS = 5
GATHERED_BYTES = 200_000
GRACEFUL_SECONDS = 30.0

Records = tuple[ConsumerRecord[Any, Any], ...]


class Subscribers:
    """All subscribers of one service, on a broker of their own."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        subscriptions: Sequence[Subscription],
        meters: Meters | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._stopping = asyncio.Event()
        self.given_up = asyncio.Event()
        self.pulses: dict[str, Pulse] = {one.topic.name: Pulse(one.topic.name) for one in subscriptions}
        self.broker = KafkaBroker(
            settings.kafka_bootstrap or "",
            consumer_only=True,
            allow_auto_create_topics=False,
            graceful_timeout=GRACEFUL_SECONDS,
            apply_types=False,
            logger=None,
        )
        self._groups: dict[str, Pulse] = {}
        self._meters = meters or Meters()
        self.tallies: dict[str, Tally] = {one.topic.name: Tally() for one in subscriptions}
        self.made = [self._make(one) for one in subscriptions]

    async def start(self) -> None:
        """Join the groups. Raises aiokafka's errors when Kafka is not there."""
        await self.broker.connect()
        self.broker.config.broker_config.builder = self._build
        for subscriber in self.made:
            await subscriber.start()

    async def joined(self) -> None:
        """Wait until every subscriber has been told its partitions, which may be none."""
        for pulse in self.pulses.values():
            await pulse.joined.wait()

    async def unhandled(self) -> dict[str, dict[int, int]]:
        """By topic and assigned partition the first offset that is not handled."""
        found = {}
        for topic, subscriber in zip(self.pulses, self.made, strict=True):
            consumer = cast("SteadyConsumer | None", subscriber.consumer)
            places = await consumer.unhandled() if consumer is not None else {}
            found[topic] = {place.partition: offset for place, offset in places.items()}
        return found

    async def stop(self) -> None:
        """Let the batches in work end (or give them back, where they wait for the database), then leave the groups."""
        self._stopping.set()
        await self.broker.stop()

    def _make(self, subscription: Subscription) -> BatchSubscriber:
        pulse = self.pulses[subscription.topic.name]
        group = group_name(self._settings, self._database.service, subscription.topic)
        self._groups[group] = pulse
        subscriber = self.broker.subscriber(
            topic_name(self._settings, subscription.topic),
            group_id=group,
            batch=True,
            max_records=subscription.batch_size,
            batch_timeout_ms=PAUSE_AFTER_NOTHING_MS,
            ack_policy=AckPolicy.MANUAL,
            listener=DrainOnRevoke(pulse),
            parser=parse_batch,
            decoder=leave_alone,
            no_reply=True,
            **_gathering(subscription),
            **consumer_settings(self._settings),
        )
        subscriber(self._handler(subscription, cast("BatchSubscriber", subscriber)))
        return cast("BatchSubscriber", subscriber)

    def _build(self, *, group_id: str, client_id: str | None, **options: Any) -> SteadyConsumer:
        connection = kafka_options(self._settings) | {"client_id": client_id}
        pulse = self._groups[group_id]
        return SteadyConsumer(pulse=pulse, given_up=self.given_up, group_id=group_id, **connection, **options)

    def _handler(self, subscription: Subscription, subscriber: BatchSubscriber) -> Callable[[Records], Awaitable[None]]:
        topic = subscription.topic.name
        consumption = Consumption(self._database, subscription, self.tallies[topic])
        seconds = self._meters.handler_seconds.labels(self._database.service, topic)
        backoff = Backoff()

        async def handle(records: Records) -> None:
            consumer = cast("SteadyConsumer", subscriber.consumer)
            began_at = time.monotonic()
            try:
                found = to_records(records, self._settings.kafka_prefix, self._database.clock)
                with traces.span(f"{self._database.service} handles {topic}", parents_of(found), records=len(found)):
                    await consumption.handle(found)
                await consumer.acknowledge()
            except Exception as error:  # noqa: BLE001 - FastStream would drop it; unacknowledged, the batch comes again
                log.warning(
                    "subscriber.waits",
                    service=self._database.service,
                    topic=topic,
                    error=type(error.__cause__ or error).__name__,
                )
                await backoff.wait(self._stopping)
            else:
                backoff.reset()
                seconds.observe(time.monotonic() - began_at)

        return handle


def _gathering(subscription: Subscription) -> Mapping[str, Any]:
    """The broker answers a fetch once there is enough, or so long after it was asked."""
    if not subscription.gather_seconds:
        return {}
    return {"fetch_min_bytes": GATHERED_BYTES, "fetch_max_wait_ms": int(subscription.gather_seconds * 1_000)}


async def parse_batch(records: Records, original: Callable[[Records], Awaitable[KafkaMessage]]) -> KafkaMessage:
    """FastStream's message around records whose headers it must not look into."""
    plain = ConsumerRecord(records[0].topic, 0, records[0].offset, 0, 0, None, b"", None, -1, -1, ())
    message = await original((plain,))
    message.raw_message = records
    return message


def parents_of(records: Sequence[Record]) -> list[str]:
    """The traces that records say they belong to; none without a tracer."""
    if not traces.tracing():
        return []
    values = [value for record in records for name, value in record.headers if name == traces.TRACEPARENT]
    return [value.decode("ascii", errors="replace") for value in values if value]


async def leave_alone(message: KafkaMessage, _original: object) -> Any:
    """The handler gets the records as they came."""
    return message.raw_message


def to_records(records: Records, prefix: str, clock: Clock) -> list[Record]:
    """Our own form of what the consumer handed out."""
    now = clock()
    return [
        Record(
            topic=record.topic.removeprefix(prefix),
            partition=record.partition,
            offset=record.offset,
            key=record.key,
            headers=tuple(record.headers),
            body=None if isinstance(record, Unreadable) else record.value,
            received_at=instant(record.timestamp, now),
            unreadable=record.value if isinstance(record, Unreadable) else None,
        )
        for record in records
    ]
