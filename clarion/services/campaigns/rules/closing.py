"""A holiday is added or taken out, or a year said to be whole; deadlines ahead that change are decided on again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import JsonValue

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.staff.audit import Actor, record
from clarion.schemas.deadlines import HolidayLine, HolidayYear
from clarion.services.campaigns import repository
from clarion.services.campaigns.domain.deadlines import Holidays
from clarion.services.campaigns.domain.due import by_rule
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.operations import decide_on
from clarion.services.campaigns.rules.calendar import Calendar, calendar_of
from clarion.services.campaigns.rules.repository import QUERIES, rules_in_force
from clarion.services.campaigns.rules.resolving import rules_of
from clarion.services.campaigns.rules.wishes import Refusal, address_of, day_of_check, text_of

YEARS = range(2000, 2101)
EXAMPLE_DAY = "2029-01-01"


@dataclass(frozen=True, slots=True)
class Source:
    """Where it is written down, and when somebody looked there, as they say it: "today", or 2027-01-31."""

    address: str
    checked_on: str = "today"


@dataclass(frozen=True, slots=True)
class By:
    """Who changes the holidays of which legislature, and when."""

    actor: Actor
    now: datetime
    jurisdiction: str = CALIFORNIA


@dataclass(frozen=True, slots=True)
class DayOutcome:
    """A day as it is now, whether that is new, and on how many hearings ahead was decided again."""

    line: HolidayLine
    changed: bool
    decided_again: int


@dataclass(frozen=True, slots=True)
class YearOutcome:
    """The same of a year."""

    line: HolidayYear
    changed: bool
    decided_again: int


async def add_holiday(tx: Transaction, day: str, name: str, source: Source, by: By) -> DayOutcome:
    """Have a legislature's offices closed on a day.

    Raises:
        Refusal: it is no day, or has no name, no source, or nobody looked there yet.
    """
    closed_on, text, address = read_day(day), text_of(name), address_of(source.address)
    looked = _looked(source, by.now)
    before = await _taken_up(tx, by.jurisdiction)
    known = before.days.get(closed_on)
    same = known is not None and known.closed and (known.name, known.source) == (text, address)
    if known is not None and same and (known.checked_on == looked or known.version == 0):
        return DayOutcome(known, changed=False, decided_again=0)
    row: dict[str, str | date | None] = {"name": text, "source": address, "checked_on": looked}
    return await _bring_day(tx, before, closed_on, row, by)


async def remove_holiday(tx: Transaction, day: str, by: By) -> DayOutcome:
    """Have a legislature's offices open on a day that was a holiday; adding it again is the way back.

    Raises:
        Refusal: it is no day, or none of the holidays here.
    """
    open_on = read_day(day)
    before = await _taken_up(tx, by.jurisdiction)
    known = before.days.get(open_on)
    if known is None:
        raise Refusal(f"{open_on} is no holiday here: `clarion committees holidays list` shows them")
    if not known.closed:
        return DayOutcome(known, changed=False, decided_again=0)
    row: dict[str, str | date | None] = {"name": None, "source": known.source, "checked_on": known.checked_on}
    return await _bring_day(tx, before, open_on, row, by)


async def set_year(tx: Transaction, year: int, source: Source | None, by: By) -> YearOutcome:
    """Say that all of a year's holidays stand here, as a source has it; without one that some are not known.

    Raises:
        Refusal: it is no year, the source is none, or no holiday of that year is known.
    """
    if year not in YEARS:
        raise Refusal(f"{year} is no year from {YEARS.start} to {YEARS.stop - 1}")
    before = await _taken_up(tx, by.jurisdiction)
    known = before.years.get(year)
    if source is not None and not any(day.year == year and line.closed for day, line in before.days.items()):
        raise Refusal(f"no holiday of {year} is known here: add them first, then say that they are all")
    address = None if source is None else address_of(source.address)
    looked = None if source is None else _looked(source, by.now)
    if known is not None and known.whole == (source is not None) and (known.version == 0 or not known.whole):
        return YearOutcome(known, changed=False, decided_again=0)
    named = {"jurisdiction": by.jurisdiction, "year": year, "made_by": by.actor.name, "now": by.now}
    row = {"whole": source is not None, "source": address, "checked_on": looked}
    await QUERIES.insert_holiday_year(tx.connection, **named, **row)
    act = "holiday-year.known" if source is not None else "holiday-year.unknown"
    await record(tx.connection, by.actor, act, f"holidays:{by.jurisdiction}:{year}", at=by.now)
    after = await calendar_of(tx.connection, by.jurisdiction)
    return YearOutcome(after.years[year], changed=True, decided_again=await _decide_again(tx, before, after, by))


def read_day(text: str) -> date:
    """A day such as 2029-01-01.

    Raises:
        Refusal: it is none.
    """
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise Refusal(f"{text!r} is no day such as {EXAMPLE_DAY}") from error
    if day.year not in YEARS:
        raise Refusal(f"{day} is in no year from {YEARS.start} to {YEARS.stop - 1}")
    return day


def _looked(source: Source, now: datetime) -> date:
    try:
        return day_of_check(source.checked_on, now)
    except ValueError as error:
        raise Refusal(str(error)) from error


async def _taken_up(tx: Transaction, jurisdiction: str) -> Calendar:
    await repository.QUERIES.lock_decisions(tx.connection)
    return await calendar_of(tx.connection, text_of(jurisdiction))


async def _bring_day(
    tx: Transaction, before: Calendar, day: date, row: Mapping[str, str | date | None], by: By
) -> DayOutcome:
    named = {"jurisdiction": by.jurisdiction, "day": day, "made_by": by.actor.name, "now": by.now}
    await QUERIES.insert_holiday(tx.connection, **named, **row)
    act = "holiday.removed" if row["name"] is None else "holiday.added"
    details: dict[str, JsonValue] = {"day": day.isoformat()}
    await record(tx.connection, by.actor, act, f"holidays:{by.jurisdiction}:{day.year}", at=by.now, details=details)
    after = await calendar_of(tx.connection, by.jurisdiction)
    return DayOutcome(after.days[day], changed=True, decided_again=await _decide_again(tx, before, after, by))


async def _decide_again(tx: Transaction, before: Calendar, after: Calendar, by: By) -> int:
    """Decide again on the hearings ahead whose deadline is counted otherwise now."""
    concerned = await _counted_otherwise(tx.connection, before.holidays, after.holidays, by)
    for occasion in concerned:
        await decide_on(tx, occasion, by.now)
    return len(concerned)


async def _counted_otherwise(connection: Connection, before: Holidays, after: Holidays, by: By) -> list[Occasion]:
    known, found = await rules_in_force(connection, by.jurisdiction), []
    async for row in QUERIES.occasions_ahead(connection, jurisdiction=by.jurisdiction, now=by.now):
        occasion = Occasion.model_validate(row["alert"])
        if not occasion.is_hearing:
            continue
        committees = await repository.find_committees(connection, occasion)
        rules = rules_of(known, occasion, committees[0] if len(committees) == 1 else None)
        if len(rules) == 1 and by_rule(rules[0].rule, occasion, before) != by_rule(rules[0].rule, occasion, after):
            found.append(occasion)
    return found
