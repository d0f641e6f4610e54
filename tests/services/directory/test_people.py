"""Legislators and committees from Open States' people YAML."""

import pytest

from tests.services.directory.conftest import reasons


def person(number: int, district: str = "11", extra: str = "") -> str:
    return f"""---
id: ocd-person/{number}
name: Person {number}
family_name: P{number}
email: never-kept@senate.example
party:
- name: Green
roles:
- type: lower
  district: '2'
  start_date: 2018-12-03
  end_date: 2022-11-30
- type: upper
  district: {district}
  start_date: 2022-12-05
{extra}"""


COMMITTEE = """---
id: ocd-organization/h
name: Housing
chamber: upper
jurisdiction: ocd-jurisdiction/country:us/state:ca/government
classification: committee
members:
- name: P. One
  role: chair
  person_id: ocd-person/1
- name: P. Two
  role: Vice Chair
  person_id: ocd-person/2
- name: P. Nine
  role: member
  person_id: ocd-person/9
- name: P. Unlinked
  role: member
other_names:
- name: Committee on Housing
"""


async def test_a_legislator_has_the_district_of_the_current_seat(bring, entities):
    report = await bring("legislators", person(1) + person(2, "'07'"))
    assert (report.added, report.rejected_count) == (2, 0)
    legislators = await entities("legislator")
    assert legislators["ocd-person/1"] == {
        "name": "Person 1",
        "family_name": "P1",
        "chamber": "upper",
        "district": "upper:11",
        "party": "Green",
        "email": None,
        "revision": 1,
    }
    assert legislators["ocd-person/2"]["district"] == "upper:7"


async def test_who_holds_no_seat_today_is_rejected(bring):
    report = await bring("legislators", person(1) + person(2, extra="  end_date: 2026-11-30\n"))
    assert reasons(report) == ['"Person 2" has no current role in the upper or lower chamber']
    assert [line.line for line in report.rejected] == [17]


async def test_a_member_who_is_no_known_legislator_is_left_out_and_told(bring, entities):
    await bring("legislators", person(1) + person(2, "12"))
    report = await bring("committees", COMMITTEE)
    assert (report.added, report.rejected_count) == (1, 2)
    assert [line.line for line in report.rejected] == [14, 17]
    assert '"P. Nine" (ocd-person/9) is no legislator with a district' in reasons(report)[0]
    assert '"P. Unlinked" has no person_id' in reasons(report)[1]
    committee = (await entities("committee"))["ocd-organization/h"]
    assert committee["other_names"] == ["Committee on Housing"]
    assert [(m["name"], m["role"], m["district"]) for m in committee["members"]] == [
        ("Person 1", "chair", "upper:11"),
        ("Person 2", "vice-chair", "upper:12"),
    ]


async def test_committees_follow_a_member_to_another_district(bring, entities, published):
    await bring("legislators", person(1) + person(2, "12"))
    await bring("committees", COMMITTEE)
    await published()
    report = await bring("legislators", person(1, "30") + person(2, "12"))
    assert (report.changed, report.unchanged) == (1, 1)
    assert "1 committees changed with their members" in report.warnings
    committee = (await entities("committee"))["ocd-organization/h"]
    assert [member["district"] for member in committee["members"]] == ["upper:30", "upper:12"]
    assert committee["revision"] == 2
    keys = [event["key"] for event in await published()]
    assert keys == ["legislator:ocd-person/1", "committee:ocd-organization/h", "import:legislators"]


async def test_who_leaves_the_legislature_sits_on_no_committee(bring, entities):
    await bring("legislators", person(1) + person(2, "12"))
    await bring("committees", COMMITTEE)
    for gone, members in ((person(1), ["ocd-person/1"]), (person(3), [])):
        report = await bring("legislators", gone, full=True, allow_large=True)
        assert report.left == 1
        committee = (await entities("committee"))["ocd-organization/h"]
        assert [member["legislator"] for member in committee["members"]] == members


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("---\n- a\n- list\n", "no mapping"),
        ("--- just text\n", "no mapping"),
        ("---\nid: x\nname: N\n", "roles: is missing"),
        ("---\nid: x\nname: &a [1]\nroles: [*a, *a]\n", "aliases"),
        ("---\nid: !!python/object/apply:os.system ['true']\n", "constructor"),
        ("---\nid: x\nname: 2022-13-45\n", "month must be in 1..12"),
        (f"---\nid: x\nname: {'n' * 1001}\nroles: []\n", "name: "),
        (f"---\nid: x\nname: {'[' * 30}{']' * 30}\n", "nested deeper"),
        ("---\nid: x\n  name: [\n", "not YAML from here on"),
        ('---\nid: "x\\0"\nname: N\nroles: []\n', "NUL"),
    ],
    ids=["list", "text", "no roles", "alias", "python", "date", "long", "deep", "syntax", "NUL"],
)
def test_a_bad_document_is_rejected_and_the_one_before_it_goes_in(understand, document, reason):
    records, [rejection] = understand("legislators", person(1) + document)
    assert reason in rejection.reason
    assert rejection.line >= 16
    assert [record.id for record in records] == ["ocd-person/1"]


def test_a_yaml_bomb_costs_nothing(understand):
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    records, [rejection] = understand("legislators", f"---\nid: x\nl0: &l0 [lol]\n{levels}" + person(1))
    assert len(records) == 1
    assert "aliases" in rejection.reason


def test_a_file_that_is_not_utf8_is_rejected_among_others(understand):
    records, rejections = understand("legislators", person(1), "---\nid: x\nname: Ñ\n".encode("latin-1"), "")
    assert [(line.line, line.reason) for line in rejections] == [
        (3, "not UTF-8; save it in UTF-8"),
        (1, "the file is empty"),
    ]
    assert len(records) == 1


LEGISLATORS = "id,name,chamber,district,party,email\n"
ONE_AND_TWO = "ocd-person/1,Person 1,senate,011,Green,\nocd-person/2,Person 2,upper,12,Green,\n"


async def test_a_legislator_from_a_table_is_the_one_from_a_document(bring, entities):
    await bring("legislators", person(1) + person(2, "12"))
    report = await bring("legislators", LEGISLATORS + ONE_AND_TWO)
    assert (report.unchanged, report.changed, report.rejected_count) == (2, 0, 0)


async def test_what_a_table_of_legislators_alone_says_stays_when_a_document_comes(bring, entities):
    await bring("legislators", f"{LEGISLATORS}ocd-person/1,Person 1,upper,11,Green,one@senate.example\n")
    await bring("legislators", person(1))
    legislator = (await entities("legislator"))["ocd-person/1"]
    assert (legislator["email"], legislator["family_name"], legislator["revision"]) == ("one@senate.example", "P1", 2)


COMMITTEES = "id,name,chamber,legislator_id,role\n"
HOUSING = (
    "ocd-organization/h,Housing,senate,ocd-person/1,chair\nocd-organization/h,Housing,senate,ocd-person/2,Vice Chair\n"
)
ALL_COLUMNS = "id,name,chamber,legislator_id,role,jurisdiction,other_names\n" + "".join(
    f"{line},ocd-jurisdiction/country:us/state:ca/government,Committee on Housing\n" for line in HOUSING.splitlines()
)


@pytest.mark.parametrize("columns", ["all columns", "five columns after a document"])
async def test_a_committee_from_a_table_is_the_one_from_a_document(bring, entities, columns):
    await bring("legislators", person(1) + person(2, "12"))
    if columns == "all columns":
        assert (await bring("committees", ALL_COLUMNS)).added == 1
        from_table = await entities("committee")
        assert (await bring("committees", COMMITTEE)).unchanged == 1
    else:
        assert (await bring("committees", COMMITTEE)).added == 1
        from_document = await entities("committee")
        assert (await bring("committees", COMMITTEES + HOUSING)).unchanged == 1
        from_table = await entities("committee")
        assert from_table == from_document
    assert await entities("committee") == from_table


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ocd-organization/h,Housing,senate,ocd-person/9,member", "is no legislator with a district; the committee"),
        ("ocd-organization/h,Housing,senate,ocd-person/1,member", '"ocd-person/1" stands already in an earlier line'),
        ("ocd-organization/h,Housings,senate,ocd-person/1,member", "name: not what line 2 says of the same id"),
        ("ocd-organization/x,,senate,ocd-person/1,member", "name: is missing"),
        ("ocd-organization/x,X,sideways,ocd-person/1,member", "is no chamber"),
    ],
)
async def test_a_bad_line_of_a_committee_costs_the_committee_nothing_else(bring, entities, line, reason):
    await bring("legislators", person(1) + person(2, "12"))
    report = await bring("committees", f"{COMMITTEES}{HOUSING}{line}\n")
    [found] = reasons(report)
    assert (reason in found, report.rejected[0].line) == (True, 4)
    assert len((await entities("committee"))["ocd-organization/h"]["members"]) == 2


async def test_a_committee_without_members_is_a_line_without_a_legislator(bring, entities):
    await bring("committees", f"{COMMITTEES}ocd-organization/r,Rules,joint,,\n")
    committee = (await entities("committee"))["ocd-organization/r"]
    assert (committee["chamber"], committee["members"]) == ("joint", [])


PARTNERS = "id,name,kind,person,title,email,phone\n"


async def test_a_partner_has_the_people_of_all_its_lines(bring, entities):
    report = await bring(
        "partners",
        f"{PARTNERS}p,Recycling Council,co-host,Di Vale,Director,DI@recycling.example,\nq,Bond Advisers,,,,,\n"
        "p,Recycling Council,co-host,Ed Wren,,,555-0100\n",
    )
    assert (report.added, report.rejected_count) == (2, 0)
    partners = await entities("partner")
    assert partners["q"] == {"name": "Bond Advisers", "kind": "partner", "people": [], "revision": 1}
    assert [(one["name"], one["email"], one["phone"]) for one in partners["p"]["people"]] == [
        ("Di Vale", "DI@recycling.example", None),
        ("Ed Wren", None, "555-0100"),
    ]


async def test_a_rejected_line_takes_nobody_out_of_a_partner(bring, entities):
    two = f"{PARTNERS}p,Council,,Di Vale,,,\np,Council,,Ed Wren,,,\n"
    await bring("partners", two)
    report = await bring("partners", two.replace("Ed Wren,,,", "Ed Wren,,nowhere,"))
    assert (report.rejected_count, report.unchanged) == (1, 1)
    report = await bring("partners", f"{PARTNERS}p,Council,,Di Vale,,,\n")
    assert [one["name"] for one in (await entities("partner"))["p"]["people"]] == ["Di Vale"]
    assert reasons(await bring("partners", f"{PARTNERS}p,Council,,,Director,,\n"))[0].endswith("no person is named")
