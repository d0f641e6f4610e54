"""Divisions, cities, districts and officials from CSV."""

import contextlib
import tracemalloc
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as some

from clarion.schemas.directory import ImportKind
from clarion.services.directory.domain.reading import UNDERSTAND
from clarion.services.directory.domain.references import Names, References
from clarion.services.directory.domain.report import Note, Record, Rejection
from clarion.services.directory.domain.rows import COLUMNS
from clarion.services.directory.errors import UnreadableFile
from clarion.services.directory.files import read_sources
from tests.services.directory.conftest import reasons

REFERENCES = References(date(2026, 12, 1), b"a key", Names("division", []), Names("city", [("place:a", "Alder")]))

DIVISIONS = "slug,name,manager_name,manager_email,manager_phone\nnorth-bay,North Bay,Ada Fern,ada@league.example,\n"
NAPA = "ocd-division/country:us/state:ca/place:napa"
SONOMA = "ocd-division/country:us/state:ca/place:sonoma"
CITIES = f"ocd_id,name,county,division,population,member\n{NAPA},Napa,Napa,north-bay,79000,yes\n"
TWO_CITIES = CITIES + f"{SONOMA},Sonoma,Sonoma,NORTH  bay,,no\n"
OFFICIALS = "id,name,city,roles,email,phone,groups,testifies,elected\n"


@pytest.fixture
async def two_cities(bring):
    await bring("divisions", DIVISIONS)
    await bring("cities", TWO_CITIES)


async def test_a_city_names_its_division_by_slug_or_by_name(bring, entities):
    await bring("divisions", DIVISIONS)
    report = await bring("cities", TWO_CITIES)
    assert (report.added, report.rejected_count) == (2, 0)
    cities = await entities("city")
    assert {city["division"] for city in cities.values()} == {"north-bay"}
    assert [cities[NAPA]["member"], cities[SONOMA]["member"]] == [True, False]
    assert [cities[NAPA]["population"], cities[SONOMA]["population"]] == [79000, None]


async def test_a_city_with_an_unknown_division_is_rejected_while_the_others_go_in(bring, entities):
    await bring("divisions", DIVISIONS)
    report = await bring("cities", CITIES + f"{SONOMA},Sonoma,,Atlantis,,\n")
    assert [(line.line, line.reason) for line in report.rejected] == [(3, 'division "Atlantis" is not known')]
    assert set(await entities("city")) == {NAPA}


async def test_a_city_without_division_or_district_goes_in_and_is_told(bring, entities):
    report = await bring("cities", f"ocd_id,name\n{NAPA},Napa\n{SONOMA},Sonoma\n")
    assert "2 cities in no division" in report.warnings
    assert (await entities("city"))[NAPA]["division"] is None
    report = await bring("districts", "city,chamber,district,area_share\nNapa,senate,3,1\n")
    assert "1 cities in no district" in report.warnings


async def test_districts_name_cities_by_name_or_id_and_chambers_by_either_word(bring, entities, two_cities):
    report = await bring(
        "districts",
        f"city,chamber,district,area_share\n napa ,Senate,03,0.25\n{SONOMA},upper,3,1.0\nSonoma,ASSEMBLY,4,0.5\n",
    )
    assert report.added == 2
    districts = await entities("district")
    assert districts["upper:3"]["cities"] == [{"city": NAPA, "share": 0.25}, {"city": SONOMA, "share": 1.0}]
    assert (districts["lower:4"]["chamber"], districts["lower:4"]["number"]) == ("lower", "4")


async def test_a_file_states_all_cities_of_the_districts_it_mentions_and_of_no_other(bring, entities, two_cities):
    header = "city,chamber,district,area_share\n"
    await bring("districts", header + "Napa,upper,3,0.5\nSonoma,upper,3,0.5\nNapa,lower,4,1\n")
    report = await bring("districts", header + "Sonoma,upper,3,0.6\n")
    assert (report.changed, report.unchanged) == (1, 0)
    districts = await entities("district")
    assert districts["upper:3"]["cities"] == [{"city": SONOMA, "share": 0.6}]
    assert districts["upper:3"]["revision"] == 2
    assert districts["lower:4"]["revision"] == 1


async def test_a_rejected_line_takes_no_city_out_of_its_district(bring, entities, two_cities):
    header = "city,chamber,district,area_share\n"
    await bring("districts", header + "Napa,upper,3,0.5\nSonoma,upper,3,0.5\n")
    report = await bring("districts", header + "Napa,upper,3,lots\nSonoma,upper,3,0.6\n")
    assert report.rejected_count == 1
    shares = (await entities("district"))["upper:3"]["cities"]
    assert shares == [{"city": NAPA, "share": 0.5}, {"city": SONOMA, "share": 0.6}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Atlantis,upper,3,1", 'city "Atlantis" is not known'),
        ("Napa,sideways,3,1", "is no chamber"),
        ("Napa,joint,3,1", "joint chambers have no districts"),
        ("Napa,upper,,1", "district: is missing"),
        ("Napa,upper,3,1.5", "area_share: "),
        ("Napa,upper,3,nan", "area_share: "),
        ("Sonoma,upper,9,0.5", "stands already"),
    ],
)
def test_a_bad_line_of_districts_is_told_with_its_reason(understand, line, reason):
    records, [rejection] = understand("districts", f"city,chamber,district,area_share\nSonoma,upper,9,0.5\n{line}\n")
    assert rejection.line == 3
    assert reason in rejection.reason
    assert [record.id for record in records] == ["upper:9"]


async def test_a_city_name_that_fits_two_is_refused_naming_both(bring):
    await bring("cities", "ocd_id,name\nplace:a,Springfield\nplace:b,springfield\n")
    report = await bring("officials", f"{OFFICIALS}1,Ada Fern,Springfield,mayor,ada@springfield.example,,,,\n")
    assert reasons(report) == ['city "Springfield" fits place:a and place:b: name it by its id']
    assert report.import_id is None


async def test_officials_keep_what_the_table_says(bring, entities, two_cities):
    await bring(
        "officials",
        f"{OFFICIALS}7,José Núñez,sonoma,council member; mayor pro tem;council member,"
        "JOSÉ@Sonoma.example,555-0100,a;b,yes,\n",
    )
    official = (await entities("official"))["7"]
    mailbox = official.pop("mailbox")
    assert len(mailbox) == 32
    assert official == {
        "name": "José Núñez",
        "city": SONOMA,
        "roles": ["council member", "mayor pro tem"],
        "email": "JOSÉ@sonoma.example",
        "phone": "555-0100",
        "groups": ["a", "b"],
        "testifies": True,
        "elected": True,
        "revision": 1,
    }


@pytest.mark.parametrize(
    ("roles", "said", "elected"),
    [
        ("mayor", "", True),
        ("City Clerk;Mayor", "", True),
        ("Councilmember", "", True),
        ("city manager;fiscal officer", "", False),
        ("city manager;harbor master", "", None),
        ("", "", None),
        ("city clerk", "elected", True),
        ("mayor", "appointed", False),
        ("city clerk", "yes", True),
        ("mayor", "no", False),
    ],
)
def test_elected_or_appointed_is_said_or_follows_from_all_the_roles(understand, roles, said, elected):
    [record], _ = understand("officials", f"{OFFICIALS}1,Ada Fern,Napa,{roles},ada@napa.example,,,,{said}\n")
    assert record.state["elected"] is elected


async def test_two_officials_at_one_address_share_a_mailbox_whatever_the_case(bring, entities, two_cities):
    await bring(
        "officials",
        f"{OFFICIALS}1,Ada Fern,Napa,mayor,Clerk@napa.example,,,,\n"
        "2,Bo Reed,Napa,city clerk,clerk@NAPA.example,,,,\n"
        "3,Cy Moss,Napa,city manager,cy@napa.example,,,,\n"
        "4,Di Vale,Napa,planner,di@xn--mnchen-3ya.example,,,,\n"
        "5,Ed Wren,Napa,planner,DI@münchen.example,,,,\n",
    )
    officials = await entities("official")
    assert officials["1"]["mailbox"] == officials["2"]["mailbox"]
    assert officials["4"]["mailbox"] == officials["5"]["mailbox"]
    assert len({official["mailbox"] for official in officials.values()}) == 3


@pytest.mark.parametrize("email", ["nobody", "a@b", "two@@napa.example", "a b@napa.example", "a@napa.example\x00", ""])
def test_a_broken_address_costs_its_own_line_only(understand, email):
    records, [rejection] = understand(
        "officials",
        f"{OFFICIALS}1,Ada Fern,Napa,mayor,{email},,,,\n2,Bo Reed,Napa,city clerk,bo@napa.example,,,,\n",
    )
    assert (rejection.line, rejection.reason.split(":")[0]) == (2, "email")
    assert [record.id for record in records] == ["2"]


async def test_markup_and_formulas_are_text(bring, entities, two_cities):
    name = '=HYPERLINK(""http://x.example"") <script>alert(1)</script>'
    await bring("officials", f'{OFFICIALS}1,"{name}",Napa,mayor,ada@napa.example,,,,\n')
    assert (await entities("official"))["1"]["name"] == name.replace('""', '"')


async def test_any_column_order_a_byte_order_mark_and_windows_line_ends_are_fine(bring, entities):
    report = await bring("divisions", "\ufeffName,colour,SLUG\r\nNorth Bay,blue,north-bay\r\n\r\n,,\r\n")
    assert (report.added, report.rejected_count) == (1, 0)
    assert any("ignored columns colour" in warning for warning in report.warnings)
    assert (await entities("division"))["north-bay"]["name"] == "North Bay"


async def test_the_first_of_two_lines_with_one_id_goes_in_and_the_other_is_told(bring, entities):
    report = await bring("divisions", "slug,name\na,First\na,Second\n", "slug,name\na,Third\nb,Other\n")
    assert [line.line for line in report.rejected] == [3, 2]
    assert "a stands already in line 2" in reasons(report)[0]
    assert "divisions-0.csv, line 2" in reasons(report)[1]
    divisions = await entities("division")
    assert (divisions["a"]["name"], set(divisions)) == ("First", {"a", "b"})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("b," + "x" * 1_001, "name: "),
        ("b," + "x" * 10_000_000, "a cell is longer than 131,072 characters"),
        ("b,N\x00UL", "NUL"),
        ('b,"never closed', "never closed"),
        ("b,B,extra", "3 cells where the header has 2"),
        ("b", "1 cells where the header has 2"),
        ("Not A Slug,B", "slug: "),
    ],
    ids=["long name", "10 MB cell", "NUL", "open quote", "too many cells", "too few cells", "slug"],
)
def test_a_bad_line_is_rejected_with_its_number(understand, line, reason):
    records, [rejection] = understand("divisions", f"slug,name\na,A\n{line}\n")
    assert rejection.line == 3
    assert reason in rejection.reason
    assert [record.id for record in records] == ["a"]


@pytest.mark.parametrize("quote", ["", '"'])
def test_the_lines_behind_a_huge_cell_go_in(understand, quote):
    text = f"slug,name\nz,Z\na,{quote}{'x' * 10_000_000}{quote}\nb,B\n"
    records, [rejection] = understand("divisions", text)
    assert [record.id for record in records] == ["z", "b"]
    assert (rejection.line, rejection.names) == (3, None)


def test_a_line_of_ten_megabytes_takes_no_more_memory_than_its_longest_piece(tmp_path):
    path = tmp_path / "huge.csv"
    path.write_text(f"slug,name\na,{'x' * 10_000_000}\nb,B\n")
    tracemalloc.start()
    try:
        found = list(read_sources("divisions", [path]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [line.line for line in found] == [2, 3]
    assert peak < 6_000_000


@given(some.binary(max_size=400), some.sampled_from(get_args(ImportKind)))
def test_no_bytes_whatever_do_more_than_cost_lines_or_refuse_the_file(tmp_path_factory, content, kind):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    columns = ",".join(COLUMNS[kind].model_fields).encode()
    for header in (b"", columns + b"\n"):
        path.write_bytes(header + content)
        with contextlib.suppress(UnreadableFile):
            found = UNDERSTAND[kind](read_sources(kind, [path]), REFERENCES)
            assert all(isinstance(item, Record | Rejection | Note) for item in found)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the file is empty"),
        (b"name,manager_name\nA,B\n", "missing columns slug"),
        (b"slug,name,name\na,A,A\n", "named twice: name"),
        ("slug,name\na,A\nb,Cañon\n".encode("latin-1"), "line 3, byte 5: not UTF-8"),
        ("slug,name\na,A\n".encode("utf-16"), "this is UTF-16"),
        ("slug,name\na,A\n".encode("utf-16-be"), "this is UTF-16"),
        ("slug,name\na,A\n".encode("utf-32"), "this is UTF-16"),
        (b"PK\x03\x04" + bytes(100), "a spreadsheet's own format"),
        (b"slug;name\na;A\n", "parted by semicolons: save the file with commas"),
        (b"slug\tname\na\tA\n", "parted by tabs"),
        (b"slug,name\ra,A\rb,B\r", "a carriage return stands in a cell"),
        (b'"slug,name\na,A\n', "never closed"),
    ],
    ids=[
        "empty",
        "missing column",
        "column twice",
        "latin-1",
        "utf-16",
        "utf-16-be",
        "utf-32",
        "xlsx",
        "semicolons",
        "tabs",
        "old Mac",
        "open quote",
    ],
)
def test_a_file_that_is_no_such_table_is_refused(understand, content, complaint):
    with pytest.raises(UnreadableFile, match=complaint):
        understand("divisions", content)


async def test_a_file_that_is_refused_takes_the_others_with_it(bring, entities, published):
    with pytest.raises(UnreadableFile, match="line 2, byte 5"):
        await bring("divisions", "slug,name\nz,Zed\n", "slug,name\nb,Cañon\n".encode("latin-1"))
    assert await entities("division") == {}
    assert await published() == []


async def test_a_file_with_a_header_alone_imports_nothing(bring, published):
    report = await bring("divisions", "slug,name\n")
    assert (report.import_id, report.imported, report.warnings) == (None, 0, ("there is no line in these files",))
    assert await published() == []


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path, complaint in [(tmp_path / "none.csv", "no such file"), (tmp_path, "folder")]:
        with pytest.raises(UnreadableFile, match=complaint):
            list(read_sources("divisions", [path]))
