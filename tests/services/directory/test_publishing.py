"""What goes out of an import, and what a kill leaves behind."""

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

from clarion.runtime.database import Database
from clarion.services.directory import operations
from clarion.services.directory.files import Rows
from clarion.services.directory.operations import import_kind, load_sample, republish
from clarion.services.directory.roster import fictional_officials
from tests.services.directory.conftest import clock

DIVISIONS = "slug,name\na,Alpha\nb,Beta\n"


async def test_entities_go_out_before_the_marker_of_their_import(bring, published):
    report = await bring("divisions", DIVISIONS)
    events = await published()
    assert [event["key"] for event in events] == ["division:a", "division:b", "import:divisions"]
    assert [event["headers"]["ce_type"] for event in events] == ["division.changed"] * 2 + ["import.completed"]
    assert {event["headers"]["ce_importid"] for event in events} == {report.import_id}
    assert events[0]["data"]["revision"] == 1
    assert events[-1]["data"] | {"completed_at": None} == {
        "import_id": report.import_id,
        "kind": "divisions",
        "completed_at": None,
        "added": 2,
        "changed": 0,
        "unchanged": 0,
        "rejected": 0,
        "left": 0,
        "held": 0,
        "note": None,
    }


async def test_the_same_file_again_changes_nothing_and_says_so(bring, published):
    await bring("divisions", DIVISIONS)
    await published()
    report = await bring("divisions", DIVISIONS)
    assert (report.added, report.changed, report.unchanged) == (0, 0, 2)
    assert [event["key"] for event in await published()] == ["import:divisions"]


async def test_only_what_is_different_gets_a_new_revision(bring, published):
    await bring("divisions", DIVISIONS)
    await published()
    report = await bring("divisions", "slug,name\na,Alpha\nb,Better\nc,Gamma\n")
    assert (report.added, report.changed, report.unchanged) == (1, 1, 1)
    events = await published()
    assert [(event["key"], event["data"].get("revision")) for event in events] == [
        ("division:b", 2),
        ("division:c", 1),
        ("import:divisions", None),
    ]


async def test_mailboxes_stay_the_same_from_import_to_import(database, entities):
    rows = list(fictional_officials(["state:ca/place:x"], 5, seed=1))
    await import_kind(database, "cities", [Rows("x", [{"ocd_id": "state:ca/place:x", "name": "X"}])], clock=clock)
    await import_kind(database, "officials", [Rows("roster", rows)], clock=clock)
    before = await entities("official")
    report = await import_kind(database, "officials", [Rows("roster", rows)], clock=clock)
    assert report.unchanged == 5
    assert await entities("official") == before


async def test_republishing_sends_every_entity_at_its_revision_and_the_newest_markers(bring, database, published):
    await bring("divisions", DIVISIONS)
    await bring("divisions", "slug,name\nb,Better\n")
    report = await bring("cities", "ocd_id,name,division\nx,X,a\n")
    before = await published()
    async with database.transaction() as tx:
        assert await republish(tx) == 5
    again = await published()
    assert [(event["key"], event["data"].get("revision")) for event in again] == [
        ("division:a", 1),
        ("division:b", 2),
        ("city:x", 1),
        ("import:cities", None),
        ("import:divisions", None),
    ]
    assert again[2]["headers"]["ce_importid"] == again[3]["headers"]["ce_importid"] == report.import_id
    assert {event["headers"]["ce_id"] for event in again}.isdisjoint(event["headers"]["ce_id"] for event in before)


DYING = """
CREATE FUNCTION directory.die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid());
    RETURN NULL;
END $$;
"""


@pytest.mark.parametrize("table", ["entities", "imports", "outbox"])
async def test_a_kill_in_the_middle_leaves_nothing_half_imported(bring, database_url, entities, published, table):
    await bring("divisions", "slug,name\na,Before\n")
    before = await entities("division")
    await published()
    connection = await asyncpg.connect(database_url)
    await connection.execute(DYING)
    await connection.execute(
        f"CREATE TRIGGER dying AFTER INSERT ON directory.{table} FOR EACH STATEMENT EXECUTE FUNCTION directory.die()"
    )
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await bring("divisions", DIVISIONS)
    await connection.execute(f"DROP TRIGGER dying ON directory.{table}")
    await connection.close()
    assert await entities("division") == before
    assert await published() == []
    assert (await bring("divisions", DIVISIONS)).imported == 2


async def test_two_imports_at_once_wait_for_one_another(database):
    sources = [Rows("rows", [{"slug": f"d{n}", "name": "D"} for n in range(200)])]
    reports = await asyncio.gather(*(import_kind(database, "divisions", sources, clock=clock) for _ in range(2)))
    assert sorted((report.added, report.unchanged) for report in reports) == [(0, 200), (200, 0)]


async def test_progress_is_told_line_by_thousand_lines(database):
    told: list[tuple[str, int]] = []
    rows = [{"slug": f"d{n}", "name": "D"} for n in range(2_500)]
    await import_kind(database, "divisions", [Rows("rows", rows)], clock=clock, progress=lambda *now: told.append(now))
    assert told[-1] == ("divisions", 2_500)
    assert ("divisions", 1_000) in told


async def test_the_sample_is_whole_and_loading_it_again_changes_nothing(database: Database):
    first = await load_sample(database, officials=600, clock=clock)
    assert {report.kind: report.added for report in first} == {
        "divisions": 16,
        "cities": 483,
        "districts": 120,
        "legislators": 120,
        "committees": 116,
        "groups": 28,
        "officials": 600,
        "memberships": 726,
        "partners": 3,
    }
    assert all(report.rejected_count == 0 for report in first)
    again = await load_sample(database, officials=600, clock=clock)
    assert [(report.added, report.changed) for report in again] == [(0, 0)] * 9


def test_the_package_carries_no_address_but_invented_ones():
    folder = Path(operations.__file__).parent / "reference"
    text = "".join(path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in (".csv", ".yaml", ".txt"))
    addresses = re.findall(r"[^\s,]*@[^\s,]*", text)
    assert len(addresses) == 16
    assert all(address.endswith("@league.example") for address in addresses)
    assert "http" not in text
