"""What a notice says, and whether it says anything new."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.schemas.legislation import HearingAlert, HearingNotice
from clarion.services.legislation.domain.statements import Decision, Outcome, Statement
from clarion.services.legislation.domain.states import content, differences, in_the_past, read_notice
from clarion.services.legislation.domain.world import World

NOW = datetime(2027, 4, 1, 12, tzinfo=UTC)
Make = Callable[..., dict[str, Any]]
NOTICE: dict[str, Any] = {
    "hearing_id": "h-1",
    "jurisdiction": "ocd-jurisdiction/country:us/state:ca/government",
    "session": "20272028",
    "committee": {"name": "Housing", "chamber": "upper"},
    "starts_at": "2027-04-21T13:30:00-07:00",
    "agenda": [{"bill": "SB 79"}, {"bill": "AB 100"}],
}


def read(notice: dict[str, Any]) -> HearingAlert:
    return read_notice(HearingNotice.model_validate(notice), "00000000-0000-4000-8000-000000000001")[0]


def statement(notice: dict[str, Any], kind: str = "hearing.scheduled") -> Statement:
    return Statement("/sources/a", "e-1", kind, HearingNotice.model_validate(notice), NOW)


def decide(said: Statement) -> Decision:
    """What becomes of a statement where nothing is known."""
    world = World(NOW, lambda: "00000000-0000-4000-8000-000000000001")
    world.hear(said)
    [decision] = world.decisions(world.amendments())
    return decision


def test_an_alert_is_the_full_state_at_revision_one(notice: Make) -> None:
    alert = read(notice(letters_due_at="2027-04-14T17:00:00", notice_url="https://notices.example/1"))
    assert alert.model_dump(mode="json") == {
        "hearing_id": "00000000-0000-4000-8000-000000000001",
        "aliases": ["ca-2027-04-21-s-housing"],
        "revision": 1,
        "status": "scheduled",
        "jurisdiction": "ocd-jurisdiction/country:us/state:ca/government",
        "zone": "America/Los_Angeles",
        "session": "20272028",
        "committee": {"name": "Housing", "chamber": "upper", "id": None},
        "starts_at": "2027-04-21T13:30:00-07:00",
        "time_note": None,
        "location": {"name": "1021 O Street, Room 1200", "url": None, "remote": None},
        "agenda": [{"bill": "SB 79", "title": "Housing near transit", "author": "Rivera", "bill_key": "SB79"}],
        "letters_due_at": "2027-04-14T17:00:00-07:00",
        "notice_url": "https://notices.example/1",
        "changed": [],
        "counterparts": [],
    }


def test_a_start_that_is_a_date_stays_one(notice: Make) -> None:
    alert = read(notice(starts_at="2027-04-21", time_note="upon adjournment of session"))
    assert alert.starts_at == date(2027, 4, 21)
    assert alert.model_dump(mode="json")["starts_at"] == "2027-04-21"


def test_a_start_without_an_offset_is_the_jurisdictions_time(notice: Make) -> None:
    assert not differences(read(notice()), read(notice(starts_at="2027-04-21T13:30:00")))
    york = "ocd-jurisdiction/country:us/state:ny/government"
    assert read(notice(starts_at="2027-04-21T13:30", jurisdiction=york)).model_dump(mode="json")["starts_at"] == (
        "2027-04-21T13:30:00-04:00"
    )


def test_a_bill_that_stands_twice_on_the_agenda_is_on_it_once(notice: Make) -> None:
    alert = read(notice(agenda=[{"bill": "SB 79", "author": "Rivera"}, {"bill": "sb079"}, {"bill": "AB 1"}]))
    assert [(item.bill, item.bill_key, item.author) for item in alert.agenda] == [
        ("SB 79", "SB79", "Rivera"),
        ("AB 1", "AB1", None),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"starts_at": "2027-04-21T13:31:00-07:00"}, "time"),
        ({"starts_at": "2027-04-21", "time_note": "soon"}, "time"),
        ({"time_note": "or later"}, "note"),
        ({"session": "20252026"}, "session"),
        ({"committee": {"name": "Housing", "chamber": "lower"}}, "committee"),
        ({"committee": {"name": "Health", "chamber": "upper"}}, "committee"),
        ({"location": {"name": "elsewhere"}}, "place"),
        ({"agenda": [{"bill": "SB 80"}]}, "agenda"),
        ({"agenda": []}, "agenda"),
        ({"letters_due_at": "2027-04-20T12:00:00Z"}, "letters"),
    ],
)
def test_what_a_reader_would_act_on_is_a_difference(notice: Make, change: dict[str, Any], field: str) -> None:
    assert field in differences(read(notice()), read(notice(**change)))


@pytest.mark.parametrize(
    "change",
    [
        {"starts_at": "2027-04-21T20:30:00Z"},
        {"starts_at": "2027-04-21T13:30:00"},
        {"committee": {"name": " housing ", "chamber": "UPPER"}},
        {"location": {"name": "1021  O Street, Room 1200", "url": " "}},
        {"agenda": [{"bill": "sb079", "title": "Another title"}]},
        {"agenda": [{"bill": "SB 79"}, {"bill": "SB-79"}]},
        {"notice_url": "https://notices.example/2"},
        {"committee": {"name": "Housing", "chamber": "upper", "id": "H-12"}},
        {"sequence": 7},
        {"an_unknown_field": True},
    ],
)
def test_another_way_of_writing_the_same_is_no_difference(notice: Make, change: dict[str, Any]) -> None:
    assert differences(read(notice()), read(notice(**change))) == []


BILLS = st.lists(st.tuples(st.sampled_from(["SB", "AB", "ACA"]), st.integers(1, 4_000)), max_size=6)
SPELLINGS = st.sampled_from(["{} {}", "{}{}", "{}-{}", "{}. {}", "{} 00{}"])
OFFSETS = st.integers(-12, 14).map(lambda hours: timedelta(hours=hours))


@given(BILLS, st.lists(SPELLINGS, min_size=6, max_size=6), st.randoms(), OFFSETS, st.booleans())
def test_however_a_source_spells_a_notice_its_content_is_the_same(
    bills: list[tuple[str, int]], spellings: list[str], order: Any, offset: timedelta, loud: bool
) -> None:
    plain = NOTICE | {"agenda": [{"bill": f"{house} {number}"} for house, number in bills]}
    spelled = [
        {"bill": (spelling.format(house, number)).lower()}
        for (house, number), spelling in zip(bills, spellings, strict=False)
    ]
    order.shuffle(spelled)
    start = datetime.fromisoformat(plain["starts_at"])
    moved = (start.astimezone(UTC) + offset).replace(tzinfo=None).isoformat()
    sign = "-" if offset < timedelta(0) else "+"
    hours = abs(int(offset.total_seconds())) // 3600
    other = plain | {"agenda": spelled, "starts_at": f"{moved}{sign}{hours:02}:00"}
    if loud:
        other |= {"committee": {"name": " HOUSING", "chamber": "Upper"}}
    assert content(read(other)) == content(read(plain))
    assert content(HearingAlert.model_validate(read(other).model_dump(mode="json"))) == content(read(plain))


def test_an_unknown_jurisdiction_is_rejected_with_those_that_are_known(notice: Make) -> None:
    decision = decide(statement(notice(jurisdiction="california")))
    assert decision.outcome is Outcome.REJECTED
    assert "unknown jurisdiction 'california'; known: " in (decision.note or "")


@pytest.mark.parametrize("bill", ["- - -", "...", "SB " + "1" * 300])
def test_a_bill_without_a_number_is_rejected(notice: Make, bill: str) -> None:
    decision = decide(statement(notice(agenda=[{"bill": "SB 1"}, {"bill": bill}])))
    assert decision.outcome is Outcome.REJECTED
    assert (decision.note or "").startswith("agenda[1].bill: ")


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00"])
def test_a_year_at_the_end_of_the_calendar_is_rejected(notice: Make, start: str) -> None:
    for field in ("starts_at", "letters_due_at"):
        decision = decide(statement(notice(**{field: start})))
        assert decision.outcome is Outcome.REJECTED
        assert field in (decision.note or "")


def test_a_hearing_in_the_past_is_alerted_and_said_to_be(notice: Make) -> None:
    decision = decide(statement(notice(starts_at="2027-03-31T09:00:00")))
    assert (decision.outcome, decision.note) == (Outcome.ALERTED, "starts in the past")


def test_a_day_is_past_when_it_is_over_in_the_jurisdiction(notice: Make) -> None:
    alert = read(notice(starts_at="2027-04-21", time_note="upon adjournment"))
    assert not in_the_past(alert, datetime(2027, 4, 22, 6, 59, tzinfo=UTC))
    assert in_the_past(alert, datetime(2027, 4, 22, 7, 0, tzinfo=UTC))


def test_what_had_to_be_decided_about_a_time_is_noted(notice: Make) -> None:
    decision = decide(statement(notice(starts_at="2027-11-07T01:30:00", letters_due_at="2027-03-14T02:30:00")))
    assert decision.note == (
        "2027-11-07 01:30 happens twice in America/Los_Angeles: the first is taken; "
        "2027-03-14 02:30 does not exist in America/Los_Angeles: taken as 03:30"
    )


def test_a_time_that_cannot_be_believed_is_when_it_was_received(notice: Make) -> None:
    said = statement(notice())
    assert said.stated_at == NOW
    earlier = NOW - timedelta(days=3)
    assert replace(said, time=earlier).stated_at == earlier
    assert replace(said, time=NOW + timedelta(seconds=301)).stated_at == NOW
    assert replace(said, time=datetime.fromisoformat("0001-01-01T00:00:00+14:00")).stated_at == NOW
