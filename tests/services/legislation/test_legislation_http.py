"""Posting updates over HTTP, and asking what became of them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
from fastapi import FastAPI

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.web import problems
from clarion.runtime.web.keys import create_key
from clarion.services.legislation.web import build_router
from tests.services.legislation.conftest import NOW

PATH = "/api/v1/legislation/updates"


@contextlib.asynccontextmanager
async def opened_site(database: Database, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """The API, as the source /sources/a."""
    app = FastAPI(openapi_url="/api/openapi.json")
    problems.install(app)
    app.include_router(build_router(database, clock))
    async with database.transaction() as tx:
        _, key = await create_key(tx.connection, "a", ["updates"], "/sources/a")
    transport = httpx.ASGITransport(app=app)
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://site.example", headers=headers) as client:
        yield client


@pytest.fixture
async def site(legislation: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with opened_site(legislation.database, legislation.clock) as client:
        yield client


async def post(site: httpx.AsyncClient, body: Any, media_type: str = "application/json") -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await site.post(PATH, content=content, headers={"content-type": media_type})


def event(notice: Any, **attributes: Any) -> dict[str, Any]:
    return {"type": "hearing.scheduled", "data": notice} | attributes


async def test_an_update_is_taken_published_and_its_status_answers_at_once(
    site: httpx.AsyncClient, legislation: Any, notice: Any
) -> None:
    answer = await post(site, event(notice(), id="e-1", time="2027-03-31T08:00:00Z"))
    assert (answer.status_code, answer.json()) == (202, {"ids": ["e-1"]})
    status = await site.get(f"{PATH}/e-1")
    assert status.status_code == 200
    assert status.json() == {
        "id": "e-1",
        "type": "hearing.scheduled",
        "outcome": "received",
        "note": None,
        "hearing_id": None,
        "received_at": "2027-04-01T12:00:00Z",
        "stated_at": "2027-03-31T08:00:00Z",
    }
    [row] = await legislation.fetch("SELECT topic, key, headers, body FROM outbox")
    headers = dict(row["headers"])
    assert (row["topic"], row["key"].decode()) == ("legislation.updates.v1", notice()["jurisdiction"])
    assert (headers["ce_source"], headers["ce_id"], headers["ce_type"]) == ("/sources/a", "e-1", "hearing.scheduled")


async def test_the_status_tells_what_became_of_an_update_to_its_own_source_alone(
    site: httpx.AsyncClient, legislation: Any, notice: Any
) -> None:
    await post(site, event(notice(starts_at="2027-03-31T09:00:00"), id="a/1 ü"))
    await legislation.hear(legislation.record(notice(starts_at="2027-03-31T09:00:00"), "a/1 ü"))
    status = (await site.get(f"{PATH}/a/1%20%C3%BC")).json()
    [hearing] = await legislation.fetch("SELECT id::text FROM hearings")
    assert (status["outcome"], status["note"]) == ("alerted", "starts in the past")
    assert status["hearing_id"] == hearing["id"]
    await legislation.hear(legislation.record(notice(), "theirs", source="/sources/b"))
    for other in ("theirs", "never", "%00", "%FF"):
        assert (await site.get(f"{PATH}/{other}")).status_code == 404, other


async def test_the_same_id_posted_again_is_taken_and_done_once(
    site: httpx.AsyncClient, legislation: Any, notice: Any
) -> None:
    twice = event(notice(), id="e-1")
    for body in (twice, twice, [twice, twice]):
        assert (await post(site, body)).status_code == 202
    assert len(await legislation.fetch("SELECT id FROM outbox")) == 1


async def test_an_update_without_an_id_is_a_new_statement(
    site: httpx.AsyncClient, legislation: Any, notice: Any
) -> None:
    answers = [await post(site, event(notice())) for _ in range(2)]
    assert len({answer.json()["ids"][0] for answer in answers}) == 2
    assert len(await legislation.fetch("SELECT id FROM outbox")) == 2


async def test_events_come_structured_batched_and_in_binary_mode_and_speak_for_the_key(
    site: httpx.AsyncClient, legislation: Any, notice: Any
) -> None:
    cloud = event(notice(), specversion="1.0", source="/someone/else")
    single = await post(site, cloud | {"id": "s"}, "application/cloudevents+json; charset=utf-8")
    batch = await post(site, [cloud | {"id": "b-1"}, cloud | {"id": "b-2"}], "application/cloudevents-batch+json")
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "bin%20ary",
        "ce-source": "/x",
        "ce-type": "hearing.scheduled",
        "ce-time": "2027-03-31T08:00:00Z",
    }
    binary = await site.post(PATH, json=notice(), headers=headers)
    assert [answer.json()["ids"] for answer in (single, batch, binary)] == [["s"], ["b-1", "b-2"], ["bin ary"]]
    said = "2 name another source than this key's, /sources/a, and were taken for /sources/a: a key speaks for one."
    assert batch.json()["note"] == said
    [seen] = await legislation.fetch("SELECT other_source_count, other_source_at FROM clarion.api_keys")
    assert (seen["other_source_count"], seen["other_source_at"]) == (4, NOW)
    acts = await legislation.fetch("SELECT act, actor_kind, details FROM clarion.audit ORDER BY id")
    assert [(row["act"], row["actor_kind"], row["details"]["other_source"]) for row in acts] == [
        ("updates.posted", "key", count) for count in (1, 2, 1)
    ]
    sources = await legislation.fetch("SELECT DISTINCT source FROM history")
    assert [row["source"] for row in sources] == ["/sources/a"]


async def test_one_mistake_in_an_array_and_nothing_is_taken(
    site: httpx.AsyncClient, legislation: Any, notice: Any
) -> None:
    body = [
        event(notice()),
        event(notice(agenda=[{"bill": 7}], starts_at="soon")),
        {"data": {}},
        event(notice(jurisdiction="california")),
        "text",
    ]
    answer = await post(site, body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [(one["index"], one["field"]) for one in answer.json()["errors"]] == [
        (1, "data.starts_at"),
        (1, "data.agenda[0].bill"),
        (2, "type"),
        (3, "data.jurisdiction"),
        (4, "(body)"),
    ]
    assert await legislation.fetch("SELECT source FROM history UNION ALL SELECT topic FROM outbox") == []


async def test_an_unknown_type_is_422_and_the_known_ones_are_named(site: httpx.AsyncClient, notice: Any) -> None:
    answer = await post(site, event(notice(), type="hearing.held"))
    [error] = answer.json()["errors"]
    assert error["field"] == "type"
    assert "'hearing.held'; known: hearing.scheduled, hearing.rescheduled, hearing.cancelled" in error["message"]


BROKEN = {
    "nothing": b"",
    "not JSON": b"{ no",
    "not UTF-8": b'{"type": "\xff\xfe"}',
    "half a surrogate pair": b'{"type": "hearing.scheduled", "data": {"hearing_id": "\\ud800"}}',
    "deeply nested": b"[" * 100_000,
    "deeply nested objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "not a number": b'{"type": "hearing.scheduled", "data": {"sequence": NaN}}',
    "an empty array": b"[]",
    "a number": b"1e999",
    "null": b"null",
    "ten thousand of nothing": b"[" + b",".join([b"{}"] * 10_000) + b"]",
}


async def test_what_is_no_update_is_422_and_leaves_nothing(site: httpx.AsyncClient, legislation: Any) -> None:
    for name, body in BROKEN.items():
        answer = await post(site, body)
        assert answer.status_code == 422, name
        assert answer.headers["content-type"] == "application/problem+json"
        assert 1 <= len(answer.json()["errors"]) <= 100, name
    assert await legislation.fetch("SELECT source FROM history") == []


WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"hearing_id": "nul \u0000"}, "data.hearing_id"),
    ({"hearing_id": " "}, "data.hearing_id"),
    ({"session": 20272028}, "data.session"),
    ({"committee": "Housing"}, "data.committee"),
    ({"starts_at": 1_800_000_000}, "data.starts_at"),
    ({"starts_at": "2027-04-21"}, "data"),
    ({"starts_at": "0001-01-01T00:00:00+14:00"}, "data.starts_at"),
    ({"agenda": [{"bill": "SB 1"}, {"bill": "-"}]}, "data.agenda[1].bill"),
    ({"agenda": [{"bill": "SB 1"}] * 501}, "data.agenda"),
    ({"sequence": 1.5}, "data.sequence"),
]
WRONG_ATTRIBUTES: list[tuple[dict[str, Any], str]] = [
    ({"specversion": "0.3", "id": "1", "source": "/a"}, "specversion"),
    ({"specversion": "1.0", "source": "/a"}, "id"),
    ({"id": ""}, "id"),
    ({"id": "x" * 501}, "id"),
    ({"id": "\u0000"}, "id"),
    ({"id": 7}, "id"),
    ({"time": "yesterday"}, "time"),
    ({"time": "2027-04-01T12:00:00"}, "time"),
    ({"time": "0001-01-01T00:00:00+14:00"}, "time"),
    ({"data": None}, "data"),
    ({"data": [1]}, "data"),
]


async def test_a_field_or_an_attribute_that_is_wrong_is_named(site: httpx.AsyncClient, notice: Any) -> None:
    bodies = [(event(notice(**change)), field) for change, field in WRONG_FIELDS]
    bodies += [(event(notice(), **attributes), field) for attributes, field in WRONG_ATTRIBUTES]
    for body, field in bodies:
        answer = await post(site, body)
        assert answer.status_code == 422, body
        assert [error["field"] for error in answer.json()["errors"]] == [field], body


async def test_five_megabytes_are_413(site: httpx.AsyncClient, notice: Any) -> None:
    answer = await post(site, event(notice(title="x" * 5_000_000)))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_list_that_grows_over_its_topics_size_is_taken_and_goes_in_parts(
    site: httpx.AsyncClient, legislation: Any, notice: Any
) -> None:
    small = notice(agenda=[{"bill": f"SB {number}"} for number in range(500)])
    hearings = [small | {"hearing_id": f"h-{number}"} for number in range(80)]
    calendar = {"jurisdiction": notice()["jurisdiction"], "hearings": hearings}
    answer = await post(site, event(calendar, type="hearing.calendar", id="list-1"))
    assert (answer.status_code, answer.json()) == (202, {"ids": ["list-1"]})
    assert len(await legislation.fetch("SELECT FROM outbox")) > 1


async def test_another_content_type_is_415(site: httpx.AsyncClient, notice: Any) -> None:
    assert (await post(site, event(notice()), "application/x-www-form-urlencoded")).status_code == 415


async def test_without_a_key_nothing_is_read(site: httpx.AsyncClient, notice: Any) -> None:
    answer = await site.post(PATH, json=event(notice()), headers={"authorization": "Bearer clarion_a_b"})
    assert answer.status_code == 401


class Cable:
    """A TCP connection to a server that can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.ends: list[asyncio.StreamWriter] = []
        self.carrying: set[asyncio.Task[None]] = set()

    async def plug(self, port: int = 0) -> int:
        self.server = await asyncio.start_server(self.carry, "127.0.0.1", port)
        return int(self.server.sockets[0].getsockname()[1])

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self.target)
        self.ends += [writer, there_writer]
        for source, target in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.create_task(self.pump(source, target))
            self.carrying.add(task)
            task.add_done_callback(self.carrying.discard)

    async def pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while content := await source.read(65536):
                target.write(content)
        target.close()

    async def cut(self) -> None:
        self.server.close()
        for end in self.ends:
            end.transport.abort()
        await asyncio.gather(*self.carrying)


async def test_while_the_database_is_away_it_is_503_and_said_when_to_come_back(database_url: str, notice: Any) -> None:
    parts = urlsplit(database_url)
    cable = Cable(str(parts.hostname), int(parts.port or 5432))
    port = await cable.plug()
    login = parts.netloc.rpartition("@")[0]
    url = urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))
    database = await Database.connect(url, "legislation")
    async with opened_site(database, lambda: NOW) as site:
        await cable.cut()
        answers = [await post(site, event(notice(), id="e-1")), await site.get(f"{PATH}/e-1")]
        found = [(one.status_code, one.headers.get("retry-after"), one.headers["content-type"]) for one in answers]
        assert found == [(503, "5", "application/problem+json")] * 2
        await cable.plug(port)
        assert (await post(site, event(notice(), id="e-1"))).status_code == 202
        await cable.cut()
    await database.close()


async def test_the_description_has_examples_that_are_taken(site: httpx.AsyncClient) -> None:
    description = (await site.get("/api/openapi.json")).json()
    operation = description["paths"][PATH]["post"]
    assert {"202", "401", "403", "413", "415", "422"} <= set(operation["responses"])
    assert "application/problem+json" in operation["responses"]["422"]["content"]
    assert operation["security"]
    for media_type, content in operation["requestBody"]["content"].items():
        for example in content["examples"].values():
            assert (await post(site, example["value"], media_type)).status_code == 202
