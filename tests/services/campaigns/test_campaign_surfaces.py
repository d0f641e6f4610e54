"""Commands, HTTP, and the service as it runs on Kafka."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from campaigns_world import ASKED, IMPORTS, World, make_alert
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from clarion.runtime.database import Database
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.runtime.messaging.topics import ensure_topics
from clarion.runtime.process import run_services
from clarion.runtime.settings import Settings
from clarion.runtime.web import problems
from clarion.runtime.web.keys import create_key
from clarion.schemas import directory
from clarion.schemas.directory import NEEDED_TO_LAUNCH
from clarion.schemas.topics import DIRECTORY_ENTITIES, LEGISLATION_ALERTS, TOPICS
from clarion.services.campaigns.app import build
from clarion.services.campaigns.positions.commands import positions
from clarion.services.campaigns.web import campaigns_router
from clarion.services.waves import campaigns

ADOPT = (
    "adopt",
    "--bill",
    "SB 79",
    "--session",
    "20272028",
    "--stance",
    "oppose",
    "--ask",
    "vote no",
    "--why",
    "Zoning.",
)
Run = Callable[..., Result]


async def prepare(url: str, *, launched: bool) -> None:
    database = await Database.connect(url, "campaigns", max_size=2)
    world = World(database)
    await world.empty()
    if launched:
        await world.launch()
    await database.close()


@pytest.fixture
def run(campaigns_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", campaigns_url)
    asyncio.run(prepare(campaigns_url, launched=False))

    def invoke(group: Any, *arguments: str) -> Result:
        return CliRunner().invoke(group, list(arguments))

    return invoke


def test_a_position_is_adopted_with_its_texts_and_listed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Chair,\n", encoding="utf-8")
    adopted = json.loads(run(positions, *ADOPT, "--letter", "letter.txt", "--launch", "auto", "--json").stdout)
    assert (adopted["bill_key"], adopted["letter"], adopted["version"], adopted["changed"]) == (
        "SB79",
        "Dear Chair,",
        1,
        True,
    )
    [listed] = json.loads(run(positions, "list", "--json").stdout)
    only_of_changes = {"changed", "to_follow"}
    assert listed == {name: adopted[name] for name in adopted if name not in only_of_changes} | {"progress": None}
    assert "SB 79" in run(positions, "list").stdout


def test_adopting_again_says_that_nothing_changed(run: Run) -> None:
    run(positions, *ADOPT)
    assert "nothing changed" in run(positions, *ADOPT).stdout


def test_a_position_is_shown_with_its_earlier_versions(run: Run) -> None:
    run(positions, *ADOPT)
    run(positions, *ADOPT, "--stance", "watch")
    shown = json.loads(run(positions, "show", "sb79", "--json").stdout)
    assert (shown["stance"], shown["version"]) == ("watch", 2)
    assert [each["stance"] for each in shown["versions"]] == ["watch", "oppose"]
    assert run(positions, "show", "SB 1").exit_code == 1


@pytest.mark.parametrize("wrong", [("--stance", "maybe"), ("--launch", "soon"), ("--bill", " - "), ("--why", "")])
def test_wrong_use_is_said(run: Run, wrong: tuple[str, str]) -> None:
    answer = run(positions, *ADOPT, *wrong)
    assert answer.exit_code == 2
    assert wrong[0] in answer.stderr
    assert json.loads(run(positions, "list", "--json").stdout) == []


def test_campaigns_are_listed_page_by_page_and_that_there_are_more_is_said(run: Run, campaigns_url: str) -> None:
    asyncio.run(prepare(campaigns_url, launched=True))
    asyncio.run(hear_another(campaigns_url))
    first = run(campaigns, "list", "--limit", "1", "--json")
    [newest] = json.loads(first.stdout)
    assert first.stderr == f"There are more: --after {newest['id']}\n"
    last = run(campaigns, "list", "--limit", "1", "--after", newest["id"], "--json")
    assert ([each["hearing"] for each in json.loads(last.stdout)], last.stderr) == (["h-1"], "")
    assert run(campaigns, "list", "--after", "none").exit_code == 2


async def hear_another(url: str) -> None:
    database = await Database.connect(url, "campaigns", max_size=2)
    await World(database).hear(make_alert(hearing_id="h-2", starts_at="2027-04-22T09:30:00-07:00"))
    await database.close()


def test_campaigns_are_listed_and_shown(run: Run, campaigns_url: str) -> None:
    assert run(campaigns, "list").stdout.startswith("No campaign")
    asyncio.run(prepare(campaigns_url, launched=True))
    [listed] = json.loads(run(campaigns, "list", "--json").stdout)
    assert (listed["status"], listed["officials"], listed["asked"]) == ("launched", 5, 5)
    assert listed["held"] == "Wednesday, April 21, 2027, 1:30 pm PDT"
    shown = json.loads(run(campaigns, "show", listed["id"], "--json").stdout)
    assert [wave["division"] for wave in shown["waves"]] == ["East Bay", "Peninsula", "no division"]
    assert [(each["legislator"], each["cities"]) for each in shown["reasons"]] == [
        ("Jesse Example", 3),
        ("Sam Sample", 1),
    ]
    text = run(campaigns, "show", listed["id"]).stdout
    assert "East Bay" in text
    assert "Jesse Example" in text
    assert run(campaigns, "show", "none").exit_code == 1


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


async def test_the_api_lists_and_shows_campaigns(site: httpx.AsyncClient, world: World) -> None:
    await world.launch()
    [listed] = (await site.get("/api/v1/campaigns")).json()
    shown = (await site.get(f"/api/v1/campaigns/{listed['id']}")).json()
    assert shown["outcomes"] == {"pending": 5}
    assert shown["ends_at"] == "2027-04-21T20:30:00Z"
    assert {name: shown[name] for name in listed} == listed


async def test_the_api_wants_a_key_and_knows_what_is_not_there(site: httpx.AsyncClient) -> None:
    assert (await site.get("/api/v1/campaigns", headers={"authorization": ""})).status_code == 401
    assert (await site.get("/api/v1/campaigns/none")).status_code == 404
    assert (await site.get("/api/v1/campaigns/%00")).status_code == 404


def directory_events() -> list[Outgoing]:
    events = []
    for kind in NEEDED_TO_LAUNCH:
        for entity in IMPORTS[kind]:
            name = type(entity).__name__.lower()
            key = f"{name}:{entity.model_dump()['id']}"
            events.append(Outgoing(DIRECTORY_ENTITIES, key, f"{name}.changed", entity, extensions={"importid": kind}))
        marker = directory.ImportCompleted(
            import_id=kind, kind=kind, completed_at=World.now, added=1, changed=0, unchanged=0, rejected=0
        )
        events.append(Outgoing(DIRECTORY_ENTITIES, f"import:{kind}", "import.completed", marker))
    return events


async def test_what_travels_on_kafka_becomes_calls(settings: Settings, until: Any) -> None:
    await ensure_topics(settings, TOPICS)
    service = await build(settings, lambda: World.now)
    stopping, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(run_services([service], settings, stopping=stopping, ready=ready.set))
    await until(ready.is_set)
    database = await Database.connect(str(settings.database_url), "campaigns", max_size=2)
    world = World(database)
    await world.adopt()
    alert = make_alert()
    async with database.transaction() as tx:
        hearing = Outgoing(LEGISLATION_ALERTS, alert.hearing_id, "bill-hearing.scheduled", alert)
        await enqueue(tx, [hearing, *directory_events()])

    async def all_called() -> bool:
        return await world.called() == ASKED

    await until(all_called, 30)
    assert len(await world.recipients()) == len(ASKED)
    await database.close()
    stopping.set()
    await task
