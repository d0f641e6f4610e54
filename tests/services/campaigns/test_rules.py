"""Rules of committees and deadlines set by hand: what holds, who changed it, and what is decided again."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from amending import MAYOR, amend, history
from campaigns_world import CALIFORNIA, IMPORTS, World, committee, make_alert

from clarion.runtime.staff.audit import Actor
from clarion.schemas.deadlines import DeadlineSet
from clarion.services.campaigns.reports import campaign_summary
from clarion.services.campaigns.rules.checking import check_rules
from clarion.services.campaigns.rules.operations import Outcome, history_of, restore_rule, set_rule
from clarion.services.campaigns.rules.overriding import override_deadline
from clarion.services.campaigns.rules.repository import rules_in_force
from clarion.services.campaigns.rules.wishes import Refusal, Wish, moment_of

BY_RULE = "Wednesday, April 14, 2027, 12:00 pm PDT"
UNKNOWN = "Deadline unknown: ask the committee (916-555-0100)"
ASSEMBLY = {"name": "Housing & Community Development", "chamber": "lower", "id": None}


SIGNED_IN = [Actor("staff", "", "Robin Sample", "198.51.100.7")]


@pytest.fixture(autouse=True)
def robin() -> None:
    """Somebody whose acts of one test are told from those of the others."""
    SIGNED_IN[0] = replace(SIGNED_IN[0], id=uuid.uuid4().hex)


async def set_it(world: World, committee: str = "Housing", chamber: str = "senate", **said: Any) -> Outcome:
    async with world.database.transaction() as tx:
        return await set_rule(tx, Wish(CALIFORNIA, chamber, committee, **said), SIGNED_IN[0], world.now)


async def restore(world: World, version: int | None = None, committee: str = "Housing") -> Outcome:
    async with world.database.transaction() as tx:
        wish = Wish(CALIFORNIA, "upper", committee)
        return await restore_rule(tx, wish, version, actor=SIGNED_IN[0], now=world.now)


async def by_hand(world: World, at: str | None, *, clear: bool = False, reason: str = "they said so") -> DeadlineSet:
    campaign = (await world.campaign())["id"]
    async with world.database.transaction() as tx:
        due_at = moment_of(at) if at else None
        return await override_deadline(
            tx, campaign, due_at, reason=reason, actor=SIGNED_IN[0], now=world.now, withdrawn=clear
        )


async def due_source(world: World) -> dict[str, Any]:
    return dict((await world.campaign())["due"])


async def acts(world: World) -> list[str]:
    rows = await world.fetch("SELECT act FROM clarion.audit WHERE actor_id = $1 ORDER BY id", SIGNED_IN[0].id)
    return [row["act"] for row in rows]


async def test_a_hearing_has_the_deadline_of_its_committees_rule_and_the_campaign_says_where_it_is_from(
    world: World,
) -> None:
    await world.launch()
    [told] = await world.told_to(MAYOR)
    assert told.facts["letters_due"] == BY_RULE
    assert told.body["not_after"] == "2027-04-14T19:00:00Z"
    async with world.database.connection() as connection:
        shown = await campaign_summary(connection, (await world.campaign())["id"])
    assert shown
    assert shown["due_source"] == {
        "kind": "rule",
        "text": "Wednesday before the hearing, noon",
        "address": "https://shou.senate.ca.gov/node/15",
        "checked_on": "2026-11-22",
        "unknown_years": [],
    }


async def test_what_the_notice_says_goes_before_the_rule_and_what_staff_set_before_both(world: World) -> None:
    await world.launch(make_alert(letters_due_at="2027-04-12T12:00:00-07:00"))
    assert (await due_source(world))["kind"] == "notice"
    found = await by_hand(world, "2027-04-13T17:00")
    assert found.letters_due_at == datetime(2027, 4, 14, 0, tzinfo=UTC)
    assert found.due.text == "set by hand by Robin Sample: they said so"
    await world.fan_out()
    assert [each.facts["letters_due"] for each in await world.told_to(MAYOR)] == [
        "Monday, April 12, 2027, 12:00 pm PDT",
        "Tuesday, April 13, 2027, 5:00 pm PDT",
    ]
    await by_hand(world, None, clear=True)
    assert (await due_source(world))["kind"] == "notice"
    assert (await world.campaign())["letters_due_at"] == datetime(2027, 4, 12, 19, tzinfo=UTC)


async def test_unknown_said_by_hand_is_told_with_the_committees_phone(world: World) -> None:
    await world.launch()
    await by_hand(world, None, reason="they changed it and do not say to what")
    await world.fan_out()
    told = (await world.told_to(MAYOR))[-1]
    assert told.facts["letters_due"] == UNKNOWN
    assert told.asks == {("letter", "SB 79")}
    assert (await due_source(world))["kind"] == "override"


async def test_a_committee_without_a_rule_has_an_unknown_deadline_that_is_not_guessed(world: World) -> None:
    arts = committee("ocd-organization/arts", "Arts", "upper", phone="916-555-0199")
    await world.import_all(committees=[*IMPORTS["committees"], arts])
    await world.adopt(statewide=True)
    await world.hear(committee={"name": "Arts", "chamber": "upper", "id": None})
    await world.fan_out()
    assert (await world.told_to(MAYOR))[-1].facts["letters_due"] == (
        "Deadline unknown: ask the committee (916-555-0199)"
    )
    assert (await due_source(world))["kind"] == "unknown"


async def test_a_committee_that_nobody_knows_waits_and_guesses_no_deadline_from_another_chambers(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear(committee={"name": "Rules of Nowhere", "chamber": None, "id": None})
    campaign = await world.campaign()
    assert campaign["letters_due_at"] is None
    assert campaign["problem"].startswith("unknown committee")


async def test_a_rule_that_changes_is_told_to_those_it_concerns_in_the_same_transaction(world: World) -> None:
    await world.launch()
    await world.hear(make_alert(hearing_id="h-2", aliases=["other"], committee=ASSEMBLY))
    before = {row["hearing"]: row["revision"] for row in await world.fetch("SELECT hearing, revision FROM campaigns")}
    outcome = await set_it(world, when="2 business days", at="15:00", source="https://housing.example/letters")
    assert (outcome.known.version, outcome.changed, outcome.decided_again) == (1, True, 1)
    await world.fan_out()
    told = (await world.told_to(MAYOR, f"campaign:{await campaign_of(world, 'h-1')}"))[-1]
    assert told.facts["letters_due"] == "Monday, April 19, 2027, 3:00 pm PDT"
    after = {row["hearing"]: row["revision"] for row in await world.fetch("SELECT hearing, revision FROM campaigns")}
    assert after == before | {"h-1": before["h-1"] + 1}
    assert await acts(world) == ["rule.set"]


async def campaign_of(world: World, hearing: str) -> str:
    [row] = await world.fetch("SELECT id FROM campaigns WHERE hearing = $1", hearing)
    return str(row["id"])


async def test_a_name_that_a_rule_loses_leaves_the_hearings_under_that_name_without_a_deadline(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await set_it(world, aliases=("Homelessness",))
    await world.hear(committee={"name": "Homelessness", "chamber": "upper", "id": None})
    assert (await due_source(world))["kind"] == "rule"
    assert (await set_it(world, aliases=())).decided_again == 1
    assert (await due_source(world))["kind"] == "unknown"


async def test_the_same_rule_again_changes_nothing(world: World) -> None:
    await world.launch()
    await set_it(world, when="2 business days")
    outcome = await set_it(world, when="2  Business Days")
    assert (outcome.changed, outcome.decided_again) == (False, 0)
    assert await acts(world) == ["rule.set"]
    assert await history(world) == [(1, []), (2, ["letters_due"])]


async def test_that_somebody_looked_again_is_kept_and_shown_and_not_told(world: World) -> None:
    await world.launch()
    await set_it(world, checked_on="today")
    await world.fan_out()
    assert (await due_source(world))["checked_on"] == "2027-04-01"
    assert len(await world.told_to(MAYOR)) == 1


async def test_a_rule_is_undone_version_by_version_down_to_the_projects_own(world: World) -> None:
    await world.launch()
    await set_it(world, when="2 business days")
    await set_it(world, when="unknown")
    assert (await world.campaign())["letters_due_at"] is None
    assert (await restore(world)).known.version == 3
    assert (await due_source(world))["text"] == "2 business days before the hearing, noon"
    await restore(world, 0)
    assert (await due_source(world))["text"] == "Wednesday before the hearing, noon"
    await world.fan_out()
    assert (await world.told_to(MAYOR))[-1].facts["letters_due"] == BY_RULE
    async with world.database.connection() as connection:
        versions = await history_of(connection, Wish(CALIFORNIA, "upper", "Housing"))
    assert [each.version for each in versions] == [4, 3, 2, 1, 0]
    assert [each.made_by for each in versions] == ["Robin Sample"] * 4 + [None]
    assert await acts(world) == ["rule.set", "rule.set", "rule.restored", "rule.restored"]
    assert (await restore(world, 0)).changed is False


async def test_a_rule_edited_just_after_its_deadline_passed_opens_letters_again_for_everyone(world: World) -> None:
    await world.launch()
    world.now = datetime(2027, 4, 14, 19, 0, 1, tzinfo=UTC)
    await set_it(world, when="1 business day")
    await world.fan_out()
    first, second = await world.told_to(MAYOR)
    assert (first.asks, second.asks) == ({("letter", "SB 79")}, {("letter", "SB 79")})
    assert second.facts["letters_due"] == "Tuesday, April 20, 2027, 12:00 pm PDT"
    assert second.body["not_after"] == "2027-04-20T19:00:00Z"


async def test_a_rule_edited_to_a_deadline_that_has_just_passed_asks_for_what_still_helps(world: World) -> None:
    await world.launch()
    world.now = datetime(2027, 4, 13, 19, 0, 1, tzinfo=UTC)
    await set_it(world, when="Tuesday before")
    await world.fan_out()
    second = (await world.told_to(MAYOR))[-1]
    assert second.facts["letters_due"] == "Tuesday, April 20, 2027, 12:00 pm PDT"
    await set_it(world, when="8 calendar days")
    await world.fan_out()
    third = (await world.told_to(MAYOR))[-1]
    assert third.facts["letters_due"] == "Tuesday, April 13, 2027, 12:00 pm PDT"
    assert third.asks == {("phone", "SB 79")}
    assert third.body["not_after"] == "2027-04-21T20:30:00Z"


async def test_a_rule_edited_to_the_second_its_deadline_passes_counts_as_passed(world: World) -> None:
    await world.launch()
    world.now = datetime(2027, 4, 13, 19, tzinfo=UTC)
    await set_it(world, when="8 calendar days")
    await world.fan_out()
    assert (await world.told_to(MAYOR))[-1].asks == {("phone", "SB 79")}


async def test_a_hearing_that_moves_has_the_deadline_of_its_new_day_and_not_what_was_set_for_the_old(
    world: World,
) -> None:
    await world.launch()
    await by_hand(world, "2027-04-13T17:00")
    await amend(world, starts_at="2027-04-28T13:30:00-07:00")
    assert (await world.told_to(MAYOR))[-1].facts["letters_due"] == "Wednesday, April 21, 2027, 12:00 pm PDT"
    assert (await due_source(world))["kind"] == "rule"
    await amend(world, 3, starts_at="2027-04-21T15:00:00-07:00")
    assert (await due_source(world))["kind"] == "override"


async def test_a_hearing_past_the_table_of_holidays_says_so(world: World) -> None:
    await world.launch(make_alert(committee=ASSEMBLY, starts_at="2031-04-23T09:00:00-07:00"), statewide=True)
    assert (await due_source(world))["unknown_years"] == [2031]
    assert (await world.campaign())["letters_due_at"] == datetime(2031, 4, 17, 6, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"when": "soon"}, "names no day"),
        ({"at": "25:00"}, "no time of day"),
        ({"source": "javascript:alert(1)"}, "no address"),
        ({"source": "https://[broken"}, "no address"),
        ({"checked_on": "2099-01-01"}, "is ahead"),
        ({"checked_on": "last week"}, "is no day"),
        ({"note": "x" * 1_001}, "longer than"),
        ({"aliases": ("a\x00b",)}, "NUL"),
        ({"chamber": "upstairs"}, "no chamber"),
        ({"committee": "Nobody's"}, "has no rule yet"),
        ({"committee": " ", "when": "1 business day"}, "empty"),
    ],
)
async def test_what_is_no_rule_is_refused_and_changes_nothing(world: World, said: dict[str, Any], why: str) -> None:
    with pytest.raises(Refusal, match=why):
        await set_it(world, **said)
    assert await acts(world) == []
    assert await world.fetch("SELECT * FROM committee_rules") == []


@pytest.mark.parametrize(
    ("at", "reason", "why"),
    [
        ("2027-04-21T14:00", "r", "after the hearing"),
        ("2027-04-14", "r", "a day alone"),
        ("noon", "r", "is no time"),
        ("2027-04-14T12:00", " ", "empty"),
    ],
)
async def test_a_deadline_by_hand_that_is_none_is_refused(world: World, at: str, reason: str, why: str) -> None:
    await world.launch()
    with pytest.raises(Refusal, match=why):
        await by_hand(world, at, reason=reason)
    assert await acts(world) == []


async def test_a_deadline_for_no_campaign_or_of_no_rule_or_version_is_refused(world: World) -> None:
    async with world.database.transaction() as tx:
        with pytest.raises(Refusal, match="no campaign"):
            await override_deadline(tx, "no\x00ne", None, reason="r", actor=SIGNED_IN[0], now=world.now)
    with pytest.raises(Refusal, match="no rule"):
        await restore(world, committee="Nobody's")
    with pytest.raises(Refusal, match="there are: 0"):
        await restore(world, 7)


async def test_the_same_deadline_by_hand_again_changes_nothing(world: World) -> None:
    await world.launch()
    assert (await by_hand(world, "2027-04-13T17:00")).changed
    assert not (await by_hand(world, "2027-04-13T17:00-07:00")).changed
    assert (await by_hand(world, None, clear=True)).changed
    assert not (await by_hand(world, None, clear=True)).changed
    assert await acts(world) == ["deadline.set", "deadline.set"]


async def test_a_rule_of_the_installations_own_stands_beside_the_projects(world: World) -> None:
    await set_it(world, "Natural Resources", "lower", when="Wednesday before", aliases=("Resources",))
    async with world.database.connection() as connection:
        found = {(each.rule.chamber, each.rule.committee): each.version for each in await rules_in_force(connection)}
    assert found["lower", "Natural Resources"] == 1
    assert len(found) == 8
    await set_it(world, "Resources", "assembly", checked_on="2027-01-31")
    async with world.database.connection() as connection:
        [own] = [each for each in await rules_in_force(connection) if each.version]
    assert (own.rule.committee, own.version, own.rule.checked_on) == ("Natural Resources", 2, date(2027, 1, 31))


async def test_the_check_names_what_is_old_what_ends_and_what_fits_nothing(world: World) -> None:
    arts = committee("ocd-organization/arts", "Arts", "upper")
    await world.import_all(committees=[*IMPORTS["committees"], arts])
    await world.adopt(statewide=True)
    await world.hear(committee={"name": "Arts", "chamber": "upper", "id": None})
    async with world.database.connection() as connection:
        now = await check_rules(connection, world.now)
        later = await check_rules(connection, datetime(2028, 11, 1, tzinfo=UTC), days=90)
    kinds = [(each.kind, each.what) for each in now]
    assert ("never-checked", "nobody knows when the rule of Assembly Labor and Employment was last checked") in kinds
    assert ("no-committee", "the rule of Senate Rules fits no committee of the directory") in kinds
    assert [what for kind, what in kinds if kind == "no-rule"] == [
        "Senate Arts has no rule: its deadlines are unknown unless the notice says them"
    ]
    assert kinds[0][0] == "no-deadline"
    assert {"stale", "holidays"}.isdisjoint(kind for kind, _ in kinds)
    assert [each.what for each in later if each.kind == "holidays"] == [
        "the legislature's holidays end with 2028-12-31: business days past that are counted without them"
    ]
    assert sum(each.kind == "stale" for each in later) == 5
