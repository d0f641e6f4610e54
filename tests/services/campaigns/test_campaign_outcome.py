"""What came of a campaign so far, by division, committee member and city: operation, command and API."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from amending import MAYOR, address, amend
from campaigns_world import World, city, district, mailbox, make_alert
from fastapi import FastAPI
from typer.testing import CliRunner

from clarion.runtime.database import Database
from clarion.runtime.web import problems
from clarion.runtime.web.keys import create_key
from clarion.schemas.deliveries import Delivery
from clarion.schemas.outcomes import CampaignOutcome, Tally
from clarion.services.campaigns.outcome import sums
from clarion.services.campaigns.outcome.operations import outcome_of, sheet_of
from clarion.services.campaigns.web import campaigns_router
from clarion.services.waves import campaigns

FIR = {
    "cities": [
        city("alder", "east-bay"),
        city("birch", "peninsula"),
        city("dell", None),
        city("fir", "east-bay", name="=Fir"),
    ],
    "districts": [district("upper:7", alder=0.9, birch=0.004, dell=1.0, fir=0.2), district("upper:11", birch=0.99)],
}
"""Fir has nobody to ask, and a name that is a formula."""


async def outcome(world: World) -> CampaignOutcome:
    async with world.database.connection() as connection:
        found = await outcome_of(connection, (await world.campaign())["id"], world.now)
    assert found
    return found


async def delivered(world: World, state: str, *officials: str, revision: int = 1) -> None:
    world.later(seconds=1)
    matter = f"campaign:{(await world.campaign())['id']}"
    await world.deliver(
        *(
            Delivery(matter=matter, revision=revision, mailbox=mailbox(address(one)), state=state, at=world.now)
            for one in officials
        )
    )


def counts(line: Tally) -> dict[str, int]:
    return {name: value for name in Tally.model_fields if (value := getattr(line, name)) and name != "cities"}


async def test_officials_are_counted_by_what_became_of_their_calls(world: World) -> None:
    await world.launch()
    await delivered(world, "sent", "a-mayor", "d-mayor")
    await delivered(world, "bounced", "b-member")
    await delivered(world, "suppressed", "b-manager")
    found = await outcome(world)
    assert counts(found.total) == {"asked": 5, "reached": 2, "bounced": 1, "suppressed": 1, "pending": 1}
    assert {line.division: counts(line) for line in found.divisions} == {
        "East Bay": {"asked": 2, "reached": 1, "pending": 1},
        "Peninsula": {"asked": 2, "bounced": 1, "suppressed": 1},
        "no division": {"asked": 1, "reached": 1},
    }
    assert {line.city: line.asked for line in found.cities} == {"alder": 2, "birch": 2, "dell": 1}


async def test_whoever_has_two_members_counts_for_each_of_them_and_chairs_come_first(world: World) -> None:
    await world.launch()
    await delivered(world, "sent", "b-member")
    found = await outcome(world)
    assert [(line.name, line.role, line.district, line.cities, line.asked, line.reached) for line in found.members] == [
        ("Jesse Example", "chair", "upper:7", 3, 5, 1),
        ("Sam Sample", "member", "upper:11", 1, 2, 1),
    ]


async def test_a_campaign_that_waits_for_approval_has_everyone_still_to_be_approved(world: World) -> None:
    await world.launch(launch="approval")
    found = await outcome(world)
    assert counts(found.total) == {"to_approve": 5}
    assert {line.slug: line.to_approve for line in found.divisions} == {"east-bay": 2, "peninsula": 2, "": 1}


async def test_cities_without_anyone_to_ask_are_named(world: World) -> None:
    await world.import_all(**FIR)
    await world.adopt()
    await world.hear()
    await world.fan_out()
    found = await outcome(world)
    assert found.without == ["=Fir"]
    assert {line.slug: (line.cities, line.without) for line in found.divisions}["east-bay"] == (2, 1)


async def test_no_cell_of_the_sheet_is_a_formula(world: World) -> None:
    await world.import_all(**FIR)
    await world.adopt()
    await world.hear()
    await world.fan_out()
    rows = list(csv.DictReader(io.StringIO(sheet_of(await outcome(world), "city"))))
    assert {row["name"] for row in rows} == {"Alder", "Birch", "Dell", "'=Fir"}


async def test_a_bounce_takes_back_that_a_mailbox_was_reached(world: World) -> None:
    await world.launch()
    await delivered(world, "sent", "a-mayor", "b-member")
    await delivered(world, "bounced", "a-mayor")
    await amend(world, location={"name": "Room 9"})
    await delivered(world, "unneeded", "a-mayor", "b-member", revision=2)
    assert counts((await outcome(world)).total) == {"asked": 5, "reached": 1, "pending": 3, "other": 1}
    await delivered(world, "sent", "a-mayor", revision=2)
    assert (await outcome(world)).total.reached == 2


async def test_of_one_batch_a_bounce_counts_for_what_was_sent_before_it(world: World) -> None:
    await world.launch()
    matter, box = f"campaign:{(await world.campaign())['id']}", mailbox(MAYOR)
    states = [("sent", 1), ("bounced", 1), ("unneeded", 2)]
    deliveries = []
    for state, revision in states:
        world.later(seconds=1)
        deliveries.append(Delivery(matter=matter, revision=revision, mailbox=box, state=state, at=world.now))
    await world.deliver(*deliveries)
    [row] = await world.fetch("SELECT outcome, reached_revision FROM calls WHERE mailbox = $1", box)
    assert tuple(row) == ("unneeded", None)


async def test_the_sums_of_divisions_and_cities_are_the_total(world: World) -> None:
    await world.launch()
    await delivered(world, "sent", "a-mayor")
    found = await outcome(world)
    for lines in (found.divisions, found.cities):
        for name in (*sums.COUNTS, "other", "to_approve", "cities"):
            assert sum(getattr(line, name) for line in lines) == getattr(found.total, name)


@pytest.fixture
async def site(world: World) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app)
    app.include_router(campaigns_router(world.database, world.clock))
    async with world.database.transaction() as tx:
        _, key = await create_key(tx.connection, "reader", ["campaigns"], "/reader")
    headers = {"authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://site.example", headers=headers) as client:
        yield client


async def test_the_api_answers_with_json_or_as_asked_with_a_sheet(site: httpx.AsyncClient, world: World) -> None:
    await world.launch()
    path = f"/api/v1/campaigns/{(await world.campaign())['id']}/outcome"
    answer = await site.get(path)
    assert (answer.json()["total"]["asked"], answer.headers["content-type"]) == (5, "application/json")
    sheet = await site.get(path, params={"by": "member"}, headers={"accept": "text/csv"})
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    assert sheet.text.splitlines()[1].startswith("l7,Jesse Example,chair,upper:7,3,5,")
    assert (await site.get("/api/v1/campaigns/none/outcome")).status_code == 404
    assert (await site.get("/api/v1/campaigns/%00/outcome")).status_code == 404
    assert (await site.get(path, params={"by": "county"})).status_code == 422
    assert (await site.get(path, headers={"authorization": ""})).status_code == 401


async def launched(url: str) -> str:
    database = await Database.connect(url, "campaigns", max_size=2)
    world = World(database)
    await world.empty()
    await world.launch()
    found = str((await world.campaign())["id"])
    await database.close()
    return found


def test_the_command_prints_tables_json_and_csv(
    campaigns_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", campaigns_url)
    campaign = asyncio.run(launched(campaigns_url))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(campaigns, ["outcome", campaign, *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "East Bay" in run()
    assert "Jesse Example" in run("--by", "member")
    assert json.loads(run("--json"))["total"]["asked"] == 5
    assert run("--csv", "-").startswith("slug,division,without,cities,asked,")
    assert "3 lines" in run("--by", "city", "--csv", "cities.csv")
    assert (tmp_path / "cities.csv").read_text("utf-8-sig").startswith("city,name,division,officials,")
    assert CliRunner().invoke(campaigns, ["outcome", "none"]).exit_code == 1
    assert CliRunner().invoke(campaigns, ["outcome", campaign, "--by", "county"]).exit_code == 2


async def test_campaigns_are_listed_in_parts_and_those_that_are_over_left_out(
    site: httpx.AsyncClient, world: World
) -> None:
    await world.launch()
    await world.hear(make_alert(hearing_id="h-2", starts_at="2027-04-22T09:30:00-07:00"))

    async def listed(**wanted: str | int) -> list[str]:
        return [each["hearing"] for each in (await site.get("/api/v1/campaigns", params=wanted)).json()]

    assert await listed() == ["h-2", "h-1"]
    assert await listed(limit=1) == ["h-2"]
    assert await listed(limit=1, skip=1) == ["h-1"]
    first = await site.get("/api/v1/campaigns", params={"limit": 1})
    assert first.headers["link"] == f'</api/v1/campaigns?limit=1&after={first.json()[0]["id"]}>; rel="next"'
    last = await site.get(first.headers["link"].partition(">")[0].removeprefix("<"))
    assert ([each["hearing"] for each in last.json()], "link" in last.headers) == (["h-1"], False)
    assert (await site.get("/api/v1/campaigns", params={"after": "none"})).status_code == 422
    world.now = datetime(2027, 4, 22, 1, tzinfo=UTC)
    assert await listed(open="true") == ["h-2"]
    assert (await site.get("/api/v1/campaigns", params={"limit": 0})).status_code == 422
