"""Holidays that the installation adds or takes out, years that it says are whole, and what follows for deadlines."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from amending import MAYOR
from campaigns_world import CALIFORNIA, World, make_alert
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import Actor
from clarion.runtime.web import pages, problems
from clarion.runtime.web.staff import StaffOnly
from clarion.schemas.commands import PRINTED
from clarion.services.campaigns.rules.calendar import calendar_of
from clarion.services.campaigns.rules.checking import check_rules
from clarion.services.campaigns.rules.closing import (
    By,
    DayOutcome,
    Source,
    YearOutcome,
    add_holiday,
    remove_holiday,
    set_year,
)
from clarion.services.campaigns.rules.commands import committees
from clarion.services.campaigns.rules.holiday_pages import holidays_router
from clarion.services.campaigns.rules.operations import set_rule
from clarion.services.campaigns.rules.pages import rules_router
from clarion.services.campaigns.rules.wishes import Refusal, Wish
from tests.staff import signed_in

ROBIN = Actor("staff", "holidays", "Robin Sample", "198.51.100.7")
PAGE = "https://hr.example/holidays"
NEW_YEAR = "New Year's Day"


async def add(world: World, day: str, name: str = "A day of rest", **said: str) -> DayOutcome:
    async with world.database.transaction() as tx:
        return await add_holiday(tx, day, name, Source(PAGE, **said), By(ROBIN, world.now))


async def remove(world: World, day: str) -> DayOutcome:
    async with world.database.transaction() as tx:
        return await remove_holiday(tx, day, By(ROBIN, world.now))


async def say_whole(world: World, year: int, source: str | None = PAGE) -> YearOutcome:
    async with world.database.transaction() as tx:
        return await set_year(tx, year, Source(source) if source else None, By(ROBIN, world.now))


async def by_business_days(world: World, **hearing: Any) -> None:
    """A launched call whose committee wants letters five business days before."""
    async with world.database.transaction() as tx:
        wish = Wish(CALIFORNIA, "upper", "Housing", when="5 business days", at="noon")
        await set_rule(tx, wish, ROBIN, world.now)
    await world.launch(make_alert(**hearing))


async def due_of(world: World) -> tuple[date, list[int]]:
    campaign = await world.campaign()
    return campaign["letters_due_at"].date(), campaign["due"]["unknown_years"]


async def test_a_new_holiday_moves_the_deadline_of_a_launched_campaign_and_taking_it_out_moves_it_back(
    world: World,
) -> None:
    await by_business_days(world)
    assert await due_of(world) == (date(2027, 4, 14), [])
    outcome = await add(world, "2027-04-19")
    assert (outcome.changed, outcome.decided_again, outcome.line.version) == (True, 1, 1)
    assert await due_of(world) == (date(2027, 4, 13), [])
    await world.fan_out()
    told = await world.told_to(MAYOR)
    assert told[-1].facts["letters_due"] == "Tuesday, April 13, 2027, 12:00 pm PDT"
    assert (await remove(world, "2027-04-19")).decided_again == 1
    assert await due_of(world) == (date(2027, 4, 14), [])
    assert (await remove(world, "2027-04-19")).changed is False
    of_it = "SELECT act FROM clarion.audit WHERE act LIKE 'holiday%' AND details ->> 'day' = '2027-04-19' ORDER BY id"
    assert [row["act"] for row in await world.fetch(of_it)] == ["holiday.added", "holiday.removed"]


async def test_a_holiday_that_changes_no_deadline_decides_on_nothing(world: World) -> None:
    await by_business_days(world)
    before = await world.campaign()
    assert (await add(world, "2027-06-21")).decided_again == 0
    assert (await add(world, "2027-04-17")).decided_again == 0
    assert await world.campaign() == before


async def test_the_projects_own_day_can_be_taken_out_and_had_again(world: World) -> None:
    async with world.database.connection() as connection:
        own = (await calendar_of(connection, CALIFORNIA)).days[date(2027, 3, 31)]
    assert (await remove(world, "2027-03-31")).line.closed is False
    async with world.database.connection() as connection:
        assert date(2027, 3, 31) not in (await calendar_of(connection, CALIFORNIA)).holidays.days
    again = await add(world, "2027-03-31", own.name)
    assert (again.line.closed, again.line.name, again.line.version) == (True, own.name, 2)
    assert (await add(world, "2027-03-31", own.name)).changed is False


async def test_a_year_is_counted_without_doubt_once_it_is_whole(world: World) -> None:
    await by_business_days(world, starts_at="2029-01-05T10:00:00-08:00")
    assert (await due_of(world))[1] == [2029]
    with pytest.raises(Refusal, match="no holiday of 2029 is known"):
        await say_whole(world, 2029)
    assert (await add(world, "2029-01-01", NEW_YEAR)).decided_again == 1
    assert await due_of(world) == (date(2028, 12, 28), [2029])
    assert (await say_whole(world, 2029)).decided_again == 1
    assert (await due_of(world))[1] == []
    assert (await say_whole(world, 2029, None)).line.whole is False
    assert (await due_of(world))[1] == [2029]


async def test_the_check_knows_the_years_that_were_added(world: World) -> None:
    async def said() -> list[str]:
        async with world.database.connection() as connection:
            found = await check_rules(connection, world.now.replace(year=2028, month=11))
        return [each.what for each in found if each.kind == "holidays"]

    assert "end with 2028-12-31" in (await said())[0]
    await add(world, "2029-01-01", NEW_YEAR)
    assert "end with 2028-12-31" in (await said())[0]
    await say_whole(world, 2029)
    assert await said() == []


@pytest.mark.parametrize(
    ("day", "name", "source", "looked", "said"),
    [
        ("soon", "x", PAGE, "today", "is no day such as"),
        ("1027-01-01", "x", PAGE, "today", "no year from"),
        ("2029-01-01", " ", PAGE, "today", "a text is empty"),
        ("2029-01-01", "x", "there", "today", "no address of a page"),
        ("2029-01-01", "x", PAGE, "2099-01-01", "is ahead"),
    ],
)
async def test_what_is_no_holiday_is_refused(  # noqa: PLR0917
    world: World, day: str, name: str, source: str, looked: str, said: str
) -> None:
    async with world.database.transaction() as tx:
        with pytest.raises(Refusal, match=said):
            await add_holiday(tx, day, name, Source(source, looked), By(ROBIN, world.now))
        with pytest.raises(Refusal, match="no holiday here"):
            await remove_holiday(tx, "2029-05-05", By(ROBIN, world.now))
        with pytest.raises(Refusal, match="is no year"):
            await set_year(tx, 20_290, None, By(ROBIN, world.now))


async def test_the_commands_add_list_and_remove(
    world: World, campaigns_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", campaigns_url)

    async def run(*arguments: str, code: int = 0) -> Result:
        result = await asyncio.to_thread(CliRunner().invoke, committees, ["holidays", *arguments])
        assert result.exit_code == code, result.output
        return result

    def read(command: str, result: Result) -> list[dict[str, Any]]:
        found = json.loads(result.stdout)
        rows = found if isinstance(found, list) else [found]
        assert all(set(PRINTED[command].model_validate(row).model_dump()) == set(row) for row in rows)
        return rows

    assert len(read("committees.holidays.list", await run("list", "--year", "2027", "--json"))) > 8
    arguments = ("2029-01-01", NEW_YEAR, "--source", PAGE)
    [row] = read("committees.holidays.add", await run("add", *arguments, "--json"))
    assert (row["version"], row["changed"], row["name"]) == (1, True, NEW_YEAR)
    assert "nothing changed" in (await run("add", *arguments)).stdout
    [year] = read("committees.holidays.year", await run("year", "2029", "--source", PAGE, "--json"))
    assert (year["whole"], year["source"]) == (True, PAGE)
    assert "2029" in (await run("list", "--year", "2029")).stderr
    [gone] = read("committees.holidays.remove", await run("remove", "2029-01-01", "--json"))
    assert gone["closed"] is False
    assert "say --source" in (await run("year", "2029", code=2)).stderr
    assert "is no holiday here" in (await run("remove", "2029-05-05", code=1)).stderr


@pytest.fixture
async def browser(world: World, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    site = FastAPI()
    problems.install(site)
    pages.install(site)
    staff = StaffOnly(world.database.connection, settings)
    site.include_router(rules_router(world.database, staff))
    site.include_router(holidays_router(world.database, staff))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(site), base_url="http://clarion.example", headers={"accept": "text/html"}
    ) as client:
        yield client


async def test_the_page_adds_undoes_and_shows_days_and_years(world: World, browser: httpx.AsyncClient) -> None:
    staff = await signed_in(browser, world.database, "state")
    given = {"day": "2029-01-01", "name": "<b>New</b> Year", "source": PAGE}
    saved = await browser.post("/rules/holidays", data=given | staff.form)
    assert saved.headers["location"] == "/rules/holidays?outcome=added&day=2029-01-01"
    page = (await browser.get(saved.headers["location"])).text
    assert "Monday, January 1, 2029: &lt;b&gt;New&lt;/b&gt; Year" in page
    assert ">Undo</button>" in page
    assert "These are all of 2029" in page
    assert "Monday, January 1, 2029" in (await browser.get("/rules")).text
    whole = await browser.post("/rules/holidays/year", data={"year": "2029", "source": PAGE} | staff.form)
    assert whole.headers["location"] == "/rules/holidays?outcome=whole"
    assert "These are not all of 2029" in (await browser.get("/rules/holidays")).text
    assert "Known until Monday, December 31, 2029" in (await browser.get("/rules")).text
    removed = await browser.post("/rules/holidays/remove", data={"day": "2029-01-01"} | staff.form)
    assert "taken out" in (await browser.get(removed.headers["location"])).text
    wrong = await browser.post("/rules/holidays", data=given | {"day": "never"} | staff.form)
    assert (wrong.status_code, "is no day such as" in wrong.text) == (422, True)


async def test_holidays_are_for_the_state_team_to_change(world: World, browser: httpx.AsyncClient) -> None:
    for role in ("manager", "viewer"):
        staff = await signed_in(browser, world.database, role)
        assert (await browser.get("/rules/holidays")).status_code == 403
        for path in ("", "/remove", "/year"):
            data = {"day": "2029-01-01", "year": "2029", "name": "x", "source": PAGE} | staff.form
            assert (await browser.post(f"/rules/holidays{path}", data=data)).status_code == 403
    assert await world.fetch("SELECT 1 FROM legislative_holidays") == []
