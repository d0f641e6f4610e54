"""The operators' pages: for this machine alone, and what may be done there with a dead letter."""

import json
import re
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from fastapi import FastAPI

from clarion.runtime.clock import system_clock
from clarion.runtime.process import Running
from clarion.runtime.settings import Settings
from clarion.runtime.watch import Watch
from clarion.runtime.web import pages, problems
from clarion.schemas.cloudevents import EventAttributes
from clarion.services.operators.guard import is_local
from clarion.services.operators.pages import operators_router
from clarion.services.running import open_services
from clarion.services.sample import sample_notice
from tests.staff import signed_in

LOOPBACK = ("127.0.0.1", 40_000)
NOTICE = b'{"hearing_id": 7}'


@pytest.fixture
async def watch(settings: Settings) -> AsyncIterator[Watch]:
    """Nothing runs, so that letters stay as the tests made them."""
    settings = settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:1", "public_url": "http://127.0.0.1:8080"})
    async with open_services(settings) as services:
        yield Watch(Running(), settings, services)


def client(watch: Watch, *, peer: tuple[str, int] = LOOPBACK, base: str = "http://127.0.0.1:8080") -> httpx.AsyncClient:
    """A browser at this address of the peer."""
    site = FastAPI()
    problems.install(site)
    pages.install(site)
    site.include_router(operators_router(watch))
    return httpx.AsyncClient(transport=httpx.ASGITransport(site, client=peer), base_url=base)


async def dead_letter(watch: Watch, body: bytes = NOTICE, headers: Mapping[str, str] | None = None) -> str:
    """One of legislation, and its id on the pages."""
    (service,) = [one for one in watch.services if one.name == "legislation"]
    async with service.database.connection() as connection:
        number = await connection.fetchval(
            """INSERT INTO dead_letters (fingerprint, topic, partition, "offset", headers, body, received_at, claimed,
                                         reason, type)
               VALUES ('x', 'legislation.updates.v1', 0, 1, $2, $1, now(), false,
                       'hearing_id: Input should be <b>text</b>', 'hearing.scheduled')
               RETURNING id""",
            body,
            [list(pair) for pair in (headers or {"ce_id": "e1"}).items()],
        )
    return f"legislation-{number}"


async def state_of(watch: Watch) -> str:
    (service,) = [one for one in watch.services if one.name == "legislation"]
    async with service.database.connection() as connection:
        return str(await connection.fetchval("SELECT state FROM dead_letters"))


def token_of(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found
    return found[1]


async def test_the_overview_says_that_all_is_well_where_nothing_waits(watch: Watch) -> None:
    await watch.look()
    async with client(watch) as browser:
        page = await browser.get("/operators")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "everything that came in was handled" in page.text
    assert "Nothing is paused" in page.text
    assert "No sender is at work" in page.text
    assert "None of the topics has been found" in page.text


@pytest.mark.parametrize(
    ("peer", "base", "headers"),
    [
        (("203.0.113.9", 1), "http://127.0.0.1:8080", {}),
        (("203.0.113.9", 1), "http://127.0.0.1:8080", {"x-forwarded-for": "127.0.0.1"}),
        (LOOPBACK, "http://127.0.0.1:8080", {"x-forwarded-for": "127.0.0.1"}),
        (LOOPBACK, "http://127.0.0.1:8080", {"forwarded": "for=127.0.0.1"}),
        (LOOPBACK, "http://127.0.0.1:8080", {"via": "1.1 proxy.example"}),
        (LOOPBACK, "http://rebound.example:8080", {}),
        (LOOPBACK, "http://127.0.0.1.rebound.example", {}),
    ],
)
async def test_who_is_elsewhere_or_comes_by_a_proxy_is_told_where_the_pages_are(
    watch: Watch, peer: tuple[str, int], base: str, headers: dict[str, str]
) -> None:
    letter = await dead_letter(watch)
    async with client(watch, peer=peer, base=base) as browser:
        browser.headers.update(headers)
        for path in ("/operators", "/operators/dead-letters", f"/operators/dead-letters/{letter}"):
            answer = await browser.get(path)
            assert answer.status_code == 403
            assert "on the machine itself" in answer.text
        assert (await browser.post(f"/operators/dead-letters/{letter}/retry")).status_code == 403
    assert await state_of(watch) == "open"


async def test_behind_a_public_address_what_seems_to_come_from_this_machine_opens_nothing(watch: Watch) -> None:
    watch.settings = watch.settings.model_copy(update={"public_url": "https://calls.cities.example"})
    async with client(watch) as browser:
        for path in ("/operators", "/operators/dead-letters"):
            assert (await browser.get(path)).status_code == 401


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost", True),
        ("http://[::1]:8080", True),
        ("https://calls.cities.example", False),
        ("http://127.0.0.1.example", False),
        ("http://0.0.0.0", False),
        ("http://[127.0.0.1", False),
        ("", False),
    ],
)
def test_an_address_is_this_machines_or_not(address: str, local: bool) -> None:
    assert is_local(address) is local


async def test_a_letter_is_shown_with_its_cause_as_text(watch: Watch) -> None:
    letter = await dead_letter(watch)
    async with client(watch) as browser:
        assert letter in (await browser.get("/operators")).text
        page = (await browser.get(f"/operators/dead-letters/{letter}")).text
        assert (await browser.get("/operators/dead-letters/legislation-999")).status_code == 404
        assert (await browser.get("/operators/dead-letters/nobody-1")).status_code == 404
        assert (await browser.get("/operators/dead-letters?state=gone")).status_code == 404
    assert "&lt;b&gt;text&lt;/b&gt;" in page
    assert "hearing_id&#34;: 7" in page


async def test_a_letter_is_discarded_after_a_question_and_taken_back(watch: Watch) -> None:
    letter = await dead_letter(watch)
    place = f"/operators/dead-letters/{letter}"
    async with client(watch) as browser:
        asked = await browser.get(f"{place}/discard")
        assert await state_of(watch) == "open"
        form = {"form_token": token_of(asked.text), "why": "a trial"}
        done = await browser.post(f"{place}/discard", data=form, follow_redirects=True)
        assert "It is put aside" in done.text
        assert "a trial" in done.text
        assert await state_of(watch) == "discarded"
        again = await browser.post(
            f"{place}/take-back", data={"form_token": token_of(done.text)}, follow_redirects=True
        )
        assert "waits for somebody again" in again.text
    assert await state_of(watch) == "open"


async def test_a_letter_that_fails_again_stays_with_the_reason(watch: Watch) -> None:
    letter = await dead_letter(watch)
    place = f"/operators/dead-letters/{letter}"
    async with client(watch) as browser:
        form = {"form_token": token_of((await browser.get(place)).text)}
        done = await browser.post(f"{place}/retry", data=form, follow_redirects=True)
    assert "It failed again" in done.text
    assert await state_of(watch) == "open"


async def test_without_the_forms_token_or_with_another_browsers_nothing_is_done(watch: Watch) -> None:
    letter = await dead_letter(watch)
    place = f"/operators/dead-letters/{letter}"
    async with client(watch) as browser, client(watch) as stranger:
        strange = token_of((await stranger.get(place)).text)
        await browser.get(place)
        for action in ("retry", "discard", "take-back"):
            for form in ({}, {"form_token": "x"}, {"form_token": strange}):
                assert (await browser.post(f"{place}/{action}", data=form)).status_code == 403
    assert await state_of(watch) == "open"


async def test_a_letter_whose_cause_was_mended_is_handled_by_a_retry(watch: Watch) -> None:
    headers = EventAttributes(id="e1", source="https://tracker.example/", type="hearing.scheduled").to_headers()
    letter = await dead_letter(watch, json.dumps(sample_notice(system_clock())).encode(), headers)
    place = f"/operators/dead-letters/{letter}"
    async with client(watch) as browser:
        form = {"form_token": token_of((await browser.get(place)).text)}
        done = await browser.post(f"{place}/retry", data=form, follow_redirects=True)
        assert "It was handled." in done.text
        assert letter in (await browser.get("/operators/dead-letters?state=retried")).text
    assert await state_of(watch) == "retried"


PUBLIC = "https://calls.cities.example"


def behind_a_public_address(watch: Watch) -> httpx.AsyncClient:
    """A browser elsewhere, at the site's public address."""
    watch.settings = watch.settings.model_copy(update={"public_url": PUBLIC})
    browser = client(watch, peer=("203.0.113.9", 1), base=PUBLIC)
    browser.headers["accept"] = "text/html"
    return browser


async def test_behind_a_public_address_administrators_use_the_pages_and_are_named_in_what_they_do(watch: Watch) -> None:
    letter = await dead_letter(watch)
    place = f"/operators/dead-letters/{letter}"
    async with behind_a_public_address(watch) as browser:
        asked = await browser.get("/operators")
        assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=%2Foperators")
        sam = await signed_in(browser, watch.settings, "admin", name="Sam Sample")
        assert letter in (await browser.get("/operators")).text
        done = await browser.post(f"{place}/discard", data={**sam.form, "why": "a trial"}, follow_redirects=True)
        assert "discarded by Sam Sample" in done.text
        assert (await browser.post(f"{place}/take-back", data={"form_token": "x"})).status_code == 403
        assert (await browser.post(f"{place}/take-back", data=sam.form)).status_code == 303
        assert (await browser.post(f"{place}/retry", data=sam.form)).status_code == 303
    async with watch.services[0].database.connection() as connection:
        rows = await connection.fetch("SELECT act, actor_id, place, subject, details FROM clarion.audit ORDER BY id")
    assert [(row["act"], row["actor_id"], row["place"], row["subject"]) for row in rows] == [
        (act, sam.staff.id, "203.0.113.9", f"dead-letter:{letter}")
        for act in ("dead-letter.discarded", "dead-letter.taken-back", "dead-letter.retried")
    ]


@pytest.mark.parametrize("role", ["state", "manager", "viewer"])
async def test_behind_a_public_address_nobody_but_administrators_operates(watch: Watch, role: str) -> None:
    letter = await dead_letter(watch)
    async with behind_a_public_address(watch) as browser:
        sam = await signed_in(browser, watch.settings, role, ["north-bay"] if role == "manager" else [])
        assert (await browser.get("/operators")).status_code == 403
        assert (await browser.post(f"/operators/dead-letters/{letter}/retry", data=sam.form)).status_code == 403
    assert await state_of(watch) == "open"


async def test_on_this_machine_an_administrator_who_is_signed_in_is_named_as_well(watch: Watch) -> None:
    letter = await dead_letter(watch)
    async with client(watch) as browser:
        sam = await signed_in(browser, watch.settings, "admin", name="Sam Sample")
        done = await browser.post(
            f"/operators/dead-letters/{letter}/discard", data=sam.form | {"why": "x"}, follow_redirects=True
        )
        assert "discarded by Sam Sample" in done.text
