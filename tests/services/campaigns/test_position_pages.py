"""Positions and the agenda on staff's pages and over the API, without scripts."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from campaigns_world import World, make_alert
from fastapi import FastAPI

from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.web import pages, problems
from clarion.runtime.web.keys import create_key
from clarion.runtime.web.staff import StaffOnly
from clarion.schemas.positions import PositionLine, PositionStory
from clarion.services.campaigns.positions.agenda_pages import agenda_pages
from clarion.services.campaigns.positions.pages import positions_pages
from clarion.services.campaigns.positions.web import positions_router
from tests.staff import SignedIn, signed_in

SITE = "http://clarion.example"
WRITTEN = {
    "subject": "bill",
    "name": "SB 79",
    "session": "20272028",
    "stance": "oppose",
    "ask": "vote no on SB 79",
    "why": "It takes zoning away.",
    "launch": "auto",
    "based_on": "0",
}
PRIORITY = {"slug": "housing", "title": "Housing", "text": "Money, not mandates.", "order": "1"}


@pytest.fixture
async def browser(world: World, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    site = FastAPI()
    problems.install(site)
    pages.install(site)
    database = await Database.connect(world.database.url, "campaigns", max_size=3, clock=world.clock)
    staff = StaffOnly(database.connection, settings, world.clock)
    for router in (
        positions_pages(database, staff),
        agenda_pages(database, staff),
        positions_router(database, world.clock),
    ):
        site.include_router(router)
    html = {"accept": "text/html"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=SITE, headers=html) as client:
        yield client
    await database.close()


async def enter(browser: httpx.AsyncClient, world: World, role: str = "state") -> SignedIn:
    return await signed_in(browser, world.database, role, now=world.now)


async def post(browser: httpx.AsyncClient, who: SignedIn, path: str, **fields: Any) -> httpx.Response:
    return await browser.post(path, data={**who.form, **fields})


async def test_a_position_is_adopted_changed_withdrawn_and_adopted_again_on_its_pages(
    browser: httpx.AsyncClient, world: World
) -> None:
    who = await enter(browser, world)
    await world.import_all()
    await world.hear(make_alert())
    made = await post(browser, who, "/positions", **WRITTEN)
    assert made.status_code == 303, made.text
    place = made.headers["location"].partition("?")[0]
    assert "It is adopted." in (await browser.get(made.headers["location"])).text
    assert (await world.campaign())["status"] == "launched"
    form = (await browser.get(f"{place}/edit")).text
    assert 'value="vote no on SB 79"' in form
    person = {"representative": who.staff.email, "why": "It takes zoning from cities."}
    changed = await post(browser, who, f"{place}/edit", **WRITTEN | {"ask": "amend it", "based_on": "1"} | person)
    assert changed.status_code == 303, changed.text
    story = (await browser.get(place)).text
    assert "ask: amend it, was vote no on SB 79" in story
    assert "<summary>why changed</summary>" in story
    assert "<pre>It takes zoning away.</pre>" in story
    assert (
        f'name="representative" maxlength="200" list="accounts" autocomplete="off" value="{who.staff.email}"'
        in (await browser.get(f"{place}/edit")).text
    )
    asked = (await browser.get(f"{place}/withdraw")).text
    assert "0 were asked so far" in asked
    gone = await post(browser, who, f"{place}/withdraw", reason="Amended as cities asked")
    story = (await browser.get(gone.headers["location"])).text
    assert "It is withdrawn." in story
    assert "because: Amended as cities asked" in story
    assert "Adopt it again..." in story
    again = await post(browser, who, f"{place}/withdraw", reason="Twice")
    assert again.headers["location"].endswith("withdrawn-before")
    form = (await browser.get(f"{place}/edit")).text
    assert re.search(r'value="oppose" required checked', form)
    back = await post(browser, who, f"{place}/edit", **WRITTEN | {"based_on": "3"})
    assert back.headers["location"].endswith("outcome=adopted")
    assert "stance: oppose, was withdrawn" in (await browser.get(back.headers["location"])).text


async def test_what_cannot_be_is_said_beside_what_was_written_which_stays(
    browser: httpx.AsyncClient, world: World
) -> None:
    who = await enter(browser, world)
    wrong = {"stance": "maybe", "session": "", "representative": "nobody@league.example"}
    answer = await post(browser, who, "/positions", **WRITTEN | wrong)
    assert answer.status_code == 422
    assert "is not one of: support" in answer.text
    assert "no staff account nobody@league.example" in answer.text
    assert "It takes zoning away." in answer.text
    answer = await post(browser, who, "/positions", **WRITTEN | {"session": "", "priority": "none"})
    assert "a bill has one, such as 20272028" in answer.text
    measure = {"subject": "measure", "name": "Proposition 5", "session": "", "launch": "approval"}
    refused = await post(browser, who, "/positions", **WRITTEN | measure)
    assert (refused.status_code, "public resources may not be used" in refused.text) == (422, True)
    assert await world.fetch("SELECT FROM positions") == []


async def test_who_filled_in_an_older_version_is_told_that_there_is_a_newer_one(
    browser: httpx.AsyncClient, world: World
) -> None:
    who = await enter(browser, world)
    await post(browser, who, "/positions", **WRITTEN)
    answer = await post(browser, who, "/positions", **WRITTEN | {"stance": "support"})
    assert (answer.status_code, "version 1 of it was made meanwhile" in answer.text) == (409, True)


@pytest.mark.parametrize("role", ["manager", "viewer"])
async def test_all_staff_read_and_only_the_state_team_and_administrators_change(
    browser: httpx.AsyncClient, world: World, role: str
) -> None:
    await enter(browser, world)
    adopted = (await world.adopt()).adopted
    who = await enter(browser, world, role)
    story = await browser.get(f"/positions/{adopted.id}")
    assert (story.status_code, "Withdraw..." in story.text) == (200, False)
    assert (await browser.get("/agenda")).status_code == 200
    for path in ("/positions/new", f"/positions/{adopted.id}/edit", f"/positions/{adopted.id}/withdraw", "/agenda/new"):
        assert (await browser.get(path)).status_code == 403, path
    for path in ("/positions", f"/positions/{adopted.id}/edit", f"/positions/{adopted.id}/withdraw", "/agenda"):
        assert (await post(browser, who, path, **WRITTEN)).status_code == 403, path
    assert len(await world.fetch("SELECT FROM positions")) == 1


async def test_a_form_of_another_session_changes_nothing(browser: httpx.AsyncClient, world: World) -> None:
    await enter(browser, world)
    assert (await browser.post("/positions", data=WRITTEN)).status_code == 403
    assert await world.fetch("SELECT FROM positions") == []


async def test_what_is_not_there_is_not_found_on_pages_and_over_the_api(
    browser: httpx.AsyncClient, world: World
) -> None:
    await enter(browser, world, "admin")
    for path in ("/positions/none", "/positions/%00", "/positions/none/edit", "/agenda/none", "/agenda/%00/edit"):
        assert (await browser.get(path)).status_code == 404, path


async def test_the_agenda_is_written_changed_and_ended_on_its_pages(browser: httpx.AsyncClient, world: World) -> None:
    who = await enter(browser, world)
    assert "Nothing is on it." in (await browser.get("/agenda")).text
    made = await post(browser, who, "/agenda", **PRIORITY | {"from_day": "2027-01-01"})
    assert made.status_code == 303, made.text
    assert "in force" in (await browser.get(made.headers["location"])).text
    wrong = await post(browser, who, "/agenda/housing/edit", **PRIORITY | {"from_day": "soon", "based_on": "1"})
    assert (wrong.status_code, "is no day, write it as 2027-01-31" in wrong.text) == (422, True)
    older = await post(browser, who, "/agenda/housing/edit", **PRIORITY | {"from_day": "2027-02-01"})
    assert (older.status_code, "version 1 of it was made meanwhile" in older.text) == (409, True)
    await world.adopt(priority="housing")
    assert "1 position<" in (await browser.get("/agenda")).text
    ended = await post(browser, who, "/agenda/housing/end")
    text = (await browser.get(ended.headers["location"])).text
    assert "until: 2027-04-01, was nothing" in text
    assert "SB 79" in text
    world.later(hours=1, days=1)
    await enter(browser, world)
    assert "Nothing is on it." in (await browser.get("/agenda")).text
    assert "over" in (await browser.get("/agenda?ended=yes")).text


async def test_the_list_on_the_page_is_narrowed(browser: httpx.AsyncClient, world: World) -> None:
    await enter(browser, world)
    await world.adopt()
    await world.adopt(bill="SB 80", stance="watch", ask="none")
    page = (await browser.get("/positions?stance=watch")).text
    assert ("SB 80" in page, "SB 79" in page) == (True, False)
    assert (await browser.get("/positions?stance=%00")).status_code == 422


async def test_the_api_lists_narrows_and_tells_the_story(browser: httpx.AsyncClient, world: World) -> None:
    await world.launch()
    first = (await world.adopt(bill="SB 80", stance="watch")).adopted
    await world.adopt(bill="SB 80", stance="support")
    async with world.database.transaction() as tx:
        _, key = await create_key(tx.connection, "reader", ["campaigns"], "/reader")
    bearer = {"authorization": f"Bearer {key}", "accept": "application/json"}
    listed = (await browser.get("/api/v1/positions", headers=bearer)).json()
    assert [PositionLine.model_validate(each).bill for each in listed] == ["SB 79", "SB 80"]
    narrow = await browser.get("/api/v1/positions?stance=support", headers=bearer)
    assert [each["bill"] for each in narrow.json()] == ["SB 80"]
    shown = await browser.get(f"/api/v1/positions/{first.id}", headers=bearer)
    story = PositionStory.model_validate_json(shown.content)
    assert [each.stance for each in story.versions] == ["support", "watch"]
    sb_79 = (await browser.get(f"/api/v1/positions/{listed[0]['id']}", headers=bearer)).json()
    assert [each["status"] for each in sb_79["hearings"]] == ["launched"]
    assert sb_79["campaigns"][0]["asked"] == 5
    assert (await browser.get("/api/v1/positions/none", headers=bearer)).status_code == 404
    assert (await browser.get("/api/v1/positions", headers={"accept": "application/json"})).status_code == 401
