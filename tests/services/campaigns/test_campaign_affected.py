"""Who is affected, on the real tables, against a computation that shares nothing with the service."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from campaigns_world import World, official
from starting_world import count, make_draft

from clarion.schemas import directory
from clarion.services.campaigns.domain.names import committee_key, committee_keys
from clarion.services.campaigns.reports import Affected, affected

CHAMBERS = {"senate": "upper", "assembly": "lower"}


class Tables:
    """The raw files."""

    def __init__(self, folder: Path) -> None:
        california = folder / "california"
        self.ids = {row["city"]: row["ocd_place_id"] or row["city"] for row in read(california / "city_districts.csv")}
        self.divisions = {row["city"]: row["division"] for row in read(california / "city_divisions.csv")}
        self.shares = [
            (row["city"], f"{CHAMBERS[row['chamber']]}:{row['district']}", float(row["area_share"]))
            for row in read(california / "city_district_shares.csv")
        ]
        people = folder / "openstates-people"
        self.legislators = [load(path) for path in sorted((people / "legislature").glob("*.yml"))]
        self.committees = [load(path) for path in sorted((people / "committees").glob("*.yml"))]
        self.seats = {one["id"]: seat(one) for one in self.legislators}

    def affected(self, committee: dict[str, Any]) -> Affected:
        """The independent computation."""
        people = {member["person_id"] for member in committee["members"]}
        districts = {self.seats[person] for person in people}
        cities = {city for city, district, _ in self.shares if district in districts}
        return Affected(len(people), len(districts), len(cities), len({self.divisions[city] for city in cities}))


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def seat(person: dict[str, Any]) -> str:
    [role] = [role for role in person["roles"] if role["type"] in {"upper", "lower"} and not role.get("end_date")]
    return f"{role['type']}:{role['district']}"


@pytest.fixture(scope="session")
def tables(shared_data: Path) -> Tables:
    return Tables(shared_data)


def entities(tables: Tables) -> dict[str, list[Any]]:
    """The files as the directory would publish them."""
    overlaps: dict[str, list[directory.CityShare]] = defaultdict(list)
    for city, district, share in tables.shares:
        overlaps[district].append(directory.CityShare(city=tables.ids[city], share=share))
    names = {one["id"]: one["name"] for one in tables.legislators}
    return {
        "divisions": [
            directory.Division(id=name, revision=1, name=name) for name in sorted(set(tables.divisions.values()))
        ],
        "cities": [
            directory.City(id=ocd, revision=1, name=name, division=tables.divisions[name])
            for name, ocd in tables.ids.items()
        ],
        "districts": [
            directory.District(id=key, revision=1, chamber=key[:5], number=key[6:], cities=cities)
            for key, cities in overlaps.items()
        ],
        "legislators": [
            directory.Legislator(
                id=one["id"],
                revision=1,
                name=one["name"],
                family_name=one.get("family_name"),
                chamber=tables.seats[one["id"]][:5],
                district=tables.seats[one["id"]],
            )
            for one in tables.legislators
        ],
        "committees": [committee_of(one, tables, names) for one in tables.committees],
        "officials": [
            official(f"o-{name}", ocd, "Mayor", address=f"{ocd}@x.example") for name, ocd in tables.ids.items()
        ],
    }


def committee_of(one: dict[str, Any], tables: Tables, names: dict[str, str]) -> directory.Committee:
    return directory.Committee(
        id=one["id"],
        revision=1,
        name=one["name"],
        chamber={"legislature": "joint"}.get(one["chamber"], one["chamber"]),
        jurisdiction=one["jurisdiction"],
        other_names=[other["name"] for other in one["other_names"]],
        members=[
            directory.CommitteeMember(
                legislator=member["person_id"],
                name=names[member["person_id"]],
                role=member["role"],
                chamber=tables.seats[member["person_id"]][:5],
                district=tables.seats[member["person_id"]],
            )
            for member in one["members"]
        ],
    )


async def test_who_is_affected_by_each_real_committee_equals_an_independent_computation(
    world: World, tables: Tables
) -> None:
    await world.import_all(**entities(tables))
    async with world.database.connection() as connection:
        found = {one["id"]: await affected(connection, one["id"]) for one in tables.committees}
    assert len(found) == 116
    assert found == {one["id"]: tables.affected(one) for one in tables.committees}
    by_hand = {
        ("upper", "Housing"): Affected(10, 10, 138, 13),
        ("upper", "Local Government"): Affected(7, 7, 71, 8),
        ("lower", "Housing and Community Development"): Affected(12, 12, 68, 10),
    }
    ids = {(one["chamber"], one["name"]): one["id"] for one in tables.committees}
    assert {key: found[ids[key]] for key in by_hand} == by_hand


async def test_every_real_committee_calls_exactly_the_cities_of_its_members(world: World, tables: Tables) -> None:
    await world.import_all(**entities(tables))
    await world.adopt()
    for one in tables.committees:
        reference = {"name": one["name"], "id": one["id"]}
        await world.hear(hearing_id=f"h-{one['id']}", committee=reference)
    rows = await world.fetch("SELECT c.committee, c.cities, c.divisions, c.officials FROM campaigns AS c")
    found = {row["committee"]: (row["cities"], row["divisions"], row["officials"]) for row in rows}
    expected = {one["id"]: tables.affected(one) for one in tables.committees}
    assert found == {key: (each.cities, each.divisions, each.cities) for key, each in expected.items()}


@pytest.mark.parametrize(
    ("name", "cities", "divisions"),
    [
        ("Senate Committee on Housing", 138, 13),
        ("Senate Local Government Committee", 71, 8),
        ("Assembly Housing and Community Development", 68, 10),
    ],
)
async def test_an_audience_drawn_by_a_real_committee_is_that_of_its_hearings(
    world: World, tables: Tables, name: str, cities: int, divisions: int
) -> None:
    await world.import_all(**entities(tables))
    found = await count(world, make_draft({"committees": [name], "members": "all"}))
    assert (found.cities, len(found.divisions)) == (cities, divisions)


async def test_each_real_committee_is_found_by_each_of_its_names_in_its_chamber_but_for_one_that_is_there_twice(
    tables: Tables,
) -> None:
    holders: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in tables.committees:
        others = [other["name"] for other in one["other_names"]]
        for key in committee_keys(one["name"], others):
            holders[one["chamber"], key].add(one["id"])
    twice = {key for key, ids in holders.items() if len(ids) > 1}
    assert twice == {("lower", "housing construction innovation select")}
    for one in tables.committees:
        assert one["id"] in holders[one["chamber"], committee_key(one["name"])]
