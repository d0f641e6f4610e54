"""The time zone of each jurisdiction, that of its capital, and what a clock time there means."""

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from itertools import takewhile
from zoneinfo import ZoneInfo

EARLIEST_YEAR = 1900
LATEST_YEAR = 2200


@cache
def zones() -> Mapping[str, str]:
    """IANA zone by jurisdiction, from `data/jurisdictions.csv`."""
    text = files(__package__).joinpath("data/jurisdictions.csv").read_text("utf-8")
    return {row["jurisdiction"]: row["zone"] for row in csv.DictReader(text.splitlines())}


@cache
def known_jurisdictions() -> str:
    """All jurisdictions in one line: what they share stands once."""
    names = sorted(zones())
    start = shared_start(names)
    end = shared_start([name[::-1] for name in names])[::-1]
    return f"{start}{{{', '.join(name.removeprefix(start).removesuffix(end) for name in names)}}}{end}"


def shared_start(names: Sequence[str]) -> str:
    """The characters with which all names begin."""
    columns = takewhile(lambda column: len(set(column)) == 1, zip(*names, strict=False))
    return "".join(column[0] for column in columns)


def unknown_jurisdiction(jurisdiction: str) -> str | None:
    """What to say of a jurisdiction that has no zone here, or None if it has one."""
    if jurisdiction in zones():
        return None
    return f"unknown jurisdiction {jurisdiction!r}; known: {known_jurisdictions()}"


def out_of_reach(time: datetime) -> bool:
    """Whether a year is so far off that it can only be a mistake; the ends of the calendar break arithmetic."""
    return not EARLIEST_YEAR <= time.year <= LATEST_YEAR


def in_zone(time: datetime, zone: str) -> tuple[datetime, str | None]:
    """A time with the zone's offset, and what had to be decided to know which it is.

    Without an offset it is clock time of the zone: in the hour that autumn repeats the first is meant, and a time in
    the hour that spring skips is as much later as the clock was set forward.
    """
    place = ZoneInfo(zone)
    if time.tzinfo is not None:
        return time.astimezone(place), None
    first = time.replace(tzinfo=place, fold=0)
    real = first.astimezone(UTC).astimezone(place)
    if real.replace(tzinfo=None, fold=0) != time.replace(fold=0):
        return real, f"{time:%Y-%m-%d %H:%M} does not exist in {zone}: taken as {real:%H:%M}"
    if first.utcoffset() != time.replace(tzinfo=place, fold=1).utcoffset():
        return real, f"{time:%Y-%m-%d %H:%M} happens twice in {zone}: the first is taken"
    return real, None
