"""API keys: what opens a route, and what does not."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI

from clarion.runtime.database import Database
from clarion.runtime.web import problems
from clarion.runtime.web.keys import ApiKey, create_key, list_keys, require_scope, revoke_key

NOW = datetime(2027, 4, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.connect(database_url, "legislation", max_size=2)
    yield opened
    await opened.close()


@pytest.fixture
def site(database: Database, clock: Clock) -> httpx.AsyncClient:
    app = FastAPI()
    problems.install(app)

    @app.get("/me")
    async def me(
        key: Annotated[ApiKey, Depends(require_scope("updates", database.connection, clock))],
    ) -> dict[str, str]:
        return {"id": key.id, "source": key.source}

    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example")


async def ask(site: httpx.AsyncClient, key: str) -> httpx.Response:
    async with site:
        return await site.get("/me", headers={"authorization": f"Bearer {key}"})


async def make(database: Database, *scopes: str, source: str | None = None, days: int | None = None) -> tuple[str, str]:
    expires_at = None if days is None else NOW + timedelta(days=days)
    async with database.transaction() as tx:
        return await create_key(
            tx.connection, "daily file", scopes or ("updates",), source, lambda: NOW, expires_at=expires_at
        )


async def test_a_key_opens_what_its_scope_names_and_speaks_for_its_source(
    database: Database, site: httpx.AsyncClient
) -> None:
    key_id, key = await make(database, "registrations", "updates", source="/sources/a")
    answer = await ask(site, key)
    assert (answer.status_code, answer.json()) == (200, {"id": key_id, "source": "/sources/a"})
    assert re.fullmatch(rf"clarion_{key_id}_[\w-]{{43}}", key)


async def test_a_key_without_a_source_speaks_for_its_name(database: Database, site: httpx.AsyncClient) -> None:
    _, key = await make(database)
    assert (await ask(site, key)).json()["source"] == "/integrations/daily%20file"


async def test_without_a_key_the_answer_is_401_and_says_how(site: httpx.AsyncClient) -> None:
    async with site:
        for headers in ({}, {"authorization": "Basic abc"}, {"authorization": "Bearer"}):
            answer = await site.get("/me", headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == 'Bearer realm="clarion"'
            assert answer.headers["content-type"] == "application/problem+json"


async def test_another_scope_is_403(database: Database, site: httpx.AsyncClient) -> None:
    _, key = await make(database, "registrations")
    answer = await ask(site, key)
    assert answer.status_code == 403
    assert 'error="insufficient_scope", scope="updates"' in answer.headers["www-authenticate"]


async def test_a_key_that_is_not_ours_is_401(database: Database, site: httpx.AsyncClient) -> None:
    key_id, key = await make(database)
    async with site:
        for other in (key[:-1], key + "x", f"clarion_{key_id}_", "clarion", f"other_{key_id}_{key[-43:]}", "x" * 5_000):
            answer = await site.get("/me", headers={"authorization": f"Bearer {other}"})
            assert answer.status_code == 401, other
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        odd = await site.get("/me", headers={"authorization": b"Bearer clarion_\xff\x80_a"})
        assert odd.status_code == 401


async def test_a_revoked_key_and_an_expired_one_are_401(
    database: Database, site: httpx.AsyncClient, clock: Clock
) -> None:
    key_id, revoked = await make(database)
    _, short = await make(database, days=1)
    async with site:
        clock.now = NOW + timedelta(hours=23)
        assert (await site.get("/me", headers={"authorization": f"Bearer {short}"})).status_code == 200
        clock.now = NOW + timedelta(days=1)
        assert (await site.get("/me", headers={"authorization": f"Bearer {short}"})).status_code == 401
        assert (await site.get("/me", headers={"authorization": f"Bearer {revoked}"})).status_code == 200
        async with database.transaction() as tx:
            assert await revoke_key(tx.connection, key_id)
            assert not await revoke_key(tx.connection, "no such key")
        assert (await site.get("/me", headers={"authorization": f"Bearer {revoked}"})).status_code == 401


async def test_a_key_that_is_refused_says_why_and_its_use_is_seen_by_who_looks_at_the_keys(
    database: Database, site: httpx.AsyncClient, clock: Clock
) -> None:
    _, key = await make(database, "updates", days=1)
    key_id, other = await make(database, "registrations")
    async with site:
        clock.now = NOW + timedelta(days=1, hours=1)
        late = await site.get("/me", headers={"authorization": f"Bearer {key}"})
        assert late.json()["detail"] == "This API key expired on 2027-04-02 at 12:00 UTC: use another."
        assert (await site.get("/me", headers={"authorization": f"Bearer {other}"})).status_code == 403
        async with database.transaction() as tx:
            await revoke_key(tx.connection, key_id, clock)
        for _ in range(2):
            clock.now += timedelta(minutes=1)
            gone = await site.get("/me", headers={"authorization": f"Bearer {other}"})
    assert gone.json()["detail"] == "This API key was revoked on 2027-04-02 at 13:00 UTC: use another."
    async with database.connection() as connection:
        expired, revoked = sorted(await list_keys(connection, clock.now), key=lambda one: one["state"])
        acts = await connection.fetch("SELECT act, subject, place, details FROM clarion.audit ORDER BY id")
    assert (expired["state"], expired["refused_count"], expired["refused_why"]) == ("expired", 1, "expired")
    assert (revoked["state"], revoked["refused_count"], revoked["refused_why"]) == ("revoked", 3, "revoked")
    assert (revoked["refused_at"], revoked["last_used_at"]) == (clock.now, None)
    told = [(row["act"], row["subject"], row["place"], row["details"]["why"]) for row in acts]
    assert told == [
        ("key.refused", f"key:{expired['id']}", "127.0.0.1", "expired"),
        ("key.refused", f"key:{key_id}", "127.0.0.1", "lacks the scope updates"),
    ]


async def test_a_key_that_is_none_of_ours_is_counted_nowhere(database: Database, site: httpx.AsyncClient) -> None:
    key_id, _ = await make(database)
    assert (await ask(site, f"clarion_{key_id}_guess")).status_code == 401
    async with database.connection() as connection:
        [listed] = await list_keys(connection)
        acts = await connection.fetchval("SELECT count(*) FROM clarion.audit")
    assert (listed["refused_count"], acts) == (0, 0)


@pytest.mark.parametrize(
    ("name", "source"),
    [("", None), ("a" * 201, None), ("a\x00b", None), ("a", "two words"), ("a", "/" * 501), ("a", "")],
)
async def test_a_name_or_source_that_cannot_be_one_is_refused(
    database: Database, name: str, source: str | None
) -> None:
    async with database.transaction() as tx:
        with pytest.raises(ValueError, match="characters"):
            await create_key(tx.connection, name, ["updates"], source)


async def test_only_a_hash_of_a_key_is_kept_and_its_use_is_seen(database: Database, site: httpx.AsyncClient) -> None:
    _, key = await make(database)
    await ask(site, key)
    async with database.connection() as connection:
        [listed] = await list_keys(connection)
        kept = await connection.fetchval("SELECT api_keys::text FROM clarion.api_keys")
    assert listed["last_used_at"] == NOW
    assert "key_hash" not in listed
    assert key[-43:] not in kept


async def test_an_unknown_scope_is_refused(database: Database) -> None:
    for scopes in (("everything",), ()):
        async with database.transaction() as tx:
            with pytest.raises(ValueError, match="known: updates, "):
                await create_key(tx.connection, "name", scopes)
