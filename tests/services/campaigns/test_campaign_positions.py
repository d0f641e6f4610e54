"""Positions: what they may be, their versions, their representatives, and the story that is told of them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from campaigns_world import NOW, World, mailbox, make_alert, make_position
from positions_world import MEASURE, RULES, SB_79, adopted, keeper, listed, on, told_story, withdrawn
from test_campaign_agenda import HOUSING, put

from clarion.runtime.people import Person
from clarion.runtime.staff.accounts import remove_account, save_account
from clarion.schemas import directory
from clarion.schemas.deliveries import Delivery
from clarion.schemas.legislation import bill_key
from clarion.services.campaigns import people
from clarion.services.campaigns.domain.model import Position, Representative
from clarion.services.campaigns.positions.agenda import ChangedMeanwhile
from clarion.services.campaigns.positions.operations import (
    Unadoptable,
)
from clarion.services.campaigns.positions.subjects import problems, subject_key
from tests.staff import somebody


async def test_who_saw_an_older_version_does_not_overwrite_the_newer_one(world: World) -> None:
    await adopted(world, make_position())
    await adopted(world, make_position(stance="support"), based_on=1)
    with pytest.raises(ChangedMeanwhile, match="version 2"):
        await adopted(world, make_position(stance="watch"), based_on=1)
    assert not (await adopted(world, make_position(stance="support"), based_on=1)).is_new


async def test_the_record_names_who_adopted_and_withdrew_and_no_stance_and_no_reason(world: World) -> None:
    before = len(await world.fetch("SELECT FROM clarion.audit"))
    await adopted(world, make_position())
    await withdrawn(world)
    acts = (await world.fetch("SELECT act, actor_name, details FROM clarion.audit ORDER BY id"))[before:]
    assert [(act["act"], act["actor_name"], act["details"]) for act in acts] == [
        (name, "Sam Sample", {"bill": "SB 79", "session": "20272028", "version": version})
        for version, name in ((1, "position.adopted"), (2, "position.withdrawn"))
    ]


async def test_the_story_tells_versions_hearings_before_and_ahead_campaigns_and_the_withdrawal(world: World) -> None:
    await put(world, HOUSING)
    await world.launch()
    box = (await world.recipient("a-mayor"))["mailbox"]
    matter = f"campaign:{(await world.campaign())['id']}"
    await world.deliver(Delivery(matter=matter, revision=1, mailbox=box, state="sent", at=NOW))
    await world.adopt(priority=HOUSING.slug, adopted_by="Board", adopted_on=date(2027, 3, 1), groups=("coastal",))
    await world.hear(make_alert(hearing_id="h-2", aliases=["h-2"], status="cancelled"))
    world.later(hours=1)
    await withdrawn(world)
    await world.fan_out()
    found = await told_story(world)
    assert (found["stance"], found["withdrawal"]) == (
        "withdrawn",
        {"at": NOW + timedelta(hours=1), "reason": "Amended as cities asked"},
    )
    assert [(each["version"], each["stance"], each["reason"]) for each in found["versions"]] == [
        (3, "withdrawn", "Amended as cities asked"),
        (2, "oppose", None),
        (1, "oppose", None),
    ]
    assert [[change["field"] for change in each["changed"]] for each in found["versions"]] == [
        ["stance"],
        ["groups", "priority", "adopted_by", "adopted_on"],
        [],
    ]
    assert [(each["hearing"], each["status"]) for each in found["hearings"]] == [("h-1", "closed")]
    assert [(each["hearing"], each["hearing_status"]) for each in found["past_hearings"]] == [("h-2", "cancelled")]
    [campaign] = [each for each in found["campaigns"] if each["launched_at"]]
    assert (campaign["asked"], campaign["reached"], campaign["ended"]) == (5, 1, 5)
    world.later(days=60)
    later = await told_story(world)
    assert later["hearings"] == []
    assert {each["hearing"] for each in later["past_hearings"]} == {"h-1", "h-2"}


async def test_a_representative_is_an_account_as_it_stands_today_or_somebody_by_name(world: World) -> None:
    staff = somebody("state", name="Ana Muster")
    async with keeper(world) as connection:
        await save_account(connection, staff, NOW)
    await adopted(world, make_position(representative=Representative(account=staff.id, phone="555-0100")))
    shown = (await told_story(world))["representative"]
    assert shown == {"account": staff.id, "name": "Ana Muster", "email": staff.email, "phone": "555-0100"}
    async with keeper(world) as connection:
        await save_account(connection, replace(staff, name="Ana Sample"), NOW)
        await remove_account(connection, staff.id, NOW)
    assert (await told_story(world))["representative"]["name"] == "Ana Sample"
    outside = Representative(name="Bo Reed", email="bo@advocates.example")
    await adopted(world, make_position(representative=outside))
    assert (await told_story(world))["representative"] == {
        "account": None,
        "name": "Bo Reed",
        "email": "bo@advocates.example",
        "phone": None,
    }


async def test_the_list_is_narrowed_by_stance_session_subject_priority_and_policy_area(world: World) -> None:
    await put(world, HOUSING)
    await world.adopt(policy_area="Housing", priority=HOUSING.slug)
    await world.adopt(bill="SB 80", stance="watch")
    await world.adopt(bill="SB 81", session="20252026")
    await adopted(world, on(RULES))
    await withdrawn(world, replace(SB_79, bill_key="SB80"))
    assert await listed(world) == ["Packaging rules", "SB 81", "SB 79"]
    assert await listed(world, withdrawn=True) == ["Packaging rules", "SB 81", "SB 79", "SB 80"]
    assert await listed(world, stance="watch", withdrawn=True) == []
    assert await listed(world, stance="oppose", session="20252026") == ["SB 81"]
    assert await listed(world, policy_area="housing") == await listed(world, priority=HOUSING.slug) == ["SB 79"]
    assert await listed(world, subject="regulation") == ["Packaging rules"]


async def test_a_representative_who_is_no_staff_is_exported_and_erased_and_the_position_stays(world: World) -> None:
    outside = Representative(name="Bo Reed", email="Bo@Advocates.example", phone="555-0100")
    await adopted(world, make_position(representative=outside))
    await adopted(world, make_position(representative=outside, stance="support"))
    bo = Person("bo@advocates.example", mailbox("bo@advocates.example"))
    async with world.database.transaction() as tx:
        kept = await people.export(tx.connection, bo)
        assert [each["representative_name"] for each in kept["represents"]] == ["Bo Reed", "Bo Reed"]
        assert (await people.erase(tx, bo)).counts["representatives"] == 2
        assert (await people.export(tx.connection, bo))["represents"] == []
    found = await told_story(world)
    assert (found["representative"], len(found["versions"])) == (None, 2)


async def test_a_regulation_stands_on_the_agenda_of_any_session_under_a_key_that_no_bill_has(world: World) -> None:
    await world.import_all()
    await adopted(world, on(RULES, statewide=True))
    key = subject_key("regulation", "Packaging rules")
    assert bill_key(key) != key
    alert = make_alert(agenda=[{"bill": "Packaging rules"}])
    items = [item.model_copy(update={"bill_key": key}) for item in alert.agenda]
    await world.hear(alert.model_copy(update={"agenda": items}))
    assert (await world.campaign())["bills"] == ["Packaging rules"]
    assert (await told_story(world, "packaging rules"))["session"] is None


async def test_a_ballot_measure_starts_no_campaign_whatever_agenda_it_is_put_on(world: World) -> None:
    await world.import_all()
    assert (await adopted(world, on(MEASURE))).is_new
    key = subject_key("measure", "Proposition 5")
    alert = make_alert(agenda=[{"bill": "Proposition 5"}])
    items = [item.model_copy(update={"bill_key": key}) for item in alert.agenda]
    await world.hear(alert.model_copy(update={"agenda": items}))
    assert await world.fetch("SELECT FROM campaigns") == []


@pytest.mark.parametrize(
    ("position", "field", "said"),
    [
        (make_position(session=""), "session", "a bill has one"),
        (on(RULES, session="20272028"), "session", "only a bill has one"),
        (on(RULES, ask=" "), "ask", "say what is to be done"),
        (on(MEASURE, ask="vote yes"), "ask", "public resources may not be used"),
        (on(MEASURE, letter="Dear"), "letter", "public resources may not be used"),
        (on(MEASURE, launch="auto"), "launch", "public resources may not be used"),
        (make_position(why=""), "why", "give the reason"),
        (make_position(bill=" - "), "bill", "write its name"),
        (make_position(points="x" * 20_001), "points", "20,000"),
        (make_position(policy_area="a\x00b"), "policy_area", "not text that can be kept"),
        (make_position(priority="a\x00b"), "priority", "not text that can be kept"),
        (make_position(groups=("a\x00b",)), "group", "not text that can be kept"),
        (make_position(why="half \ud800"), "why", "not text that can be kept"),
        (make_position(representative=Representative(name="Bo\x00", phone="1")), "representative", "not text"),
        (make_position(representative=Representative(name="Bo")), "representative", "with an address or a phone"),
    ],
)
def test_what_no_position_can_be_is_said_by_field(position: Position, field: str, said: str) -> None:
    assert said in dict(problems(position))[field]


async def test_a_priority_that_is_over_and_what_nobody_knows_is_refused(world: World) -> None:
    await put(world, replace(HOUSING, from_day=date(2026, 1, 1), until_day=date(2026, 12, 31)))
    await world.project(world.entity(directory.Group(id="coastal", revision=1, name="Coastal Cities", kind="group")))
    with pytest.raises(Unadoptable) as refused:
        await adopted(world, make_position(priority=HOUSING.slug, groups=("coastal", "inland")))
    assert refused.value.errors == {
        "priority": "housing-2027 ended on 2026-12-31",
        "group": "the directory has no inland: `clarion directory import groups` brings them in",
    }
    with pytest.raises(Unadoptable, match="clarion agenda list"):
        await adopted(world, make_position(priority="water"))
    assert (await adopted(world, make_position(groups=("coastal",)))).is_new
