"""Sums over a campaign's cities: in all, by division and by member of the committee."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clarion.schemas.outcomes import CityOutcome, DivisionOutcome, MemberOutcome, Tally

Row = Mapping[str, Any]
"""A city: its `name`, `slug` and `division`, counts by what became of its calls, and the `members` who represent it."""
COUNTS = ("asked", "reached", "bounced", "failed", "suppressed", "in_doubt", "pending")


def tally(rows: Iterable[Row]) -> dict[str, int]:
    """The officials of these cities by what became of their calls."""
    found = list(rows)
    counts = {name: sum(row[name] for row in found) for name in COUNTS}
    known = sum(counts[name] for name in COUNTS if name != "asked")
    return counts | {
        "cities": sum(row["is_affected"] for row in found),
        "other": counts["asked"] - known,
        "to_approve": sum(max(row["officials"] - row["asked"], 0) for row in found if row["waits"]),
    }


def is_without(row: Row) -> bool:
    """Whether a city is affected and has nobody to ask."""
    return bool(row["is_affected"] and not row["officials"])


def total(rows: Sequence[Row]) -> Tally:
    """All of them."""
    return Tally(**tally(rows))


def by_division(rows: Sequence[Row]) -> list[DivisionOutcome]:
    """Divisions by their names, the cities without one last."""
    groups: dict[tuple[bool, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[not row["slug"], row["division"], row["slug"]].append(row)
    return [
        DivisionOutcome(slug=slug, division=name, without=sum(map(is_without, found)), **tally(found))
        for (_, name, slug), found in sorted(groups.items())
    ]


def by_member(rows: Sequence[Row]) -> list[MemberOutcome]:
    """The committee's members, its chairs first."""
    groups: dict[tuple[int, str, str], list[Row]] = defaultdict(list)
    seats: dict[str, Row] = {}
    for row in rows:
        for member in row["members"] or ():
            seats[member["legislator"]] = member
            groups[member["rank"], member["name"], member["legislator"]].append(row)
    return [
        MemberOutcome(
            legislator=legislator,
            name=name,
            role=seats[legislator]["role"],
            district=seats[legislator]["district"],
            **tally(found),
        )
        for (_, name, legislator), found in sorted(groups.items())
    ]


def by_city(rows: Sequence[Row]) -> list[CityOutcome]:
    """Each city for itself."""
    return [
        CityOutcome(
            city=row["city"], name=row["name"], division=row["slug"], officials=row["officials"], **tally([row])
        )
        for row in rows
    ]
