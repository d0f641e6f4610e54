"""The service as it runs: from HTTP, file and Kafka to alerts on the topic."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from fastapi import FastAPI

from clarion.runtime.messaging.topics import ensure_topics
from clarion.runtime.process import Service, run_services
from clarion.runtime.settings import Settings
from clarion.runtime.web import problems
from clarion.runtime.web.keys import create_key
from clarion.schemas.topics import LEGISLATION_ALERTS, LEGISLATION_UPDATES
from clarion.services.legislation.app import build
from clarion.services.legislation.intake import Occurrences, read_update
from clarion.services.legislation.operations import take_in

PATH = "/api/v1/legislation/updates"


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """The service, running."""
    await ensure_topics(settings, [LEGISLATION_UPDATES, LEGISLATION_ALERTS])
    built = await build(settings)
    stopping, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(run_services([built], settings, stopping=stopping, ready=ready.set))
    async with asyncio.timeout(40):
        await ready.wait()
    yield built
    stopping.set()
    await running


async def read_alerts(settings: Settings, count: int) -> list[tuple[str, dict[str, str], dict[str, Any]]]:
    """Key, headers and body of the first alerts on the topic."""
    consumer = AIOKafkaConsumer(
        settings.kafka_prefix + LEGISLATION_ALERTS.name,
        bootstrap_servers=settings.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    found: list[tuple[str, dict[str, str], dict[str, Any]]] = []
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            while len(found) < count:
                record = await consumer.getone()
                headers = {name: value.decode() for name, value in record.headers}
                found.append((record.key.decode(), headers, json.loads(record.value)))
    finally:
        await consumer.stop()
    return found


async def produce(settings: Settings, *records: tuple[bytes | None, list[tuple[str, bytes]]]) -> None:
    """Put raw records on the topic of updates."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    try:
        for body, headers in records:
            topic = settings.kafka_prefix + LEGISLATION_UPDATES.name
            await producer.send_and_wait(topic, body, key=b"ca", headers=headers)
    finally:
        await producer.stop()


def binary(event_id: str, kind: str = "hearing.scheduled") -> list[tuple[str, bytes]]:
    attributes = {"specversion": "1.0", "id": event_id, "source": "/sources/kafka", "type": kind}
    return [(f"ce_{name}", value.encode()) for name, value in attributes.items()]


async def outcomes(service: Service) -> dict[str, str]:
    async with service.database.connection() as connection:
        rows = await connection.fetch("SELECT event_id, outcome FROM history WHERE outcome <> 'received'")
    return {row["event_id"]: row["outcome"] for row in rows}


async def test_a_notice_told_five_times_by_http_file_and_kafka_is_one_alert(
    service: Service, settings: Settings, notice: Any, until: Any
) -> None:
    app = FastAPI()
    problems.install(app)
    assert service.router is not None
    app.include_router(service.router)
    async with service.database.transaction() as tx:
        _, key = await create_key(tx.connection, "a", ["updates"])
    event = {"type": "hearing.scheduled", "data": notice(), "id": "by-http"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://site.example",
        headers={"authorization": f"Bearer {key}"},
    ) as site:
        for one in (event, event, event | {"id": "by-http-again"}):
            assert (await site.post(PATH, json=one)).status_code == 202
        update = read_update(event | {"id": None}, identify=Occurrences().identify, source="/sources/file")
        async with service.database.transaction() as tx:
            await take_in(tx, [update], service.database.clock())
        body = json.dumps(notice()).encode()
        structured = json.dumps(event | {"specversion": "1.0", "source": "/sources/kafka", "id": "structured"})
        await produce(
            settings,
            (body, binary("by-kafka")),
            (body, binary("by-kafka")),
            (structured.encode(), [("content-type", b"application/cloudevents+json")]),
        )
        expected = {"by-http", "by-http-again", update.id, "by-kafka", "structured"}

        async def all_done() -> bool:
            return set(await outcomes(service)) == expected

        await until(all_done, 30)
        statuses = [(await site.get(f"{PATH}/{one}")).json()["outcome"] for one in ("by-http", "by-http-again")]
    assert set(statuses) <= {"alerted", "unchanged"}
    assert sorted((await outcomes(service)).values()) == ["alerted"] + ["unchanged"] * 4

    [(alert_key, headers, alert)] = await read_alerts(settings, 1)
    assert alert_key == alert["hearing_id"] == headers["ce_subject"]
    assert (headers["ce_type"], alert["revision"]) == ("bill-hearing.scheduled", 1)
    async with service.database.connection() as connection:
        alerts = await connection.fetch("SELECT id FROM outbox WHERE topic = 'legislation.alerts.v1'")
    assert len(alerts) == 1


async def test_bad_records_are_dead_letters_and_the_good_one_behind_them_is_alerted(
    service: Service, settings: Settings, notice: Any, until: Any
) -> None:
    good = json.dumps(notice()).encode()
    await produce(
        settings,
        (b"not json", binary("1")),
        (b"\xff\xfe", binary("2")),
        (None, binary("3")),
        (good, [("ce_id", b"\xff")]),
        (good, []),
        (json.dumps(notice(session=7)).encode(), binary("4")),
        (json.dumps(notice(jurisdiction="x")).encode(), binary("5")),
        (json.dumps(notice(hearing_id="\u0000")).encode(), binary("6")),
        (good.replace(b"Housing near transit", b"\\ud800"), binary("7")),
        (b"[" * 50_000, binary("8")),
        (good, binary("9", kind="hearing.held")),
        (good, binary("good")),
    )
    [(_, _, alert)] = await read_alerts(settings, 1)
    assert alert["aliases"] == [notice()["hearing_id"]]

    async def reasons() -> list[str]:
        async with service.database.connection() as connection:
            rows = await connection.fetch("SELECT reason FROM dead_letters")
        return [row["reason"] for row in rows]

    async def all_there() -> bool:
        return len(await reasons()) == 11

    await until(all_there)
    assert all(await reasons())
    assert await outcomes(service) == {"5": "rejected", "good": "alerted"}
