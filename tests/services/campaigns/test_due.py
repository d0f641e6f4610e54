"""Which deadline holds for an occasion, and how it is said where that comes from."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from campaigns_world import make_alert
from hypothesis import given
from hypothesis import strategies as st

from clarion.schemas.deadlines import Due
from clarion.services.campaigns.domain.deadlines import DaysBefore, Holidays, Rule
from clarion.services.campaigns.domain.due import Override, letters_due, spoken_due
from clarion.services.campaigns.domain.model import CommitteeFound
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.domain.occasions import Audience, Occasion
from clarion.services.campaigns.rules.reference import holidays
from clarion.services.campaigns.rules.repository import KnownRule
from clarion.services.campaigns.rules.resolving import rules_of

NOTICED = datetime(2027, 4, 12, 19, tzinfo=UTC)
BY_HAND = datetime(2027, 4, 13, 19, tzinfo=UTC)
RULE = Rule(CALIFORNIA, "upper", "Housing", DaysBefore(5, business=True), "noon", source="https://housing.example")


def hearing(**changes: Any) -> Occasion:
    return Occasion.of(make_alert(**changes))


def made(**changes: Any) -> Occasion:
    fields = hearing().model_dump() | {"kind": "governor", "audience": Audience(statewide=True)} | changes
    return Occasion.model_validate(fields)


def override(due_at: datetime | None = BY_HAND, **changes: Any) -> Override:
    fields = {"version": 1, "day": date(2027, 4, 21), "due_at": due_at, "withdrawn": False, "reason": "they said so"}
    return Override(**{"made_by": "Robin Sample", "made_at": datetime(2027, 4, 1, tzinfo=UTC)} | fields | changes)


@pytest.mark.parametrize(
    ("noticed", "by_hand", "rules", "at", "kind"),
    [
        (None, None, [], None, "unknown"),
        (None, None, [RULE], datetime(2027, 4, 14, 19, tzinfo=UTC), "rule"),
        (None, None, [RULE, RULE], None, "unknown"),
        (NOTICED, None, [RULE], NOTICED, "notice"),
        (NOTICED, override(), [RULE], BY_HAND, "override"),
        (NOTICED, override(None), [RULE], None, "override"),
        (NOTICED, override(withdrawn=True), [RULE], NOTICED, "notice"),
        (None, override(day=date(2027, 4, 20)), [RULE], datetime(2027, 4, 14, 19, tzinfo=UTC), "rule"),
    ],
)
def test_what_staff_set_goes_before_the_notice_and_that_before_the_one_rule_that_fits(
    noticed: datetime | None, by_hand: Override | None, rules: list[Rule], at: datetime | None, kind: str
) -> None:
    found, due = letters_due(hearing(letters_due_at=noticed), by_hand, rules=rules, holidays=holidays(CALIFORNIA))
    assert (found, due and due.kind) == (at, kind)


def test_an_occasion_that_is_no_hearing_has_what_it_was_started_with_or_none() -> None:
    assert letters_due(made(), None, rules=[], holidays=Holidays()) == (None, None)
    at, due = letters_due(made(letters_due_at=NOTICED), None, rules=[], holidays=Holidays())
    assert (at, due and due.text) == (NOTICED, "as the campaign was started with")
    assert letters_due(made(), override(), rules=[], holidays=Holidays())[0] == BY_HAND


@pytest.mark.parametrize(
    ("due", "said"),
    [
        (Due(kind="notice", text="the notice says so"), "the notice says so"),
        (
            Due(kind="rule", text="2 business days", address="https://h.example"),
            "2 business days; to be confirmed at https://h.example: nobody knows when it was last checked",
        ),
        (
            Due(kind="override", text="T", unknown_years=[2030]),
            "T; counted without the holidays of 2030, which are not known here: ask the committee",
        ),
    ],
)
def test_it_is_said_where_a_deadline_comes_from_and_what_is_doubtful(due: Due, said: str) -> None:
    assert spoken_due(due) == said


NAMES = st.sampled_from(["Housing", "Senate Committee on Housing", "HOUSING Committee", "Rules", "Housing & Rules"])


@given(NAMES, st.sampled_from(["upper", "lower", "Senate", None]))
def test_a_rule_is_never_taken_from_another_committee_or_chamber(name: str, chamber: str | None) -> None:
    known = [KnownRule(RULE)]
    found = rules_of(known, hearing(committee={"name": name, "chamber": chamber, "id": None}), None)
    of_the_senate = chamber in {"upper", "Senate"} or (chamber is None and name.startswith("Senate"))
    assert bool(found) == (of_the_senate and "Rules" not in name)


def test_the_directorys_word_for_a_committee_counts_more_than_the_sources() -> None:
    nameless = hearing(committee={"name": "the one that meets in room 1200", "chamber": None, "id": "x"})
    assert rules_of([KnownRule(RULE)], nameless, None) == []
    assert rules_of([KnownRule(RULE)], nameless, CommitteeFound("x", "Housing", "upper", None))
    assert rules_of([KnownRule(RULE)], nameless, CommitteeFound("x", "Housing", "lower", None)) == []
