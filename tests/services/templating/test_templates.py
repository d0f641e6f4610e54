"""Staff write what mail says, at the command line and on pages: looked at, tried out, saved, gone back to."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from clarion.runtime.database import Database, open_database
from clarion.runtime.settings import Settings
from clarion.runtime.web import pages, problems
from clarion.runtime.web.staff import StaffOnly
from clarion.schemas.commands import PRINTED
from clarion.services.notifications.wordings.operations import start
from clarion.services.templating.commands import templates
from clarion.services.templating.pages import templates_router
from tests.staff import form_token_in, signed_in

pytestmark = pytest.mark.usefixtures("tried_here")

SITE = "http://clarion.example"
MAIL = "SELECT parts, state, matter FROM notifications.messages WHERE matter LIKE 'wording:%'"

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", database_url)

    async def invoke(*arguments: str, stdin: str | None = None) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, templates, list(arguments), input=stdin)

    return invoke


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.connect(database_url, "directory", max_size=3)
    yield opened
    await opened.close()


@pytest.fixture
async def browser(database: Database, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    site = FastAPI()
    problems.install(site)
    pages.install(site)
    site.include_router(templates_router(database, StaffOnly(database.connection, settings), settings))
    html = {"accept": "text/html"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=SITE, headers=html) as client:
        yield client


def body(word: str = "WORDED") -> str:
    return f"{start('notice').body}\n\n{word}\n"


def read(result: Result, command: str) -> Any:
    """What a command printed, which is as its schema says."""
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    for one in printed if isinstance(printed, list) else [printed]:
        PRINTED[command].model_validate(one)
    return printed


async def mails(settings: Settings) -> list[Any]:
    async with open_database(settings, "notifications") as opened, opened.connection() as connection:
        return await connection.fetch(MAIL)


async def test_a_wording_is_saved_listed_shown_and_gone_back_from(run: Run) -> None:
    listed = read(await run("list", "--json"), "templates.list")
    assert [(one["template"], one["version"], one["own"]) for one in listed] == [
        (name, 0, False) for name in ("call", "over", "registration", "notice")
    ]
    saved = read(await run("save", "notice", "-", "--note", "ours", "--json", stdin=body()), "templates.save")
    assert saved == {"template": "notice", "version": 1, "new": True}
    shown = read(await run("show", "notice", "--json"), "templates.show")
    assert (shown["version"], shown["own"], shown["body"], shown["subject"]) == (1, True, body(), "{{ subject }}")
    assert [one["note"] for one in shown["versions"]] == ["ours"]
    assert shown["demanded"] == ["notice.paragraphs", "notice.url"]
    call = read(await run("show", "call", "--json"), "templates.show")
    assert any(one.startswith("bills (each: ask, author, bill,") for one in call["placeholders"])
    back = read(await run("restore", "notice", "0", "--json"), "templates.restore")
    assert back == {"template": "notice", "version": 2, "new": True}
    shown = read(await run("show", "notice", "--json"), "templates.show")
    assert (shown["own"], [one["note"] for one in shown["versions"]]) == (False, ["the project's own again", "ours"])
    assert "the project's own again" in (await run("show", "notice")).stdout


async def test_what_is_wrong_is_said_in_lines_and_nothing_is_saved(run: Run) -> None:
    refused = await run("save", "notice", "-", stdin=body("{{ frist_name }}"))
    assert refused.exit_code == 1
    assert 'unknown placeholder {{ frist_name }} in "notice", line 8; known: notice.button' in refused.stderr
    assert (await run("save", "newsletter", "-", stdin=body())).exit_code == 2
    assert (await run("show", "notice", "--version", "7")).exit_code == 2
    assert (await run("save", "notice", "absent.md")).exit_code == 2
    assert [one["version"] for one in read(await run("list", "--json"), "templates.list")] == [0, 0, 0, 0]


async def test_who_saves_over_an_older_version_is_told(run: Run) -> None:
    assert (await run("save", "notice", "-", "--over", "0", stdin=body())).exit_code == 0
    late = await run("save", "notice", "-", "--over", "0", stdin=body("other"))
    assert late.exit_code == 1
    assert "saved version 1" in late.stderr


async def test_a_mail_is_looked_at_as_it_would_be_and_nothing_is_sent(run: Run, settings: Settings) -> None:
    shown = read(await run("preview", "notice", "--file", "-", "--json", stdin=body()), "templates.preview")
    assert "WORDED" in shown["text"]
    assert "<p>WORDED</p>" in shown["html"]
    assert shown["subject"] == "Calls waiting for you"
    projects = await run("preview", "notice")
    assert projects.stdout.startswith("Subject: Calls waiting for you\n\n")
    assert "WORDED" not in projects.stdout
    assert await mails(settings) == []


async def test_a_trial_goes_to_staff_alone(run: Run, browser: httpx.AsyncClient, settings: Settings) -> None:
    nobody = await run("test-send", "notice", "--to", "who@else.example")
    assert (nobody.exit_code, await mails(settings)) == (1, [])
    ada = await signed_in(browser, settings, name="Ada Example")
    tried = read(await run("test-send", "notice", "--to", ada.staff.email.upper(), "--json"), "templates.test-send")
    (mail,) = await mails(settings)
    assert (mail["parts"][0]["address"], mail["parts"][0]["name"]) == (ada.staff.email, "Ada Example")
    assert re.fullmatch(r"[0-9a-f]{32}\.1", tried["id"])


async def test_a_campaign_that_is_none_is_said(run: Run) -> None:
    absent = await run("preview", "call", "--campaign", "absent")
    assert (absent.exit_code, "asks nobody" in absent.stderr) == (1, True)
    wrong = await run("preview", "notice", "--campaign", "absent")
    assert "tell of campaigns" in wrong.stderr


@pytest.mark.parametrize("role", ["manager", "viewer"])
async def test_who_may_not_write_for_all_is_let_into_no_page(
    browser: httpx.AsyncClient, settings: Settings, role: str
) -> None:
    visitor = await signed_in(browser, settings, role, ["north-bay"] if role == "manager" else [])
    for path in ("/templates", "/templates/notice", "/templates/notice/html", "/templates/notice/versions/1"):
        assert (await browser.get(path)).status_code == 403
    for path in ("/templates/notice", "/templates/notice/restore"):
        assert (await browser.post(path, data={**visitor.form, "do": "save", "version": "0"})).status_code == 403


async def test_on_the_page_it_is_looked_at_and_saved(browser: httpx.AsyncClient, settings: Settings) -> None:
    await signed_in(browser, settings, "state", name="Ada Example")
    assert "notices to staff" in (await browser.get("/templates")).text.casefold()
    page = await browser.get("/templates/notice")
    given = {"form_token": form_token_in(page.text), "subject": "{{ subject }}", "body": body(), "base": "0"}
    looked = await browser.post("/templates/notice", data={**given, "do": "look"})
    assert looked.status_code == 200
    assert "WORDED" in looked.text
    (frame,) = re.findall(r'<iframe[^>]* sandbox src="([^"]+)"', looked.text)
    html = await browser.get(unescape(frame))
    assert "<p>WORDED</p>" in html.text
    assert "sandbox" in html.headers["content-security-policy"]
    assert "script" not in html.headers["content-security-policy"]
    saved = await browser.post("/templates/notice", data={**given, "do": "save", "note": "ours"})
    assert saved.headers["location"] == "/templates/notice?done=saved"
    page = await browser.get("/templates/notice?done=saved")
    assert "Version 1 is in force for mail" in page.text
    assert "by Ada Example: ours" in page.text
    version = await browser.get("/templates/notice/versions/1")
    assert "<ins>+ WORDED</ins>" in version.text
    assert "WORDED" in (await browser.get("/templates/notice/html?version=1")).text


async def test_on_the_page_what_is_wrong_stands_above_what_was_written(
    browser: httpx.AsyncClient, settings: Settings
) -> None:
    visitor = await signed_in(browser, settings)
    wrong = body("{{ frist_name }} <b>&amp;</b>")
    for do in ("look", "test", "save"):
        page = await browser.post(
            "/templates/notice", data={**visitor.form, "subject": "{{ subject }}", "body": wrong, "do": do}
        )
        assert page.status_code == 422
        assert "unknown placeholder {{ frist_name }} in" in unescape(page.text)
        assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in page.text
    assert await mails(settings) == []


async def test_on_the_page_the_second_of_two_is_told_and_may_save_over_it(
    browser: httpx.AsyncClient, settings: Settings
) -> None:
    visitor = await signed_in(browser, settings, name="Ada Example")
    form = {**visitor.form, "subject": "{{ subject }}", "base": "0", "do": "save"}
    assert (await browser.post("/templates/notice", data={**form, "body": body("first")})).status_code == 303
    late = await browser.post("/templates/notice", data={**form, "body": body("second")})
    assert late.status_code == 409
    assert "Ada Example saved version 1" in late.text
    assert 'name="base" value="1"' in late.text


async def test_on_the_page_a_trial_goes_to_oneself(browser: httpx.AsyncClient, settings: Settings) -> None:
    ada = await signed_in(browser, settings)
    form = {**ada.form, "subject": "{{ subject }}", "body": body(), "do": "test", "to": "other@else.example"}
    page = await browser.post("/templates/notice", data=form)
    assert f"On its way to you at {ada.staff.email}" in page.text
    (mail,) = await mails(settings)
    assert mail["parts"][0]["address"] == ada.staff.email


async def test_on_the_page_one_goes_back(browser: httpx.AsyncClient, settings: Settings) -> None:
    visitor = await signed_in(browser, settings)
    form = {**visitor.form, "subject": "{{ subject }}", "do": "save"}
    for word in ("first", "second"):
        await browser.post("/templates/notice", data={**form, "body": body(word)})
    back = await browser.post("/templates/notice/restore", data={**visitor.form, "version": "1", "base": "2"})
    assert back.status_code == 303
    assert "first" in (await browser.get("/templates/notice")).text
    late = await browser.post("/templates/notice/restore", data={**visitor.form, "version": "0", "base": "2"})
    assert late.status_code == 409
    absent = await browser.post("/templates/notice/restore", data={**visitor.form, "version": "9"})
    assert absent.status_code == 404


@pytest.mark.parametrize(
    "path", ["absent", "absent/html", "notice/versions/9", "notice/versions/-1", "notice/html?version=9"]
)
async def test_what_is_not_there_is_404(browser: httpx.AsyncClient, settings: Settings, path: str) -> None:
    await signed_in(browser, settings)
    assert (await browser.get(f"/templates/{path}")).status_code == 404
    assert (await browser.get("/templates/notice/html?tried=99")).status_code == 404
