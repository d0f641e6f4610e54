"""The rules of approval: states, who may, urgency, looks, and who is mailed that calls wait."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.runtime.staff.audit import Actor
from clarion.runtime.staff.rights import Act, Role, Staff
from clarion.schemas.messages import CallBill, CallContent, Fact
from clarion.services.campaigns.approving import looks
from clarion.services.campaigns.approving.bursts import (
    NO_ACCOUNT,
    PATIENCE,
    SETTLE,
    Burst,
    Bursts,
    Manager,
    Reader,
    Waiting,
    content_of,
    is_settled,
)
from clarion.services.campaigns.approving.rights import WHOLE, Approver, Place, why_not
from clarion.services.campaigns.approving.states import Verdict, WaveState, moved, urgent_from, useless_at

NOW = datetime(2027, 4, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALLOWED = {
    (WaveState.WAITING, Verdict.APPROVE): WaveState.APPROVED,
    (WaveState.REJECTED, Verdict.APPROVE): WaveState.APPROVED,
    (WaveState.STOPPED, Verdict.APPROVE): WaveState.APPROVED,
    (WaveState.WAITING, Verdict.REJECT): WaveState.REJECTED,
    (WaveState.APPROVED, Verdict.STOP): WaveState.STOPPED,
    (WaveState.APPROVED, Verdict.WITHHOLD): WaveState.WAITING,
}


@pytest.mark.parametrize(("state", "verdict"), list(itertools.product(WaveState, Verdict)))
def test_each_verdict_leads_from_each_state_to_one_or_nowhere(state: WaveState, verdict: Verdict) -> None:
    assert moved(state, verdict) == ALLOWED.get((state, verdict))


def staff(role: Role = Role.MANAGER, *, divisions: str = "", deputy_in: str = "", key: str = "s1") -> Staff:
    return Staff(
        key, f"Name {key}", f"{key}@x.example", role, frozenset(divisions.split()), frozenset(deputy_in.split())
    )


def decider(who: Staff | None, kind: Any = "staff") -> Approver:
    return Approver(Actor(kind, "a", "A", "here"), who)


def place(division: str = "east-bay", *, has_account: bool = True, urgent: bool = False) -> Place:
    return Place(division, division.title(), has_account, urgent)


def test_who_answers_for_a_division_decides_there_and_nowhere_else() -> None:
    for who in (staff(divisions="east-bay"), staff(deputy_in="east-bay")):
        assert why_not(decider(who), Act.APPROVE_WAVE, place()) is None
        refusal = why_not(decider(who), Act.APPROVE_WAVE, place("peninsula", urgent=True))
        assert (
            refusal == "You may approve a wave in your own divisions (east-bay), not in Peninsula. Nothing was changed."
        )


@pytest.mark.parametrize("role", [Role.STATE, Role.ADMIN])
def test_the_state_team_lets_go_what_is_urgent_or_nobodys_and_holds_back_anything(role: Role) -> None:
    who = decider(staff(role))
    assert "answers for its own calls" in str(why_not(who, Act.APPROVE_WAVE, place()))
    assert why_not(who, Act.APPROVE_WAVE, place(urgent=True)) is None
    assert why_not(who, Act.APPROVE_WAVE, place(has_account=False)) is None
    assert why_not(who, Act.APPROVE_WAVE, place("", has_account=False)) is None
    assert why_not(who, Act.PAUSE_WAVE, place()) is None


def test_who_only_looks_decides_nothing() -> None:
    refusal = why_not(decider(staff(Role.VIEWER)), Act.APPROVE_WAVE, place(urgent=True, has_account=False))
    assert "may not approve a wave" in str(refusal)


def test_a_command_and_a_key_may_and_a_stranger_may_not() -> None:
    assert why_not(decider(None, "command"), Act.APPROVE_WAVE, place()) is None
    assert why_not(decider(None, "key"), Act.APPROVE_WAVE, place()) is None
    assert why_not(decider(None, "person"), Act.APPROVE_WAVE, place()) == "Sign in first."


def test_what_came_to_a_launched_campaign_is_the_state_teams() -> None:
    assert why_not(decider(staff(divisions="east-bay")), Act.APPROVE_WAVE, place(WHOLE, has_account=False))
    assert why_not(decider(staff(Role.STATE)), Act.APPROVE_WAVE, place(WHOLE)) is None


@pytest.mark.parametrize(
    ("waited", "left", "urgent"),
    [
        (0, 24, True),
        (0, 25, False),
        (1000, 24, True),
        (72, 24.5, False),
        (300, 101, False),
        (300, 100, True),
        (0, 1, True),
    ],
)
def test_it_is_urgent_in_the_last_day_and_in_the_last_quarter(waited: float, left: float, urgent: bool) -> None:
    since, useless = NOW - waited * HOUR, NOW + left * HOUR
    assert (urgent_from(since, useless) <= NOW) == urgent


def test_a_wave_is_useless_after_the_letters_deadline_while_that_is_ahead_and_else_after_the_end() -> None:
    due, ends = NOW + HOUR, NOW + 5 * HOUR
    assert useless_at(due, ends, NOW) == due
    assert useless_at(due, ends, due) == ends
    assert useless_at(None, ends, NOW) == ends
    assert useless_at(ends + HOUR, ends, NOW) == ends


def fact(key: str, text: str, label: str | None = None) -> Fact:
    return Fact(key=key, label=label or key.title(), text=text)


def content(*bills: str, **changes: Any) -> CallContent:
    found = [CallBill(bill=bill, stance="oppose", ask="vote no", why=f"Why of {bill}") for bill in bills]
    return CallContent(committee="Housing", when="soon", letters_due="soon", bills=found, **changes)


FACTS = [fact("when", "Wednesday 1:30 pm"), fact("bill:SB79", "SB 79: oppose; vote no", "SB 79")]


def parts(
    facts: list[Fact] = FACTS, said: CallContent | None = None, paragraph: str | None = None, **changes: Any
) -> looks.Parts:
    return looks.parts_of(facts, said or content("SB 79"), paragraph, letters_open=changes.get("letters_open", True))


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (parts(), []),
        (parts([fact("when", "Thursday 9:30 am"), FACTS[1]]), ["When: now Thursday 9:30 am"]),
        (
            parts([*FACTS, fact("bill:SB5", "SB 5: support; vote aye", "SB 5")], content("SB 79", "SB 5")),
            ["New: SB 5: SB 5: support; vote aye"],
        ),
        (parts(FACTS[:1], content()), ["SB79 is no longer asked about"]),
        (parts(paragraph="Our own words."), ["The division's own paragraph is another one"]),
        (parts(letters_open=False), ["It is too late for letters now: what still helps is asked"]),
        (parts([*FACTS, fact("status", "Cancelled")]), ["Status: now Cancelled"]),
    ],
)
def test_an_old_look_says_what_is_other_now(after: looks.Parts, told: list[str]) -> None:
    assert looks.changes(looks.look_of(parts()), after) == told


def test_new_words_of_a_position_are_a_change() -> None:
    said = content("SB 79")
    said = said.model_copy(update={"bills": [said.bills[0].model_copy(update={"why": "Another reason."})]})
    assert looks.changes(looks.look_of(parts()), parts(said=said)) == ["SB 79: its texts are other ones"]


def test_what_is_gone_is_said() -> None:
    before = looks.look_of(parts([*FACTS, fact("where", "Room 1"), fact("status", "Cancelled")], paragraph="Ours."))
    assert looks.changes(before, parts()) == [
        "The division's own paragraph is gone",
        "It is on again",
        "No place is named any more",
    ]


@pytest.mark.parametrize("garbage", ["", "x", "when=", "=,=", "a=b,c=d", "\x00", "when=0123456789abc"])
def test_what_is_no_look_is_another_one(garbage: str) -> None:
    assert looks.changes(garbage, parts()) == [looks.UNKNOWN_LOOK]


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=20), max_size=8))
def test_a_look_is_good_for_the_same_parts_whatever_their_keys_are(texts: dict[str, str]) -> None:
    some = {key: looks.Part(text, text) for key, text in ({"when": "soon"} | texts).items()}
    assert looks.changes(looks.look_of(some), dict(reversed(some.items()))) == []
    for key, part in some.items():
        other = some | {key: looks.Part(part.text + "!", "other")}
        assert looks.look_of(other) != looks.look_of(some)


def waiting(division: str = "east-bay", ago: float = 10, **changes: Any) -> Waiting:
    fields: dict[str, Any] = {
        "division": division,
        "name": division.replace("-", " ").title(),
        "title": "SB 79: Senate Committee on Housing",
        "path": f"/campaigns/c1/{division}",
        "officials": 3,
        "since": NOW - timedelta(seconds=ago),
        "useless_at": NOW + 300 * HOUR,
        "zone": "America/Los_Angeles",
        "urgent": False,
        "is_new": True,
        "newly_urgent": False,
    }
    return Waiting(**fields | changes)


def test_it_is_told_once_nothing_comes_any_more_or_it_was_put_off_long_enough() -> None:
    quiet, long_ago, just = SETTLE.total_seconds(), PATIENCE.total_seconds(), 0.5
    for oldest, newest, settled in ((quiet, quiet, True), (quiet, just, False), (long_ago, just, True)):
        assert is_settled(NOW - timedelta(seconds=oldest), NOW - timedelta(seconds=newest), NOW) is settled
    assert is_settled(None, None, NOW)


EAST = staff(divisions="east-bay", key="east")
BOTH = staff(divisions="east-bay peninsula", key="both")
DEPUTY = staff(deputy_in="east-bay", key="deputy")
STATE = staff(Role.STATE, key="state")
ADMIN = staff(Role.ADMIN, key="admin")


def told(waves: list[Waiting], people: list[Staff], **managers: str | None) -> dict[str, int]:
    known = {name.replace("_", "-"): Manager("M", address) for name, address in managers.items()}
    found = Bursts(people)
    for wave in waves:
        found.add(wave, known.get(wave.division))
    return {burst.reader.key: burst.news for burst in found.due}


def test_a_manager_of_two_divisions_gets_one_mail() -> None:
    assert told([waiting(), waiting("peninsula")], [EAST, BOTH, DEPUTY, STATE]) == {"east": 1, "both": 2}


def test_deputies_are_told_where_there_is_no_manager_and_once_it_is_urgent() -> None:
    assert told([waiting()], [DEPUTY, STATE]) == {"deputy": 1}
    assert told([waiting(urgent=True)], [EAST, DEPUTY, STATE]) == {"east": 1, "deputy": 1, "state": 1}


def test_without_an_account_the_managers_address_is_written_to_and_without_that_the_state_team() -> None:
    assert told([waiting()], [STATE], east_bay="rpam@x.example") == {"division-east-bay": 1}
    assert told([waiting()], [STATE], east_bay=None) == {"state": 1}
    assert told([waiting("")], [ADMIN, EAST]) == {"admin": 1}
    assert told([waiting("")], [EAST]) == {}


def test_nothing_new_is_no_mail() -> None:
    assert told([waiting(is_new=False)], [EAST]) == {}


def mail(*waves: Waiting, count: int | None = None, has_account: bool = True) -> Any:
    reader = Reader("r", "r@x.example", "R", has_account=has_account)
    burst = Burst(reader)
    for wave in waves:
        burst.add(wave)
    burst.waiting = count or len(waves)
    return content_of(burst, "https://clarion.example/")


def test_the_mail_of_one_wave_leads_to_it() -> None:
    found = mail(waiting())
    assert found.subject == "Calls waiting for you: SB 79: Senate Committee on Housing"
    assert found.url == "https://clarion.example/campaigns/c1/east-bay"
    assert found.paragraphs == [
        "1 wave of calls waits for approval: East Bay.",
        f"{waiting().title} (East Bay, 3 officials); it helps until Tuesday, April 13, 2027, 5:00 pm PDT.",
    ]


def test_the_mail_of_several_leads_to_all_that_wait() -> None:
    found = mail(*[waiting(f"d-{number:02}") for number in range(12)])
    assert found.subject == "Calls waiting for you: 12 waves of calls wait"
    assert found.url == "https://clarion.example/campaigns/waiting"
    assert found.paragraphs[-1] == "And 2 more."
    assert mail(waiting(), count=2).url == "https://clarion.example/campaigns/waiting"


def test_the_mail_says_what_is_urgent_and_what_to_do_without_an_account() -> None:
    found = mail(waiting(urgent=True, newly_urgent=True), has_account=False)
    assert found.subject.startswith("Urgent: calls waiting for you")
    assert found.paragraphs[1].startswith("Urgent: SB 79")
    assert found.paragraphs[-1] == NO_ACCOUNT
