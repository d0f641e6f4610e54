"""Positions: what they may be, their versions and story, and what becomes of campaigns when one is withdrawn."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from amending import CHIEF, MAYOR, MOVED, amend, history, standing
from approving_world import EAST_BAY, approve, drafted, state
from campaigns_world import ASKED, NOW, World, mailbox, make_alert, make_position, official
from test_campaign_agenda import ACTOR, HOUSING, put
from test_campaign_follow_ups import follow_ups, tell

from clarion.runtime.database import Connection
from clarion.runtime.database.pool import connect
from clarion.runtime.people import Person
from clarion.runtime.staff.accounts import remove_account, save_account
from clarion.schemas import directory
from clarion.schemas.deliveries import Delivery
from clarion.schemas.legislation import bill_key
from clarion.services.campaigns import fanout, people
from clarion.services.campaigns.approving.operations import Refusal
from clarion.services.campaigns.domain.model import Position, Representative
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.positions import story
from clarion.services.campaigns.positions.agenda import ChangedMeanwhile
from clarion.services.campaigns.positions.operations import (
    Adoption,
    Unadoptable,
    UnknownPosition,
    adopt,
    withdraw,
)
from clarion.services.campaigns.positions.repository import Place, Wanted
from clarion.services.campaigns.positions.subjects import problems, subject_key
from tests.staff import somebody

SB_79 = Place(CALIFORNIA, "20272028", "SB79")
WITH_TWO = [{"bill": "SB 79", "title": None, "author": None}, {"bill": "SB 80", "title": None, "author": None}]
RULES = {"subject": "regulation", "session": "", "bill": "Packaging rules", "ask": "Say what it costs"}
MEASURE = {"subject": "measure", "session": "", "bill": "Proposition 5", "ask": "", "launch": "approval"}


def on(subject: dict[str, str], **changes: Any) -> Position:
    """A position on something that is no bill."""
    key = subject_key(subject["subject"], subject["bill"])  # type: ignore[arg-type]
    return replace(make_position(), **{**subject, "bill_key": key, **changes})


async def adopted(world: World, position: Position, **how: Any) -> Adoption:
    async with world.database.transaction() as tx:
        return await adopt(tx, ACTOR, position, world.clock, **how)


async def withdrawn(world: World, place: Place = SB_79, reason: str = "Amended as cities asked") -> Adoption:
    async with world.database.transaction() as tx:
        return await withdraw(tx, ACTOR, place, reason, world.clock)


@contextlib.asynccontextmanager
async def keeper(world: World) -> AsyncIterator[Connection]:
    """As the service that keeps accounts."""
    connection = await connect(world.database.url, "directory")
    yield connection
    await connection.close()


async def told_story(world: World, name: str = "SB 79") -> dict[str, Any]:
    async with world.database.connection() as connection:
        found = await story.story_named(connection, name, None, None, world.now)
    assert found
    return found


async def listed(world: World, **wanted: Any) -> list[str]:
    async with world.database.connection() as connection:
        return [each["bill"] for each in await story.listed(connection, Wanted(**wanted))]


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


async def test_the_draft_of_the_next_campaign_goes_with_the_position_and_comes_back_with_it(world: World) -> None:
    await world.launch()
    world.later(days=25)
    await world.review()
    await tell(world, 1, committee={"name": "Local Government", "chamber": "upper"})
    await withdrawn(world)
    assert [each["state"] for each in await follow_ups(world)] == ["dropped"]
    await world.adopt()
    assert [each["state"] for each in await follow_ups(world)] == ["dropped", "waiting"]


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
        (make_position(policy_area="a\x00b"), "policy_area", "NUL"),
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
