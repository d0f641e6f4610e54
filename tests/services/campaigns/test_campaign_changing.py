"""A campaign that somebody started is moved or called off: counted before, refused if it changed, and taken back."""

from typing import Any

import pytest
from campaigns_world import World
from starting_world import SOMEBODY, associate, cancel, make_draft, manager, move, start

from clarion.services.campaigns.starting import changing
from clarion.services.campaigns.starting.changing import Changer, Wish
from clarion.services.campaigns.starting.drafts import Change
from clarion.services.campaigns.starting.errors import NotToBeStarted, NotYours, Overtaken, Unfit
from clarion.services.campaigns.starting.views import Foreseen

ELM = "e-mayor@elm.example"
LATER = {"decided_at": "2027-06-21"}
ALL_SENT = "UPDATE calls SET outcome = 'sent', outcome_revision = 1, reached_revision = 1"


async def foresee(world: World, campaign: str, wish: Wish) -> Foreseen:
    async with world.database.connection() as connection:
        return await changing.foresee(connection, campaign, wish, Changer(SOMEBODY), world.now)


async def take_back(world: World, campaign: str, **changes: Any) -> None:
    async with world.database.transaction() as tx:
        await changing.take_back(tx, campaign, Changer(SOMEBODY, changes.get("staff")), world.now)
    await world.fan_out()


async def told(world: World) -> str:
    """A campaign of which one mailbox was told."""
    await associate(world)
    campaign = (await start(world, make_draft({"cities": ["elm"]}))).id
    await world.fan_out()
    async with world.database.connection() as connection:
        await connection.execute(ALL_SENT)
    return campaign


async def test_it_is_counted_how_many_are_told_of_a_move_and_nothing_is_kept(world: World) -> None:
    campaign = await told(world)
    before = await world.fetch("SELECT revision, told_revision, message FROM campaigns")
    found = await foresee(world, campaign, Change.model_validate(LATER))
    assert (found.amended, found.unsent) == (1, 0)
    assert [(each.label, each.now) for each in found.changes] == [
        ("Open until", "Monday, June 21, 2027, until the end of the day (PDT)")
    ]
    assert await world.fetch("SELECT revision, told_revision, message FROM campaigns") == before
    assert await world.fetch("SELECT 1 FROM occasion_changes") == []
    assert len(await world.told_to(ELM)) == 1


async def test_who_was_told_nothing_yet_gets_no_amendment(world: World) -> None:
    await associate(world)
    campaign = (await start(world, make_draft({"cities": ["elm"]}))).id
    await world.fan_out()
    found = await foresee(world, campaign, "cancel")
    assert (found.amended, found.unsent) == (0, 1)
    assert [(each.label, each.now) for each in found.changes] == [("Status", "Cancelled")]
    waiting = (await start(world, make_draft({"cities": ["elm"]}, launch="approval"))).id
    found = await foresee(world, waiting, Change.model_validate(LATER))
    assert (found.amended, found.unsent, len(found.changes)) == (0, 0, 1)


async def test_a_campaign_that_changed_since_it_was_looked_at_is_not_changed(world: World) -> None:
    campaign = await told(world)
    look = (await foresee(world, campaign, "cancel")).look
    await move(world, campaign, **LATER)
    with pytest.raises(Overtaken, match="Open until: now Monday, June 21") as refusal:
        async with world.database.transaction() as tx:
            await changing.cancel(tx, campaign, Changer(SOMEBODY), world.now, look=look)
    assert len(refusal.value.changes) == 1
    assert (await world.campaign())["status"] == "launched"


async def test_a_move_is_taken_back_and_who_was_told_of_it_is_told_again(world: World) -> None:
    campaign = await told(world)
    first = (await world.told_to(ELM))[0].facts["when"]
    await move(world, campaign, where="1021 O Street", due_at="2027-06-01T12:00", **LATER)
    await take_back(world, campaign)
    moved, restored = (await world.told_to(ELM))[1:]
    assert moved.facts["where"] == "1021 O Street"
    assert (restored.revision, restored.facts["when"]) == (3, first)
    assert "where" not in restored.facts
    with pytest.raises(NotToBeStarted, match="nothing of it was changed"):
        await take_back(world, campaign)


async def test_a_cancellation_is_taken_back_while_it_helps(world: World) -> None:
    campaign = await told(world)
    await cancel(world, campaign)
    await take_back(world, campaign)
    last = (await world.told_to(ELM))[-1]
    assert last.facts["status"] == "Reinstated"
    assert last.body["calendar"]["method"] == "REQUEST"
    assert (await world.campaign())["status"] == "launched"
    await cancel(world, campaign)
    world.now = world.now.replace(year=2028)
    with pytest.raises(Unfit, match="nobody's voice counts"):
        await take_back(world, campaign)
    acts = await world.fetch("SELECT act FROM clarion.audit WHERE subject = $1 ORDER BY id", f"campaign:{campaign}")
    assert [row["act"] for row in acts][1:] == [
        "campaign.cancelled",
        "campaign.change-taken-back",
        "campaign.cancelled",
    ]


async def test_only_who_may_start_it_takes_its_changes_back(world: World) -> None:
    await associate(world)
    campaign = (await start(world, make_draft({"divisions": ["east-bay"]}))).id
    await cancel(world, campaign)
    with pytest.raises(NotYours):
        await take_back(world, campaign, staff=manager("peninsula"))
    await take_back(world, campaign, staff=manager("east-bay"))
