"""What was told follows the hearing and the positions: each real change is told once."""

from datetime import UTC, datetime
from typing import Any

import pytest
from amending import ASSEMBLY, MAYOR, MOVED, address, amend, history, standing
from campaigns_world import ASKED, IMPORTS, STARTS_AT, World, make_alert, official


async def test_a_move_is_told_to_everyone_at_the_next_revision_with_the_calendar_entry_of_the_first(
    world: World,
) -> None:
    await world.launch()
    await amend(world, starts_at=MOVED)
    told = await world.told()
    assert {one for each in told.values() for one in each[-1].recipient["officials"]} == ASKED  # type: ignore[index]
    first, second = await world.told_to(MAYOR)
    assert (first.revision, second.revision) == (1, 2)
    assert first.facts["when"] == "Wednesday, April 21, 2027, 1:30 pm PDT"
    assert second.facts == first.facts | {
        "when": "Thursday, April 22, 2027, 9:30 am PDT",
        "letters_due": "Wednesday, April 21, 2027, 12:00 pm PDT",
    }
    assert second.body["not_after"] == "2027-04-21T19:00:00Z"
    before, after = first.body["calendar"], second.body["calendar"]
    assert before["uid"] == after["uid"]
    assert (before["starts_at"], before["ends_at"]) == (STARTS_AT, "2027-04-21T15:30:00-07:00")
    assert (after["starts_at"], after["method"], after["zone"]) == (MOVED, "REQUEST", "America/Los_Angeles")
    campaign = await world.campaign()
    assert (campaign["status"], campaign["problem"], campaign["held"]) == ("launched", None, second.facts["when"])
    assert await history(world) == [(1, []), (2, ["when", "letters_due"])]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"location": {"name": "Room 4202"}}, "where"),
        ({"location": {}}, "where"),
        ({"time_note": "or upon adjournment"}, "when"),
        ({"letters_due_at": "2027-04-15T12:00:00-07:00"}, "letters_due"),
    ],
)
async def test_what_a_reader_would_act_on_is_told(world: World, change: dict[str, Any], key: str) -> None:
    await world.launch()
    await amend(world, **change)
    assert await history(world) == [(1, []), (2, [key])]
    assert [each.revision for each in await world.told_to(MAYOR)] == [1, 2]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"notice_url": "https://notices.example/1"},
        {"agenda": [{"bill": "SB 79", "title": "Housing", "author": "Nobody"}, {"bill": "SB 80"}]},
        {"committee": {"name": "Senate Committee on Housing", "chamber": None, "id": None}},
    ],
)
async def test_what_nobody_would_act_on_is_kept_and_not_told(world: World, change: dict[str, Any]) -> None:
    await world.launch()
    await amend(world, **change)
    assert [each.revision for each in await world.told_to(MAYOR)] == [1]
    campaign = await world.campaign()
    assert (campaign["hearing_revision"], campaign["told_revision"], campaign["problem"]) == (2, 1, None)


async def test_a_newcomer_is_told_what_was_kept_since(world: World) -> None:
    await world.launch()
    await amend(world, notice_url="https://notices.example/1")
    await world.project(world.entity(official("new", "alder", "Mayor")))
    await world.quiet_directory()
    [fresh] = await world.told_to("new@alder.example")
    assert (fresh.revision, fresh.body["content"]["notice_url"]) == (1, "https://notices.example/1")


async def test_a_bill_that_comes_on_the_agenda_is_asked_about_and_one_that_goes_no_more(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.adopt(bill="AB 5", ask="vote no on AB 5")
    await world.hear()
    await world.fan_out()
    await amend(world, 2, agenda=[{"bill": "SB 79"}, {"bill": "AB 5"}])
    await amend(world, 3, agenda=[{"bill": "AB 5"}])
    one, both, other = await world.told_to(MAYOR)
    assert one.asks == {("letter", "SB 79")}
    assert both.asks == {("letter", "SB 79"), ("letter", "AB 5")}
    assert other.asks == {("letter", "AB 5")}
    assert (set(both.facts) - set(one.facts), set(both.facts) - set(other.facts)) == ({"bill:AB5"}, {"bill:SB79"})
    assert await history(world) == [(1, []), (2, ["bill:AB5"]), (3, ["bill:SB79"])]


async def test_a_position_adopted_after_the_launch_is_told(world: World) -> None:
    await world.launch(make_alert(agenda=[{"bill": "SB 79"}, {"bill": "AB 5"}]))
    await world.adopt(bill="AB 5", ask="vote no on AB 5")
    await world.fan_out()
    assert (await world.told_to(MAYOR))[-1].asks == {("letter", "SB 79"), ("letter", "AB 5")}


async def test_a_position_that_changes_after_the_launch_is_told(world: World) -> None:
    await world.launch()
    await world.adopt(stance="oppose-unless-amended", launch="approval")
    await world.fan_out()
    second = (await world.told_to(MAYOR))[-1]
    assert second.facts["bill:SB79"] == "SB 79: oppose unless amended; vote no on SB 79"
    assert second.body["content"]["bills"][0]["stance"] == "oppose-unless-amended"


async def test_a_bill_that_was_never_asked_about_waits_for_its_own_approval(world: World) -> None:
    await world.launch(make_alert(agenda=[{"bill": "SB 79"}, {"bill": "AB 5"}]))
    await world.adopt(bill="AB 5", launch="approval")
    await world.fan_out()
    assert [each.asks for each in await world.told_to(MAYOR)] == [{("letter", "SB 79")}]
    campaign = await world.campaign()
    assert (campaign["status"], campaign["problem"]) == ("launched", "AB 5 waits for approval")


async def test_when_nothing_is_asked_any_more_everyone_is_withdrawn_and_comes_back_with_the_bill(world: World) -> None:
    await world.launch()
    await amend(world, 2, agenda=[{"bill": "SB 1"}])
    told = await world.told()
    assert {each[-1].recipient is None for each in told.values()} == {True}
    assert (await world.told_to(MAYOR))[-1].body["reason"] == "SB 79 is no longer asked about there."
    assert (await world.told_to(MAYOR))[-1].body["calendar"]["method"] == "CANCEL"
    campaign = await world.campaign()
    assert (campaign["status"], campaign["officials"]) == ("closed", 0)
    assert await standing(world) == set()
    await amend(world, 3)
    assert (await world.told_to(MAYOR))[-1].asks == {("letter", "SB 79")}
    assert await standing(world) == ASKED
    assert (await world.campaign())["status"] == "launched"


async def test_another_committee_withdraws_those_of_the_old_and_calls_those_of_the_new(world: World) -> None:
    await world.launch()
    await amend(world, committee=ASSEMBLY)
    assert await standing(world) == {"e-mayor"}
    [fresh] = await world.told_to("e-mayor@elm.example")
    assert (fresh.revision, fresh.asks) == (2, {("letter", "SB 79")})
    for one in ASKED:
        first, second = await world.told_to(address(one))
        assert (first.revision, second.revision, second.recipient) == (1, 2, None)
        assert second.body["reason"] == (
            "The hearing is now before another committee: Assembly Committee on Housing & Community Development."
        )
    assert (await world.campaign())["officials"] == 1
    await amend(world, 3)
    assert await standing(world) == ASKED
    assert [each.recipient is None for each in await world.told_to("e-mayor@elm.example")] == [False, True]


async def test_a_committee_that_nobody_knows_is_told_and_leaves_those_who_are_concerned(world: World) -> None:
    await world.launch()
    await amend(world, committee={"name": "Hosing", "chamber": "upper", "id": None})
    assert (await world.told_to(MAYOR))[-1].facts["committee"] == "Hosing"
    assert await standing(world) == ASKED
    assert (await world.campaign())["problem"].startswith('unknown committee "Hosing"')


async def test_a_committee_that_leaves_the_directory_is_not_told(world: World) -> None:
    await world.launch()
    gone = IMPORTS["committees"][0].model_copy(update={"active": False, "revision": 2})
    await world.project(world.entity(gone))
    await world.quiet_directory()
    await amend(world, notice_url="https://notices.example/1")
    assert [each.revision for each in await world.told_to(MAYOR)] == [1]


async def test_a_cancellation_reaches_everyone_until_the_end_of_the_day_and_asks_nothing(world: World) -> None:
    await world.launch()
    await amend(world, status="cancelled")
    assert {each[-1].revision for each in (await world.told()).values()} == {2}
    last = (await world.told_to("b-manager@birch.example"))[-1]
    assert last.facts["status"] == "Cancelled"
    assert last.asks == set()
    assert last.body["calendar"]["method"] == "CANCEL"
    assert last.body["not_after"] == "2027-04-22T07:00:00Z"
    campaign = await world.campaign()
    assert (campaign["status"], campaign["problem"]) == ("closed", "the hearing is cancelled")
    assert await history(world) == [(1, []), (2, ["status"])]
    await world.project(world.entity(official("new", "alder", "Mayor")))
    await world.quiet_directory()
    assert await world.told_to("new@alder.example") == []


async def test_a_cancellation_before_the_first_fan_out_calls_nobody(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear()
    await amend(world, status="cancelled")
    assert await world.told() == {}


async def test_what_is_cancelled_and_held_after_all_is_asked_again(world: World) -> None:
    await world.launch()
    await amend(world, 2, status="cancelled")
    await amend(world, 3)
    first, _, last = await world.told_to(MAYOR)
    assert last.asks == first.asks
    assert last.body["calendar"]["method"] == "REQUEST"
    assert [(each["text"], each["material"]) for each in last.body["facts"] if each["key"] == "status"] == [
        ("Reinstated", False)
    ]
    assert (await world.campaign())["status"] == "launched"
    await amend(world, 4, location={"name": "Room 4202"})
    assert await history(world) == [(1, []), (2, ["status"]), (3, ["status"]), (4, ["where"])]
    assert "status" not in (await world.told_to(MAYOR))[-1].facts


async def test_after_the_letters_deadline_who_would_write_is_asked_to_call(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear(letters_due_at="2027-04-14T12:00:00-07:00")
    await world.fan_out()
    world.now = datetime(2027, 4, 15, tzinfo=UTC)
    await world.project(world.entity(official("late", "alder", "Mayor")))
    await world.quiet_directory()
    assert (await world.campaign())["told_revision"] == 1
    await amend(world, letters_due_at="2027-04-14T12:00:00-07:00", location={"name": "Room 4202"})
    mayor, manager = (await world.told_to(MAYOR))[-1], (await world.told_to("b-manager@birch.example"))[-1]
    assert (mayor.revision, mayor.asks) == (2, {("phone", "SB 79")})
    assert manager.asks == {("phone", "SB 79"), ("testimony", "SB 79")}
    assert mayor.body["not_after"] == "2027-04-21T20:30:00Z"
    assert mayor.body["content"]["letters_open"] is False
    newcomer, *_ = await world.told_to("late@alder.example")
    assert newcomer.asks == {("phone", "SB 79")}
    assert await history(world) == [(1, []), (2, ["where"])]


async def test_a_move_that_opens_letters_again_asks_for_them(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear(letters_due_at="2027-03-31T12:00:00-07:00")
    await world.fan_out()
    [late] = await world.told_to(MAYOR)
    assert late.asks == {("phone", "SB 79")}
    await amend(world, starts_at="2027-04-28T13:30:00-07:00", letters_due_at="2027-04-21T12:00:00-07:00")
    fresh = (await world.told_to(MAYOR))[-1]
    assert (fresh.revision, fresh.asks, fresh.body["not_after"]) == (2, {("letter", "SB 79")}, "2027-04-21T19:00:00Z")


async def test_a_hearing_that_turns_out_to_be_over_is_told_while_people_still_expect_it(world: World) -> None:
    await world.launch()
    await amend(world, starts_at="2027-03-31T13:30:00-07:00")
    last = (await world.told_to(MAYOR))[-1]
    assert (last.facts["when"], last.asks) == ("Wednesday, March 31, 2027, 1:30 pm PDT", set())
    assert last.body["not_after"] == "2027-04-21T20:30:00Z"
    assert (await world.campaign())["status"] == "closed"


async def test_what_changes_after_a_hearing_was_held_is_not_told_and_one_put_over_is(world: World) -> None:
    await world.launch()
    world.now = datetime(2027, 4, 21, 21, tzinfo=UTC)
    await world.review()
    await amend(world, 2, location={"name": "Room 4202"})
    assert [each.revision for each in await world.told_to(MAYOR)] == [1]
    assert (await world.campaign())["status"] == "closed"
    await amend(world, 3, starts_at="2027-04-28T13:30:00-07:00", location={"name": "Room 4202"})
    last = (await world.told_to(MAYOR))[-1]
    assert (last.revision, last.facts["when"]) == (2, "Wednesday, April 28, 2027, 1:30 pm PDT")
    assert await history(world) == [(1, []), (2, ["when", "where", "letters_due"])]
    assert (await world.campaign())["status"] == "launched"
