"""Groups of people and of cities: who is in them, with which role, from when to when."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any

import pytest

from clarion.schemas.topics import DIRECTORY_ENTITIES
from clarion.services.directory.domain.days import day_of
from clarion.services.directory.operations import republish, tell_the_day
from tests.services.directory.conftest import reasons

CITIES = "ocd_id,name,member,member_since,member_until\nplace:a,Alder,yes,,\nplace:b,Birch,yes,2020-01-01,2026-12-31\n"
GROUPS = "slug,name,kind,open_to,cities,officials\n"
OFFICIALS = "id,name,city,email,roles,groups\n"
ADA = "1,Ada Fern,Alder,ada@alder.example,mayor,"
BO = "2,Bo Reed,Birch,bo@birch.example,city clerk,\n"
MEMBERSHIPS = "group,official,city,role,since,until\n"
CLERKS = {"group": "clerks", "role": "member", "since": None, "until": None}


@pytest.fixture
async def association(bring, published):
    await bring("cities", CITIES)
    await bring("groups", GROUPS + "clerks,City Clerks,department,,,\ncoastal,Coastal Cities,city-group,,Alder,\n")
    await bring("officials", OFFICIALS + ADA + "\n" + BO)
    await published()


@pytest.fixture
def told(published) -> Callable[[], Awaitable[dict[str, dict[str, Any]]]]:
    """The newest of each entity that was published since the last look."""

    async def look() -> dict[str, dict[str, Any]]:
        return {event["key"]: event["data"] for event in await published()}

    return look


async def test_a_group_goes_out_without_its_members_and_they_carry_it(bring, told):
    await bring("cities", CITIES)
    await bring("officials", OFFICIALS + ADA + "\n" + BO)
    await told()
    report = await bring("groups", GROUPS + "coastal,Coastal Cities,city-group,cities by the sea,Alder;Birch,1\n")
    assert "3 officials and cities changed with their memberships" in report.warnings
    out = await told()
    assert out["group:coastal"] == {
        "id": "coastal",
        "revision": 1,
        "active": True,
        "name": "Coastal Cities",
        "kind": "city-group",
        "open_to": "cities by the sea",
    }
    carried = [CLERKS | {"group": "coastal"}]
    for key in ("city:place:a", "city:place:b", "official:1"):
        assert (out[key]["memberships"], out[key]["groups"], out[key]["revision"]) == (carried, ["coastal"], 2)
    assert "official:2" not in out


async def test_an_official_is_in_the_groups_of_the_own_line(bring, told, association):
    await bring("officials", OFFICIALS + ADA + "City Clerks; unheard-of\n")
    out = (await told())["official:1"]
    assert (out["groups"], out["memberships"], out["revision"]) == (["clerks"], [CLERKS], 2)


async def test_a_group_that_is_not_known_is_told_and_counts_once_it_is(bring, told, association):
    report = await bring("officials", OFFICIALS + ADA + "later\n")
    assert any("not known: later;" in warning for warning in report.warnings)
    assert (await told())["official:1"]["groups"] == []
    await bring("groups", GROUPS + "later,Later,,,,\n")
    assert (await told())["official:1"]["groups"] == ["later"]


async def test_a_line_of_its_own_gives_role_and_days_and_stands_above_being_a_mere_member(bring, told, association):
    await bring("officials", OFFICIALS + ADA + "clerks\n")
    await told()
    report = await bring("memberships", MEMBERSHIPS + "City Clerks,1,,Vice Chair,2026-01-01,2027-12-31\n")
    assert (report.added, report.rejected_count) == (1, 0)
    out = await told()
    assert out["official:1"]["memberships"] == [
        {"group": "clerks", "role": "vice-chair", "since": "2026-01-01", "until": "2027-12-31"}
    ]
    assert out["import:memberships"]["added"] == 1
    assert (await bring("memberships", MEMBERSHIPS + "clerks,1,,vice-chair,2026-01-01,2027-12-31\n")).unchanged == 1
    assert set(await told()) == {"import:memberships"}


async def test_a_membership_survives_the_next_roster(bring, told, association):
    await bring("memberships", MEMBERSHIPS + "clerks,1,,chair,,\n")
    await told()
    await bring("officials", OFFICIALS + ADA.replace("Ada", "Ida") + "\n" + BO)
    out = await told()
    assert (out["official:1"]["name"], out["official:1"]["memberships"][0]["role"]) == ("Ida Fern", "chair")
    assert out["official:1"]["revision"] == 3


async def test_several_terms_in_one_group_are_one_membership_which_the_file_states_whole(bring, told, association):
    lines = "clerks,1,,chair,2020-01-01,2021-12-31\nclerks,1,,member,2022-01-01,\nclerks,1,,chair,2027-01-01,\n"
    report = await bring("memberships", MEMBERSHIPS + lines)
    assert (report.added, report.rejected_count) == (1, 0)
    out = (await told())["official:1"]
    assert [(each["role"], each["since"]) for each in out["memberships"]] == [
        ("member", "2022-01-01"),
        ("chair", "2027-01-01"),
    ]
    assert out["groups"] == ["clerks"]
    await bring("memberships", MEMBERSHIPS + "clerks,1,,member,2022-01-01,\n")
    assert len((await told())["official:1"]["memberships"]) == 1


async def test_a_whole_city_is_a_member_with_a_role(bring, told, association):
    await bring("memberships", MEMBERSHIPS + "coastal,,Birch,chair,2026-01-01,\n")
    assert (await told())["city:place:b"]["memberships"] == [
        {"group": "coastal", "role": "chair", "since": "2026-01-01", "until": None}
    ]


async def test_who_is_missing_from_all_memberships_is_in_the_group_no_more(bring, told, association):
    two = MEMBERSHIPS + "clerks,,Alder,member,,\nclerks,1,,chair,,\n"
    await bring("memberships", two + "clerks,,Birch,member,,\n")
    await told()
    assert (await bring("memberships", two, full=True)).refused is not None
    report = await bring("memberships", two, full=True, allow_large=True)
    assert report.left == 1
    out = await told()
    assert ("groups" in out["city:place:b"], "official:1" in out) == (False, False)


async def test_a_mistyped_official_does_not_end_the_membership_that_was_meant(bring, association):
    two = "clerks,1,,chair,,\nclerks,2,,member,,\n"
    await bring("memberships", MEMBERSHIPS + two)
    report = await bring("memberships", MEMBERSHIPS + two.replace(",2,", ",22,"), full=True, allow_large=True)
    assert (report.left, report.rejected_count) == (0, 1)
    assert any("nobody was marked as left" in warning for warning in report.warnings)


async def test_when_a_group_leaves_nobody_is_in_it(bring, told, association):
    await bring("memberships", MEMBERSHIPS + "clerks,1,,chair,,\n")
    await told()
    await bring("groups", GROUPS + "coastal,Coastal Cities,city-group,,Alder,\n", full=True, allow_large=True)
    out = await told()
    assert (out["group:clerks"]["active"], out["official:1"]["groups"]) == (False, [])
    assert "memberships" not in out["official:1"]


async def test_when_a_group_comes_back_so_do_its_members(bring, told, association):
    await bring("memberships", MEMBERSHIPS + "clerks,1,,chair,,\n")
    await bring("groups", GROUPS + "coastal,Coastal Cities,city-group,,Alder,\n", full=True, allow_large=True)
    await told()
    await bring("groups", GROUPS + "clerks,City Clerks,department,,,\n")
    assert (await told())["official:1"]["memberships"][0]["role"] == "chair"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("clerks,9,,,,", 'official "9" is not known'),
        ("clerks,,Atlantis,,,", 'city "Atlantis" is not known'),
        ("nobodies,1,,,,", 'group "nobodies" is not known'),
        ("clerks,1,Alder,,,", "an official or a city"),
        ("clerks,,,,,", "an official or a city"),
        ("clerks,1,,,2026-02-01,2026-01-31", "is before the first"),
        ("clerks,1,,,1767225600,", "ISO 8601"),
    ],
)
async def test_a_bad_membership_is_told_with_its_reason(bring, association, line, reason):
    report = await bring("memberships", MEMBERSHIPS + line + "\nclerks,2,,,,\n")
    assert (report.added, [reason in told for told in reasons(report)]) == (1, [True])
    assert report.rejected[0].line == 2


async def test_a_city_that_a_group_names_wrongly_costs_the_group_nothing_else(bring, told, association):
    report = await bring("groups", GROUPS + "coastal,Coastal Cities,city-group,,Alder;Atlantis,77\n")
    assert reasons(report) == ['city "Atlantis" is not known; the group "Coastal Cities" went in without']
    assert "1 officials that groups name are not known; they count once they are imported" in report.warnings


@pytest.mark.parametrize(
    ("day", "member"), [("2019-12-31", False), ("2020-01-01", True), ("2026-12-31", True), ("2027-01-01", False)]
)
async def test_a_city_is_a_member_from_its_first_day_to_its_last(bring, database, told, day, member):
    await bring("cities", CITIES)
    assert (await told())["city:place:b"]["member"] is True
    async with database.transaction() as tx:
        count = await tell_the_day(tx, date.fromisoformat(day))
    out = await told()
    assert (count, [out[key]["member"] for key in out]) == ((0, []) if member else (1, [False]))


async def test_a_day_ends_and_begins_memberships_and_is_told_once(bring, database, told, association):
    lines = "clerks,1,,member,,2026-12-31\nclerks,2,,chair,2027-01-01,\n"
    await bring("memberships", MEMBERSHIPS + lines)
    before = await told()
    assert (before["official:1"]["groups"], before["official:2"]["groups"]) == (["clerks"], [])
    assert before["official:2"]["memberships"][0]["since"] == "2027-01-01"
    for day, count in ((date(2026, 12, 31), 0), (date(2027, 1, 1), 3), (date(2027, 1, 1), 0)):
        async with database.transaction() as tx:
            assert await tell_the_day(tx, day) == count
    after = await told()
    assert (after["official:1"]["groups"], after["official:2"]["groups"]) == ([], ["clerks"])
    assert after["city:place:b"]["member"] is False
    assert after["official:1"]["revision"] == before["official:1"]["revision"] + 1


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-12-31T16:30:00-08:00", "2026-12-31"),
        ("2027-01-01T03:59:00-08:00", "2026-12-31"),
        ("2027-01-01T04:00:00-08:00", "2027-01-01"),
    ],
)
def test_a_last_day_does_not_end_in_its_afternoon(now, day):
    assert day_of(datetime.fromisoformat(now)).isoformat() == day


async def test_what_goes_out_of_every_kind_is_what_the_contract_says(bring, database, published, association):
    await bring("memberships", MEMBERSHIPS + "clerks,1,,chair,2026-01-01,2027-01-01\n")
    await bring("partners", "id,name,kind,person,title,email\np,Partner,co-host,Cy Moss,Head,cy@partner.example\n")
    await published()
    async with database.transaction() as tx:
        await republish(tx)
    events = await published()
    assert {event["key"].partition(":")[0] for event in events} == {"city", "group", "official", "partner", "import"}
    for event in events:
        model = DIRECTORY_ENTITIES.types[event["headers"]["ce_type"]]
        assert model.model_validate(event["data"]).model_dump(mode="json", exclude_unset=True) == event["data"]
