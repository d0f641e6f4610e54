"""A campaign is ended by hand, all its divisions at once."""

import pytest
from approving_world import drafted
from campaigns_world import World

from clarion.runtime.staff.audit import Actor
from clarion.runtime.staff.rights import Role
from clarion.services.campaigns.approving import operations
from clarion.services.campaigns.approving.operations import Approver, NotYours, Refusal
from tests.staff import somebody

ADA = Approver(Actor("command", "ada", "ada", "here"))
WHY = "The author took our amendments."


async def close(world: World, campaign: str, approver: Approver = ADA) -> int:
    async with world.database.transaction() as tx:
        count = await operations.close(tx, approver, campaign, reason=WHY, now=world.now)
    await world.fan_out()
    return count


async def states(world: World) -> dict[str, str]:
    return {row["division"]: row["state"] for row in await world.fetch("SELECT division, state FROM approvals")}


async def test_what_waits_is_rejected_what_goes_out_is_stopped_and_told_why_once(world: World) -> None:
    campaign = await drafted(world)
    async with world.database.transaction() as tx:
        await operations.approve(tx, ADA, campaign, "east-bay", now=world.now)
    await world.fan_out()
    assert await close(world, campaign) == 3
    assert await states(world) == {"": "rejected", "east-bay": "stopped", "peninsula": "rejected"}
    first, last = await world.told_to("a-mayor@alder.example")
    assert (first.recipient is None, last.recipient) == (False, None)
    assert WHY in last.body["reason"]
    assert await world.told_to("b-member@birch.example") == []
    acts = await world.fetch("SELECT act FROM clarion.audit WHERE subject = $1 ORDER BY act", f"campaign:{campaign}")
    assert [row["act"] for row in acts] == ["wave.approved", "wave.rejected", "wave.rejected", "wave.stopped"]


async def test_closed_twice_it_is_said_that_nothing_is_left_and_a_division_can_be_let_go_again(world: World) -> None:
    campaign = await drafted(world)
    await close(world, campaign)
    with pytest.raises(Refusal, match="Nothing of campaign"):
        await close(world, campaign)
    async with world.database.transaction() as tx:
        await operations.approve(tx, ADA, campaign, "east-bay", now=world.now)
    await world.fan_out()
    assert await world.called() == {"a-mayor", "a-chief"}


async def test_a_manager_of_one_division_cannot_end_it_for_the_others_and_nothing_is_changed(world: World) -> None:
    campaign = await drafted(world)
    manager = Approver(Actor("staff", "m", "m", "there"), somebody(Role.MANAGER, ["east-bay"]))
    with pytest.raises(NotYours):
        await close(world, campaign, manager)
    assert set((await states(world)).values()) <= {"waiting"}


async def test_a_campaign_that_goes_by_itself_is_ended_too(world: World) -> None:
    await world.launch()
    campaign = str((await world.campaign())["id"])
    assert await close(world, campaign) == 3
    assert (await world.told_to("d-mayor@dell.example"))[-1].recipient is None
