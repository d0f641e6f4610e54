"""Campaigns that somebody started, and those that follow, go wave by wave as a hearing's do."""

import pytest
from approving_world import add, approve, leave_out, shown, write
from campaigns_world import World, make_alert
from starting_world import associate, cancel, make_draft, move, start
from test_campaign_bills import make_progress, record

from clarion.services.campaigns.approving.waves import TooLate

LATER = "2027-05-12T09:30:00-07:00"


async def begun(world: World) -> str:
    await associate(world)
    audience = {"divisions": ["east-bay", "peninsula"], "groups": ["city-clerks"]}
    return (await start(world, make_draft(audience, launch="approval"))).id


async def test_a_division_lets_its_own_people_go(world: World) -> None:
    campaign = await begun(world)
    assert await world.called() == set()
    await approve(world, campaign)
    await world.fan_out()
    assert await world.called() == {"a-clerk", "e-mayor"}
    await approve(world, campaign, "peninsula")
    await world.fan_out()
    assert await world.called() == {"a-clerk", "e-mayor", "b-clerk"}


async def test_people_are_left_out_and_added_by_hand(world: World) -> None:
    campaign = await begun(world)
    await leave_out(world, campaign, "e-mayor")
    await add(world, campaign, "a-mayor")
    await write(world, campaign, "Our creeks carry it all.")
    await approve(world, campaign)
    await world.fan_out()
    assert await world.called() == {"a-clerk", "a-mayor"}
    [told] = await world.told_to("a-mayor@alder.example")
    assert told.body["content"]["paragraph"] == "Our creeks carry it all."


async def test_a_move_after_the_approval_is_told_to_who_was_asked_alone(world: World) -> None:
    campaign = await begun(world)
    await approve(world, campaign)
    await world.fan_out()
    await move(world, campaign, decided_at="2027-06-21")
    assert [each.revision for each in await world.told_to("e-mayor@elm.example")] == [1, 2]
    assert await world.told_to("b-clerk@birch.example") == []


async def test_a_cancelled_one_is_approved_by_nobody(world: World) -> None:
    campaign = await begun(world)
    await cancel(world, campaign)
    with pytest.raises(TooLate):
        await approve(world, campaign)
    await world.fan_out()
    assert await world.called() == set()


async def test_what_was_written_and_chosen_waits_in_the_campaign_that_follows(world: World) -> None:
    await world.launch(launch="approval")
    last = str((await world.campaign())["id"])
    await leave_out(world, last, "a-mayor")
    await write(world, last, "Our valley floods.")
    await approve(world, last)
    await world.fan_out()
    world.later(days=25)
    await world.review()
    told = make_progress(1, committee={"name": "Local Government"}, amended_on="2027-04-22")
    await world.consume("legislation.alerts.v1", [record(world, told)])
    await world.hear(make_alert(hearing_id="h-2", starts_at=LATER))
    [row] = await world.fetch("SELECT id, status FROM campaigns WHERE hearing = 'h-2'")
    wave = await shown(world, row["id"])
    assert (row["status"], wave.state, wave.paragraph, wave.left_out) == ("drafted", "waiting", "Our valley floods.", 1)
    await approve(world, row["id"])
    await world.fan_out()
    called = await world.fetch("SELECT official FROM calls WHERE campaign = $1", row["id"])
    assert {each["official"] for each in called} == {"a-chief"}
