"""A notice walks through all services, in this process, on the run's servers."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import aiokafka
import asyncpg
import httpx
import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.process import Running, run_services
from clarion.runtime.settings import Settings
from clarion.runtime.web.keys import create_key
from clarion.schemas.cloudevents import EventAttributes
from clarion.schemas.topics import LEGISLATION_UPDATES
from clarion.services.running import open_database, open_services, prepare
from clarion.services.sample import JURISDICTION, sample_notice
from clarion.services.web import build_site
from tests.conftest import Until
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

    async def outcomes(self) -> list[str]:
        return [row["outcome"] for row in await self.rows("SELECT outcome FROM legislation.history")]


@pytest.fixture
async def installation(settings: Settings, mail_catcher: MailCatcher) -> AsyncIterator[Installation]:
    settings = settings.model_copy(update={"smtp_url": mail_catcher.url})
    await prepare(settings)
    await load(settings, OFFICIALS)
    stopping, ready = asyncio.Event(), asyncio.Event()
    async with open_services(settings) as services:
        running = Running()
        task = asyncio.create_task(
            run_services(services, settings, stopping=stopping, ready=ready.set, running=running)
        )
        await ready.wait()
        database = await open_database(settings, "legislation", system_clock)
        async with database.connection() as connection:
            _, key = await create_key(connection, "tracker", ["updates"], SOURCE)
        await database.close()
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
        await producer.start()
        site = httpx.AsyncClient(
            transport=httpx.ASGITransport(build_site(services, running)),
            base_url="http://clarion.example",
            headers={"Authorization": f"Bearer {key}"},
        )
        addresses = expectation_of(OFFICIALS).addresses
        async with site:
            yield Installation(settings, mail_catcher, site, producer, addresses)
        await producer.stop()
        stopping.set()
        await task


async def told_once(here: Installation, until: Until) -> None:
    """Everyone whose voice counts has one mail, and nobody else has any."""

    async def ended() -> bool:
        open_ones = await here.rows("SELECT 1 FROM notifications.ledger WHERE state <> 'sent'")
        return not open_ones and here.catcher.store.count() >= len(here.addresses)

    await until(ended, 60)
    mails = here.catcher.store.list(limit=10_000)
    assert sorted(address for mail in mails for address in mail.recipients) == sorted(here.addresses)


async def test_the_same_notice_told_five_times_is_one_campaign_and_one_mail_each(
    installation: Installation, until: Until
) -> None:
    here, notice = installation, sample_notice(system_clock())
    event = {"type": "hearing.scheduled", "data": notice}
    await here.post(event | {"id": "first"})
    await here.post(event | {"id": "first"})
    await here.post(event)
    await here.send_event("first", notice)
    await here.send_event("by Kafka", notice)

    async def all_heard() -> bool:
        return sorted(await here.outcomes()) == ["alerted", "unchanged", "unchanged"]

    await until(all_heard, 30)
    await told_once(here, until)
    assert len(await here.rows("SELECT id FROM campaigns.campaigns")) == 1


async def test_a_good_record_behind_bad_ones_is_mail_within_seconds(installation: Installation, until: Until) -> None:
    here, notice = installation, sample_notice(system_clock())
    headers = [
        (name, value.encode())
        for name, value in EventAttributes(id="x", source=SOURCE, type="hearing.scheduled").to_headers().items()
    ]
    good = json.dumps(notice)
    await here.send(b"not JSON", headers)
    await here.send(b'{"hearing_id": 7}', headers)
    await here.send(good.replace("Housing", "Hous\\u0000ing").encode(), headers)
    await here.send(good.replace("Housing", "Hous\\ud800ing").encode(), headers)
    await here.send(good.encode(), [("ce_id", None), ("ce_type", b"\xff\xfe")])
    await here.send(good.encode(), [])
    await here.send_event("good", notice)
    await told_once(here, until)
    letters = await here.rows("SELECT reason FROM legislation.dead_letters WHERE state = 'open'")
    assert len(letters) == 6
    assert all(letter["reason"] for letter in letters)


async def test_the_site_says_how_its_services_are(installation: Installation) -> None:
    healthy = await installation.site.get("/readyz")
    assert (healthy.status_code, healthy.json()["status"]) == (200, "ok")
    page = await installation.site.get("/")
    assert all(name in page.text for name in ("legislation", "directory", "campaigns", "notifications"))
