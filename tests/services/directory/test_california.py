"""The real tables, and who sits on a committee, computed from what the import made of them."""

import csv

import yaml

from clarion.runtime.database import Database
from clarion.services.directory.operations import import_kind, load_sample
from clarion.services.directory.sample import CALIFORNIA
from tests.services.directory.conftest import clock

BY_HAND = """
SELECT count(DISTINCT member.value ->> 'legislator') AS members,
       count(DISTINCT city.id) AS cities,
       count(DISTINCT city.state ->> 'division') AS divisions
FROM entities AS committee
CROSS JOIN jsonb_array_elements(committee.state -> 'members') AS member
JOIN entities AS district ON district.kind = 'district' AND district.id = member.value ->> 'district'
CROSS JOIN jsonb_array_elements(district.state -> 'cities') AS share
JOIN entities AS city ON city.kind = 'city' AND city.id = share.value ->> 'city'
WHERE committee.kind = 'committee' AND committee.state ->> 'name' = $1 AND committee.state ->> 'chamber' = $2
"""


COUNTED = {
    ("Housing", "upper"): (10, 138, 13),
    ("Local Government", "upper"): (7, 71, 8),
    ("Housing and Community Development", "lower"): (12, 68, 10),
}


async def test_the_cities_of_a_committee_are_those_counted_by_hand(database):
    await load_sample(database, officials=10, clock=clock)
    async with database.connection() as connection:
        found = {committee: tuple(await connection.fetchrow(BY_HAND, *committee)) for committee in COUNTED}
    assert found == COUNTED


async def test_all_published_legislators_and_committees_go_in_with_every_membership(database, shared_data, entities):
    people = shared_data / "openstates-people"
    legislators = await import_kind(database, "legislators", [people / "legislature"], clock=clock)
    assert (legislators.added, legislators.rejected_count) == (120, 0)
    committees = await import_kind(database, "committees", [people / "committees"], clock=clock)
    assert (committees.added, committees.rejected_count) == (116, 0)
    stated = sum(
        len(yaml.load(path.read_bytes(), yaml.CSafeLoader)["members"]) for path in (people / "committees").glob("*.yml")
    )
    members = [member for committee in (await entities("committee")).values() for member in committee["members"]]
    assert len(members) == stated == 1213
    assert len({member["district"] for member in members}) <= 120
    assert {member["role"] for member in members} == {"chair", "vice-chair", "co-chair", "member", "alternate"}


async def test_the_reference_tables_say_what_the_published_ones_say(database, shared_data, entities):
    await load_sample(database, officials=1, clock=clock)
    sample = {kind: await entities(kind) for kind in ("legislator", "committee", "district")}
    for kind, source in _published(shared_data):
        report = await import_kind(database, kind, [source], clock=clock)
        assert (report.added, report.changed, report.rejected_count) == (0, 0, 0), kind
    assert {kind: await entities(kind) for kind in sample} == sample
    shares = sum(len(district["cities"]) for district in sample["district"].values())
    assert (len(sample["district"]), shares) == (120, 1107)


def _published(data):
    people = data / "openstates-people"
    yield "legislators", people / "legislature"
    yield "committees", people / "committees"
    yield "districts", data / "california" / "city_district_shares.csv"


async def test_every_city_has_the_published_division(database: Database, shared_data, entities) -> None:
    await load_sample(database, officials=1, clock=clock)
    names = {slug: division["name"] for slug, division in (await entities("division")).items()}
    found = {city["name"]: names[city["division"]] for city in (await entities("city")).values()}
    with (shared_data / "california" / "city_divisions.csv").open(encoding="utf-8") as file:
        assert found == {row["city"]: row["division"] for row in csv.DictReader(file)}
    assert len(set(found.values())) == 16


def test_the_confidence_of_each_division_is_kept() -> None:
    with (CALIFORNIA / "cities.csv").open(encoding="utf-8") as file:
        confidences = [row["division_confidence"] for row in csv.DictReader(file)]
    assert {word: confidences.count(word) for word in set(confidences)} == {
        "documented": 286,
        "by_county": 177,
        "uncertain": 20,
    }
