"""Exporting and erasing people: shared mailboxes, kills in the middle, the command and the pages."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, mailbox_key, open_database
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import command_actor
from clarion.runtime.web import pages, problems
from clarion.runtime.web.links import SignedLinks
from clarion.runtime.web.staff import StaffOnly
from clarion.schemas.mailboxes import mailbox
from clarion.schemas.messages import MessageBatch
from clarion.schemas.topics import DIRECTORY_NOTICES
from clarion.services.notifications import operations as mail
from clarion.services.notifications.reports import find_story
from clarion.services.people import operations
from clarion.services.people.commands import people
from clarion.services.people.operations import InUse, SeveralKnown
from clarion.services.people.pages import people_router
from tests.conftest import Until
from tests.staff import form_token_in, signed_in
from tests.whole.test_erasing import tables_saying

ADDRESS = "clerk@alder.ca.example"
ADA, BO = ("ada-1", "Ada Marigold"), ("bo-1", "Bo Thistledown")
ENTITY = """
INSERT INTO directory.entities (kind, id, revision, state, import_id, changed_at)
VALUES ('official', $1, 1, $2::text::jsonb, 'i', now())
"""
PROJECTED = "INSERT INTO notifications.officials VALUES ($1, 1, $2, $3, $4, 'city:1', '{Clerk}', true)"
CALLED = """
INSERT INTO campaigns.calls (campaign, official, city, division, mailbox, letter, testimony, asked_at)
VALUES ('c1', $1, 'city:1', 'd', $2, true, false, now())
"""
EVENT = """
INSERT INTO registrations.webinars (id, slug, starts_at, ends_at, closes_at, capacity, description, confirmed, waiting,
    last_position, created_at, changed_at)
SELECT 'w1', 'w1', soon, soon + interval '1 day', soon, 1, $1::text::jsonb, 1, 1, 2, now(), now()
FROM (SELECT now() + interval '9 days' AS soon) AS at
"""
REGISTERED = """
INSERT INTO registrations.registrations (id, event_id, mailbox, token, name, email, own, status, position, received_at)
VALUES ($1, 'w1', $2, $1, $3, $4, true, $5, $6, now())
"""
STOP = """
CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stopped here'; END $$;
CREATE TRIGGER stop BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION stop();
"""
UNDER_WAY = """
INSERT INTO notifications.rounds
VALUES ($1, 0, ARRAY[$2::uuid], '{1}', '{0}', ARRAY[NULL::integer], ARRAY[NULL], ARRAY[now()], ARRAY[now()])
"""
CORRECTED = """
INSERT INTO directory.corrections (id, official, wish, overlay, state, mailbox, said_by_kind, said_by, said_at)
VALUES ('c1', 'ada-1', 'address', $1::text::jsonb, 'asked', $2, 'person', 'a reader', now())
"""
STEPS = (
    "notifications.suppressions",
    "registrations.registrations",
    "directory.erased",
    "campaigns.calls",
    "clarion.audit",
)


class Town:
    """A database with two officials who share an address."""

    def __init__(self, settings: Settings, login: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.settings = settings
        self.login = login
        self.box = ""

    async def move_in(self) -> None:
        async with open_database(self.settings, "directory") as database, database.connection() as connection:
            self.box = mailbox(ADDRESS, await mailbox_key(connection))
        for official, name in (ADA, BO):
            state = {"name": name, "email": ADDRESS, "mailbox": self.box, "city": "city:1", "roles": ["Clerk"]}
            await self.login.execute(ENTITY, official, json.dumps({**state, "groups": []}))
            await self.login.execute(PROJECTED, official, name, ADDRESS, self.box)
            await self.login.execute(CALLED, official, self.box)
        await self.call(["ada-1", "bo-1"])

    async def call(self, officials: list[str], matter: str = "campaign:c1", **recipient: Any) -> None:
        batch = MessageBatch.model_validate(
            {
                "matter": matter,
                "revision": 1,
                "template": "call",
                "lane": "call",
                "facts": [],
                "recipients": [{"mailbox": self.box, "officials": officials, **recipient}],
            }
        )
        async with open_database(self.settings, "notifications") as database, database.transaction() as tx:
            await mail.register(tx, [batch], system_clock())

    async def tell_another(self) -> None:
        """Somebody else's mail says the address, and one like it."""
        told = "It is now Clerk@alder.ca.example, not sub.clerk@alder.ca.example"
        fields: dict[str, Any] = {"matter": "notice:1", "revision": 1, "template": "notice", "lane": "call"}
        facts = [{"key": "now", "label": "Now", "text": told}]
        recipients = [{"mailbox": "f" * 32, "address": "other@alder.ca.example"}]
        batch = MessageBatch.model_validate({**fields, "facts": facts, "recipients": recipients})
        async with open_database(self.settings, "notifications") as database, database.transaction() as tx:
            await mail.register(tx, [batch], system_clock())
        async with open_database(self.settings, "directory") as database, database.transaction() as tx:
            await enqueue(tx, [Outgoing(DIRECTORY_NOTICES, "k", "messages.requested", batch)])

    async def register(self, name: str, status: str = "confirmed", position: int = 1, email: str = ADDRESS) -> None:
        box = self.box if email == ADDRESS else f"{position:032x}"
        await self.login.execute(REGISTERED, f"r-{name}", box, name, email, status, position)

    async def hold_event(self) -> None:
        about = {
            "slug": "w1",
            "title": "Packaging",
            "starts_at": "2099-01-01T10:00:00Z",
            "ends_at": "2099-01-01T11:00:00Z",
            "capacity": 1,
            "contact": {"name": "Ada Marigold", "address": ADDRESS},
        }
        await self.login.execute(EVENT, json.dumps(about))

    async def erase(self, *officials: str, everyone: bool = False) -> operations.Done:
        who = await operations.unfinished(self.settings, ADDRESS) or await operations.find(
            self.settings, ADDRESS, officials, everyone=everyone
        )
        return await operations.erase(self.settings, who, command_actor())


@pytest.fixture
async def town(settings: Settings, database_url: str) -> AsyncIterator[Town]:
    login = await asyncpg.connect(database_url)
    made = Town(settings, login)
    await made.move_in()
    yield made
    await login.close()


async def test_of_several_at_one_address_somebody_says_who_is_meant(town: Town) -> None:
    with pytest.raises(SeveralKnown) as shared:
        await operations.find(town.settings, ADDRESS)
    assert shared.value.readers == dict([ADA, BO])
    with pytest.raises(ValueError, match="no official of this id"):
        await operations.find(town.settings, ADDRESS, ["cy-1"])


async def test_one_of_several_goes_and_the_others_keep_their_mail(town: Town) -> None:
    await town.register("Ada Marigold", "declined")
    await town.register("Bo Thistledown")
    await town.call([], "registration:r1", address=ADDRESS, name="Ada Marigold")
    await town.erase("ada-1")
    assert await tables_saying(town.settings, "marigold") == {}
    left = {name.partition("_2")[0] for _, name in await tables_saying(town.settings, "ada-1")}
    assert left <= {"outbox", "cards_to_write"}, "what is on its way to those who are to forget"
    assert await town.login.fetchval("SELECT count(*) FROM notifications.suppressions") == 0
    [row] = await town.login.fetch(
        "SELECT officials, parts, state FROM notifications.ledger WHERE mailbox = $1", town.box
    )
    assert (row["officials"], row["state"]) == (["bo-1"], "queued")
    assert json.loads(row["parts"]) == [{}]
    assert [one["name"] for one in await town.login.fetch("SELECT name FROM registrations.registrations")] == [BO[1]]
    kept = await operations.export(town.settings, await operations.find(town.settings, ADDRESS))
    assert kept.officials == ["bo-1"]
    assert "Thistledown" in kept.model_dump_json()


@pytest.mark.parametrize("table", STEPS)
async def test_an_erasure_that_died_in_the_middle_is_whole_when_it_is_asked_for_again(town: Town, table: str) -> None:
    await town.hold_event()
    await town.register("Ada Marigold")
    await town.register("Cy Fern", "waitlisted", 2, "cy@other.example")
    await town.login.execute(STOP.format(table=table))
    with pytest.raises(asyncpg.RaiseError, match="stopped here"):
        await town.erase(everyone=True)
    await town.login.execute(f"DROP TRIGGER stop ON {table}")
    await town.erase()
    assert await tables_saying(town.settings, "marigold", "thistledown", ADDRESS) == {}
    assert await operations.unfinished(town.settings, ADDRESS) is None
    assert await town.login.fetchval("SELECT status FROM registrations.registrations") == "confirmed", (
        "the next in line"
    )
    assert await town.login.fetchval("SELECT state FROM notifications.ledger") == "suppressed"
    assert await town.login.fetchval("SELECT count(*) FROM campaigns.calls") == 2
    assert await town.login.fetchval("SELECT count(DISTINCT key) FROM directory.outbox WHERE body IS NULL") == 2
    assert await town.login.fetchval("SELECT count(*) FROM clarion.audit WHERE act = 'person.erased'") == 1


async def test_what_others_are_told_stays_without_the_address(town: Town) -> None:
    await town.tell_another()
    await town.erase(everyone=True)
    kept = await town.login.fetchval(
        "SELECT facts -> 0 ->> 'text' FROM notifications.contents WHERE matter = 'notice:1'"
    )
    assert kept == "It is now erased, not sub.clerk@alder.ca.example"
    body = await town.login.fetchval("SELECT body FROM directory.outbox WHERE topic = 'directory.notices.v1'")
    assert json.loads(body)["facts"][0]["text"] == kept
    assert len(json.loads(body)["recipients"]) == 1


async def test_whoever_is_one_of_an_organisations_people_goes_from_it(town: Town) -> None:
    people_of = [{"name": "Ada Marigold", "title": "Clerk", "email": ADDRESS}, {"name": "Cy", "email": "cy@p.example"}]
    state = {"name": "Packagers", "kind": "partner", "people": people_of}
    await town.login.execute(ENTITY.replace("'official'", "'partner'"), "packagers", json.dumps(state))
    await town.erase(everyone=True)
    bodies = await town.login.fetch("SELECT body FROM directory.outbox WHERE body IS NOT NULL")
    [told] = [json.loads(row["body"]) for row in bodies]
    assert (told["id"], told["revision"], [one["name"] for one in told["people"]]) == ("packagers", 2, ["Cy"])
    assert await tables_saying(town.settings, "marigold", ADDRESS) == {}


async def test_a_mail_that_is_on_its_way_is_waited_for(town: Town) -> None:
    thread = await town.login.fetchval("SELECT thread_id FROM notifications.ledger")
    worker = await town.login.fetchval(
        "INSERT INTO notifications.workers (id, lease_until) VALUES (gen_random_uuid(), now() + interval '1 hour')"
        " RETURNING id"
    )
    await town.login.execute(UNDER_WAY, worker, thread)
    erasing = asyncio.create_task(town.erase(everyone=True))
    while not await town.login.fetchval("SELECT count(*) FROM notifications.suppressions"):
        await asyncio.sleep(0.01)
    assert await town.login.fetchval("SELECT thread_id FROM notifications.ledger") == thread
    await town.login.execute("DELETE FROM notifications.rounds")
    await erasing
    [row] = await town.login.fetch("SELECT thread_id, state, mailbox FROM notifications.ledger")
    assert (row["thread_id"] == thread, row["state"], row["mailbox"] == town.box) == (False, "suppressed", False)


async def test_who_changes_the_same_at_the_same_moment_does_not_stop_an_erasure(town: Town, until: Until) -> None:
    """The directory's word that they are gone is handled by campaigns at that moment, in an order of its own."""
    changed = "UPDATE campaigns.calls SET phone = false WHERE official = $1"
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    other = await asyncpg.connect(town.settings.database_url)
    async with other.transaction():
        # The one who looks for a deadlock first is the one who is turned away.
        await other.execute("SET LOCAL deadlock_timeout = '1min'")
        await other.execute(changed, "bo-1")
        erasing = asyncio.create_task(town.erase(everyone=True))
        await until(lambda: town.login.fetchval(waiting))
        await other.execute(changed, "ada-1")
    await other.close()
    done = await erasing
    assert done.counts["campaigns"]["calls"] == 2
    assert await tables_saying(town.settings, "marigold", "thistledown", ADDRESS) == {}


async def test_a_mail_of_nobody_can_still_be_looked_at(town: Town) -> None:
    await town.login.execute("UPDATE notifications.ledger SET state = 'sent', reason = 'said clerk@alder.ca.example'")
    await town.erase(everyone=True)
    thread = await town.login.fetchval("SELECT thread_id FROM notifications.ledger")
    async with open_database(town.settings, "notifications") as database, database.connection() as connection:
        story = await find_story(connection, thread, 1)
    assert story is not None
    assert (story["state"], story["to"], story["officials"], story["reason"]) == ("sent", None, [], "erased")


async def test_an_address_that_was_only_asked_for_is_found(town: Town) -> None:
    asked = {"email": "new@alder.ca.example", "mailbox": "0" * 32}
    await town.login.execute(CORRECTED, json.dumps(asked), town.box)
    who = await operations.find(town.settings, "new@alder.ca.example")
    assert len((await operations.export(town.settings, who)).directory["corrections"]) == 1
    await operations.erase(town.settings, who, command_actor())
    assert await tables_saying(town.settings, "new@alder") == {}
    assert await tables_saying(town.settings, "marigold"), "the official is another address's"


async def test_what_comes_after_an_erasure_is_forgotten_by_the_next_look(town: Town) -> None:
    await town.erase(everyone=True)
    await town.call([], "registration:late", address=ADDRESS, name="Ada Marigold")
    async with open_database(town.settings, "notifications") as database, database.transaction() as tx:
        assert await operations.notifications.erase_late(tx, system_clock()) == 1
        assert await operations.notifications.erase_late(tx, system_clock()) == 0
    assert await tables_saying(town.settings, "marigold", ADDRESS) == {}


async def test_staff_who_have_an_account_are_not_erased_behind_its_back(town: Town) -> None:
    await town.login.execute("INSERT INTO clarion.staff VALUES ('s', $1, 'Ada', 'viewer', now(), NULL)", ADDRESS)
    with pytest.raises(InUse, match="staff remove"):
        await town.erase("ada-1")


Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", str(town.settings.database_url))

    async def invoke(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, people, list(words))

    return invoke


async def test_the_command_says_what_it_will_do_and_asks(town: Town, run: Run) -> None:
    several = await run("erase", ADDRESS)
    assert (several.exit_code, "--official ada-1  Ada Marigold" in several.output) == (2, True)
    asked = await run("erase", ADDRESS, "--everyone")
    assert asked.exit_code == 2
    for words in ("notifications: 2 officials", "may hold something until", "say --yes"):
        assert words in asked.output
    assert await tables_saying(town.settings, "marigold")
    done = await run("erase", ADDRESS, "--everyone", "--yes", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["counts"]["campaigns"]["calls"] == 2
    assert (await run("readmit", ADDRESS)).exit_code == 0
    assert (await run("readmit", ADDRESS)).exit_code == 1


async def test_the_command_prints_everything_as_one_document(run: Run, tmp_path: Path) -> None:
    printed = await run("export", ADDRESS, "--everyone")
    assert len(json.loads(printed.output)["notifications"]["messages"]) == 1
    await run("export", ADDRESS, "--official", "bo-1", "--to", "bo.json")
    assert (tmp_path / "bo.json").stat().st_mode & 0o077 == 0
    assert "Marigold" not in (tmp_path / "bo.json").read_text()
    assert (await run("export", "no address")).exit_code == 2


@pytest.fixture
async def browser(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    site = FastAPI()
    problems.install(site)
    pages.install(site)
    database = await Database.connect(str(town.settings.database_url), "directory", max_size=3)
    site.include_router(people_router(database, StaffOnly(database.connection, town.settings), town.settings))
    here = {"base_url": "http://clarion.example", "headers": {"accept": "text/html"}}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), **here) as client:
        yield client
    await database.close()


async def test_staff_look_save_and_erase_on_the_page(town: Town, browser: httpx.AsyncClient) -> None:
    await signed_in(browser, town.settings, "admin")
    await town.login.execute("INSERT INTO notifications.wishes VALUES ($1, 'erasure', now())", town.box)
    page = await browser.get("/people")
    assert "Ada Marigold, Bo Thistledown" in page.text
    form: dict[str, Any] = {"form_token": form_token_in(page.text), "address": ADDRESS}
    asked = await browser.post("/people", data=form)
    assert (asked.status_code, 'value="ada-1"' in asked.text) == (422, True)
    form["official"] = ["ada-1", "bo-1"]
    assert "1 messages" in (await browser.post("/people", data=form)).text
    saved = await browser.post("/people/export", data=form)
    assert saved.json()["officials"] == ["ada-1", "bo-1"]
    assert (await browser.post("/people/erase", data={**form, "sure": "x"})).status_code == 422
    assert await tables_saying(town.settings, "marigold")
    assert "Erased." in (await browser.post("/people/erase", data={**form, "sure": ADDRESS})).text
    assert await tables_saying(town.settings, "marigold") == {}


@pytest.mark.parametrize(("role", "look", "erase"), [("state", 422, 403), ("manager", 403, 403), ("viewer", 403, 403)])
async def test_who_may_not_erase_is_refused(
    town: Town, browser: httpx.AsyncClient, role: str, look: int, erase: int
) -> None:
    form = (await signed_in(browser, town.settings, role)).form | {"address": ADDRESS, "sure": ADDRESS}
    assert (await browser.post("/people", data=form)).status_code == look
    assert (await browser.post("/people/erase", data=form)).status_code == erase


async def test_the_link_in_the_mail_shows_what_is_kept_for_a_day(town: Town, browser: httpx.AsyncClient) -> None:
    links = SignedLinks(town.settings.secret_key)
    page = await browser.get(f"/kept/{links.sign('export', {'mailbox': town.box})}")
    assert page.status_code == 200
    assert "Ada Marigold" in page.text
    assert page.headers["cache-control"] == "no-store"
    for token in (links.sign("unsubscribe", [town.box, "calls"]), "x"):
        assert (await browser.get(f"/kept/{token}")).status_code == 404
