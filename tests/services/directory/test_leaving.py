"""Files that name everyone, and imports that are tried first."""

import pytest

from clarion.services.directory.domain.leaving import leaving
from clarion.services.directory.domain.report import Effect

HEADER = "slug,name\n"
TWENTY = "".join(f"d{number:02},Division {number}\n" for number in range(20))
ALL_BUT_ONE = HEADER + TWENTY.replace("d07,Division 7\n", "")


@pytest.fixture
async def twenty(bring, published):
    await bring("divisions", HEADER + TWENTY)
    await published()


async def test_who_is_missing_from_a_full_file_has_left_and_is_told(bring, published, twenty):
    report = await bring("divisions", ALL_BUT_ONE, full=True)
    assert (report.unchanged, report.left, report.refused) == (19, 1, None)
    assert report.effects == (Effect("left", "d07", "Division 7"),)
    events = await published()
    assert [(event["key"], event["data"].get("active")) for event in events] == [
        ("division:d07", False),
        ("import:divisions", None),
    ]
    assert (events[0]["data"]["revision"], events[1]["data"]["left"]) == (2, 1)


async def test_without_full_nobody_leaves(bring, twenty):
    report = await bring("divisions", ALL_BUT_ONE)
    assert (report.left, report.unchanged) == (0, 19)


async def test_who_comes_back_is_there_again(bring, published, twenty):
    await bring("divisions", ALL_BUT_ONE, full=True)
    await published()
    report = await bring("divisions", HEADER + TWENTY, full=True)
    assert (report.changed, report.unchanged, report.left) == (1, 19, 0)
    assert report.effects == (Effect("changed", "d07", "Division 7", ("active",)),)
    [event, _] = await published()
    assert (event["data"]["active"], event["data"]["revision"]) == (True, 3)


async def test_who_has_left_is_not_counted_as_missing_again(bring, twenty):
    await bring("divisions", ALL_BUT_ONE, full=True)
    assert (await bring("divisions", ALL_BUT_ONE, full=True)).left == 0


async def test_more_than_a_tenth_missing_is_refused_whole_unless_allowed(bring, entities, published, twenty):
    three_lines = HEADER + "".join(TWENTY.splitlines(keepends=True)[:17]) + "new,New\n"
    before = await entities("division")
    report = await bring("divisions", three_lines, full=True)
    assert report.refused is not None
    assert "3 of 20 are missing" in report.refused
    assert (report.import_id, report.left, report.added) == (None, 3, 1)
    assert await entities("division") == before
    assert await published() == []
    allowed = await bring("divisions", three_lines, full=True, allow_large=True)
    assert (allowed.refused, allowed.left, allowed.added) == (None, 3, 1)


async def test_who_stands_in_a_rejected_line_has_not_left(bring, twenty):
    report = await bring("divisions", ALL_BUT_ONE + f"d07,{'x' * 1_001}\n", full=True)
    assert (report.rejected_count, report.left) == (1, 0)


@pytest.mark.parametrize("line", ["d07", "D 07,Division 7\x00", 'd08,"never closed'], ids=["ragged", "NUL", "quote"])
async def test_nobody_leaves_while_a_line_names_nobody_who_can_be_read(bring, twenty, line):
    report = await bring("divisions", ALL_BUT_ONE + line + "\n", full=True)
    assert (report.rejected_count, report.left) == (1, 0)
    assert any("nobody was marked as left" in warning for warning in report.warnings)
    assert report.import_id is not None


async def test_a_full_file_without_a_line_takes_nobody_out(bring, entities, twenty):
    report = await bring("divisions", HEADER, full=True, allow_large=True)
    assert (report.import_id, report.left) == (None, 0)
    assert len(await entities("division")) == 20


async def test_a_dry_run_says_exactly_what_the_import_then_does_and_does_nothing(bring, entities, published, twenty):
    text = ALL_BUT_ONE.replace("d03,Division 3", "d03,Third") + "new,New\n"
    before = await entities("division")
    tried = await bring("divisions", text, full=True, dry_run=True)
    assert tried.effects == (
        Effect("left", "d07", "Division 7"),
        Effect("changed", "d03", "Third", ("name",)),
        Effect("added", "new", "New"),
    )
    assert (tried.dry_run, tried.import_id) == (True, None)
    assert await entities("division") == before
    assert await published() == []
    done = await bring("divisions", text, full=True)
    counts = ("added", "changed", "unchanged", "left", "held", "rejected_count", "warnings", "effects")
    assert {name: getattr(done, name) for name in counts} == {name: getattr(tried, name) for name in counts}


def test_exactly_a_tenth_may_leave():
    assert leaving(20, 2, 0, allow_large=False).refused is None
    assert leaving(20, 3, 0, allow_large=False).refused is not None
    assert leaving(20, 3, 0, allow_large=True).refused is None
    assert leaving(20, 1, 1, allow_large=True).kept is not None


async def test_of_two_people_at_one_address_the_one_who_leaves_takes_nobody_along(bring, published):
    await bring("cities", "ocd_id,name\nplace:a,Alder\n")
    header = "id,name,city,email\n"
    await bring("officials", f"{header}1,Ada Fern,Alder,clerk@alder.example\n2,Bo Reed,Alder,Clerk@ALDER.example\n")
    both = {event["key"]: event["data"] for event in await published()}
    assert both["official:1"]["mailbox"] == both["official:2"]["mailbox"]
    await bring("officials", f"{header}2,Bo Reed,Alder,Clerk@ALDER.example\n", full=True, allow_large=True)
    [left, _] = await published()
    assert (left["key"], left["data"]["active"], left["data"]["mailbox"]) == (
        "official:1",
        False,
        both["official:2"]["mailbox"],
    )


CORRECTED = "UPDATE entities SET corrected = $2, revision = revision + 1 WHERE kind = 'official' AND id = $1"
ADA = "id,name,city,email,phone\n1,Ada Fern,Alder,ada@alder.example,{}\n2,Bo Reed,Alder,bo@alder.example,\n"


@pytest.fixture
async def corrected(bring, database, published):
    await bring("cities", "ocd_id,name\nplace:a,Alder\n")
    await bring("officials", ADA.format("555-0100"))
    async with database.connection() as connection:
        await connection.execute(CORRECTED, "1", {"active": False, "name": "Ada Fern-Vale"})
    await published()


async def test_a_correction_holds_against_a_line_that_says_what_it_said(bring, published, corrected):
    report = await bring("officials", ADA.format("555-0100"), full=True)
    assert (report.unchanged, report.held, report.changed) == (2, 1, 0)
    assert report.effects == (Effect("held", "1", "Ada Fern"),)
    [marker] = await published()
    assert marker["data"]["held"] == 1


async def test_a_line_that_says_something_else_ends_that_somebody_left_and_leaves_other_fields(
    bring, published, corrected
):
    report = await bring("officials", ADA.format("555-0101"))
    assert (report.changed, report.held) == (1, 0)
    [event, _] = await published()
    assert (event["data"]["active"], event["data"]["name"], event["data"]["phone"]) == (
        True,
        "Ada Fern-Vale",
        "555-0101",
    )
    await bring("officials", ADA.format("555-0101").replace("Ada Fern", "Ada Moss"))
    [event, _] = await published()
    assert event["data"]["name"] == "Ada Moss"
