"""A broker that lost everything comes back: the outboxes' log is published again, compacted topics from the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
import structlog

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Transaction, load_queries
from clarion.runtime.database.pool import connect_login
from clarion.runtime.messaging.topics import cluster_id
from clarion.schemas.topics import TOPICS, Topic

if TYPE_CHECKING:
    from clarion.runtime.settings import Settings

log = structlog.get_logger(__name__)

Republish: TypeAlias = Callable[[Transaction], Awaitable[int]]
"""A service's hook: enqueue the current state for its compacted topics, tombstones included; how many messages."""


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What is published again: messages of each plain topic, and entities of each service with a hook."""

    cluster_id: str
    messages: dict[str, int]
    entities: dict[str, int]


async def replay_if_new_broker(
    settings: Settings,
    services: Sequence[str],
    republish: Mapping[str, Republish],
    *,
    topics: Sequence[Topic] = TOPICS,
    clock: Clock = system_clock,
) -> ReplayReport | None:
    """Compare the Kafka cluster with the one last seen and, if it is another one, publish again what it should hold.

    All in one transaction, so that a crash leaves it to be done by the next start. `services` are all whose outboxes
    count, `republish` has the hooks of those with compacted topics. Consumers go by revisions and the inbox, so it is
    safe beside running services. None if there was nothing to do.

    Raises:
        KafkaError, OSError, asyncpg.PostgresError: a server is not there.
    """
    current = await cluster_id(settings)
    queries = load_queries("clarion.runtime.messaging")
    connection = await connect_login(settings.database_url or "")
    try:
        async with connection.transaction():
            await queries.lock_broker(connection)
            known = await queries.get_broker(connection)
            if known == current:
                return None
            await queries.set_broker(connection, cluster_id=current)
            if known is None:
                return None
            plain = [topic.name for topic in topics if not topic.compacted]
            messages = await _publish_again(connection, services, plain)
            entities = await _republish(connection, republish, clock)
    finally:
        await connection.close()
    log.warning("replay.new_broker", messages=sum(messages.values()), entities=sum(entities.values()))
    return ReplayReport(current, messages, entities)


async def _publish_again(
    connection: asyncpg.Connection[asyncpg.Record], services: Sequence[str], topics: Sequence[str]
) -> dict[str, int]:
    queries = load_queries("clarion.runtime.messaging")
    messages: Counter[str] = Counter()
    for service in services:
        await queries.assume_service(connection, service=service)
        rows = queries.publish_again(connection, topics=topics)
        messages.update({row["topic"]: row["messages"] async for row in rows})
    return dict(messages)


async def _republish(
    connection: asyncpg.Connection[asyncpg.Record], hooks: Mapping[str, Republish], clock: Clock
) -> dict[str, int]:
    queries = load_queries("clarion.runtime.messaging")
    entities = {}
    for service, hook in hooks.items():
        await queries.assume_service(connection, service=service)
        tx = Transaction(connection, service, clock)
        entities[service] = await hook(tx)
        await tx.finish()
    await queries.assume_login(connection)
    return entities
