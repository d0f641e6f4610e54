"""Files that staff hand in: how large, where they are kept, and under which name anything of them comes back."""

import csv

import asyncpg
import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.web.fencing import FILES
from clarion.runtime.web.limits import MEGABYTE, BodyLimit
from clarion.services.directory.uploads import Importer
from tests.security.conftest import HTML, Whole

pytestmark = pytest.mark.asyncio(loop_scope="module")
TABLE = b"slug,name\n=1+1|x,=HYPERLINK(1)\n"
NAMES = (
    "../../../../tmp/evil.csv",
    "..\\..\\evil.csv",
    "a\r\nset-cookie: hostile=1.csv",
    '"; filename="b.exe',
    "=1+1.csv",
)


async def handed_in(whole: Whole, name: str) -> str:
    """The address of an import that was begun with a file of this name."""
    files = {"files": (name, TABLE, "text/csv")}
    data = {"kind": "divisions"} | whole.staff.form
    answer = await whole.admin.post("/directory/imports", data=data, files=files, headers=HTML)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_a_file_may_be_large_only_where_files_are_handed_in(whole: Whole) -> None:
    limit = BodyLimit(whole.app, MEGABYTE, FILES)
    assert {path: limit.most(path) for path in ("/directory/imports", "/keys", "/directory/corrections", "/")} == {
        "/directory/imports": 64_000_000,
        "/keys": MEGABYTE,
        "/directory/corrections": MEGABYTE,
        "/": MEGABYTE,
    }
    large = {"files": ("a.csv", b"x" * (MEGABYTE + 1), "text/csv")}
    refused = await whole.admin.post("/keys", data=whole.staff.form, files=large)
    assert refused.status_code == 413
    place = await handed_in(whole, "a.csv")
    assert (await whole.admin.get(place, headers=HTML)).status_code == 200


async def test_what_is_handed_in_is_kept_in_no_folder(whole: Whole) -> None:
    connection = await asyncpg.connect(whole.settings.database_url)
    try:
        for name in NAMES:
            page = await whole.admin.get(await handed_in(whole, name), headers=HTML)
            assert page.status_code == 200
            assert "hostile" not in page.cookies
        kept = [row["name"] for row in await connection.fetch("SELECT name FROM directory.upload_parts")]
    finally:
        await connection.close()
    assert len(kept) >= len(NAMES)
    for name in kept:
        assert not set(name) & set('/\\\r\n"<>:|?*'), name
        assert not name.startswith("."), name


async def test_a_download_has_a_name_of_ours_and_no_cell_that_is_computed(whole: Whole) -> None:
    place = await handed_in(whole, "=1+1.csv")
    importer = Importer(whole.databases["directory"], system_clock)
    while await importer.turn():
        pass
    answer = await whole.admin.get(f"{place}/rejected.csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="rejected-divisions.csv"'
    [_, line] = csv.reader(answer.text.splitlines())
    assert line[0] == "'=1+1.csv"
    assert not any(cell.startswith(("=", "+", "@")) for cell in line)
