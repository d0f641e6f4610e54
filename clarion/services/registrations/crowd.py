"""The crowd of `clarion bench registrations`: asks for seats and watches, in a process of its own."""

import asyncio
import time
from collections.abc import Sequence

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, load_queries
from clarion.runtime.ids import new_id
from clarion.runtime.messaging.connection import topic_name
from clarion.runtime.messaging.relay import make_producer
from clarion.runtime.settings import Settings
from clarion.schemas.cloudevents import EventAttributes
from clarion.schemas.registrations import RegistrationRequested
from clarion.schemas.topics import REGISTRATIONS_REQUESTS

SOURCE = "/bench"
POLL_SECONDS = 0.01
PATIENCE_SECONDS = 300.0

Message = tuple[list[tuple[str, bytes]], bytes]
Decided = list[tuple[float, int]]

queries = load_queries("clarion.services.registrations")


def load(settings: Settings, event_id: str, requests: int, rate: int | None) -> tuple[list[float], Decided]:
    """Put the requests on the topic, `rate` a second or as fast as it goes, and watch the outcomes.

    Returns when each was sent, and how many outcomes the database had at which moment, both by the machine's
    monotonic clock.
    """
    return asyncio.run(_load(settings, event_id, requests, rate))


async def _load(settings: Settings, event_id: str, requests: int, rate: int | None) -> tuple[list[float], Decided]:
    messages = [record(event_id, number) for number in range(requests)]
    database = await Database.connect(str(settings.database_url), "registrations", max_size=1)
    watching = asyncio.create_task(watch(database, event_id, requests))
    try:
        sent = await send(settings, event_id, messages, rate)
        return sent, await watching
    finally:
        watching.cancel()
        await database.close()


def record(event_id: str, number: int) -> Message:
    """One request as an integration sends it: headers and body."""
    asked = RegistrationRequested(
        event_id=event_id,
        name=f"Person {number}",
        email=f"Person.{number}@City-{number % 480}.example",
        answers={"city": f"City {number % 480}", "role": "Elected official"},
    )
    attributes = EventAttributes(id=new_id(), source=SOURCE, type="registration.requested", time=system_clock())
    headers = [(name, value.encode()) for name, value in attributes.to_headers().items()]
    return headers, asked.model_dump_json(exclude_none=True).encode()


async def send(settings: Settings, key: str, messages: Sequence[Message], rate: int | None) -> list[float]:
    """Send them and await every ack; when each was sent."""
    topic, sent = topic_name(settings, REGISTRATIONS_REQUESTS), list[float]()
    producer = make_producer(settings)
    await producer.start()
    try:
        began = time.monotonic()
        for number, (headers, body) in enumerate(messages):
            if rate is not None and (early := began + number / rate - time.monotonic()) > 0:
                await asyncio.sleep(early)
            sent.append(time.monotonic())
            await producer.send(topic, body, key.encode(), headers=headers)
        await producer.flush()
        return sent
    finally:
        await producer.stop()


async def watch(database: Database, event_id: str, requests: int) -> Decided:
    """How many requests were decided at which moment, until all are."""
    seen: Decided = []
    async with database.connection() as connection, asyncio.timeout(PATIENCE_SECONDS):
        while not seen or seen[-1][1] < requests:
            row = await queries.bench_progress(connection, event_id=event_id)
            if not seen or row["last_position"] > seen[-1][1]:
                seen.append((time.monotonic(), row["last_position"]))
            await asyncio.sleep(POLL_SECONDS)
    return seen
