"""A replica's own name, which Kafka knows it by: two processes of one name would take each other's place for ever."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence

import structlog

from clarion.runtime.database import Connection, load_queries
from clarion.runtime.database.pool import connect_login
from clarion.runtime.settings import Settings, variable_of

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.2


@contextlib.asynccontextmanager
async def own_name(settings: Settings, services: Sequence[str], stopping: asyncio.Event) -> AsyncIterator[Settings]:
    """The settings, with the name if no other process of these services has it, else without.

    One that has it may be ending: it is given as long as Kafka would wait for it.
    """
    if settings.kafka_instance is None or not services:
        yield settings
        return
    connection = await connect_login(str(settings.database_url))
    try:
        names = [f"{settings.kafka_prefix}{service}:{settings.kafka_instance}" for service in services]
        if await _taken(connection, names, settings.kafka_session_seconds, stopping):
            yield settings
        else:
            log.warning("replica.name_is_taken", name=settings.kafka_instance, set=variable_of("kafka_instance"))
            yield settings.model_copy(update={"kafka_instance": None})
    finally:
        connection.terminate()


async def _taken(connection: Connection, names: Sequence[str], seconds: float, stopping: asyncio.Event) -> bool:
    """Whether all of these are ours, after so long at most."""
    queries = load_queries("clarion.runtime.database")
    give_up_at = time.monotonic() + seconds
    left = list(names)
    while True:
        left = [name for name in left if not await queries.take_name(connection, name=name)]
        if not left or stopping.is_set() or time.monotonic() > give_up_at:
            return not left
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await stopping.wait()
