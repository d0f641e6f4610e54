"""Rules at the command line and on the pages for staff."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from campaigns_world import World
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from clarion.runtime.settings import Settings
from clarion.runtime.web import pages, problems
from clarion.runtime.web.staff import StaffOnly
from clarion.schemas.commands import PRINTED
from clarion.services.campaigns.rules.commands import committees
from clarion.services.campaigns.rules.hearing_pages import hearings_router
from clarion.services.campaigns.rules.pages import rules_router
from clarion.services.waves import campaigns
from tests.staff import SignedIn, signed_in

SITE = "http://clarion.example"
GIVEN = {"chamber": "upper", "committee": "Housing", "when": "2 business days", "at": "noon"}

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(campaigns_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", campaigns_url)

    async def invoke(*arguments: str) -> Result:
        app = campaigns if arguments[0] == "deadline" else committees
        return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))

    return invoke


@pytest.fixture
async def browser(world: World, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    site = FastAPI()
    problems.install(site)
    pages.install(site)
    staff = StaffOnly(world.database.connection, settings)
    site.include_router(rules_router(world.database, staff))
    site.include_router(hearings_router(world.database, staff))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(site), base_url=SITE, headers={"accept": "text/html"}
    ) as client:
        yield client


async def by(world: World, browser: httpx.AsyncClient, role: str = "state") -> SignedIn:
    return await signed_in(browser, world.database, role)


def checked(command: str, result: Result) -> list[dict[str, object]]:
    """What a command printed, as its schema has it."""
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    rows = printed if isinstance(printed, list) else [printed]
    for row in rows:
        assert set(PRINTED[command].model_validate(row).model_dump()) == set(row)
    return rows


async def test_the_projects_rules_are_listed_with_their_sources(run: Run, world: World) -> None:
    rows = checked("committees.rules.list", await run("rules", "list", "--json"))
    assert len(rows) == 7
    assert {row["version"] for row in rows} == {0}
    shown = await run("rules", "list")
    assert "Wednesday before the hearing, noon" in shown.stdout
    assert "the project" in shown.stdout


async def test_a_rule_is_set_shown_restored_and_checked(run: Run, world: World) -> None:
    arguments = ("Housing", "--chamber", "senate", "--when", "2 business days", "--checked-on", "today")
    [row] = checked("committees.rules.set", await run("rules", "set", *arguments, "--json"))
    assert (row["version"], row["changed"], row["when"], row["at"]) == (1, True, "2 business days", "noon")
    [again] = checked("committees.rules.set", await run("rules", "set", *arguments, "--json"))
    assert again["changed"] is False
    await run("rules", "set", "Housing", "--chamber", "senate", "--unknown")
    versions = checked("committees.rules.show", await run("rules", "show", "Housing", "--chamber", "upper", "--json"))
    assert [each["when"] for each in versions] == ["unknown", "2 business days", "Wednesday before"]
    [back] = checked(
        "committees.rules.restore",
        await run("rules", "restore", "Housing", "--chamber", "upper", "--version", "0", "--json"),
    )
    assert (back["version"], back["when"], back["source"]) == (
        3,
        "Wednesday before",
        "https://shou.senate.ca.gov/node/15",
    )
    found = checked("committees.rules.check", await run("rules", "check", "--json"))
    assert "never-checked" in {each["kind"] for each in found}
    assert (
        "decided again on 0 hearings"
        in (await run("rules", "set", "Housing", "--chamber", "upper", "--at", "9:00")).stdout
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("rules", "set", "Housing", "--chamber", "senate", "--when", "someday"), 1, "names no day"),
        (("rules", "set", "Housing", "--chamber", "moon", "--when", "1 business day"), 1, "no chamber"),
        (("rules", "set", "Housing", "--chamber", "upper", "--when", "1 business day", "--unknown"), 2, "exclude"),
        (("rules", "restore", "Nobody", "--chamber", "upper"), 1, "no rule of"),
        (("deadline", "none", "--unknown", "--reason", "r"), 1, "no campaign none"),
        (("deadline", "none", "--reason", "r"), 2, "say one of"),
        (("deadline", "none", "--at", "noon", "--reason", "r"), 1, "no time such as"),
    ],
)
async def test_what_cannot_be_is_said_with_what_can(
    run: Run, world: World, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = await run(*arguments)
    assert (result.exit_code, said in result.output) == (code, True), result.output


async def test_a_deadline_by_hand_is_said_with_where_it_is_from(run: Run, world: World) -> None:
    await world.launch()
    campaign = (await world.campaign())["id"]
    arguments = (campaign, "--at", "2027-04-13T17:00", "--reason", "they said so by phone")
    [row] = checked("campaigns.deadline", await run("deadline", *arguments, "--json"))
    assert (row["letters_due_at"], row["changed"]) == ("2027-04-14T00:00:00Z", True)
    cleared = await run("deadline", campaign, "--clear", "--reason", "a mistake")
    from_rule = (
        "Wednesday before the hearing, noon; as https://shou.senate.ca.gov/node/15 says, last checked on 2026-11-22"
    )
    assert from_rule in cleared.stdout


async def test_the_page_shows_rules_with_sources_and_what_is_to_be_looked_at(
    world: World, browser: httpx.AsyncClient
) -> None:
    await by(world, browser)
    await world.import_all()
    page = (await browser.get("/rules")).text
    assert "Senate Housing</strong>: Wednesday before the hearing, noon" in page
    assert "nobody knows when the rule of Assembly Labor and Employment was last checked" in page
    assert 'href="https://shou.senate.ca.gov/node/15" rel="noreferrer"' in page


async def test_a_rule_is_changed_on_its_page_and_had_again(world: World, browser: httpx.AsyncClient) -> None:
    staff = await by(world, browser)
    await world.launch()
    edit = await browser.get("/rules/edit", params={"chamber": "upper", "committee": "Housing"})
    assert 'value="Wednesday before"' in edit.text
    saved = await browser.post("/rules", data=GIVEN | {"checked": "yes"} | staff.form)
    assert (saved.status_code, saved.headers["location"]) == (303, "/rules?outcome=saved")
    assert (await world.campaign())["due"]["text"] == "2 business days before the hearing, noon"
    edit = await browser.get("/rules/edit", params={"chamber": "upper", "committee": "Housing"})
    assert "Have version 0 again" in edit.text
    restored = await browser.post("/rules/restore", data=GIVEN | {"version": "0"} | staff.form)
    assert restored.headers["location"] == "/rules?outcome=saved"
    assert (await world.campaign())["due"]["text"] == "Wednesday before the hearing, noon"


async def test_what_cannot_be_saved_is_said_beside_what_was_given(world: World, browser: httpx.AsyncClient) -> None:
    staff = await by(world, browser)
    answer = await browser.post("/rules", data=GIVEN | {"when": "<b>soon</b>"} | staff.form)
    assert answer.status_code == 422
    assert "Nothing was saved: &#39;&lt;b&gt;soon&lt;/b&gt;&#39; names no day" in answer.text
    assert 'value="&lt;b&gt;soon&lt;/b&gt;"' in answer.text
    gone = await browser.post("/rules/restore", data=GIVEN | {"version": "9"} | staff.form)
    assert gone.status_code == 404
    assert (await browser.get("/rules/edit", params={"chamber": "a\x00", "committee": "b\x00"})).status_code == 404


@pytest.mark.parametrize("role", ["manager", "viewer"])
async def test_a_deadline_is_not_for_managers_of_one_division_to_set(
    world: World, browser: httpx.AsyncClient, role: str
) -> None:
    staff = await by(world, browser, role)
    assert (await browser.get("/rules")).status_code == 403
    assert (await browser.post("/rules", data=GIVEN | staff.form)).status_code == 403
    assert (await browser.post("/rules/restore", data=GIVEN | staff.form)).status_code == 403
    assert await world.fetch("SELECT * FROM committee_rules") == []


async def test_a_form_of_elsewhere_changes_nothing(world: World, browser: httpx.AsyncClient) -> None:
    await by(world, browser)
    assert (await browser.post("/rules", data=GIVEN | {"form_token": "other"})).status_code == 403
    assert await world.fetch("SELECT * FROM committee_rules") == []


async def test_a_hearings_deadline_is_set_on_its_page_with_where_it_is_from(
    world: World, browser: httpx.AsyncClient
) -> None:
    staff = await by(world, browser)
    await world.launch()
    place = f"/rules/hearings/{(await world.campaign())['id']}"
    page = (await browser.get(place)).text
    assert "Wednesday, April 14, 2027, 12:00 pm PDT" in page
    assert "last checked on 2026-11-22" in page
    given = {"what": "known", "at": "2027-04-13T17:00", "reason": "they said so"}
    saved = await browser.post(place, data=given | staff.form)
    assert (saved.status_code, saved.headers["location"]) == (303, f"{place}?outcome=set")
    page = (await browser.get(place)).text
    assert "Tuesday, April 13, 2027, 5:00 pm PDT" in page
    assert "set by hand by Sam Sample: they said so" in page
    await browser.post(place, data=given | {"what": "unknown"} | staff.form)
    assert (await world.campaign())["letters_due_at"] is None
    await browser.post(place, data=given | {"what": "clear"} | staff.form)
    assert (await world.campaign())["due"]["kind"] == "rule"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"at": ""}, "is no time"),
        ({"at": "2027-04-30T12:00"}, "after the hearing"),
        ({"reason": " "}, "a text is empty"),
        ({"what": "perhaps", "at": ""}, "is no time"),
    ],
)
async def test_a_deadline_that_cannot_be_is_said_beside_what_was_given(
    world: World, browser: httpx.AsyncClient, changes: dict[str, str], said: str
) -> None:
    staff = await by(world, browser)
    await world.launch()
    place = f"/rules/hearings/{(await world.campaign())['id']}"
    given = {"what": "known", "at": "2027-04-13T17:00", "reason": "they said so"} | changes
    answer = await browser.post(place, data=given | staff.form)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert await world.fetch("SELECT * FROM hearing_overrides") == []


async def test_a_campaign_that_is_none_has_no_deadline_page(world: World, browser: httpx.AsyncClient) -> None:
    staff = await by(world, browser)
    assert (await browser.get("/rules/hearings/none%00")).status_code == 404
    assert (await browser.post("/rules/hearings/none", data=staff.form)).status_code == 404
    await by(world, browser, "manager")
    assert (await browser.get("/rules/hearings/none")).status_code == 403
