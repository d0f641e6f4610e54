"""What operators ask to have published again: counted, sent from the log in order, and gone on with after a kill.

The log is sent beside the relay and its rows stay as they are, so new messages do not wait behind old ones. Where it
got to is written down after each batch that the broker took: a kill repeats at most one batch, which consumers know by
the inbox.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Transaction, load_queries
from clarion.runtime.database.pool import Connection, connect, connect_login
from clarion.runtime.messaging.relay import make_producer
from clarion.runtime.messaging.replay import Republish
from clarion.runtime.messaging.shipping import ship
from clarion.runtime.messaging.topics import TopicError, cluster_id
from clarion.schemas.topics import TOPICS, Topic

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

    from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import Actor, record

ROWS_PER_BATCH = 1_000

Told = Callable[[int], None]
"""Hears how many messages were sent by now."""


class ReplayRunning(Exception):
    """Another process replays at this moment."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be published again: of these topics and services (all, if none are named) what is of that time."""

    topics: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    services: Sequence[str] = ()

    @property
    def everything(self) -> bool:
        """Whether nothing narrows it, as it is for a broker that lost all."""
        return not self.topics and not self.services and self.since is None and self.until is None

    def means(self, service: str) -> bool:
        """Whether what this service published is asked for."""
        return not self.services or service in self.services

    def chosen(self, topics: Sequence[Topic], *, compacted: bool) -> list[str]:
        """The names of the topics that are meant, of the one kind or the other."""
        named = [topic for topic in topics if not self.topics or topic.name in self.topics]
        return [topic.name for topic in named if topic.compacted == compacted]

    def as_json(self) -> dict[str, Any]:
        """By which a replay that was killed is known again."""
        since, until = (None if at is None else at.isoformat() for at in (self.since, self.until))
        return {"topics": sorted(self.topics), "since": since, "until": until, "services": sorted(self.services)}


@dataclass(frozen=True, slots=True)
class Portion:
    """What one service's log has of one topic; the times are those of the first and the last message."""

    service: str
    topic: str
    messages: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was published again: messages of each service's log, and what the hooks of compacted topics enqueued.

    `resumed` says that an earlier replay, which was killed, was gone on with; its messages are counted.
    """

    messages: Mapping[str, int]
    entities: Mapping[str, int]
    resumed: bool


@dataclass(slots=True)
class _Run:
    login: Connection
    id: int
    before: datetime
    resumed: bool
    progress: dict[str, Any] = field(default_factory=dict)

    async def save(self, name: str, **at: int) -> None:
        """Write down where it got to."""
        self.progress[name] = at
        queries = load_queries("clarion.runtime.messaging")
        await queries.save_replay(self.login, id=self.id, progress={name: at})

    def at(self, name: str) -> tuple[int, int]:
        """The last row that was sent and how many those were."""
        found = self.progress.get(name, {})
        return found.get("after", 0), found.get("messages", 0)


async def count_replayable(
    settings: Settings, services: Sequence[str], asked: Asked, *, topics: Sequence[Topic] = TOPICS
) -> list[Portion]:
    """What a replay would send of the services' logs; nothing is sent. Raises OSError, asyncpg.PostgresError."""
    plain = asked.chosen(topics, compacted=False)
    portions = []
    for service in filter(asked.means, services):
        async with _session(settings, service) as connection:
            rows = load_queries("clarion.runtime.messaging").count_replayable(
                connection, topics=plain, since=asked.since, until=asked.until, before=None, after=0
            )
            portions += [Portion(service, **dict(row)) async for row in rows]
    return portions


async def replay(
    settings: Settings,
    services: Sequence[str],
    republish: Mapping[str, Republish],
    asked: Asked,
    told: Told = lambda _: None,
    *,
    topics: Sequence[Topic] = TOPICS,
    clock: Clock = system_clock,
    by: Actor | None = None,
) -> Replayed:
    """Publish again what is asked; after a kill, the same call goes on where the last one was.

    `by` is who asks for it, for the record of acts.

    Messages come from the services' outboxes, in their order. What compacted topics hold is enqueued by the hooks of
    `republish`, whole whatever the time, and goes out by the relays. Consumers go by revisions and the inbox, so it
    is safe beside running services, and nothing is done twice.

    Raises:
        ReplayRunning: another process replays.
        TopicError: a topic is missing.
        KafkaError, OSError, asyncpg.PostgresError: a server is not there; what was sent is written down.
    """
    async with _run_of(settings, asked, by, clock) as run:
        plain = asked.chosen(topics, compacted=False)
        async with _producer(settings, plain) as producer:
            wanted = {"topics": plain, "since": asked.since, "until": asked.until}
            log = _Log(settings, run, producer, wanted, told)
            for service in filter(asked.means, services):
                await log.send(service)
        hooks = {service: hook for service, hook in republish.items() if asked.means(service)}
        await _enqueue_state(run, hooks, asked.chosen(topics, compacted=True), clock)
        await _finish(settings, run, asked)
        return Replayed(
            messages={name: at["messages"] for name, at in run.progress.items() if "messages" in at},
            entities={name: at["entities"] for name, at in run.progress.items() if "entities" in at},
            resumed=run.resumed,
        )


@dataclass(slots=True)
class _Log:
    """The services' logs, as far as they are wanted, on their way to the broker."""

    settings: Settings
    run: _Run
    producer: AIOKafkaProducer
    wanted: dict[str, Any]
    told: Told
    count: int = 0

    async def send(self, service: str) -> None:
        """Send what one service's log has after the last row that was sent."""
        queries = load_queries("clarion.runtime.messaging")
        after, count = self.run.at(service)
        self._add(count)
        async with _session(self.settings, service) as connection:
            while True:
                found = queries.replayable(
                    connection, before=self.run.before, after=after, at_most=ROWS_PER_BATCH, **self.wanted
                )
                rows = [row async for row in found]
                for error in await ship(self.producer, self.settings.kafka_prefix, rows):
                    if error is not None:
                        raise error
                after, count = rows[-1]["id"] if rows else after, count + len(rows)
                await self.run.save(service, after=after, messages=count)
                self._add(len(rows))
                if len(rows) < ROWS_PER_BATCH:
                    return

    def _add(self, messages: int) -> None:
        self.count += messages
        self.told(self.count)


async def _enqueue_state(run: _Run, hooks: Mapping[str, Republish], compacted: Sequence[str], clock: Clock) -> None:
    """Enqueue what the compacted topics hold, each service's in one transaction with the word that it is done."""
    queries = load_queries("clarion.runtime.messaging")
    for service, hook in hooks.items() if compacted else ():
        name = f"{service}:state"
        if name in run.progress:
            continue
        async with run.login.transaction():
            await queries.assume_service(run.login, service=service)
            erased = await queries.publish_tombstones(run.login, topics=compacted)
            tx = Transaction(run.login, service, clock)
            entities = await hook(tx)
            tx.notify("outbox")
            await tx.finish()
            await queries.assume_login(run.login)
            await run.save(name, entities=entities + erased)


async def _finish(settings: Settings, run: _Run, asked: Asked) -> None:
    queries = load_queries("clarion.runtime.messaging")
    async with run.login.transaction():
        if asked.everything:
            # So that no start takes this broker for one that lost all.
            await queries.set_broker(run.login, cluster_id=await cluster_id(settings))
        await queries.finish_replay(run.login, id=run.id)


@contextlib.asynccontextmanager
async def _run_of(settings: Settings, asked: Asked, by: Actor | None, clock: Clock) -> AsyncIterator[_Run]:
    """The replay that was asked for and did not end on this broker, or a new one; only one at a time."""
    queries = load_queries("clarion.runtime.messaging")
    login = await connect_login(settings.database_url or "")
    try:
        if not await queries.try_replay(login):
            raise ReplayRunning("another replay is running: wait for it, it can be stopped and gone on with later")
        wanted = {"asked": asked.as_json(), "cluster_id": await cluster_id(settings)}
        known = await queries.open_replay(login, **wanted)
        async with login.transaction():
            row = known or await queries.begin_replay(login, **wanted)
            if by is not None:
                await record(login, by, "messages.replayed", f"replay:{row['id']}", at=clock(), details=asked.as_json())
        yield _Run(login, row["id"], row["started_at"], resumed=known is not None, progress=dict(row["progress"]))
    finally:
        login.terminate()


@contextlib.asynccontextmanager
async def _session(settings: Settings, service: str) -> AsyncIterator[Connection]:
    connection = await connect(settings.database_url or "", service)
    try:
        yield connection
    finally:
        connection.terminate()


@contextlib.asynccontextmanager
async def _producer(settings: Settings, topics: Sequence[str]) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that knows these topics; it would wait 40 seconds before it says that one is missing."""
    producer = make_producer(settings)
    try:
        await producer.start()
        names = [settings.kafka_prefix + topic for topic in topics]
        for name in names:
            await producer.client.add_topic(name)
        await producer.client.force_metadata_update()
        if missing := [name for name in names if not producer.client.cluster.partitions_for_topic(name)]:
            raise TopicError(f"{', '.join(missing)} missing on the broker: run clarion topics first")
        yield producer
    finally:
        await producer.stop()
