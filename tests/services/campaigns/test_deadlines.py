"""What holds for every deadline, whatever the rule and the hearing."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clarion.services.campaigns.domain.deadlines import (
    MOST_DAYS,
    NAMED_TIMES,
    DaysBefore,
    Holidays,
    OnWeekday,
    Rule,
    SessionEnd,
    business_days_before,
    due_at,
    governor_deadline,
    is_business_day,
    moment,
    read_time,
    read_when,
    said_when,
    spoken_rule,
)
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.rules.calendar import known_until
from clarion.services.campaigns.rules.reference import holidays, reference_rules

PACIFIC = "America/Los_Angeles"
CLOSED = holidays(CALIFORNIA)
ZONES = st.sampled_from([PACIFIC, "America/New_York", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "UTC"])
DAYS = st.dates(date(2025, 6, 1), date(2028, 12, 31))
TIMES = st.sampled_from([*NAMED_TIMES, "00:00", "01:30", "2:30", "9:05"])
COUNTS = st.builds(DaysBefore, st.integers(1, MOST_DAYS), st.booleans())
WHEN = COUNTS | st.builds(OnWeekday, st.integers(0, 6), st.booleans())


def rule(when: DaysBefore | OnWeekday | None, at: str = "noon") -> Rule:
    return Rule(CALIFORNIA, "upper", "Housing", when, at)


def starts(day: date, clock: time, zone: str) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(zone))


@given(WHEN, TIMES, DAYS, st.times(), ZONES)
@example(OnWeekday(6, week_before=False), "2:30", date(2027, 3, 15), time(0), PACIFIC)
@example(DaysBefore(1, business=False), "end of day", date(2027, 1, 1), time(0), PACIFIC)
def test_letters_are_due_on_a_day_before_the_hearings_own(
    when: DaysBefore | OnWeekday, at: str, day: date, clock: time, zone: str
) -> None:
    found = due_at(rule(when, at), starts(day, clock, zone), zone, CLOSED)
    assert found is not None
    assert found.at <= starts(day, time(0), zone)
    assert found.at.astimezone(ZoneInfo(zone)).date() < day


@given(st.integers(1, MOST_DAYS), DAYS, ZONES)
@example(5, date(2027, 4, 7), PACIFIC)
@example(1, date(2027, 1, 2), PACIFIC)
@example(3, date(2028, 1, 4), PACIFIC)
def test_a_count_of_business_days_ends_on_one_and_passes_over_exactly_as_many(count: int, day: date, zone: str) -> None:
    found = due_at(rule(DaysBefore(count, business=True)), starts(day, time(9), zone), zone, CLOSED)
    assert found is not None
    due = found.at.astimezone(ZoneInfo(zone)).date()
    assert is_business_day(due, CLOSED)
    passed = [due + timedelta(days=each) for each in range((day - due).days)]
    assert sum(is_business_day(each, CLOSED) for each in passed) == count


@given(WHEN, TIMES, DAYS, st.integers(0, 400), ZONES)
def test_a_later_hearing_is_never_due_earlier(
    when: DaysBefore | OnWeekday, at: str, day: date, later: int, zone: str
) -> None:
    first = due_at(rule(when, at), day, zone, CLOSED)
    second = due_at(rule(when, at), day + timedelta(days=later), zone, CLOSED)
    assert first is not None
    assert second is not None
    assert first.at <= second.at


@given(st.integers(1, MOST_DAYS - 1), DAYS)
def test_one_day_more_is_due_earlier(count: int, day: date) -> None:
    assert business_days_before(day, count + 1, CLOSED) < business_days_before(day, count, CLOSED)


@given(WHEN, TIMES, DAYS, st.times(), ZONES)
def test_the_hour_of_a_hearing_does_not_matter_nor_whether_it_is_known(
    when: DaysBefore | OnWeekday, at: str, day: date, clock: time, zone: str
) -> None:
    assert due_at(rule(when, at), starts(day, clock, zone), zone, CLOSED) == due_at(rule(when, at), day, zone, CLOSED)


@given(WHEN, st.sampled_from(sorted(NAMED_TIMES)), DAYS, ZONES)
def test_people_of_the_place_read_the_time_that_the_rule_names(
    when: DaysBefore | OnWeekday, at: str, day: date, zone: str
) -> None:
    found = due_at(rule(when, at), day, zone, CLOSED)
    assert found is not None
    assert found.at.astimezone(ZoneInfo(zone)).time() == NAMED_TIMES[at]


@given(st.integers(0, 6), st.booleans(), DAYS)
def test_a_weekday_is_that_of_the_rule_and_within_a_fortnight(weekday: int, week_before: bool, day: date) -> None:
    found = due_at(rule(OnWeekday(weekday, week_before)), day, "UTC", CLOSED)
    assert found is not None
    assert found.at.weekday() == weekday
    assert 1 <= (day - found.at.date()).days <= (13 if week_before else 7)


@given(st.integers(1, MOST_DAYS), st.dates(date(1990, 1, 1), date(2060, 12, 31)))
def test_it_is_said_when_days_were_counted_whose_holidays_nobody_knows(count: int, day: date) -> None:
    found = due_at(rule(DaysBefore(count, business=True)), day, PACIFIC, CLOSED)
    assert found is not None
    years = set(range(found.at.astimezone(ZoneInfo(PACIFIC)).year, day.year + 1))
    assert set(found.unknown_years) == years - CLOSED.years
    assert found.holidays_known == (years <= CLOSED.years)


def test_the_table_of_holidays_ends_and_a_hearing_past_it_says_so() -> None:
    assert known_until(CLOSED, date(2026, 5, 1)) == date(2028, 12, 31)
    assert known_until(CLOSED, date(2030, 5, 1)) == date(2028, 12, 31)
    gap = Holidays(CLOSED.days, CLOSED.years - {2027})
    assert known_until(gap, date(2026, 5, 1)) == date(2026, 12, 31)
    found = due_at(rule(DaysBefore(5, business=True)), date(2029, 1, 4), PACIFIC, CLOSED)
    assert found is not None
    assert found.unknown_years == (2029,)
    counted = due_at(rule(DaysBefore(5, business=False)), date(2029, 1, 4), PACIFIC, CLOSED)
    assert counted is not None
    assert counted.holidays_known


def test_a_rule_that_nobody_knows_is_no_deadline() -> None:
    assert due_at(rule(None), date(2027, 4, 21), PACIFIC, CLOSED) is None
    assert spoken_rule(rule(None)) == "unknown: ask the committee"


@pytest.mark.parametrize(
    ("day", "at", "utc"),
    [
        (date(2027, 3, 14), "02:30", datetime(2027, 3, 14, 9, 30, tzinfo=UTC)),
        (date(2027, 3, 14), "03:00", datetime(2027, 3, 14, 10, tzinfo=UTC)),
        (date(2027, 11, 7), "01:30", datetime(2027, 11, 7, 8, 30, tzinfo=UTC)),
        (date(2027, 11, 7), "02:00", datetime(2027, 11, 7, 10, tzinfo=UTC)),
    ],
)
def test_of_a_time_that_the_clock_skips_or_shows_twice_the_earlier_reading_counts(
    day: date, at: str, utc: datetime
) -> None:
    assert moment(day, at, PACIFIC) == utc


@given(DAYS, ZONES)
def test_the_governor_has_twelve_days_or_more_and_never_ends_on_a_day_off_before_the_recess(
    presented: date, zone: str
) -> None:
    ends = {year: SessionEnd(date(year, 9, 10), date(year, 10, 10)) for year in range(2025, 2029)}
    found = governor_deadline(presented, zone, CLOSED, ends)
    assert found is not None
    last = found.at.astimezone(ZoneInfo(zone)).date()
    if last != ends[presented.year].governor_until:
        assert (last - presented).days >= 12
        assert is_business_day(last, CLOSED)


@given(DAYS)
def test_without_knowing_when_the_houses_adjourn_nothing_is_said_of_autumn(presented: date) -> None:
    found = governor_deadline(presented, PACIFIC, CLOSED, {})
    assert found is None or found.at < datetime(presented.year, 9, 1, 7, tzinfo=UTC)


@given(WHEN)
def test_a_day_is_read_as_it_is_said(when: DaysBefore | OnWeekday) -> None:
    assert read_when(said_when(when)) == when
    assert read_when(f"  {said_when(when).upper()} ") == when


@pytest.mark.parametrize(
    "text", ["", "5 days", "0 business days", "61 calendar days", "Funday before", "before", "5.5 days"]
)
def test_what_names_no_day_is_refused_with_what_would(text: str) -> None:
    with pytest.raises(ValueError, match="5 business days"):
        read_when(text)


@pytest.mark.parametrize("text", ["", "25:00", "12:60", "teatime", "5 pm", "12:00:00"])
def test_what_is_no_time_of_day_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match="close of business"):
        read_time(text)


def test_close_of_business_is_five() -> None:
    assert read_time("Close of Business") == time(17)


def test_the_seven_rules_are_there_and_each_says_where_it_is_from() -> None:
    spoken = {f"{each.chamber} {each.committee}": spoken_rule(each) for each in reference_rules()}
    assert spoken == {
        "lower Housing and Community Development": "5 business days before the hearing, end of day",
        "lower Environmental Safety and Toxic Materials": "8 calendar days before the hearing, close of business",
        "lower Labor and Employment": "Thursday before the hearing, close of business",
        "lower Communications and Conveyance": "Friday of the week before the hearing, noon",
        "upper Housing": "Wednesday before the hearing, noon",
        "upper Human Services": "Monday of the week before the hearing, noon",
        "upper Rules": "1 calendar day before the hearing, noon",
    }
    assert all(each.source and each.source.startswith("https://") for each in reference_rules())
    assert all(each.checked_on or each.note for each in reference_rules())


def test_a_table_without_years_knows_no_holiday() -> None:
    assert holidays("nowhere") == Holidays()
    assert known_until(Holidays(), date(2026, 5, 1)) is None
