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
