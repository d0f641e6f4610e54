"""What a clock time means in a jurisdiction, also when the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarion.services.legislation.zones import in_zone, unknown_jurisdiction, zones

CALIFORNIA = "America/Los_Angeles"


def wall(text: str) -> datetime:
    """A clock time without an offset."""
    return datetime.fromisoformat(text)


def test_every_state_the_district_and_the_territories_have_a_zone_that_exists() -> None:
    known = zones()
    assert len([name for name in known if "/state:" in name]) == 50
    assert len(known) == 56
    for zone in known.values():
        ZoneInfo(zone)


def test_an_unknown_jurisdiction_is_told_with_those_that_are_known_in_few_words() -> None:
    message = unknown_jurisdiction("ocd-jurisdiction/country:us/state:zz/government") or ""
    assert "state:zz" in message
    assert "ocd-jurisdiction/country:us/{district:dc, state:ak, " in message
    assert message.endswith("}/government")
    assert len(message) < 1_000
    assert unknown_jurisdiction("ocd-jurisdiction/country:us/state:ca/government") is None


def test_in_the_hour_that_autumn_repeats_the_first_is_meant() -> None:
    time, note = in_zone(wall("2027-11-07 01:30"), CALIFORNIA)
    assert time.isoformat() == "2027-11-07T01:30:00-07:00"
    assert note == "2027-11-07 01:30 happens twice in America/Los_Angeles: the first is taken"


def test_a_time_that_spring_skips_is_an_hour_later() -> None:
    time, note = in_zone(wall("2027-03-14 02:30"), CALIFORNIA)
    assert time.isoformat() == "2027-03-14T03:30:00-07:00"
    assert note == "2027-03-14 02:30 does not exist in America/Los_Angeles: taken as 03:30"


def test_a_time_with_an_offset_is_that_instant_whatever_the_zone() -> None:
    given_time = datetime.fromisoformat("2027-11-07T01:30:00-08:00")
    time, note = in_zone(given_time, CALIFORNIA)
    assert (time.isoformat(), note) == ("2027-11-07T01:30:00-08:00", None)
    assert in_zone(datetime(2027, 4, 21, 20, 30, tzinfo=UTC), CALIFORNIA)[0].isoformat() == "2027-04-21T13:30:00-07:00"


WALL_TIMES = st.datetimes(wall("1990-01-01"), wall("2100-01-01")) | st.sampled_from(
    [wall(day) + timedelta(minutes=15 * quarter) for day in ("2027-03-14", "2027-11-07") for quarter in range(16)]
)


@given(WALL_TIMES, st.sampled_from(sorted(set(zones().values()))))
def test_a_clock_time_keeps_its_reading_except_where_the_clock_skips_it(said: datetime, zone: str) -> None:
    time, note = in_zone(said, zone)
    reading = time.replace(tzinfo=None, fold=0)
    if note is None:
        assert reading == said.replace(fold=0)
        assert time == said.replace(tzinfo=ZoneInfo(zone), fold=1)
    elif "twice" in note:
        assert reading == said.replace(fold=0)
        later = said.replace(tzinfo=ZoneInfo(zone), fold=1)
        assert time.astimezone(UTC) < later.astimezone(UTC)
    else:
        assert timedelta(0) < reading - said <= timedelta(hours=24)
        before = (said.replace(tzinfo=UTC) - timedelta(days=2)).astimezone(ZoneInfo(zone)).utcoffset()
        assert before is not None
        assert time.astimezone(UTC).replace(tzinfo=None) == said - before


@pytest.mark.parametrize("zone", sorted(set(zones().values())))
def test_reading_a_time_again_with_its_offset_changes_nothing(zone: str) -> None:
    for hour in range(24):
        time, _ = in_zone(wall(f"2027-11-07 {hour:02}:59"), zone)
        assert in_zone(datetime.fromisoformat(time.isoformat()), zone) == (time, None)
