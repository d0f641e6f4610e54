"""The outbox relay: one leader per service publishes what was committed, in order, and marks it.

Rows are read as "not yet published", never as "after the last id": ids are drawn before the commit, so a cursor would
skip rows that commit late.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    CorruptRecordException,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    TopicAuthorizationFailedError,
)

from clarion.runtime.backoff import Backoff
from clarion.runtime.beats import beat
from clarion.runtime.database import Connection, Wakeups, is_transient, load_queries
from clarion.runtime.database.pool import connect, role_of
from clarion.runtime.messaging.connection import kafka_options
from clarion.runtime.messaging.shipping import MAX_REQUEST_BYTES, ship
from clarion.runtime.settings import Settings

log = structlog.get_logger(__name__)

ROWS_PER_ROUND = 2_000
BYTES_PER_ROUND = 4_000_000
"""What a round holds in memory, however long the messages are and however many wait."""
POLL_SECONDS = 0.5
GATHER_SECONDS = 0.02
GATHER_MOST_SECONDS = 0.2
"""Between two rounds, longer while one follows the other: what is committed meanwhile goes out together, for less."""
LEAD_POLL_SECONDS = 1.0
HELD_TOPIC_SECONDS = 5.0
HELD_ROW_SECONDS = 60.0
HELD_ROWS_AT_MOST = 1_000
STOP_SECONDS = 5.0

REFUSALS = (
    MessageSizeTooLargeError,
    InvalidTopicError,
    TopicAuthorizationFailedError,
    PolicyViolationError,
    CorruptRecordException,
)
"""What the broker says of a record that it will not take however often it is sent."""


class Found(NamedTuple):
    """How many rows a round came upon, and whether there may be more at once."""

    rows: int
    full: bool


class ProducerSpoilt(Exception):
    """A record was refused, so this producer's sequence has a gap and it can send nothing more."""


def make_producer(settings: Settings) -> AIOKafkaProducer:
    """A producer that neither loses nor doubles nor reorders; aiokafka's defaults may do all three."""
    return AIOKafkaProducer(
        **kafka_options(settings),
        acks="all",
        enable_idempotence=True,
        linger_ms=2,
        max_batch_size=262_144,
        max_request_size=MAX_REQUEST_BYTES,
    )


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop it; what the broker did not take for now stays unpublished in the outbox."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await producer.stop()
    except TimeoutError:
        # stop() waits for the broker for ever; without these its sockets and tasks would stay.
        await producer._sender.close()  # noqa: SLF001
        await producer.client.close()


@contextlib.asynccontextmanager
async def _woken_by(stopping: asyncio.Event) -> AsyncIterator[Wakeups]:
    """Wake-ups of which one is that `stopping` was set."""
    wakeups = Wakeups()

    async def wake() -> None:
        await stopping.wait()
        wakeups.wake()

    waiting = asyncio.create_task(wake())
    try:
        yield wakeups
    finally:
        waiting.cancel()


def bytes_of(rows: Sequence[asyncpg.Record]) -> int:
    """How long their bodies are."""
    return sum(len(row["body"] or b"") for row in rows)


class Held:
    """Topics and rows that were refused, until it is time to try them again."""

    def __init__(self) -> None:
        self._until: dict[Any, float] = {}

    def hold(self, what: Any, seconds: float) -> None:
        """Leave it out for so long."""
        self._until[what] = time.monotonic() + seconds

    def current(self) -> list[Any]:
        """What is to be left out now."""
        now = time.monotonic()
        self._until = {what: until for what, until in self._until.items() if until > now}
        return list(self._until)


class Relay:
    """Publishes one service's outbox; run as many as you like, one leads."""

    def __init__(self, settings: Settings, service: str) -> None:
        self._settings = settings
        self._service = service
        self._queries = load_queries("clarion.runtime.messaging")
        self._topics = Held()
        self._rows = Held()
        self._suspects: set[int] = set()
        self._backoff = Backoff()
        self.leads = False
        self.published = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set, and then until nothing is left; outages of broker and database are waited out."""
        while not stopping.is_set():
            try:
                async with self._session() as connection:
                    await self._serve(connection, stopping)
            except Exception as error:
                if not isinstance(error, KafkaError) and not is_transient(error):
                    raise
                log.warning("relay.waits", service=self._service, error=type(error).__name__)
            finally:
                self.leads = False
            await self._backoff.wait(stopping)

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        connection = await connect(self._settings.database_url or "", self._service)
        try:
            yield connection
        finally:
            connection.terminate()

    @contextlib.asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = make_producer(self._settings)
        try:
            await producer.start()
            yield producer
        finally:
            await _stop(producer)

    async def _serve(self, connection: asyncpg.Connection[asyncpg.Record], stopping: asyncio.Event) -> None:
        if not await self._lead(connection, stopping):
            return
        await self._queries.mark_without_waiting(connection)
        async with _woken_by(stopping) as wakeups:
            await connection.add_listener(f"{role_of(self._service)}_outbox", lambda *_: wakeups.wake())
            log.info("relay.leads", service=self._service)
            while not stopping.is_set():
                async with self._producer() as producer:
                    self.leads = True
                    with contextlib.suppress(ProducerSpoilt):
                        await self._publish(connection, producer, wakeups, stopping)

    async def _publish(
        self, connection: Connection, producer: AIOKafkaProducer, wakeups: Wakeups, stopping: asyncio.Event
    ) -> None:
        pause = 0.0
        while not stopping.is_set():
            beat()
            found = await self._round(connection, producer)
            if found.rows == 0:
                pause = 0.0
                await wakeups.wait(POLL_SECONDS)
            elif not found.full:
                pause = min(pause + GATHER_SECONDS, GATHER_MOST_SECONDS)
                await asyncio.sleep(pause)
        while (await self._round(connection, producer)).rows:
            beat()

    async def _lead(self, connection: Connection, stopping: asyncio.Event) -> bool:
        while not await self._queries.try_lead(connection):
            beat()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LEAD_POLL_SECONDS):
                    await stopping.wait()
            if stopping.is_set():
                return False
        return True

    async def _round(self, connection: Connection, producer: AIOKafkaProducer) -> Found:
        """Publish and mark the oldest rows."""
        waiting = self._queries.unpublished(
            connection,
            held_topics=self._topics.current(),
            held_ids=self._rows.current(),
            at_most=ROWS_PER_ROUND,
            most_bytes=BYTES_PER_ROUND,
        )
        rows = self._without_suspects([row async for row in waiting])
        if not rows:
            return Found(0, full=False)
        found = Found(len(rows), full=len(rows) == ROWS_PER_ROUND or bytes_of(rows) >= BYTES_PER_ROUND)
        await self._hold_unknown_topics(producer, {row["topic"] for row in rows})
        unknown = set(self._topics.current())
        rows = [row for row in rows if row["topic"] not in unknown]
        outcomes = await ship(producer, self._settings.kafka_prefix, rows)
        sent = [row for row, error in zip(rows, outcomes, strict=True) if error is None]
        if sent:
            times = [row["enqueued_at"] for row in sent]
            ids = [row["id"] for row in sent]
            await self._queries.mark_published(connection, ids=ids, first=min(times), last=max(times))
            self.published += len(sent)
            self._suspects.difference_update(ids)
            self._backoff.reset()
        self._judge([(row, error) for row, error in zip(rows, outcomes, strict=True) if error is not None])
        return found

    def _without_suspects(self, rows: list[asyncpg.Record]) -> list[asyncpg.Record]:
        """The rows before the first suspect, or that one alone."""
        for position, row in enumerate(rows):
            if row["id"] in self._suspects:
                return rows[: max(position, 1)]
        return rows

    def _judge(self, failed: Sequence[tuple[asyncpg.Record, BaseException]]) -> None:
        """Decide what a failure means for the rows it struck.

        A refusal strikes a whole batch of records, and those behind it fail for the gap in the producer's sequence; so
        its rows are sent again one by one, by a new producer, until the guilty one is found.
        """
        refused = [(row, error) for row, error in failed if isinstance(error, REFUSALS)]
        if len(refused) == 1:
            self._hold_row(*refused[0])
        self._suspects.update(row["id"] for row, _ in refused)
        if refused:
            raise ProducerSpoilt
        for _, error in failed:
            raise error

    async def _hold_unknown_topics(self, producer: AIOKafkaProducer, topics: set[str]) -> None:
        # Asked beforehand: a producer waits 40 seconds before it says that a topic is unknown.
        for topic in topics:
            name = self._settings.kafka_prefix + topic
            if producer.client.cluster.partitions_for_topic(name):
                continue
            await producer.client.add_topic(name)
            await producer.client.force_metadata_update()
            if not producer.client.cluster.partitions_for_topic(name):
                log.error("relay.unknown_topic", service=self._service, topic=topic)
                self._topics.hold(topic, HELD_TOPIC_SECONDS)

    def _hold_row(self, row: asyncpg.Record, error: BaseException) -> None:
        log.error("relay.refused", service=self._service, topic=row["topic"], id=row["id"], error=type(error).__name__)
        self._rows.hold(row["id"], HELD_ROW_SECONDS)
        if len(self._rows.current()) > HELD_ROWS_AT_MOST:
            self._topics.hold(row["topic"], HELD_ROW_SECONDS)
