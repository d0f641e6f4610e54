"""What legislation tells of a bill is kept at its newest, and shown where positions and campaigns are."""

import asyncio
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from campaigns_world import World, make_alert
from typer.testing import CliRunner

from clarion.runtime.database import Database
from clarion.runtime.messaging.record import Record
from clarion.schemas.legislation import BillProgress, bill_key
from clarion.services.campaigns.bills import progress_on
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.positions.commands import positions
from clarion.services.waves import campaigns

Run = Callable[..., Any]


def make_progress(revision: int, **changes: Any) -> BillProgress:
    fields = {
        "bill_id": "b-79",
        "revision": revision,
        "jurisdiction": CALIFORNIA,
        "session": "20272028",
        "bill": "SB 79",
        "status": f"Stage {revision}",
        "amended_on": "2027-03-03",
        "committee": {"name": "Local Government"},
        "stated_at": "2027-03-04T09:00:00Z",
        "changed": ["status"],
    } | changes
    return BillProgress.model_validate({"bill_key": bill_key(str(fields["bill"]))} | fields)


def record(world: World, progress: BillProgress) -> Record:
    body = progress.model_dump_json().encode()
    return world.record("legislation.alerts.v1", "bill.progressed", progress.bill_id, body)


async def kept(world: World) -> dict[str, tuple[int, str]]:
    rows = await world.fetch("SELECT bill_key, revision, state FROM bills")
    return {row["bill_key"]: (row["revision"], row["state"]["status"]) for row in rows}


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
async def test_the_newest_state_of_a_bill_stays_whatever_the_order(world: World, order: tuple[int, ...]) -> None:
    for revision in order:
        await world.consume("legislation.alerts.v1", [record(world, make_progress(revision))])
    assert await kept(world) == {"SB79": (3, "Stage 3")}


async def test_in_one_batch_with_hearings_each_kind_is_told_apart(world: World) -> None:
    other = make_progress(1, bill="AB 1", bill_id="b-1")
    records = [make_progress(2), make_progress(1), other, make_progress(2, status="Told again")]
    alert = world.alert_record(make_alert())
    await world.consume(
        "legislation.alerts.v1", [record(world, records[0]), alert, *(record(world, one) for one in records[1:])]
    )
    assert {key: revision for key, (revision, _) in (await kept(world)).items()} == {"SB79": 2, "AB1": 1}
    assert len(await world.fetch("SELECT id FROM hearings")) == 1
    assert await world.dead_letters() == []


async def test_a_replay_of_all_that_was_told_makes_lost_bills_again(world: World) -> None:
    log = [record(world, make_progress(revision)) for revision in (1, 2, 3)]
    await world.consume("legislation.alerts.v1", log)
    before = await world.fetch("SELECT * FROM bills")
    await world.consume("legislation.alerts.v1", log)
    assert await world.fetch("SELECT * FROM bills") == before
    await world.empty()
    await world.consume("legislation.alerts.v1", log[::-1])
    assert await world.fetch("SELECT * FROM bills") == before


async def test_a_bill_is_matched_by_jurisdiction_session_and_number(world: World) -> None:
    near = [
        make_progress(1, bill="sb 079"),
        make_progress(1, bill_id="b-2", session="20252026", status="Of another session"),
        make_progress(1, bill_id="b-3", jurisdiction="nevada", status="Of another state"),
    ]
    await world.consume("legislation.alerts.v1", [record(world, one) for one in near])
    adopted = [(await world.adopt(bill=bill)).adopted.position for bill in ("SB 79", "SB 80")]
    async with world.database.connection() as connection:
        [found, none] = await progress_on(connection, adopted)
    assert found is not None
    assert (found["status"], found["committee"], none) == ("Stage 1", "Local Government", None)


async def test_a_malformed_state_of_a_bill_is_a_dead_letter(world: World) -> None:
    body = json.dumps(make_progress(1).model_dump(mode="json") | {"revision": 0}).encode()
    bad = world.record("legislation.alerts.v1", "bill.progressed", "b-79", body)
    await world.consume("legislation.alerts.v1", [bad, record(world, make_progress(2))])
    assert await kept(world) == {"SB79": (2, "Stage 2")}
    assert len(await world.dead_letters()) == 1


async def prepare(url: str) -> None:
    database = await Database.connect(url, "campaigns", max_size=2)
    world = World(database)
    await world.empty()
    await world.launch()
    await world.adopt(bill="SB 80")
    await world.hear(make_alert(hearing_id="h-2", aliases=["h-2"], status="cancelled"))
    await world.consume("legislation.alerts.v1", [record(world, make_progress(4))])
    await database.close()


@pytest.fixture
def run(campaigns_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", campaigns_url)
    asyncio.run(prepare(campaigns_url))
    return lambda group, *arguments: CliRunner().invoke(group, list(arguments))


def launched(run: Run) -> str:
    """The id of the only campaign that is launched."""
    listed = json.loads(run(campaigns, "list", "--json").stdout)
    [found] = [each["id"] for each in listed if each["status"] == "launched"]
    return str(found)


def test_positions_are_listed_with_where_their_bills_stand(run: Run) -> None:
    listed = json.loads(run(positions, "list", "--json").stdout)
    assert [each["progress"] and each["progress"]["status"] for each in listed] == ["Stage 4", None]
    text = run(positions, "list").stdout
    assert "Stage 4" in text
    assert "Local Government" in text


def test_a_position_is_shown_with_its_bills_state_and_the_hearings_ahead(run: Run) -> None:
    shown = json.loads(run(positions, "show", "SB 79", "--json").stdout)
    assert (shown["progress"]["revision"], shown["progress"]["changed"]) == (4, ["status"])
    [hearing] = shown["hearings"]
    assert (hearing["hearing"], hearing["committee"], hearing["status"]) == ("h-1", "Housing", "launched")
    assert hearing["campaign"] == launched(run)
    text = run(positions, "show", "SB 79").stdout
    assert "Stage 4" in text
    assert hearing["campaign"] in text
    nothing = run(positions, "show", "SB 80").stdout
    assert "nothing told of the bill yet" in nothing
    assert "no hearing ahead" in nothing
    assert "Example: clarion positions show" in run(positions, "show", "--help").stdout


def test_a_campaign_is_shown_with_where_its_bills_stand(run: Run) -> None:
    shown = json.loads(run(campaigns, "show", launched(run), "--json").stdout)
    assert [(each["bill"], each["status"]) for each in shown["progress"]] == [("SB 79", "Stage 4")]
    assert "Stage 4" in run(campaigns, "show", launched(run)).stdout
