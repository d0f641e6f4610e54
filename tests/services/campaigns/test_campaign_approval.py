"""A division's calls are approved, rejected and stopped, and looked at anew where readers would read otherwise."""

import asyncio
from datetime import timedelta

import pytest
from amending import MAYOR
from approving_world import (
    COMMAND,
    EAST_BAY,
    PENINSULA,
    account,
    acts,
    approve,
    drafted,
    leave_out,
    no_staff,
    reject,
    shown,
    state,
    stop,
)
from campaigns_world import ASKED, World, official

from clarion.runtime.staff.rights import Role
from clarion.services.campaigns.approving import operations as waves
from clarion.services.campaigns.approving.operations import Decided, NoSuchWave, NotYours, Refusal, TooLate
from clarion.services.campaigns.approving.rights import WHOLE

POSITION = {"launch": "approval"}


async def test_an_approved_wave_is_called_at_once_and_the_others_wait(world: World) -> None:
    campaign = await drafted(world)
    assert {await state(world, campaign, one) for one in ("east-bay", "peninsula", "")} == {"waiting"}
    await approve(world, campaign, look=(await shown(world, campaign)).look)
    await world.fan_out()
    assert await world.called() == EAST_BAY
    assert (await world.campaign())["status"] == "launched"
    assert (await world.campaign())["problem"] == "2 divisions wait for approval"
    for division in ("peninsula", ""):
        await approve(world, campaign, division)
    await world.fan_out()
    assert await world.called() == ASKED
    assert (await world.campaign())["problem"] is None
    assert (await acts(world))[0] == ("wave.approved", [], {"division": ""})
    assert (await acts(world))[1] == ("wave.approved", ["peninsula"], {"division": "peninsula"})


async def test_each_decision_is_told_to_whoever_follows_campaigns(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await stop(world, campaign, reason="A deal.")
    await reject(world, campaign, "peninsula", reason="Not ours.")
    rows = await world.fetch("SELECT headers, body FROM outbox WHERE topic = 'campaigns.lifecycle.v1' ORDER BY id")
    told = [one for one in await world.published("campaigns.lifecycle.v1") if "division" in one]
    assert [(one["division"], one["state"], one["revision"], one["reason"]) for one in told] == [
        ("east-bay", "approved", 1, None),
        ("east-bay", "stopped", 2, "A deal."),
        ("peninsula", "rejected", 1, "Not ours."),
    ]
    assert sum("wave." in str(row["headers"]) for row in rows) == 3


async def test_only_who_answers_for_a_division_approves_there(world: World) -> None:
    campaign = await drafted(world)
    other, own, deputy = (
        await account(world, manages="peninsula"),
        await account(world, manages="east-bay"),
        await account(world, deputy_in="peninsula"),
    )
    with pytest.raises(NotYours, match="not in East Bay"):
        await approve(world, campaign, who=other)
    assert await state(world, campaign) == "waiting"
    await approve(world, campaign, who=own)
    await approve(world, campaign, "peninsula", who=deputy)
    found = await shown(world, campaign)
    assert (found.state, found.decided_by) == ("approved", own.actor.name)
    await no_staff(world)


async def test_the_state_team_may_once_it_is_urgent_and_where_nobody_has_an_account(world: World) -> None:
    campaign = await drafted(world)
    state_team, _ = await account(world, Role.STATE), await account(world, manages="east-bay")
    await approve(world, campaign, "peninsula", who=state_team)
    with pytest.raises(NotYours, match="answers for its own calls"):
        await approve(world, campaign, who=state_team)
    world.now = (await shown(world, campaign)).useless_at - timedelta(hours=23)
    assert (await shown(world, campaign)).urgent
    await approve(world, campaign, who=state_team)
    await no_staff(world)


async def test_of_two_who_approve_at_once_the_second_is_told_who_did_and_when(world: World) -> None:
    campaign = await drafted(world)
    first, second = await account(world, manages="east-bay"), await account(world, deputy_in="east-bay")
    outcomes = await asyncio.gather(
        approve(world, campaign, who=first), approve(world, campaign, who=second), return_exceptions=True
    )
    [refused] = [one for one in outcomes if one is not None]
    assert isinstance(refused, Decided)
    winner = first if outcomes[0] is None else second
    assert (refused.by, refused.at, refused.state) == (winner.actor.name, world.now, "approved")
    assert str(refused) == f"It was approved by {winner.actor.name} on April 1, 2027 at 12:00 UTC. Nothing was changed."
    await world.fan_out()
    assert await world.called() == EAST_BAY
    assert len(await world.fetch("SELECT FROM verdicts")) == 1
    await no_staff(world)


async def test_approving_twice_changes_nothing(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    with pytest.raises(Decided):
        await approve(world, campaign)
    await world.fan_out()
    assert len(await world.told_to(MAYOR)) == 1


async def test_what_was_cancelled_a_second_ago_is_not_approved(world: World) -> None:
    campaign = await drafted(world)
    look = (await shown(world, campaign)).look
    await world.hear(revision=2, status="cancelled")
    with pytest.raises(TooLate, match="It is cancelled"):
        await approve(world, campaign, look=look)
    await world.fan_out()
    assert await world.called() == set()


async def test_what_was_cancelled_between_approval_and_send_is_not_sent(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.hear(revision=2, status="cancelled")
    await world.fan_out()
    assert await world.called() == set()


async def test_nothing_is_approved_after_it_is_useless(world: World) -> None:
    campaign = await drafted(world)
    world.now = (await world.campaign())["ends_at"]
    with pytest.raises(TooLate, match="nobody's voice counts since Wednesday, April 21, 2027, 1:30 pm PDT"):
        await approve(world, campaign)


async def test_nothing_approved_is_sent_after_it_is_useless(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    world.now = (await world.campaign())["ends_at"]
    await world.fan_out()
    assert await world.called() == set()


async def test_a_position_that_asks_nothing_any_more_between_approval_and_send_sends_nothing(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.adopt(**POSITION, stance="watch")
    await world.fan_out()
    assert await world.called() == set()
    assert (await world.campaign())["status"] == "closed"


async def test_who_left_between_approval_and_send_gets_nothing(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.project(world.entity(official("a-mayor", "alder", "Mayor", revision=2, active=False)))
    await world.fan_out()
    assert await world.called() == {"a-chief"}


async def test_a_kill_between_approval_and_send_costs_and_doubles_nothing(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.fan_out_and_die()
    assert await world.called() == set()
    await world.fan_out()
    assert await world.called() == EAST_BAY
    assert {box: len(told) for box, told in (await world.told()).items()} == dict.fromkeys(await world.told(), 1)


async def test_a_stopped_wave_ends_with_its_reason_and_can_be_let_go_again(world: World) -> None:
    campaign = await drafted(world)
    for division in ("east-bay", "peninsula"):
        await approve(world, campaign, division)
    await world.fan_out()
    await stop(world, campaign, reason="The author took our amendments.")
    await world.fan_out()
    [_, ended] = await world.told_to(MAYOR)
    assert ended.recipient is None
    assert ended.body["reason"] == "These calls were stopped in your division: The author took our amendments."
    assert [one.revision for one in await world.told_to("b-member@birch.example")] == [1]
    await approve(world, campaign)
    await world.fan_out()
    assert [one.recipient is None for one in await world.told_to(MAYOR)] == [False, True, False]


async def test_a_wave_of_a_campaign_that_goes_by_itself_is_stopped_too(world: World) -> None:
    await world.launch()
    campaign = str((await world.campaign())["id"])
    assert await state(world, campaign) == "approved"
    with pytest.raises(Refusal, match="go out by themselves"):
        await approve(world, campaign)
    await stop(world, campaign)
    await world.fan_out()
    assert (await world.told_to(MAYOR))[-1].recipient is None
    assert (await world.told_to("b-member@birch.example"))[-1].recipient is not None


async def test_a_rejected_wave_is_not_called_and_may_be_approved_after_all(world: World) -> None:
    campaign = await drafted(world)
    await reject(world, campaign, reason="Our cities are of two minds.")
    await approve(world, campaign, "peninsula")
    await world.fan_out()
    assert await world.called() == PENINSULA
    assert (await shown(world, campaign)).reason == "Our cities are of two minds."
    with pytest.raises(Decided):
        await reject(world, campaign)
    await approve(world, campaign)
    await world.fan_out()
    assert await world.called() == PENINSULA | EAST_BAY


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2_001, "a\x00b"])
async def test_rejecting_and_stopping_want_a_reason(world: World, reason: str) -> None:
    campaign = await drafted(world)
    with pytest.raises(Refusal, match="reason"):
        await reject(world, campaign, reason=reason)
    await approve(world, campaign)
    with pytest.raises(Refusal, match="reason"):
        await stop(world, campaign, reason=reason)
    assert await state(world, campaign) == "approved"


async def test_what_waits_cannot_be_stopped_nor_what_goes_out_be_rejected(world: World) -> None:
    campaign = await drafted(world)
    with pytest.raises(Refusal, match="reject it instead"):
        await stop(world, campaign)
    await approve(world, campaign)
    with pytest.raises(Decided):
        await reject(world, campaign)


async def test_there_is_no_wave_where_nobody_is_affected(world: World) -> None:
    campaign = await drafted(world)
    for where in ((campaign, "nowhere"), ("none", "east-bay"), (campaign, WHOLE), (campaign, "\x00")):
        with pytest.raises(NoSuchWave):
            await approve(world, *where)


async def test_a_campaign_that_waits_for_the_directory_is_not_let_go(world: World) -> None:
    campaign = await drafted(world)
    await world.hear(revision=2, committee={"name": "Nobody Knows", "chamber": "upper", "id": None})
    with pytest.raises(Refusal, match='cannot be let go: unknown committee "Nobody Knows"'):
        await approve(world, campaign)


async def test_a_division_without_a_manager_is_approved_by_the_state_team(world: World) -> None:
    campaign = await drafted(world)
    await account(world, manages="peninsula")
    await approve(world, campaign, "", who=await account(world, Role.STATE))
    await world.fan_out()
    assert await world.called() == {"d-mayor"}
    await no_staff(world)


async def test_pausing_and_resuming_go_through_the_same_checks(world: World) -> None:
    campaign = await drafted(world)
    other = await account(world, manages="peninsula")
    await approve(world, campaign)
    async with world.database.transaction() as tx:
        with pytest.raises(NotYours):
            await waves.pause(tx, other, campaign, "east-bay", now=world.now)
        for place, who in ((None, other), ("*", COMMAND), ("nowhere", COMMAND), ("nowhere", other)):
            with pytest.raises(waves.Refusal):
                await waves.pause(tx, who, campaign, place, now=world.now)
        await waves.pause(tx, COMMAND, campaign, "east-bay", now=world.now)
    assert (await shown(world, campaign)).paused
    await world.fan_out()
    assert await world.called() == set()
    async with world.database.transaction() as tx:
        await waves.resume(tx, COMMAND, campaign, "east-bay", now=world.now)
    await world.fan_out()
    assert await world.called() == EAST_BAY
    assert [act for act, _, _ in (await acts(world))[:3]] == ["campaign.resumed", "campaign.paused", "wave.approved"]
    await no_staff(world)


async def test_the_whole_campaign_is_paused_by_the_same_operation_and_recorded_for_all_its_divisions(
    world: World,
) -> None:
    campaign = await drafted(world)
    async with world.database.transaction() as tx:
        [pause] = await waves.pause(tx, COMMAND, campaign, None, now=world.now)
        with pytest.raises(waves.Refusal, match="the whole campaign is paused"):
            await waves.resume(tx, COMMAND, campaign, "east-bay", now=world.now)
    assert (pause.wave, pause.paused) == (None, True)
    of_it = "SELECT divisions FROM clarion.audit WHERE act = 'campaign.paused' AND subject = $1"
    [row] = await world.fetch(of_it, f"campaign:{campaign}")
    assert sorted(row["divisions"]) == ["east-bay", "peninsula"]
    async with world.database.transaction() as tx:
        await waves.resume(tx, COMMAND, campaign, None, now=world.now)
    assert not (await shown(world, campaign)).paused


async def test_history_says_what_was_done_when_and_by_whom(world: World) -> None:
    campaign = await drafted(world)
    await leave_out(world, campaign, "a-chief")
    world.later(minutes=1)
    await reject(world, campaign, reason="Wait.")
    world.later(minutes=1)
    await approve(world, campaign)
    assert list(map(str, (await shown(world, campaign)).history)) == [
        "April 1, 2027, 12:02 UTC: approved by op",
        "April 1, 2027, 12:01 UTC: rejected by op: Wait.",
        "April 1, 2027, 12:00 UTC: left out (a-chief) by op: She asked for it.",
    ]


async def test_what_goes_by_itself_after_all_waits_for_nobody(world: World) -> None:
    campaign = await drafted(world)
    await world.adopt(launch="auto")
    await world.fan_out()
    assert await world.called() == ASKED
    assert {await state(world, campaign, one) for one in ("east-bay", "peninsula", "")} == {"approved"}
    async with world.database.connection() as connection:
        assert (await waves.waiting_waves(connection, None, world.now)).waves == []
    await stop(world, campaign)
    await world.fan_out()
    assert (await world.told_to(MAYOR))[-1].recipient is None


async def test_what_is_cancelled_is_not_stopped_as_well(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.fan_out()
    await world.hear(revision=2, status="cancelled")
    with pytest.raises(TooLate):
        await stop(world, campaign)


async def test_a_call_that_is_let_go_in_the_last_day_says_so(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.fan_out()
    world.now = (await world.campaign())["ends_at"] - timedelta(hours=23)
    await approve(world, campaign, "peninsula")
    await world.fan_out()
    [early], [late] = await world.told_to(MAYOR), await world.told_to("b-member@birch.example")
    assert (early.body["content"]["urgent_note"], late.body["content"]["urgent_note"]) == (
        None,
        "Less than a day is left.",
    )
