"""An approval holds for what was looked at: only what a reader would read otherwise is looked at anew."""

import pytest
from amending import CHIEF, MAYOR, MOVED
from approving_world import (
    COMMAND,
    EAST_BAY,
    account,
    acts,
    approve,
    drafted,
    no_staff,
    reject,
    shown,
    state,
    write,
)
from campaigns_world import IMPORTS, World, city, official
from positions_world import withdrawn

from clarion.runtime.staff.rights import Role
from clarion.services.campaigns.approving import operations as waves
from clarion.services.campaigns.approving.operations import Changed, NotYours, Refusal
from clarion.services.campaigns.approving.rights import WHOLE

POSITION = {"launch": "approval"}


async def test_an_old_look_is_refused_with_what_changed(world: World) -> None:
    campaign = await drafted(world)
    look = (await shown(world, campaign)).look
    await world.hear(revision=2, starts_at=MOVED)
    with pytest.raises(Changed) as refused:
        await approve(world, campaign, look=look)
    assert refused.value.changes == [
        "When: now Thursday, April 22, 2027, 9:30 am PDT",
        "Letters due: now Wednesday, April 21, 2027, 12:00 pm PDT",
    ]
    look = (await shown(world, campaign)).look
    await world.adopt(**POSITION, why="It costs too much.")
    with pytest.raises(Changed) as refused:
        await approve(world, campaign, look=look)
    assert refused.value.changes == ["SB 79: its texts are other ones"]
    assert await state(world, campaign) == "waiting"
    await approve(world, campaign, look=(await shown(world, campaign)).look)


async def test_a_change_that_no_reader_sees_needs_no_new_look(world: World) -> None:
    campaign = await drafted(world)
    look = (await shown(world, campaign)).look
    await world.adopt(**POSITION, policy_area="housing")
    await world.project(*world.import_records("officials", [official("a-new", "alder", "Council Member")]))
    await approve(world, campaign, look=look)
    await world.fan_out()
    assert await world.called() == EAST_BAY | {"a-new"}


async def test_a_move_between_approval_and_send_has_the_wave_wait_again(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.hear(revision=2, starts_at=MOVED)
    await world.fan_out()
    assert await world.called() == set()
    found = await shown(world, campaign)
    assert found.state == "waiting"
    assert str(found.reason).startswith(
        "Since it was approved: When: now Thursday, April 22, 2027, 9:30 am PDT. Letters"
    )
    await approve(world, campaign, look=found.look)
    await world.fan_out()
    assert await world.called() == EAST_BAY
    [mayor] = await world.told_to(MAYOR)
    assert mayor.facts["when"].startswith("Thursday")


async def test_what_no_reader_sees_between_approval_and_send_lets_it_go_on(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.adopt(**POSITION, policy_area="housing")
    await world.fan_out()
    assert await world.called() == EAST_BAY
    assert await state(world, campaign) == "approved"


async def test_once_calls_went_out_a_move_amends_them_by_itself(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.fan_out()
    await world.hear(revision=2, starts_at=MOVED)
    await world.fan_out()
    assert await state(world, campaign) == "approved"
    assert [one.revision for one in await world.told_to(MAYOR)] == [1, 2]


async def test_a_paused_approval_is_looked_at_anew_when_the_hearing_moves(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    async with world.database.transaction() as tx:
        await waves.pause(tx, COMMAND, campaign, "east-bay", now=world.now)
    await world.fan_out()
    await world.hear(revision=2, starts_at=MOVED)
    assert await state(world, campaign) == "waiting"


async def test_the_divisions_own_paragraph_stands_in_its_calls_alone(world: World) -> None:
    campaign = await drafted(world)
    look = (await shown(world, campaign)).look
    await write(world, campaign, " Come to the market\non Friday. ")
    with pytest.raises(Changed, match="own paragraph is another one"):
        await approve(world, campaign, look=look)
    for division in ("east-bay", "peninsula"):
        await approve(world, campaign, division)
    await world.fan_out()
    [mayor], [member] = await world.told_to(MAYOR), await world.told_to("b-member@birch.example")
    assert mayor.body["content"]["paragraph"] == "Come to the market\non Friday."
    assert member.body["content"]["paragraph"] is None
    with pytest.raises(Refusal, match="stop them before"):
        await write(world, campaign, "Other words.")
    assert (await acts(world))[2][0] == "wave.worded"


@pytest.mark.parametrize("text", ["x" * 2_001, "a\x07b"])
async def test_a_paragraph_that_no_mail_can_hold_is_refused(world: World, text: str) -> None:
    campaign = await drafted(world)
    with pytest.raises(Refusal, match="paragraph"):
        await write(world, campaign, text)


async def test_a_division_that_comes_to_a_launched_campaign_waits_like_the_others(world: World) -> None:
    campaign = await drafted(world)
    for division in ("east-bay", "peninsula", ""):
        await approve(world, campaign, division)
    await world.fan_out()
    await world.project(*world.import_records("cities", [*IMPORTS["cities"][:3], city("dell", "delta", revision=2)]))
    await world.quiet_directory()
    found = await shown(world, campaign, "delta")
    assert found.state == "waiting"
    assert (await world.campaign())["problem"] == "1 division waits for approval"


async def test_a_bill_that_came_to_a_launched_campaign_waits_for_the_state_team(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.fan_out()
    await world.adopt(**POSITION, bill="SB 5", ask="vote aye on SB 5")
    agenda = [{"bill": one, "title": one, "author": None} for one in ("SB 79", "SB 5")]
    await world.hear(revision=2, agenda=agenda)
    await world.fan_out()
    assert len(await world.told_to(MAYOR)) == 1
    found = await shown(world, campaign, WHOLE)
    assert (found.state, found.name, [each.bill for each in found.bills]) == ("waiting", "All divisions", ["SB 5"])
    manager = await account(world, manages="east-bay")
    with pytest.raises(NotYours, match="by the state team"):
        await approve(world, campaign, WHOLE, who=manager)
    await world.adopt(**POSITION, bill="SB 5", ask="vote aye on SB 5", why="Another reason.")
    with pytest.raises(Changed, match="SB 5: its texts"):
        await approve(world, campaign, WHOLE, look=found.look)
    await approve(world, campaign, WHOLE, who=await account(world, Role.STATE))
    await world.fan_out()
    [_, told] = await world.told_to(CHIEF)
    assert "bill:SB5" in told.facts
    assert await state(world, campaign, WHOLE) == "approved"
    await no_staff(world)


async def test_a_bill_that_was_rejected_stays_out_until_its_words_change(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.fan_out()
    await world.adopt(**POSITION, bill="SB 5")
    agenda = [{"bill": one, "title": one, "author": None} for one in ("SB 79", "SB 5")]
    await world.hear(revision=2, agenda=agenda)
    await reject(world, campaign, WHOLE)
    await world.hear(revision=3, agenda=agenda, location={"name": "Room 2"})
    assert await state(world, campaign, WHOLE) == "rejected"
    await world.adopt(**POSITION, bill="SB 5", why="Better words.")
    assert await state(world, campaign, WHOLE) == "waiting"
    await world.hear(revision=4, agenda=agenda[:1])
    with pytest.raises(AssertionError):
        await state(world, campaign, WHOLE)


async def test_a_position_that_is_withdrawn_between_approval_and_send_sends_nothing(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await withdrawn(world)
    await world.fan_out()
    assert await world.called() == set()
    assert (await world.campaign())["status"] == "closed"
    await world.adopt(**POSITION)
    assert await state(world, campaign) == "waiting"


async def test_who_is_asked_in_another_divisions_mailbox_counts_as_asked(world: World) -> None:
    await world.import_all()
    roles = {"b-member": "Council Member", "b-manager": "City Manager"}
    moved = [official(one, "birch", role, address=MAYOR, revision=2) for one, role in roles.items()]
    await world.project(*map(world.entity, moved))
    campaign = await drafted(world)
    for division in ("east-bay", "peninsula"):
        await approve(world, campaign, division)
    await world.fan_out()
    await world.hear(revision=2, starts_at=MOVED)
    assert await state(world, campaign, "peninsula") == "approved"
