"""Until when a committee takes letters, and the Governor decides: days counted in the place's own zone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

NAMED_TIMES: Mapping[str, time] = {
    "noon": time(12),
    "close of business": time(17),
    "end of day": time(23, 59),
}
"""Times of day as committees name them. The end of a day is its last minute: midnight would read as the day after."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_DAYS = 60
NO_RULE = "unknown"
HOW_TO_SAY_WHEN = '"5 business days", "8 calendar days", "Wednesday before", "Friday of the week before" or "unknown"'
HOW_TO_SAY_TIME = f"{', '.join(NAMED_TIMES)} or a time such as 15:00"
ONE_DAY = timedelta(days=1)
GOVERNORS_DAYS = 12
LATE = (9, 1)
"""From this day on a bill may still be on the Governor's desk when the houses adjourn."""


@dataclass(frozen=True, slots=True)
class DaysBefore:
    """So many days before the day of the hearing, which is not counted."""

    count: int
    business: bool

    def __str__(self) -> str:
        return f"{self.count} {'business' if self.business else 'calendar'} day{'' if self.count == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class OnWeekday:
    """The last such day (0 is Monday) before the hearing's day, or that of the week before; weeks begin on Monday."""

    weekday: int
    week_before: bool

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]}{' of the week' if self.week_before else ''} before"


When: TypeAlias = DaysBefore | OnWeekday | None
"""The day by which letters are due; None is a value as well: nobody knows, ask the committee."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Until when a committee takes letters. `aliases` are other names of it; `checked_on` is None if nobody knows."""

    jurisdiction: str
    chamber: str
    committee: str
    when: When
    at: str = "end of day"
    aliases: tuple[str, ...] = ()
    source: str | None = None
    checked_on: date | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days on which the legislature's offices are closed, whole for these `years` and unknown for all others."""

    days: Mapping[date, str] = field(default_factory=dict)
    years: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last moment, in UTC. `unknown_years` are those that were counted through without knowing their holidays."""

    at: datetime
    unknown_years: tuple[int, ...] = ()

    @property
    def holidays_known(self) -> bool:
        """Whether the table of holidays covers all days that were counted."""
        return not self.unknown_years


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """When the houses adjourned for the recess that ends a year's work, and the last day for the bills left over."""

    ends_on: date
    governor_until: date


def read_when(text: str) -> When:
    """The day that a text names.

    Raises:
        ValueError: it names none; the message says how to.
    """
    words = " ".join(text.split()).casefold()
    if words == NO_RULE:
        return None
    counted = re.fullmatch(r"(\d{1,3}) (business|calendar) days?", words)
    if counted and 1 <= int(counted[1]) <= MOST_DAYS:
        return DaysBefore(int(counted[1]), counted[2] == "business")
    named = re.fullmatch(r"(\w+) (of the week )?before", words)
    if named and named[1].title() in WEEKDAYS:
        return OnWeekday(WEEKDAYS.index(named[1].title()), named[2] is not None)
    raise ValueError(f"{text!r} names no day: say {HOW_TO_SAY_WHEN}, with 1 to {MOST_DAYS} days")


def said_when(when: When) -> str:
    """A day as `read_when` reads it."""
    return NO_RULE if when is None else str(when)


def read_time(text: str) -> time:
    """A time of day, by its name or as in 15:00.

    Raises:
        ValueError: it is neither.
    """
    words = " ".join(text.split()).casefold()
    if words in NAMED_TIMES:
        return NAMED_TIMES[words]
    if re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", words):
        hour, minute = words.split(":")
        return time(int(hour), int(minute))
    raise ValueError(f"{text!r} is no time of day: say {HOW_TO_SAY_TIME}")


def spoken_rule(rule: Rule) -> str:
    """A rule for people: "5 business days before the hearing, end of day"."""
    match rule.when:
        case None:
            return "unknown: ask the committee"
        case DaysBefore():
            return f"{rule.when} before the hearing, {rule.at}"
        case _:
            return f"{rule.when} the hearing, {rule.at}"


def said_time(text: str) -> str:
    """A time of day as it is kept: its name in small letters, or as in 15:00.

    Raises:
        ValueError: it is no time of day.
    """
    words = " ".join(text.split()).casefold()
    found = read_time(words)
    return words if words in NAMED_TIMES else f"{found:%H:%M}"


def due_at(rule: Rule, starts_at: datetime | date, zone: str, holidays: Holidays) -> Deadline | None:
    """Until when letters for a hearing are due; None where the rule is that nobody knows.

    `zone` (an IANA name) is the committee's: the hearing's day and the time of day are those there.
    """
    if rule.when is None:
        return None
    day = day_of(starts_at, zone)
    match rule.when:
        case DaysBefore(count, business=True):
            due = business_days_before(day, count, holidays)
            passed = range(due.year, day.year + 1)
            return Deadline(moment(due, rule.at, zone), unknown_among(passed, holidays))
        case DaysBefore(count):
            due = day - count * ONE_DAY
        case OnWeekday(weekday, week_before=True):
            due = day - (day.weekday() + 7 - weekday) * ONE_DAY
        case OnWeekday(weekday):
            due = day - ((day.weekday() - weekday - 1) % 7 + 1) * ONE_DAY
    return Deadline(moment(due, rule.at, zone))


def day_of(starts_at: datetime | date, zone: str) -> date:
    """The day on which something begins, as it is in a zone."""
    return starts_at.astimezone(ZoneInfo(zone)).date() if isinstance(starts_at, datetime) else starts_at


def governor_deadline(
    presented_on: date, zone: str, holidays: Holidays, sessions: Mapping[int, SessionEnd]
) -> Deadline | None:
    """Until when the Governor may act on a bill, by section 10(b) of article IV of the Constitution of California.

    Twelve days from the day of presentment, on to the next business day where the twelfth is none; for a bill that may
    still lie there when the houses adjourn for the year, thirty days from that day, or September 30 in a year of even
    number. None where that day is not known. `sessions` are by year.
    """
    twelfth = presented_on + GOVERNORS_DAYS * ONE_DAY
    while not is_business_day(twelfth, holidays):
        twelfth += ONE_DAY
    end = sessions.get(presented_on.year)
    if end is None and twelfth >= date(presented_on.year, *LATE):
        return None
    if end is not None and presented_on <= end.governor_until and twelfth > end.ends_on:
        return Deadline(moment(end.governor_until, "end of day", zone))
    return Deadline(moment(twelfth, "end of day", zone), unknown_among([twelfth.year], holidays))


def is_business_day(day: date, holidays: Holidays) -> bool:
    """Whether offices are open, as far as the table of holidays goes."""
    return day.weekday() < WEEKDAYS.index("Saturday") and day not in holidays.days


def business_days_before(day: date, count: int, holidays: Holidays) -> date:
    """The business day that is the `count`th before a day, which itself is not counted."""
    while count:
        day -= ONE_DAY
        count -= is_business_day(day, holidays)
    return day


def moment(day: date, at: str, zone: str) -> datetime:
    """A time of day in a zone, in UTC.

    Of a time that the clock shows twice or skips the earlier reading counts: nobody comes too late by it.
    """
    local = datetime.combine(day, read_time(at), ZoneInfo(zone))
    return min(local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC))


def unknown_among(years: "range | list[int]", holidays: Holidays) -> tuple[int, ...]:
    """Those of these years whose holidays are not known."""
    return tuple(year for year in years if year not in holidays.years)
