"""All services in this process, on the run's servers, with a client of the site and a producer of the broker."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import aiokafka
import asyncpg
import httpx

from clarion.runtime.database import open_database
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.process import Running, run_services
from clarion.runtime.settings import Settings
from clarion.runtime.watch import Watch, watching
from clarion.runtime.web.keys import create_key
from clarion.schemas.cloudevents import EventAttributes
from clarion.schemas.topics import LEGISLATION_UPDATES
from clarion.services.running import listen, open_services, prepare, serving
from clarion.services.sample import JURISDICTION
from clarion.services.web import build_site
from tests.whole.world import expectation_of, load

OFFICIALS = 600
SOURCE = "https://tracker.example/"


@dataclass
class Installation:
    """All services in this process, with a client of the site and a producer of the broker."""

    settings: Settings
    catcher: MailCatcher
    site: httpx.AsyncClient
    producer: aiokafka.AIOKafkaProducer
    addresses: frozenset[str]
    watch: Watch

    async def post(self, event: dict[str, Any]) -> None:
        answer = await self.site.post("/api/v1/legislation/updates", json=event)
        assert answer.status_code == 202, answer.text

    async def send(self, body: bytes, headers: Sequence[tuple[str, bytes | None]]) -> None:
        topic = f"{self.settings.kafka_prefix}{LEGISLATION_UPDATES.name}"
        await self.producer.send_and_wait(topic, body, key=JURISDICTION.encode(), headers=headers)

    async def send_event(self, event_id: str, data: dict[str, Any]) -> None:
        attributes = EventAttributes(id=event_id, source=SOURCE, type="hearing.scheduled")
        headers = [(name, value.encode()) for name, value in attributes.to_headers().items()]
        await self.send(json.dumps(data).encode(), headers)

    async def rows(self, query: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.settings.database_url)
        try:
            return await connection.fetch(query)
        finally:
            await connection.close()

    async def told_everyone(self) -> bool:
        """Whether all mail is sent."""
        open_ones = await self.rows("SELECT 1 FROM notifications.ledger WHERE state <> 'sent'")
        return not open_ones and self.catcher.store.count() >= len(self.addresses)

    async def outcomes(self) -> list[str]:
        return [row["outcome"] for row in await self.rows("SELECT outcome FROM legislation.history")]


@contextlib.asynccontextmanager
async def installed(
    settings: Settings, catcher: MailCatcher, officials: int = OFFICIALS, *, statewide: bool = False
) -> AsyncIterator[Installation]:
    """An installation that runs, with the sample association and its position, and serves its site on loopback."""
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = settings.model_copy(update={"smtp_url": catcher.url, "public_url": address})
    await prepare(settings)
    await load(settings, officials, statewide=statewide)
    async with contextlib.AsyncExitStack() as stack:
        services = await stack.enter_async_context(open_services(settings))
        stopping, ready, watch = asyncio.Event(), asyncio.Event(), Watch(Running(), settings, services)
        task = asyncio.create_task(
            run_services(services, settings, stopping=stopping, ready=ready.set, running=watch.running)
        )
        await ready.wait()
        await watch.look()
        await stack.enter_async_context(watching(watch))
        site = build_site(services, watch, addresses=[("site", address)], mail=catcher.store)
        await stack.enter_async_context(serving(site, listener))
        authorization = f"Bearer {await new_key(settings)}"
        client = httpx.AsyncClient(base_url=address, headers={"Authorization": authorization})
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
        await producer.start()
        async with client:
            yield Installation(
                settings, catcher, client, producer, expectation_of(officials, statewide=statewide).addresses, watch
            )
        await producer.stop()
        stopping.set()
        await task


async def new_key(settings: Settings) -> str:
    """A key for updates of the tests' source."""
    async with open_database(settings, "legislation") as database, database.connection() as connection:
        _, key = await create_key(connection, "tracker", ["updates"], SOURCE)
    return key
