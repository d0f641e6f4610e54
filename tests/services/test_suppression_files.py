"""Suppressions as files and on the page: what others export is taken, our own list comes back as it was."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from clarion.runtime.database import Database, mailbox_key, open_database
from clarion.runtime.settings import Settings
from clarion.runtime.web import pages, problems
from clarion.runtime.web.staff import StaffOnly
from clarion.schemas.mailboxes import mailbox
from clarion.services.notifications.domain.suppressions import KINDS
from clarion.services.suppressing.files import Bad, LeftOut, Line, read_table, write_table
from clarion.services.suppressing.pages import suppressions_router
from clarion.services.suppressions import suppressions
from tests.staff import form_token_in, signed_in

OURS = """address,kind,reason,since
ada@city.example,complaint,told us,2027-03-01T09:30:00-08:00
no address,,,
bo@city.example,strange,,
cy@city.example,,,when
dee@city.example,,,
"""
MAILCHIMP_CLEANED = """"Email Address","First Name",CLEAN_TIME,CLEAN_CAMPAIGN_TITLE
ada@city.example,Ada,"2026-01-02 10:00:00",News
"""
MAILCHIMP_UNSUBSCRIBED = """Email Address,UNSUB_TIME,UNSUB_REASON
bo@city.example,2026-01-03 10:00:00,no longer interested
"""
LISTMONK = """uuid,email,name,attributes,status,created_at,updated_at
1,ada@city.example,Ada,"{""city"": ""Alder""}",blocklisted,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z
2,bo@city.example,Bo,{},enabled,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z
"""
SES = {
    "SuppressedDestinationSummaries": [
        {"EmailAddress": "ada@city.example", "Reason": "BOUNCE", "LastUpdateTime": "2026-01-02T10:00:00+00:00"},
        {"EmailAddress": "bo@city.example", "Reason": "COMPLAINT", "LastUpdateTime": "2026-01-02T10:00:00+00:00"},
    ]
}

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", database_url)

    async def invoke(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, suppressions, list(words))

    return invoke


async def kinds(run: Run) -> list[tuple[str, str, str]]:
    listed = json.loads((await run("list", "--json")).output)
    return sorted((one["kind"], one["reason"], one["since"][:10]) for one in listed)


async def test_a_file_is_tried_first_and_its_bad_lines_are_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ours.csv").write_text(OURS)
    tried = await run("import", "ours.csv", "--dry-run", "--json")
    assert tried.exit_code == 1
    report = json.loads(tried.output)
    assert (report["dry_run"], report["added"], report["rejected_count"]) == (True, 2, 3)
    assert [one["line"] for one in report["rejected"]] == [3, 4, 5]
    assert await kinds(run) == []
    assert "2 added, 0 known before, 3 rejected" in (await run("import", "ours.csv")).output
    assert "0 added, 2 known before" in (await run("import", "ours.csv")).output
    [told, dee] = await kinds(run)
    assert told[:2] == ("complaint", "told us")
    assert dee[:2] == ("import", "imported")


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("cleaned.csv", MAILCHIMP_CLEANED, [("hard-bounce", "imported", "2026-01-02")]),
        ("unsubscribed.csv", MAILCHIMP_UNSUBSCRIBED, [("import", "no longer interested", "2026-01-03")]),
        ("listmonk.csv", LISTMONK, [("import", "blocklisted", "2026-02-01")]),
        ("bom.csv", "\ufeff" + MAILCHIMP_CLEANED, [("hard-bounce", "imported", "2026-01-02")]),
        (
            "ses.json",
            json.dumps(SES),
            [("complaint", "COMPLAINT", "2026-01-02"), ("hard-bounce", "BOUNCE", "2026-01-02")],
        ),
    ],
)
async def test_what_others_export_is_taken(
    run: Run, tmp_path: Path, name: str, text: str, wanted: list[tuple[str, str, str]]
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    done = await run("import", name, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["left_out"] == (1 if name == "listmonk.csv" else 0)
    assert await kinds(run) == wanted


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name,city\nAda,Alder\n", "no column is called"),
        ("email\nada@city.example\n".encode("utf-16"), "not UTF-8"),
        (b"email\n" + b"x" * 200_000, "field larger than"),
        (b"", "no column is called"),
    ],
)
async def test_a_file_that_is_none_changes_nothing(run: Run, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "bad.csv").write_bytes(content)
    done = await run("import", "bad.csv")
    assert (done.exit_code, words in done.output) == (1, True), done.output
    assert await kinds(run) == []


async def test_what_is_exported_comes_back_as_it_was(run: Run, tmp_path: Path) -> None:
    await run("add", "ada@city.example", "--reason", '=HYPERLINK("http://x"), "quoted"')
    await run("add", "bo@city.example", "--reason", "'tis so")
    before = json.loads((await run("list", "--json")).output)
    assert (await run("export", "out.csv")).exit_code == 0
    assert "\n=" not in (tmp_path / "out.csv").read_text().replace(",", "\n")
    for whom in ("ada@city.example", "bo@city.example"):
        await run("remove", whom)
    assert (await run("import", "out.csv")).exit_code == 0
    assert json.loads((await run("list", "--json")).output) == before


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0")).map(lambda text: " ".join(text.split())[:500]),
    st.sampled_from(KINDS),
)
def test_any_reason_survives_the_file(reason: str, kind: str) -> None:
    at = datetime(2027, 3, 1, tzinfo=UTC)
    out = io.StringIO(newline="")
    write_table(out, iter([{"mailbox": "0" * 32, "kind": kind, "reason": reason, "since": at}]))
    out.seek(0)
    [line] = read_table(out)
    assert line == Line(2, "0" * 32, kind, reason or "imported", at)


def test_lines_of_people_who_get_mail_elsewhere_are_left_out() -> None:
    found = list(read_table(io.StringIO("email,status\na@x.example,enabled\n,blocklisted\n")))
    assert found == [LeftOut(2), Bad(3, "it names no address")]


@pytest.fixture
async def browser(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    site = FastAPI()
    problems.install(site)
    pages.install(site)
    database = await Database.connect(str(settings.database_url), "directory", max_size=3)
    site.include_router(suppressions_router(database, StaffOnly(database.connection, settings), settings))
    here = {"base_url": "http://clarion.example", "headers": {"accept": "text/html"}}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), **here) as client:
        yield client
    await database.close()


async def of_address(settings: Settings, address: str) -> str:
    async with open_database(settings, "notifications") as database, database.connection() as connection:
        return mailbox(address, await mailbox_key(connection))


def undo_in(page: str) -> str:
    return page.split('name="undo" value="')[1].partition('"')[0]


async def test_staff_look_up_suppress_let_in_and_undo(browser: httpx.AsyncClient, settings: Settings, run: Run) -> None:
    await signed_in(browser, settings, "state")
    form = {"form_token": form_token_in((await browser.get("/suppressions")).text), "address": "ada@city.example"}
    assert "It is not suppressed." in (await browser.post("/suppressions", data=form)).text
    box = await of_address(settings, "ada@city.example")
    form |= {"mailbox": box, "reason": "asked by phone"}
    page = await browser.post("/suppressions/add", data=form)
    assert "Nothing more is sent" in page.text
    assert "by hand, since" in (await browser.post("/suppressions", data=form)).text
    await browser.post("/suppressions/undo", data=form | {"undo": undo_in(page.text)})
    assert await kinds(run) == []
    await browser.post("/suppressions/add", data=form)
    before = await kinds(run)
    page = await browser.post("/suppressions/remove", data=form)
    assert await kinds(run) == []
    await browser.post("/suppressions/undo", data=form | {"undo": undo_in(page.text)})
    assert await kinds(run) == before
    assert (await browser.post("/suppressions/undo", data=form | {"undo": "x"})).status_code == 403
    assert (await browser.post("/suppressions", data=form | {"address": "x"})).status_code == 422
    async with open_database(settings, "directory") as database, database.connection() as connection:
        acts = await connection.fetch("SELECT act, actor_kind, mailbox FROM clarion.audit ORDER BY id")
    assert [tuple(row) for row in acts] == [
        (f"mailbox.{act}", "staff", box)
        for act in ("suppressed", "unsuppressed", "suppressed", "unsuppressed", "suppressed")
    ]


async def test_a_manager_suppresses_people_of_the_own_divisions_alone(
    browser: httpx.AsyncClient, settings: Settings, run: Run
) -> None:
    box = await of_address(settings, "ada@city.example")
    async with open_database(settings, "directory") as database, database.connection() as connection:
        await connection.execute(
            "INSERT INTO entities (kind, id, revision, state, import_id, changed_at)"
            " SELECT kind, id, 1, state::jsonb, 'i', now()"
            " FROM unnest($1::text[], $2::text[], $3::text[]) AS e (kind, id, state)",
            ["city", "official"],
            ["alder", "ada"],
            [json.dumps({"division": "east-bay"}), json.dumps({"city": "alder", "mailbox": box})],
        )
    for division, status in (("north-bay", 403), ("east-bay", 200)):
        form = (await signed_in(browser, settings, "manager", [division])).form | {"mailbox": box}
        assert (await browser.post("/suppressions/add", data=form)).status_code == status
    assert len(await kinds(run)) == 1
    await signed_in(browser, settings, "viewer")
    assert (await browser.get("/suppressions")).status_code == 403


async def test_who_was_erased_is_not_let_in_by_the_way(
    browser: httpx.AsyncClient, settings: Settings, run: Run
) -> None:
    box = await of_address(settings, "ada@city.example")
    async with open_database(settings, "notifications") as database, database.connection() as connection:
        await connection.execute("INSERT INTO suppressions VALUES ($1, 'erased', now(), 'erased')", box)
    form = (await signed_in(browser, settings, "admin")).form | {"mailbox": box}
    assert (await browser.post("/suppressions/remove", data=form)).status_code == 409
    refused = await run("remove", "ada@city.example")
    assert (refused.exit_code, "people readmit" in refused.output) == (1, True)
    assert len(await kinds(run)) == 1
