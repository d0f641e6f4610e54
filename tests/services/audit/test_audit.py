"""The record of acts: written with the act, read by whom it concerns, changed by nobody."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database
from clarion.runtime.database.migrate import discover_services
from clarion.runtime.database.pool import connect
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import Actor, record
from clarion.runtime.staff.reading import EVERY, Wanted, concerning, list_entries, purge
from clarion.runtime.web import pages, problems
from clarion.runtime.web.staff import StaffOnly
from clarion.services.audit.commands import audit
from clarion.services.audit.pages import audit_router
from tests.staff import signed_in, somebody

NOW = datetime(2027, 4, 1, 12, tzinfo=UTC)
MAILBOX = "ab" * 16
ADA = Actor("staff", "ada", "Ada Sample", "192.0.2.1")
BOB = Actor("key", "k-1", "daily <file>", "192.0.2.2")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.connect(database_url, "directory", max_size=3)
    yield opened
    await opened.close()


async def fill(database: Database) -> None:
    """Five acts: of two actors, in two divisions and none, one that concerns a mailbox."""
    async with database.transaction() as tx:
        at = tx.connection
        await record(at, ADA, "position.adopted", "position:1", at=NOW - timedelta(days=2), details={"bill": "SB 79"})
        await record(at, ADA, "campaign.paused", "campaign:7", at=NOW, divisions=["north-bay"])
        await record(at, BOB, "updates.posted", "key:k-1", at=NOW, details={"published": 3, "why": None})
        await record(at, BOB, "campaign.resumed", "campaign:7", at=NOW, divisions=["north-bay", "peninsula"])
        await record(at, ADA, "mailbox.suppressed", f"mailbox:{MAILBOX}", at=NOW, mailbox=MAILBOX)


async def found(database: Database, wanted: Wanted = EVERY, **of: object) -> list[str]:
    async with database.connection() as connection:
        return [entry.act for entry in await list_entries(connection, wanted, **of)]  # type: ignore[arg-type]


async def test_what_was_done_is_found_by_who_what_to_what_and_when(database: Database) -> None:
    await fill(database)
    newest = ["mailbox.suppressed", "campaign.resumed", "updates.posted", "campaign.paused", "position.adopted"]
    assert await found(database) == newest
    assert await found(database, Wanted(who="ada sam")) == [newest[0], newest[3], newest[4]]
    assert await found(database, Wanted(who="k-1")) == [newest[1], newest[2]]
    assert await found(database, Wanted(kind="key")) == [newest[1], newest[2]]
    assert await found(database, Wanted(kind="person")) == []
    assert await found(database, Wanted(act="campaign")) == [newest[1], newest[3]]
    assert await found(database, Wanted(act="camp")) == []
    assert await found(database, Wanted(act="campaign.paused")) == [newest[3]]
    assert await found(database, Wanted(subject="campaign:7")) == [newest[1], newest[3]]
    assert await found(database, Wanted(subject="campaign")) == [newest[1], newest[3]]
    assert await found(database, Wanted(subject="campaign:", act="%")) == []
    assert await found(database, Wanted(since=NOW)) == newest[:4]
    async with database.connection() as connection:
        entries = await list_entries(connection, at_most=2)
        older = await list_entries(connection, Wanted(before=entries[-1].id))
        mine = await concerning(connection, MAILBOX)
    assert [entry.act for entry in older] == newest[2:]
    assert [(entry.act, entry.words) for entry in mine] == [(newest[0], "had nothing more sent to a mailbox")]


async def test_each_reads_what_concerns_them(database: Database) -> None:
    await fill(database)
    own = Actor("staff", "m-1", "Mo", "192.0.2.3")
    async with database.transaction() as tx:
        await record(tx.connection, own, "webinar.created", "webinar:x", at=NOW)
    manager = somebody("manager", ["peninsula"])
    assert await found(database, reader=manager) == ["campaign.resumed"]
    assert await found(database, reader=somebody("manager", [], ["north-bay"])) == [
        "campaign.resumed",
        "campaign.paused",
    ]
    async with database.connection() as connection:
        mine = await list_entries(connection, reader=replace(manager, id="m-1"))
    assert [entry.act for entry in mine] == ["webinar.created", "campaign.resumed"]
    assert len(await found(database, reader=somebody("admin"))) == 6
    assert len(await found(database, reader=somebody("state"))) == 6
    assert await found(database, reader=somebody("viewer")) == []


FORBIDDEN = (
    "UPDATE clarion.audit SET actor_name = 'somebody else'",
    "DELETE FROM clarion.audit",
    "TRUNCATE clarion.audit",
    "DROP TABLE clarion.audit",
    "ALTER TABLE clarion.audit DISABLE TRIGGER ALL",
)


async def test_no_service_can_change_or_remove_what_was_done(database_url: str, database: Database) -> None:
    await fill(database)
    for service in discover_services():
        connection = await connect(database_url, service)
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        await record(connection, ADA, "webinar.created", "webinar:x", at=NOW)
        await connection.close()
    assert len(await found(database)) == 5 + len(discover_services())


async def test_what_is_old_goes_and_nothing_younger_than_400_days_whoever_asks(database: Database) -> None:
    now = system_clock()
    async with database.transaction() as tx:
        for days in (2_000, 1_200, 500, 399, 0):
            at = now - timedelta(days=days)
            await record(tx.connection, ADA, "webinar.created", f"webinar:{days}", at=at)
        assert await purge(tx.connection, days=1_095, at_most=1) == 1
        assert await purge(tx.connection, days=1_095, at_most=10) == 1
        assert await purge(tx.connection, days=0, at_most=10) == 1
        left = await list_entries(tx.connection)
    assert [entry.subject for entry in left] == ["webinar:0", "webinar:399"]


@pytest.fixture
async def browser(database: Database, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    site = FastAPI()
    problems.install(site)
    pages.install(site)
    site.include_router(audit_router(database, StaffOnly(database.connection, settings)))
    transport, html = httpx.ASGITransport(site), {"accept": "text/html"}
    async with httpx.AsyncClient(transport=transport, base_url="http://clarion.example", headers=html) as client:
        yield client


async def test_the_page_shows_who_did_what_as_text_and_leads_to_older_acts(
    browser: httpx.AsyncClient, database: Database
) -> None:
    await signed_in(browser, database, "admin")
    assert "Nothing that fits was done" in (await browser.get("/audit")).text
    await fill(database)
    page = (await browser.get("/audit")).text
    assert "Ada Sample adopted a position" in page
    assert "bill: SB 79" in page
    assert "daily &lt;file&gt;" in page
    assert "Older ones" not in page
    async with database.transaction() as tx:
        for number in range(100):
            await record(tx.connection, ADA, "webinar.created", f"webinar:{number}", at=NOW)
    assert "made an event" not in (await browser.get("/audit", params={"kind": "key"})).text
    first = (await browser.get("/audit", params={"who": "Ada"})).text
    assert "Older ones" in first
    assert "adopted a position" not in first
    [rest] = [part.split('"')[0] for part in first.split('href="')[1:] if part.startswith("/audit?who=Ada")]
    assert "adopted a position" in (await browser.get(rest.replace("&amp;", "&"))).text


async def test_a_manager_sees_what_concerns_the_own_divisions_alone(
    browser: httpx.AsyncClient, database: Database
) -> None:
    await fill(database)
    await signed_in(browser, database, "manager", ["north-bay"])
    page = (await browser.get("/audit")).text
    assert "paused a campaign" in page
    assert "adopted a position" not in page
    assert "your divisions (north-bay)" in page


@pytest.mark.parametrize("wrong", [{"since": "soon"}, {"before": "x"}, {"who": "a\x00"}, {"since": "9" * 39}])
async def test_what_cannot_be_looked_for_is_said(
    browser: httpx.AsyncClient, database: Database, wrong: dict[str, str]
) -> None:
    await signed_in(browser, database, "admin")
    assert (await browser.get("/audit", params=wrong)).status_code == 422


async def test_a_viewer_has_no_audit_page(browser: httpx.AsyncClient, database: Database) -> None:
    await signed_in(browser, database, "viewer")
    assert (await browser.get("/audit")).status_code == 403


async def test_the_command_lists_acts_for_people_and_for_machines(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await fill(database)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", database_url)
    runner = CliRunner()
    listed = await asyncio.to_thread(runner.invoke, audit, ["list", "--subject", "campaign", "--json"])
    assert [(one["act"], one["divisions"]) for one in json.loads(listed.stdout)] == [
        ("campaign.resumed", ["north-bay", "peninsula"]),
        ("campaign.paused", ["north-bay"]),
    ]
    told = await asyncio.to_thread(runner.invoke, audit, ["list", "--who", "ada", "--since", "2027-03-01"])
    assert "Ada Sample (staff)" in told.stdout
    assert "bill: SB 79" in told.stdout
    keys = await asyncio.to_thread(runner.invoke, audit, ["list", "--kind", "key", "--json"])
    assert {one["actor_kind"] for one in json.loads(keys.stdout)} == {"key"}
    assert (await asyncio.to_thread(runner.invoke, audit, ["list", "--kind", "robot"])).exit_code == 2
    nobody = await asyncio.to_thread(runner.invoke, audit, ["list", "--act", "nothing"])
    assert "Nothing that fits was done." in nobody.stdout
