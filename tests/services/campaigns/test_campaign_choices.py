"""Whom a division leaves out and adds, whom it sees with which reasons, and the batch that would be sent."""

from base64 import b64encode

import pytest
from amending import MAYOR
from approving_world import (
    COMMAND,
    EAST_BAY,
    account,
    acts,
    add,
    approve,
    drafted,
    leave_out,
    no_staff,
    shown,
    undo,
)
from campaigns_world import World, mailbox, official
from positions_world import withdrawn

from clarion.schemas.messages import MessageBatch
from clarion.services.campaigns.approving import operations as waves
from clarion.services.campaigns.approving.operations import NotYours, RecipientView, Refusal
from clarion.services.campaigns.approving.rights import WHOLE

FAR = b64encode(b'["9999-12-31T23:59:59-12:00", "", "", "", ""]').decode()
LONE = b64encode(b'["2027-04-01T12:00:00Z", "\\ud800", "", "", ""]').decode()
SHARED = {"a-mayor": "Mayor", "a-chief": "Fire Chief"}


async def people(world: World, campaign: str, division: str = "east-bay", **changes: object) -> list[RecipientView]:
    async with world.database.connection() as connection:
        return await waves.recipients(connection, campaign, division, now=world.now, **changes)  # type: ignore[arg-type]


async def sample(world: World, campaign: str, who: str, division: str = "east-bay") -> MessageBatch | None:
    async with world.database.connection() as connection:
        return await waves.sample_batch(connection, campaign, division, who, world.now)


async def test_who_is_left_out_is_not_asked_until_that_is_undone(world: World) -> None:
    campaign = await drafted(world)
    await leave_out(world, campaign, "a-chief")
    found = await shown(world, campaign)
    assert (found.officials, found.mailboxes, found.left_out, found.added) == (1, 1, 1, 0)
    assert found.asks == {"letter": 1}
    await approve(world, campaign)
    await world.fan_out()
    assert await world.called() == {"a-mayor"}
    await undo(world, campaign, "a-chief")
    await world.fan_out()
    assert await world.called() == EAST_BAY
    assert (await acts(world))[0][0] == "call.choice-undone"
    assert (await acts(world))[2] == ("call.left-out", ["east-bay"], {"campaign": campaign, "division": "east-bay"})


async def test_who_was_told_and_is_left_out_is_told_why(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.fan_out()
    await leave_out(world, campaign, "a-mayor", reason="You spoke to the author already.")
    await world.fan_out()
    [_, ended] = await world.told_to(MAYOR)
    assert ended.recipient is None
    assert ended.body["reason"] == "You are no longer asked: You spoke to the author already."
    assert ended.body["mailboxes"] == [mailbox(MAYOR)]


async def test_who_shares_a_mailbox_with_somebody_left_out_hears_other_reasons_later(world: World) -> None:
    await world.import_all()
    both = [official(one, "alder", role, address=MAYOR, testifies=True, revision=2) for one, role in SHARED.items()]
    await world.project(*map(world.entity, both))
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.fan_out()
    await leave_out(world, campaign, "a-chief")
    await world.fan_out()
    assert len(await world.told_to(MAYOR)) == 1
    world.later(minutes=1)
    await withdrawn(world)
    await world.fan_out()
    [_, ended] = await world.told_to(MAYOR)
    assert ended.body["reason"] == "We have withdrawn our position on SB 79."


async def test_who_is_added_is_asked_alone_with_the_reason(world: World) -> None:
    campaign = await drafted(world)
    await add(world, campaign, "e-mayor", asks=["letter", "testimony"])
    assert (await shown(world, campaign)).added == 1
    await approve(world, campaign)
    await world.fan_out()
    assert await world.called() == EAST_BAY | {"e-mayor"}
    [told] = await world.told_to("e-mayor@elm.example")
    assert told.asks == {("letter", "SB 79"), ("testimony", "SB 79")}
    assert told.recipient is not None
    assert told.recipient["reasons"] == [{"kind": "hand", "text": "Knows the street."}]


async def test_who_is_added_after_the_approval_is_asked_at_once(world: World) -> None:
    campaign = await drafted(world)
    await approve(world, campaign)
    await world.fan_out()
    await add(world, campaign, "a-clerk", asks=["testimony"])
    await world.fan_out()
    assert await world.called() == EAST_BAY | {"a-clerk"}
    assert len(await world.told_to(MAYOR)) == 1


@pytest.mark.parametrize(
    ("who", "wrong"),
    [
        ("b-member", "in office in East Bay"),
        ("nobody", "in office in East Bay"),
        ("a\x00", "in office in East Bay"),
        ("a-mayor", "is asked already"),
    ],
)
async def test_only_people_of_the_division_who_are_not_asked_are_added(world: World, who: str, wrong: str) -> None:
    campaign = await drafted(world)
    with pytest.raises(Refusal, match=wrong):
        await add(world, campaign, who)


async def test_a_choice_wants_its_ask_and_its_reason_and_something_to_undo(world: World) -> None:
    campaign = await drafted(world)
    for asks in ([], ["money"], ["letter", "money"]):
        with pytest.raises(Refusal, match="Say what to ask"):
            await add(world, campaign, "a-clerk", asks=asks)
    with pytest.raises(Refusal, match="Give a reason"):
        await leave_out(world, campaign, "a-mayor", reason=None)
    with pytest.raises(Refusal, match="neither left out nor added"):
        await undo(world, campaign, "a-mayor")
    with pytest.raises(Refusal, match="a-clerk is not asked in East Bay"):
        await leave_out(world, campaign, "a-clerk")
    await world.adopt(launch="approval", bill="SB 5")
    await approve(world, campaign)
    await world.hear(revision=2, agenda=[{"bill": one, "title": one, "author": None} for one in ("SB 79", "SB 5")])
    with pytest.raises(Refusal, match="in the division"):
        await leave_out(world, campaign, "a-mayor", WHOLE)


async def test_another_divisions_manager_chooses_nobody(world: World) -> None:
    campaign = await drafted(world)
    who = await account(world, manages="peninsula")
    async with world.database.transaction() as tx:
        with pytest.raises(NotYours):
            await waves.leave_out(tx, who, campaign, "east-bay", "a-mayor", reason="x", now=world.now)
        with pytest.raises(NotYours):
            await waves.write_paragraph(tx, who, campaign, "east-bay", "x", world.now)
    await no_staff(world)


async def test_leaving_out_everybody_leaves_nobody_to_ask(world: World) -> None:
    campaign = await drafted(world)
    for who in sorted(EAST_BAY):
        await leave_out(world, campaign, who)
    found = await shown(world, campaign)
    assert (found.officials, found.mailboxes) == (0, 0)
    await approve(world, campaign)
    await world.fan_out()
    assert await world.called() == set()


async def test_people_are_listed_by_city_with_their_reasons_page_by_page(world: World) -> None:
    await world.import_all()
    await world.project(world.entity(official("e-chief", "elm", "Fire Chief", testifies=True)))
    campaign = await drafted(world)
    await add(world, campaign, "e-chief", asks=["testimony"])
    await leave_out(world, campaign, "a-mayor")
    listed = await people(world, campaign)
    assert [(one.official, one.city, one.included, one.asks, one.reason) for one in listed] == [
        ("a-chief", "Alder", True, ["testimony"], None),
        ("a-mayor", "Alder", False, [], "She asked for it."),
        ("e-chief", "Elm", True, ["testimony"], "Knows the street."),
    ]
    assert listed[0].reasons == [
        "Senator Jesse Example (chair), who represents Alder (SD 7), sits on the committee that hears SB 79."
    ]
    assert (listed[0].roles, listed[0].mailbox) == (["fire chief"], mailbox("a-chief@alder.example"))
    seen: list[str] = []
    while page := await people(world, campaign, after=seen[-1] if seen else "", limit=1):
        seen += [one.official for one in page]
    assert seen == [one.official for one in listed]
    assert [one.official for one in await people(world, campaign, officials=["e-chief", "b-member"])] == ["e-chief"]
    assert await people(world, campaign, "nowhere") == []
    assert await people(world, campaign, after="\x00") == []


async def test_a_batch_is_shown_as_it_would_be_sent_before_anything_is(world: World) -> None:
    campaign = await drafted(world)
    batch = await sample(world, campaign, "a-mayor")
    assert batch is not None
    await approve(world, campaign)
    await world.fan_out()
    [sent] = [told.body for told in await world.told_to(MAYOR)]
    [recipient] = [one for one in sent["recipients"] if one["mailbox"] == mailbox(MAYOR)]
    assert batch == MessageBatch.model_validate(sent | {"recipients": [recipient]})
    for who, division in (
        ("b-member", "east-bay"),
        ("nobody", "east-bay"),
        ("a-mayor", "peninsula"),
        ("\x00", "east-bay"),
    ):
        assert await sample(world, campaign, who, division) is None


async def test_waiting_waves_are_listed_for_those_whose_they_are_the_most_pressing_first(world: World) -> None:
    campaign = await drafted(world)
    await world.hear(hearing_id="h-2", starts_at="2027-04-09T13:30:00-07:00")
    async with world.database.connection() as connection:
        every = (await waves.waiting_waves(connection, None, world.now)).waves
        some = (await waves.waiting_waves(connection, frozenset({"peninsula"}), world.now)).waves
        none = (await waves.waiting_waves(connection, frozenset(), world.now)).waves
    assert [one.name for one in every] == ["East Bay", "Peninsula", "No division"] * 2
    assert every[0].campaign != campaign
    assert every[0].useless_at < every[-1].useless_at
    assert [(one.division, one.officials, one.mailboxes) for one in some] == [("peninsula", 2, 2)] * 2
    assert none == []
    async with world.database.transaction() as tx:
        await waves.approve(tx, COMMAND, campaign, "peninsula", now=world.now)
        assert len((await waves.waiting_waves(tx.connection, None, world.now)).waves) == 5


async def test_what_waits_is_read_page_by_page_and_nothing_is_missed_by_what_is_decided_between(world: World) -> None:
    await drafted(world)
    await world.hear(hearing_id="h-2", starts_at="2027-04-09T13:30:00-07:00")
    found, after = [], ""
    async with world.database.transaction() as tx:
        while after is not None:
            page = await waves.waiting_waves(tx.connection, None, world.now, after=after, limit=2)
            found += [(one.campaign, one.division) for one in page.waves]
            await waves.approve(tx, COMMAND, page.waves[-1].campaign, page.waves[-1].division, now=world.now)
            after = page.next
    assert len(found) == len(set(found)) == 6
    async with world.database.connection() as connection:
        for broken in ("x", "W10", "bnVsbA", "é", FAR, LONE):
            with pytest.raises(waves.Refusal, match="no such page"):
                await waves.waiting_waves(connection, None, world.now, after=broken)
