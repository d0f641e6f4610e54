"""A position is withdrawn: nobody is asked any more, and who was told is told once, whatever else happens."""

import asyncio

import pytest
from amending import CHIEF, MAYOR, MOVED, amend, history, standing
from approving_world import EAST_BAY, approve, drafted, state
from campaigns_world import ASKED, World, make_alert, official
from positions_world import SB_79, WITH_TWO, withdrawn
from test_campaign_agenda import ACTOR
from test_campaign_follow_ups import follow_ups, tell

from clarion.services.campaigns import fanout
from clarion.services.campaigns.approving.operations import Refusal
from clarion.services.campaigns.positions.operations import (
    Unadoptable,
    UnknownPosition,
    withdraw,
)


async def test_a_withdrawn_position_ends_what_was_told_once_and_is_asked_about_no_more(world: World) -> None:
    await world.launch()
    assert (await withdrawn(world)).is_new
    await world.fan_out()
    told = await world.told()
    assert {len(each) for each in told.values()} == {2}
    assert {each[1].recipient for each in told.values()} == {None}
    assert {each[1].body["reason"] for each in told.values()} == {"We have withdrawn our position on SB 79."}
    assert await standing(world) == set()
    campaign = await world.campaign()
    assert (campaign["status"], campaign["problem"]) == ("closed", "We have withdrawn our position on SB 79.")


async def test_withdrawn_twice_or_by_two_at_once_changes_nothing_more(world: World) -> None:
    await world.launch()
    done = await asyncio.gather(*(withdrawn(world, reason=f"Reason {number}") for number in range(3)))
    assert sorted(each.is_new for each in done) == [False, False, True]
    assert {each.adopted.version for each in done} == {2}
    assert len({each.adopted.withdrawn_reason for each in done}) == 1
    await world.fan_out()
    before = await world.fetch("SELECT * FROM outbox"), await world.fetch("SELECT * FROM campaigns")
    assert not (await withdrawn(world)).is_new
    await world.fan_out()
    assert before == (await world.fetch("SELECT * FROM outbox"), await world.fetch("SELECT * FROM campaigns"))


async def test_what_comes_after_a_withdrawal_tells_nobody_anything(world: World) -> None:
    await world.launch()
    await withdrawn(world)
    await world.fan_out()
    before = await world.told()
    again = world.alert_record(make_alert())
    await world.consume("legislation.alerts.v1", [again, again])
    await amend(world, 2, starts_at=MOVED)
    await amend(world, 3, status="cancelled")
    await world.project(world.entity(official("new", "alder", "Mayor")))
    await world.quiet_directory()
    assert await world.told() == before


async def test_a_position_withdrawn_in_mid_send_reaches_nobody_new_and_ends_for_who_was_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [official(f"o{number}", "alder", "Mayor") for number in range(200)]
    await world.import_all(officials=people)
    await world.adopt()
    await world.hear()
    monkeypatch.setattr(fanout, "OFFICIALS_PER_TRANSACTION", 20)
    assert await fanout.fan_out(world.database, world.clock)
    early = set(await world.told())
    assert 0 < len(early) < 200
    await asyncio.gather(withdrawn(world), world.fan_out(), withdrawn(world))
    await world.fan_out_and_die()
    await asyncio.gather(world.fan_out(), world.fan_out())
    await world.fan_out()
    told = await world.told()
    assert early <= set(told)
    assert {tuple((each.revision, each.recipient is None) for each in found) for found in told.values()} == {
        ((1, False), (2, True))
    }
    assert await standing(world) == set()


async def test_a_withdrawal_that_dies_before_its_commit_did_not_happen(world: World) -> None:
    await world.launch()

    async def dying() -> None:
        async with world.database.transaction() as tx:
            await withdraw(tx, ACTOR, SB_79, "Amended", world.clock)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await dying()
    await world.fan_out()
    assert {len(each) for each in (await world.told()).values()} == {1}
    assert (await withdrawn(world)).adopted.version == 2


async def test_a_campaign_with_other_bills_goes_on_without_it(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.adopt(bill="SB 80", ask="vote no on SB 80")
    await world.hear(make_alert(agenda=WITH_TWO))
    await world.fan_out()
    await withdrawn(world)
    await world.fan_out()
    first, second = await world.told_to(MAYOR)
    assert first.asks == {("letter", "SB 79"), ("letter", "SB 80")}
    assert second.asks == {("letter", "SB 80")}
    assert await history(world) == [(1, []), (2, ["bill:SB79"])]
    campaign = await world.campaign()
    assert (campaign["status"], campaign["bills"]) == ("launched", ["SB 80"])


async def test_adopting_it_again_undoes_the_withdrawal_and_asks_those_who_are_concerned_once_more(world: World) -> None:
    await world.launch()
    await withdrawn(world)
    await world.fan_out()
    assert (await world.adopt()).adopted.version == 3
    await world.fan_out()
    assert await standing(world) == ASKED
    assert [each.recipient is None for each in await world.told_to(CHIEF)] == [False, True, False]
    assert (await world.campaign())["status"] == "launched"
    await withdrawn(world)
    await world.fan_out()
    assert [each.recipient is None for each in await world.told_to(CHIEF)] == [False, True, False, True]


async def test_withdrawn_and_adopted_again_before_anything_was_sent_is_one_call(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear()
    await withdrawn(world)
    await world.adopt()
    await world.fan_out()
    told = await world.told()
    assert {tuple(each.recipient is None for each in found) for found in told.values()} == {(False,)}
    assert await standing(world) == ASKED


async def test_withdrawn_before_its_hearing_is_set_it_starts_no_campaign(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await withdrawn(world)
    await world.hear()
    assert await world.fetch("SELECT FROM campaigns") == []


async def test_what_is_not_there_or_without_a_reason_is_not_withdrawn(world: World) -> None:
    with pytest.raises(UnknownPosition, match="clarion positions list"):
        await withdrawn(world)
    await world.adopt()
    with pytest.raises(Unadoptable, match="say why"):
        await withdrawn(world, reason=" \n ")


async def test_the_draft_of_the_next_campaign_goes_with_the_position_and_comes_back_with_it(world: World) -> None:
    await world.launch()
    world.later(days=25)
    await world.review()
    await tell(world, 1, committee={"name": "Local Government", "chamber": "upper"})
    await withdrawn(world)
    assert [each["state"] for each in await follow_ups(world)] == ["dropped"]
    world.later(hours=1)
    await world.adopt()
    assert [each["state"] for each in await follow_ups(world)] == ["dropped", "waiting"]


async def test_a_wave_of_a_withdrawn_position_cannot_be_approved_and_waits_again_once_it_is_adopted_again(
    world: World,
) -> None:
    campaign = await drafted(world)
    await withdrawn(world)
    assert (await world.campaign())["status"] == "closed"
    with pytest.raises(Refusal):
        await approve(world, campaign)
    await world.fan_out()
    assert await world.told() == {}
    await world.adopt(launch="approval")
    assert (await world.campaign())["status"] == "drafted"
    await approve(world, campaign)
    await world.fan_out()
    assert await standing(world) == EAST_BAY


async def test_withdrawn_after_one_division_was_let_go_the_other_is_never_asked(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.fan_out()
    await withdrawn(world)
    await world.fan_out()
    assert await standing(world) == set()
    with pytest.raises(Refusal):
        await approve(world, campaign, "peninsula")
    await world.adopt(launch="approval")
    await world.fan_out()
    assert await standing(world) == EAST_BAY
    assert [each.recipient is None for each in await world.told_to(MAYOR)] == [False, True, False]
    assert await state(world, campaign, "peninsula") == "waiting"
