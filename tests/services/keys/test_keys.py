"""API keys at the command line and on the page for administrators."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.web import pages, problems
from clarion.runtime.web.staff import StaffOnly
from clarion.services.keys.commands import keys
from clarion.services.keys.operations import expiry
from clarion.services.keys.pages import keys_router
from tests.staff import form_token_in, signed_in

NOW = datetime(2027, 4, 1, 12, tzinfo=UTC)
SITE = "http://clarion.example"

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", database_url)

    async def invoke(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, keys, list(arguments))

    return invoke


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.connect(database_url, "directory", max_size=3)
    yield opened
    await opened.close()


@pytest.fixture
async def browser(database: Database, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    site = FastAPI()
    problems.install(site)
    pages.install(site)
    site.include_router(keys_router(database, StaffOnly(database.connection, settings)))
    html = {"accept": "text/html"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=SITE, headers=html) as client:
        yield client


async def acts(database: Database) -> list[tuple[str, str, str]]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT act, actor_kind, subject FROM clarion.audit ORDER BY id")
    return [(row["act"], row["actor_kind"], row["subject"]) for row in rows]


async def test_a_key_is_printed_once_listed_without_secret_and_revoked(run: Run, database: Database) -> None:
    made = json.loads((await run("create", "daily", "--scope", "updates", "--expires", "30", "--json")).stdout)
    assert made["key"].startswith(f"clarion_{made['id']}_")
    shown = await run("create", "other", "--scope", "updates", "--source", "/sources/other")
    assert "not shown again" in shown.stdout
    listed = json.loads((await run("list", "--json")).stdout)
    assert [(one["name"], one["scopes"], one["source"], one["state"]) for one in listed] == [
        ("daily", ["updates"], "/integrations/daily", "good"),
        ("other", ["updates"], "/sources/other", "good"),
    ]
    assert listed[0]["expires_at"] == made["expires_at"]
    assert made["key"][-43:] not in (await run("list")).stdout
    first = json.loads((await run("revoke", made["id"], "--json")).stdout)
    again = json.loads((await run("revoke", made["id"], "--json")).stdout)
    assert first == again
    assert [one["state"] for one in json.loads((await run("list", "--json")).stdout)] == ["revoked", "good"]
    assert await acts(database) == [
        ("key.created", "command", f"key:{listed[0]['id']}"),
        ("key.created", "command", f"key:{listed[1]['id']}"),
        ("key.revoked", "command", f"key:{made['id']}"),
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("create", "third", "--scope", "everything"), "unknown scope everything; known: updates, "),
        (("create", "third", "--scope", "updates", "--expires", "soon"), "neither a number of days nor a date"),
        (("create", "third", "--scope", "updates", "--expires", "2020-01-01"), "is over already"),
        (("create", "third", "--scope", "updates", "--expires", "0"), "1 to 3,650 days"),
        (("create", "third", "--scope", "updates", "--source", "two words"), "a source is an address"),
        (("create", " ", "--scope", "updates"), "a name has 1 to 200"),
    ],
)
async def test_a_key_that_cannot_be_is_said_and_not_made(
    run: Run, database: Database, wrong: tuple[str, ...], said: str
) -> None:
    answer = await run(*wrong)
    assert (answer.exit_code, said in answer.stderr) == (2, True), answer.stderr
    assert await acts(database) == []


async def test_a_key_that_is_not_there_is_not_revoked(run: Run) -> None:
    answer = await run("revoke", "nobody's")
    assert (answer.exit_code, "clarion keys list" in answer.stderr) == (1, True)


def test_a_date_means_the_end_of_that_day() -> None:
    assert expiry("2027-04-01", NOW) == datetime(2027, 4, 2, tzinfo=UTC)
    assert expiry("7", NOW) == NOW + timedelta(days=7)
    for wrong in ("2027-03-31", "9999-12-31", "-1", "3651", "99999999999", "2027-13-01", "²"):
        with pytest.raises(ValueError, match=r"days|date"):
            expiry(wrong, NOW)


async def test_an_administrator_makes_a_key_sees_it_once_and_revokes_it(
    browser: httpx.AsyncClient, database: Database
) -> None:
    sam = await signed_in(browser, database, "admin")
    empty = await browser.get("/keys")
    assert "No key has been made yet" in empty.text
    form = {"form_token": form_token_in(empty.text), "name": "daily <file>", "scope": ["updates", "campaigns"]}
    made = await browser.post("/keys", data=form)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    found = re.search(r"<pre>(clarion_([\w-]{36})_[\w-]{43})</pre>", made.text)
    assert found
    listed = (await browser.get("/keys")).text
    assert found[1] not in listed
    assert "daily &lt;file&gt;" in listed
    asked = await browser.get(f"/keys/{found[2]}/revoke")
    assert "for good" in asked.text
    done = await browser.post(f"/keys/{found[2]}/revoke", data=sam.form)
    assert done.headers["location"] == "/keys?outcome=revoked"
    assert "It is revoked" in (await browser.get("/keys?outcome=revoked")).text
    assert await acts(database) == [
        ("key.created", "staff", f"key:{found[2]}"),
        ("key.revoked", "staff", f"key:{found[2]}"),
    ]


async def test_a_form_that_makes_no_key_keeps_what_was_given_and_says_what_is_wrong(
    browser: httpx.AsyncClient, database: Database
) -> None:
    sam = await signed_in(browser, database, "admin")
    answer = await browser.post("/keys", data={**sam.form, "name": "daily", "expires": "tomorrow"})
    assert answer.status_code == 422
    assert "neither a number of days nor a date" in answer.text
    assert 'value="tomorrow"' in answer.text
    assert await acts(database) == []


async def test_a_revoked_key_in_use_is_seen_on_the_page(browser: httpx.AsyncClient, database: Database) -> None:
    await signed_in(browser, database, "admin")
    async with database.connection() as connection:
        await connection.execute(
            """INSERT INTO clarion.api_keys
                      (id, name, key_hash, scopes, revoked_at, refused_count, refused_at, refused_why)
               VALUES ('k', 'old', '', '{updates}', now(), 12, now(), 'revoked')"""
        )
    page = (await browser.get("/keys")).text
    assert "used in vain</span> 12 times" in page
    assert "Revoke old" not in page


@pytest.mark.parametrize("role", ["state", "manager", "viewer"])
async def test_nobody_but_administrators_comes_to_the_keys(
    browser: httpx.AsyncClient, database: Database, role: str
) -> None:
    sam = await signed_in(browser, database, role, ["north-bay"] if role == "manager" else [])
    assert (await browser.get("/keys")).status_code == 403
    assert (await browser.post("/keys", data={**sam.form, "name": "x", "scope": "updates"})).status_code == 403
    assert await acts(database) == []


async def test_a_form_of_another_session_makes_no_key(browser: httpx.AsyncClient, database: Database) -> None:
    await signed_in(browser, database, "admin")
    answer = await browser.post("/keys", data={"form_token": "a" * 64, "name": "x", "scope": "updates"})
    assert answer.status_code == 403
    assert await acts(database) == []
