"""The legislature's holidays as the installation has them: the project's table, with what was added and taken out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from clarion.runtime.database import Connection
from clarion.schemas.deadlines import HolidayLine, HolidayYear
from clarion.services.campaigns.domain.deadlines import Holidays
from clarion.services.campaigns.rules.reference import holiday_sources, holidays
from clarion.services.campaigns.rules.repository import QUERIES


@dataclass(frozen=True, slots=True)
class Calendar:
    """A legislature's holidays by day, and of which years all of them stand there; what was taken out is there too."""

    days: Mapping[date, HolidayLine]
    years: Mapping[int, HolidayYear]

    @property
    def holidays(self) -> Holidays:
        """The same as days are counted by it."""
        return Holidays(
            {day: line.name for day, line in self.days.items() if line.closed},
            frozenset(year for year, line in self.years.items() if line.whole),
        )


async def calendar_of(connection: Connection, jurisdiction: str) -> Calendar:
    """The holidays in force in a legislature, in the order of their days."""
    days, years = _projects_own(jurisdiction)
    async for row in QUERIES.current_holidays(connection, jurisdiction=jurisdiction):
        known = days.get(row["day"])
        name = row["name"] or (known.name if known else "")
        line = dict(row) | {"name": name, "closed": row["name"] is not None}
        days[row["day"]] = HolidayLine(jurisdiction=jurisdiction, year=row["day"].year, **line)
    async for row in QUERIES.current_holiday_years(connection, jurisdiction=jurisdiction):
        years[row["year"]] = HolidayYear(jurisdiction=jurisdiction, **dict(row))
    return Calendar({day: days[day] for day in sorted(days)}, {year: years[year] for year in sorted(years)})


def _projects_own(jurisdiction: str) -> tuple[dict[date, HolidayLine], dict[int, HolidayYear]]:
    own, sources = holidays(jurisdiction), holiday_sources(jurisdiction)
    days = {
        day: HolidayLine(jurisdiction=jurisdiction, year=day.year, day=day, name=name, source=sources[day])
        for day, name in own.days.items()
    }
    return days, {year: HolidayYear(jurisdiction=jurisdiction, year=year, whole=True) for year in own.years}


def known_until(closed: Holidays, today: date) -> date | None:
    """The last day up to which holidays are known without a gap, in the past if this year's are not; None: of none."""
    year = today.year
    while year in closed.years:
        year += 1
    past = [each for each in closed.years if each < year]
    return date(max(past), 12, 31) if past else None
