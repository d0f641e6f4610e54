"""The reference data of the project: committees' rules, the legislature's holidays, and when sessions end."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files

from clarion.services.campaigns.domain.deadlines import (
    Deadline,
    Holidays,
    Rule,
    SessionEnd,
    governor_deadline,
    read_time,
    read_when,
)

PACKAGE = "clarion.services.campaigns"


@cache
def reference_rules() -> Sequence[Rule]:
    """The rules of `data/rules.csv`."""
    return tuple(rule_of(row) for row in _rows("rules.csv"))


def rule_of(row: Mapping[str, str]) -> Rule:
    """A rule from a row of texts; several aliases are parted by semicolons.

    Raises:
        ValueError: its day or its time of day is none.
    """
    read_time(row["at"])
    return Rule(
        jurisdiction=row["jurisdiction"],
        chamber=row["chamber"],
        committee=row["committee"],
        when=read_when(row["when"]),
        at=row["at"],
        aliases=tuple(alias.strip() for alias in row["aliases"].split(";") if alias.strip()),
        source=row["source"] or None,
        checked_on=date.fromisoformat(row["checked_on"]) if row["checked_on"] else None,
        note=row["note"] or None,
    )


@cache
def holidays(jurisdiction: str) -> Holidays:
    """The holidays of a legislature; none are known where the table does not have it."""
    rows = [row for row in _rows("holidays.csv") if row["jurisdiction"] == jurisdiction]
    days = {date.fromisoformat(row["day"]): row["name"] for row in rows}
    return Holidays(days, frozenset(int(row["year"]) for row in rows))


@cache
def holiday_sources(jurisdiction: str) -> Mapping[date, str]:
    """Where each of them is written down."""
    return {
        date.fromisoformat(row["day"]): row["source"]
        for row in _rows("holidays.csv")
        if row["jurisdiction"] == jurisdiction
    }


@cache
def session_ends(jurisdiction: str) -> Mapping[int, SessionEnd]:
    """By year, when the houses adjourn and until when the Governor then has time; other years are unknown."""
    return {
        int(row["year"]): SessionEnd(date.fromisoformat(row["ends_on"]), date.fromisoformat(row["governor_until"]))
        for row in _rows("session_ends.csv")
        if row["jurisdiction"] == jurisdiction
    }


def desk_deadline(jurisdiction: str, presented_on: date, zone: str, closed: Holidays | None = None) -> Deadline | None:
    """Until when the Governor may act on a bill presented on a day; None where nobody knows, as in other states.

    `closed` are the holidays as the installation has them, without it the project's own.
    """
    ends = session_ends(jurisdiction)
    return governor_deadline(presented_on, zone, closed or holidays(jurisdiction), ends) if ends else None


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files(PACKAGE).joinpath("data", name).read_text("utf-8")
    yield from csv.DictReader(text.splitlines())
