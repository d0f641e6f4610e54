"""Imports from the pages: looked at first, confirmed, refused, taken up again after a death, and told."""

import csv
import io
import re

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from clarion.runtime.clock import system_clock
from clarion.services.directory import uploads
from clarion.services.directory.uploads import Importer, rejections_table, safe_name, unconfirmed
from tests.services.directory.site import directory_of, visitor
from tests.staff import signed_in

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLACE = "/directory/imports"
HEADER = "id,name,city,roles,email\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def directory(postgres_url):
    async with directory_of(postgres_url) as database:
        yield database


@pytest_asyncio.fixture(loop_scope="module")
async def browser(directory):
    async with visitor(directory) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def importer(directory):
    made = Importer(directory, system_clock)
    yield made
    while await made.turn():
        pass


async def hand_in(browser, me, *texts, kind="officials", name="roster.csv", **more):
    files = [("files", (name, text, "text/csv")) for text in texts]
    return await browser.post(PLACE, data={"kind": kind} | more | me.form, files=files)


async def count(directory, prefix):
    async with directory.connection() as connection:
        return await connection.fetchval("SELECT count(*) FROM entities WHERE id LIKE $1 AND active", f"{prefix}%")


async def test_a_file_is_looked_at_before_anything_changes_and_imported_when_confirmed(directory, browser, importer):
    me = await signed_in(browser, directory, "state")
    answer = await hand_in(browser, me, f"{HEADER}u1-1,Una One,Napa,mayor,una@napa.ca.example\n")
    where = answer.headers["location"]
    assert "Being looked at" in (await browser.get(where)).text
    await importer.turn()
    page = (await browser.get(where)).text
    assert "Nothing was changed yet" in page
    assert "Una One" in page
    assert await count(directory, "u1-") == 0
    await browser.post(f"{where}/confirm", data=me.form)
    await browser.post(f"{where}/confirm", data=me.form)
    assert "Being imported" in (await browser.get(where)).text
    assert await importer.turn()
    assert not await importer.turn()
    assert "Imported." in (await browser.get(where)).text
    assert await count(directory, "u1-") == 1
    history = (await browser.get(PLACE)).text
    assert where in history
    assert "Sam Sample" in history


async def test_what_is_thrown_away_is_not_imported_and_its_files_are_gone(directory, browser, importer):
    me = await signed_in(browser, directory)
    where = (await hand_in(browser, me, f"{HEADER}u2-1,Una,Napa,mayor,u@napa.ca.example\n")).headers["location"]
    await importer.turn()
    await browser.post(f"{where}/drop", data=me.form)
    await browser.post(f"{where}/confirm", data=me.form)
    assert not await importer.turn()
    assert await count(directory, "u2-") == 0
    async with directory.connection() as connection:
        parts = "SELECT count(*) FROM upload_parts WHERE upload = $1"
        assert await connection.fetchval(parts, where.rpartition("/")[2]) == 0


async def test_a_full_import_that_loses_many_is_refused_until_somebody_says_that_they_left(
    directory, browser, importer
):
    me = await signed_in(browser, directory)
    text = "slug,name\nnorth-bay,North Bay\n"
    where = (await hand_in(browser, me, text, kind="divisions", full="yes")).headers["location"]
    await importer.turn()
    page = (await browser.get(where)).text
    assert "Refused:" in page
    await browser.post(f"{where}/confirm", data=me.form)
    await importer.turn()
    assert "Nothing was imported" in (await browser.get(where)).text
    assert await count(directory, "desert") == 1


async def test_a_full_import_marks_who_is_missing_when_that_is_confirmed(directory, browser, importer):
    me = await signed_in(browser, directory)
    await _import(browser, me, importer, "slug,name\ng-1,One\ng-2,Two\n", kind="groups")
    where = (await hand_in(browser, me, "slug,name\ng-1,One\n", kind="groups", full="yes")).headers["location"]
    await importer.turn()
    await browser.post(f"{where}/confirm", data=me.form | {"large": "yes"})
    await importer.turn()
    assert "Imported." in (await browser.get(where)).text
    assert await count(directory, "g-2") == 0


async def _import(browser, me, importer, text, kind):
    where = (await hand_in(browser, me, text, kind=kind)).headers["location"]
    await importer.turn()
    await browser.post(f"{where}/confirm", data=me.form)
    await importer.turn()
    return where


async def test_rejected_lines_come_as_a_table_that_computes_nothing(directory, browser, importer):
    me = await signed_in(browser, directory)
    text = HEADER + '"=cmd|x",Una,Nowhere,mayor,u@napa.ca.example\nu4-2,Due,Napa,mayor,no-address\n'
    where = (await hand_in(browser, me, text, name="=evil.csv")).headers["location"]
    await importer.turn()
    answer = await browser.get(f"{where}/rejected.csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["file", "line", "reason"]
    assert [row[1] for row in rows[1:]] == ["2", "3"]
    assert all(cell[0] not in "=+-@" for row in rows for cell in row)
    assert "/tmp" not in answer.text
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_a_file_that_cannot_be_taken_is_said_by_its_own_name(directory, browser, importer):
    me = await signed_in(browser, directory)
    where = (await hand_in(browser, me, "id,name\n1,Una\n", name="../../etc/roster <b>.csv")).headers["location"]
    await importer.turn()
    page = (await browser.get(where)).text
    assert "missing columns" in page
    assert "roster _b_.csv" in page
    assert "/dev/shm" not in page
    assert "clarion-import" not in page


async def test_how_far_a_long_one_is_is_told(directory, browser, importer, monkeypatch):
    monkeypatch.setattr(uploads, "TELL_SECONDS", 0.01)
    me = await signed_in(browser, directory)
    rows = "".join(f"p-{n},Pat {n},Napa,mayor,p{n}@napa.ca.example\n" for n in range(4_000))
    where = (await hand_in(browser, me, HEADER + rows)).headers["location"]
    await importer.turn()
    async with directory.connection() as connection:
        told = await connection.fetchval("SELECT lines_read FROM uploads WHERE id = $1", where.rpartition("/")[2])
    assert 0 < told <= 4_000


async def test_nothing_or_an_unknown_kind_is_refused_in_words(directory, browser):
    me = await signed_in(browser, directory)
    assert "Choose a file" in (await hand_in(browser, me, "")).text
    answer = await hand_in(browser, me, HEADER, kind="strangers")
    assert (answer.status_code, "Choose what the files hold" in answer.text) == (422, True)


@pytest.mark.parametrize(("role", "divisions"), [("manager", ["north-bay"]), ("viewer", [])])
async def test_only_those_who_may_import_see_the_pages(directory, browser, role, divisions):
    me = await signed_in(browser, directory, role, divisions)
    assert (await browser.get(PLACE)).status_code == 403
    assert (await hand_in(browser, me, HEADER)).status_code == 403


async def test_a_form_without_the_sessions_token_brings_nothing(directory, browser):
    await signed_in(browser, directory)
    answer = await browser.post(PLACE, data={"kind": "officials"}, files=[("files", ("a.csv", HEADER))])
    assert answer.status_code == 403


async def test_an_upload_whose_importer_died_is_taken_up_by_another(directory, browser, importer):
    me = await signed_in(browser, directory)
    where = (await hand_in(browser, me, f"{HEADER}u5-1,Una,Napa,mayor,u5@napa.ca.example\n")).headers["location"]
    async with directory.connection() as connection:
        await connection.execute(
            "UPDATE uploads SET leased_until = now() + interval '1 minute' WHERE state = 'waiting'"
        )
        assert not await importer.turn()
        await connection.execute(
            "UPDATE uploads SET leased_until = now() - interval '1 second' WHERE state = 'waiting'"
        )
    assert await importer.turn()
    assert "Nothing was changed yet" in (await browser.get(where)).text


async def test_what_nobody_confirms_is_thrown_away_after_a_day(directory, browser, importer):
    me = await signed_in(browser, directory)
    where = (await hand_in(browser, me, f"{HEADER}u6-1,Una,Napa,mayor,u6@napa.ca.example\n")).headers["location"]
    await importer.turn()
    async with directory.transaction() as tx:
        await tx.connection.execute(
            "UPDATE uploads SET changed_at = now() - interval '25 hours' WHERE id = $1", where.rpartition("/")[2]
        )
        assert await unconfirmed(system_clock).step(tx) >= 1
    assert "Thrown away" in (await browser.get(where)).text


async def test_a_report_names_people_for_a_month(directory, browser, importer):
    me = await signed_in(browser, directory)
    where = await _import(browser, me, importer, f"{HEADER}u9-1,Una Named,Napa,mayor,u9@napa.ca.example\n", "officials")
    async with directory.transaction() as tx:
        await tx.connection.execute(
            "UPDATE uploads SET changed_at = now() - interval '31 days' WHERE id = $1", where.rpartition("/")[2]
        )
        assert await unconfirmed(system_clock).step(tx) >= 1
    page = (await browser.get(where)).text
    assert "Imported." in page
    assert "Una Named" not in page
    assert (await browser.get(f"{where}/rejected.csv")).status_code == 404


async def test_a_failure_of_ours_ends_an_upload_instead_of_coming_round_for_ever(directory, browser, importer):
    me = await signed_in(browser, directory)
    where = (await hand_in(browser, me, "slug,name\n", kind="divisions")).headers["location"]
    async with directory.connection() as connection:
        await connection.execute("UPDATE uploads SET kind = 'strangers' WHERE id = $1", where.rpartition("/")[2])
    with capture_logs() as logs:
        await importer.turn()
    assert "Something failed here" in (await browser.get(where)).text
    assert [line["event"] for line in logs] == ["directory.import_failed"]


async def test_a_file_that_is_too_large_is_refused_with_the_limit(directory, browser):
    await signed_in(browser, directory)
    headers = {"content-length": "64000001", "content-type": "multipart/form-data; boundary=x"}
    answer = await browser.post(PLACE, content=b"x", headers=headers)
    assert answer.status_code == 413
    assert "64,000,000" in answer.text


async def test_each_step_is_in_the_record(directory, browser, importer):
    me = await signed_in(browser, directory)
    where = await _import(browser, me, importer, f"{HEADER}u7-1,Una,Napa,mayor,u7@napa.ca.example\n", "officials")
    async with directory.connection() as connection:
        rows = await connection.fetch(
            "SELECT act, actor_name, details FROM clarion.audit WHERE subject = $1 ORDER BY id",
            f"upload:{where.rpartition('/')[2]}",
        )
    assert [row["act"] for row in rows] == ["import.uploaded", "import.confirmed"]
    assert rows[0]["details"] == {"kind": "officials", "full": False}
    async with directory.connection() as connection:
        done = await connection.fetchrow(
            "SELECT act.actor_id, act.actor_name FROM clarion.audit AS act"
            " JOIN uploads ON act.subject = 'import:' || uploads.import_id WHERE uploads.id = $1",
            where.rpartition("/")[2],
        )
    assert tuple(done) == (me.staff.id, "Sam Sample")


async def test_the_page_looks_again_by_itself_only_while_something_is_under_way(directory, browser, importer):
    me = await signed_in(browser, directory)
    where = (await hand_in(browser, me, f"{HEADER}u8-1,Una,Napa,mayor,u8@napa.ca.example\n")).headers["location"]
    assert re.search(r'http-equiv="refresh"', (await browser.get(where)).text)
    await importer.turn()
    assert not re.search(r'http-equiv="refresh"', (await browser.get(where)).text)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("C:\\data\\people.csv", "people.csv"),
        ("../../x", "x"),
        ("..", "file 1"),
        ("", "file 1"),
        ("a\nb.csv", "a_b.csv"),
    ],
)
async def test_a_files_name_is_no_path(given, kept):
    assert safe_name(given, 0) == kept


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
async def test_no_cell_begins_a_formula(text):
    table = rejections_table([{"file": "a", "line": 1, "reason": text}])
    assert list(csv.reader(io.StringIO(table)))[1][2][0] == "'"
