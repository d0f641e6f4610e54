"""Campaigns that somebody starts, at the command line and over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from campaigns_world import NOW, World, make_alert
from fastapi import FastAPI
from starting_world import OWN, associate
from test_campaign_bills import make_progress, record
from typer.testing import CliRunner, Result

from clarion.runtime.database import Database
from clarion.runtime.web import problems
from clarion.runtime.web.keys import create_key
from clarion.services.campaigns.starting.drafts import EXAMPLE, OccasionDraft
from clarion.services.campaigns.starting.web import starting_router
from clarion.services.campaigns.web import campaigns_router
from clarion.services.sample import sample_draft
from clarion.services.waves import campaigns

DRAFT: dict[str, Any] = {
    "id": "ours-1",
    "kind": "comment-period",
    "decider": "CalRecycle",
    "decided_at": "2027-06-14T17:00:00-07:00",
    "own": [OWN],
    "audience": {"divisions": ["East Bay"]},
}


@pytest.fixture
async def site(world: World) -> AsyncIterator[httpx.AsyncClient]:
    await associate(world)
    app = FastAPI()
    problems.install(app)
    app.include_router(starting_router(world.database, world.clock))
    app.include_router(campaigns_router(world.database, world.clock))
    async with world.database.transaction() as tx:
        _, key = await create_key(tx.connection, "starter", ["campaigns", "occasions"], "/starter")
        _, reader = await create_key(tx.connection, "reader", ["campaigns"], "/reader")
    headers = {"authorization": f"Bearer {key}", "x-reader": reader}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://site.example", headers=headers) as client:
        yield client


async def test_a_draft_is_counted_started_moved_and_cancelled(site: httpx.AsyncClient, world: World) -> None:
    counted = await site.post("/api/v1/campaigns/count", json=DRAFT)
    assert (counted.status_code, counted.json()["officials"]) == (200, 2)
    made = await site.post("/api/v1/campaigns", json=DRAFT)
    assert (made.status_code, made.json()["created"]) == (201, True)
    place = made.headers["location"]
    shown = (await site.get(place)).json()
    assert (shown["status"], shown["officials"]) == ("drafted", 2)
    again = await site.post("/api/v1/campaigns", json=DRAFT)
    assert again.json() == {"id": made.json()["id"], "created": False}
    foreseen = (await site.post(f"{place}/move/count", json={"decided_at": "2027-06-21"})).json()
    assert (foreseen["amended"], foreseen["changes"][0]["label"]) == (0, "Open until")
    move = {"decided_at": "2027-06-21", "look": foreseen["look"]}
    assert (await site.post(f"{place}/move", json=move)).status_code == 200
    assert (await site.get(place)).json()["held"].startswith("Monday, June 21, 2027")
    overtaken = await site.post(f"{place}/cancel", json={"look": foreseen["look"]})
    assert (overtaken.status_code, overtaken.json()["errors"][0]["field"]) == (409, "look")
    assert (await site.post(f"{place}/cancel/count")).status_code == 200
    assert (await site.post(f"{place}/cancel")).status_code == 200
    assert (await site.post(f"{place}/cancel")).status_code == 409
    assert (await site.post(f"{place}/take-back/count")).status_code == 200
    assert (await site.post(f"{place}/take-back")).status_code == 200
    assert (await site.get(place)).json()["status"] == "drafted"
    acts = await world.fetch("SELECT act FROM clarion.audit WHERE subject = $1 ORDER BY id", f"campaign:{shown['id']}")
    assert [row["act"] for row in acts] == [
        "campaign.started",
        "campaign.moved",
        "campaign.cancelled",
        "campaign.change-taken-back",
    ]


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"audience": {"division": ["East Bay"]}}, 422, "audience.division"),
        ({"audience": {"divisions": ["North"]}}, 422, "audience.divisions[0]"),
        ({"kind": "hearing"}, 422, "kind"),
        ({"jurisdiction": "ocd-jurisdiction/country:us/state:nv/government"}, 422, "zone"),
        ({"zone": []}, 422, "zone"),
        ({"decided_at": 1}, 422, "decided_at"),
        ({"own": [{"subject": "x"}]}, 422, "own[0].ask"),
        ({"decided_at": "2027-01-01"}, 422, "decided_at"),
    ],
)
async def test_what_is_wrong_is_a_problem_with_its_fields(
    site: httpx.AsyncClient, changes: dict[str, Any], status: int, field: str
) -> None:
    for path in ("/api/v1/campaigns/count", "/api/v1/campaigns"):
        answer = await site.post(path, json=DRAFT | changes)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert field in [error["field"] for error in answer.json()["errors"]]


async def test_another_draft_under_a_known_id_is_a_conflict(site: httpx.AsyncClient) -> None:
    await site.post("/api/v1/campaigns", json=DRAFT)
    answer = await site.post("/api/v1/campaigns", json=DRAFT | {"launch": "auto"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "id")


async def test_a_key_that_reads_starts_nothing(site: httpx.AsyncClient) -> None:
    headers = {"authorization": f"Bearer {site.headers['x-reader']}"}
    for path in ("", "/count", "/x/move", "/x/cancel", "/x/take-back", "/x/cancel/count"):
        answer = await site.post(f"/api/v1/campaigns{path}", json=DRAFT, headers=headers)
        assert answer.status_code == 403, path
    assert (await site.get("/api/v1/campaigns/follow-ups", headers=headers)).json() == []


async def test_who_was_reached_by_the_last_campaign_is_told(site: httpx.AsyncClient, world: World) -> None:
    await world.adopt()
    await world.hear()
    await world.fan_out()
    [first] = (await site.get("/api/v1/campaigns")).json()
    async with world.database.connection() as connection:
        await connection.execute("UPDATE calls SET reached_revision = 1, outcome_at = $1", world.now)
    await world.hear(make_alert(hearing_id="h-2", starts_at="2027-05-12T09:30:00-07:00"))
    newest = (await site.get("/api/v1/campaigns")).json()[0]["id"]
    found = (await site.get(f"/api/v1/campaigns/{newest}/reached-before")).json()
    assert {each["campaign"] for each in found} == {first["id"]}
    assert [each["official"] for each in found if each["asked_to_write"] and each["asked_to_testify"]] == ["b-manager"]
    assert (await site.get(f"/api/v1/campaigns/{first['id']}/reached-before")).json() == []
    assert (await site.get("/api/v1/campaigns/none/reached-before")).status_code == 404


async def test_what_is_not_there_is_not_found(site: httpx.AsyncClient) -> None:
    for path in ("none", "%00"):
        assert (await site.post(f"/api/v1/campaigns/{path}/cancel")).status_code == 404


async def test_a_body_that_is_no_text_is_refused_and_every_method_of_an_address_is_told(
    site: httpx.AsyncClient,
) -> None:
    answer = await site.post("/api/v1/campaigns", content=b"\xff\x08N", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (422, "The body is not JSON.")
    refused = await site.put("/api/v1/campaigns")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")
    assert (await site.put("/api/v1/campaigns/count")).headers["allow"] == "POST"


async def test_the_worked_example_is_a_draft(site: httpx.AsyncClient) -> None:
    answer = await site.post("/api/v1/campaigns/count", json=EXAMPLE)
    assert [error["field"] for error in answer.json()["errors"]] == ["audience.groups[0]"], "all but that group is here"


Run = Callable[..., Result]


async def prepare(url: str) -> None:
    database = await Database.connect(url, "campaigns", max_size=2)
    world = World(database)
    await world.empty()
    await associate(world)
    await database.close()


@pytest.fixture
def run(campaigns_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", campaigns_url)
    asyncio.run(prepare(campaigns_url))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(campaigns, list(arguments))

    return invoke


VOLUNTEERS = (
    "create",
    "volunteer",
    "--decider",
    "The board",
    "--about",
    "Packaging task force",
    "--ask",
    "send your name",
    "--why",
    "It meets from July on.",
    "--at",
    "2027-06-30",
)


def test_a_dry_run_counts_and_starts_nothing(run: Run) -> None:
    counted = json.loads(run(*VOLUNTEERS, "--group", "city-clerks", "--dry-run", "--json").stdout)
    assert (counted["officials"], counted["title"]) == (3, "Packaging task force: The board, Wednesday, June 30, 2027")
    text = run(*VOLUNTEERS, "--group", "city-clerks", "--dry-run").stdout
    assert "East Bay" in text
    assert json.loads(run("list", "--json").stdout) == []


def test_it_is_started_once_moved_and_cancelled(run: Run) -> None:
    first = json.loads(run(*VOLUNTEERS, "--division", "east-bay", "--id", "v", "--json").stdout)
    assert "nothing changed" in run(*VOLUNTEERS, "--division", "east-bay", "--id", "v").stdout
    counted = run("move", first["id"], "--at", "2027-07-01", "--dry-run")
    assert (counted.exit_code, "nothing is changed yet" in counted.stderr + counted.stdout) == (0, True)
    assert run("move", first["id"], "--at", "2027-07-01").exit_code == 0
    assert run("take-back", first["id"]).exit_code == 0
    assert json.loads(run("cancel", first["id"], "--json").stdout)["changed"] is True
    again = run("cancel", first["id"])
    assert (again.exit_code, "cancelled before" in again.stderr) == (1, True)
    assert "No bill" in run("follow-ups").stdout


def test_a_bill_that_goes_on_stands_below_the_list_and_in_its_own(run: Run, campaigns_url: str) -> None:
    asyncio.run(go_on(campaigns_url))
    assert "drafted until a hearing is set: SB 79" in run("list").stdout
    [found] = json.loads(run("follow-ups", "--json").stdout)
    assert (found["bill"], found["problem"]) == ("SB 79", "waits for the hearing before Local Government")


async def go_on(url: str) -> None:
    database = await Database.connect(url, "campaigns", max_size=2)
    world = World(database)
    await world.adopt()
    await world.hear()
    world.later(days=25)
    await world.review()
    told = make_progress(1, committee={"name": "Local Government"}, amended_on=None)
    await world.consume("legislation.alerts.v1", [record(world, told)])
    await database.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--division", "north"), "--division: no division 'north'; known: East Bay (east-bay), Peninsula (peninsula)"),
        ((), "--audience: nobody is asked"),
        (("--statewide", "--members", "some"), "--members"),
        (("--statewide", "--at", "soon"), "--at"),
        (("--statewide", "--at", "2020-01-01"), "--at: that was"),
    ],
)
def test_wrong_use_names_the_option(run: Run, options: tuple[str, ...], words: str) -> None:
    answer = run(*VOLUNTEERS, *options)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert words in answer.stderr
    assert json.loads(run("list", "--json").stdout) == []


def test_a_file_holds_a_whole_draft(run: Run, tmp_path: Path) -> None:
    (tmp_path / "draft.json").write_text(json.dumps(DRAFT), encoding="utf-8")
    assert json.loads(run("create", "comment-period", "--file", "draft.json", "--json").stdout)["created"]
    (tmp_path / "draft.json").write_text("[]", encoding="utf-8")
    assert run("create", "comment-period", "--file", "draft.json").exit_code == 1


def test_the_samples_draft_is_one_and_ends_on_a_weekday_at_five() -> None:
    for days in range(14):
        now = NOW + timedelta(days=days)
        draft = OccasionDraft.model_validate(sample_draft(now))
        assert isinstance(draft.decided_at, datetime)
        assert (draft.decided_at.hour, draft.decided_at.weekday() < 5) == (17, True)
        assert draft.decided_at - now > timedelta(days=45)
