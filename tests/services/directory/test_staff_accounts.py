"""Accounts of staff: made, changed, removed and brought back, by command and on pages, and each time recorded."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import command_actor
from clarion.runtime.staff.rights import Role
from clarion.runtime.web import pages, problems
from clarion.runtime.web.staff import StaffOnly
from clarion.services.directory.staff.account_pages import AccountPages, accounts_router
from clarion.services.directory.staff.admission import Wish
from clarion.services.directory.staff.commands import staff as commands
from clarion.services.directory.staff.operations import (
    Hand,
    LastAdministrator,
    add_staff,
    change_staff,
    remove_staff,
)
from tests.conftest import TEMPLATE, cloned
from tests.staff import SignedIn, forget_everybody, sign_in_as, signed_in

PUBLIC = "http://127.0.0.1:8080"
KNOWN = ("east-bay", "peninsula")
ADD_DIVISION = """
INSERT INTO directory.entities (kind, id, revision, state, import_id, changed_at)
VALUES ('division', $1, 1, jsonb_build_object('name', initcap(replace($1, '-', ' '))), 'i', now())
"""
Run = Callable[..., Result]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def directory(postgres_url: str) -> AsyncIterator[Database]:
    """With two divisions."""
    async with cloned(postgres_url, TEMPLATE) as url:
        opened = await Database.connect(url, "directory", max_size=6)
        async with opened.transaction() as tx:
            await tx.connection.executemany(ADD_DIVISION, [(slug,) for slug in KNOWN])
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def database(directory: Database) -> Database:
    await forget_everybody(directory.url)
    return directory


@pytest_asyncio.fixture(loop_scope="module")
async def site(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    made = FastAPI()
    problems.install(made)
    pages.install(made)
    settings = Settings(_env_file=None, public_url=PUBLIC)
    staff_only = StaffOnly(database.connection, settings)
    made.include_router(accounts_router(AccountPages(database, settings, system_clock), staff_only))
    transport = httpx.ASGITransport(made, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC, headers={"accept": "text/html"}) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def run(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`clarion staff ...`; each call has an event loop of its own, so it runs in a thread."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", database.url)
    monkeypatch.setenv("CLARION_PUBLIC_URL", "https://calls.cities.example/")

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(commands, list(words))

    return invoke


async def called(run: Run, *words: str, code: int = 0) -> Result:
    result = await asyncio.to_thread(run, *words)
    assert result.exit_code == code, (result.stdout, result.stderr)
    return result


async def acts(database: Database) -> list[tuple[str, str, str, Any, list[str]]]:
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT * FROM clarion.audit ORDER BY id")
    return [(row["act"], row["actor_kind"], row["place"], row["details"], row["divisions"]) for row in rows]


async def test_the_first_administrator_is_made_by_command_and_the_record_says_who_did_it(
    database: Database, run: Run
) -> None:
    made = await called(run, "add", "Robin@Association.EXAMPLE", "--name", " Robin  Sample ", "--role", "admin")
    assert "sign in at https://calls.cities.example/sign-in" in made.stdout
    [listed] = json.loads((await called(run, "list", "--json")).stdout)
    shown = {name: listed[name] for name in ("email", "name", "role", "divisions", "deputy_in")}
    assert shown == {
        "email": "robin@association.example",
        "name": "Robin Sample",
        "role": "admin",
        "divisions": [],
        "deputy_in": [],
    }
    actor = command_actor()
    assert await acts(database) == [("staff.added", "command", actor.place, {"role": "admin", "again": False}, [])]
    assert "robin" not in str(await acts(database)).casefold()


async def test_a_command_says_what_is_wrong_and_what_there_is(database: Database, run: Run) -> None:
    await called(run, "add", "robin@association.example", "--name", "Robin", "--role", "admin")
    for words, said in [
        (["add", "x@y.example", "--name", "X", "--role", "king"], "there are admin, state, manager, viewer"),
        (["add", "x@y.example", "--name", "X", "--role", "manager"], "a manager needs a division"),
        (
            ["add", "x@y.example", "--name", "X", "--role", "manager", "--division", "peninsular"],
            "unknown division 'peninsular'; known: east-bay, peninsula",
        ),
        (["add", "x@y.example", "--name", "X", "--role", "viewer", "--division", "peninsula"], "for managers"),
        (["add", "nobody", "--name", "X", "--role", "viewer"], "no mail address"),
        (["add", "x@y.example", "--name", " ", "--role", "viewer"], "1 to 200 characters"),
        (["add", "ROBIN@association.example", "--name", "X", "--role", "viewer"], "has an account already"),
    ]:
        assert said in (await called(run, *words, code=2)).stderr, words
    assert "no account of x@y.example" in (await called(run, "remove", "x@y.example", code=1)).stderr
    last = await called(run, "remove", "robin@association.example", code=1)
    assert "last administrator" in last.stderr
    demoted = await called(run, "change", "robin@association.example", "--role", "viewer", code=1)
    assert "last administrator" in demoted.stderr
    assert len(await acts(database)) == 1


async def test_an_account_is_changed_removed_and_brought_back_by_command(database: Database, run: Run) -> None:
    await called(run, "add", "a@association.example", "--name", "A", "--role", "admin")
    await called(run, "add", "m@association.example", "--name", "M", "--role", "manager", "--division", "peninsula")
    await called(run, "change", "m@association.example", "--division", "east-bay", "--deputy-in", "peninsula")
    await called(run, "change", "m@association.example", "--role", "state", "--address", "n@association.example")
    await called(run, "change", "n@association.example", "--role", "state")
    await called(run, "remove", "n@association.example")
    assert len(json.loads((await called(run, "list", "--json")).stdout)) == 1
    [_, gone] = json.loads((await called(run, "list", "--removed", "--json")).stdout)
    assert gone["removed_at"]
    await called(run, "restore", "n@association.example")
    assert [(act, details, divisions) for act, _, _, details, divisions in await acts(database)][1:] == [
        ("staff.added", {"role": "manager", "again": False}, ["peninsula"]),
        (
            "staff.changed",
            {"divisions": ["peninsula", "east-bay"], "deputy_in": ["", "peninsula"]},
            ["east-bay", "peninsula"],
        ),
        (
            "staff.changed",
            {
                "role": ["manager", "state"],
                "divisions": ["east-bay", ""],
                "deputy_in": ["peninsula", ""],
                "email": ["", "another"],
            },
            ["east-bay", "peninsula"],
        ),
        ("staff.removed", {"sessions": 0}, []),
        ("staff.restored", {}, []),
    ]


async def test_somebody_hears_that_there_is_an_account_and_both_addresses_that_it_goes_by_another(
    database: Database, run: Run
) -> None:
    await called(run, "add", "a@association.example", "--name", "A", "--role", "admin")
    await called(run, "change", "a@association.example", "--name", "A B")
    await called(run, "change", "a@association.example", "--address", "b@association.example")
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT body FROM outbox WHERE topic = 'directory.notices.v1' ORDER BY id")
    mails = [json.loads(row["body"]) for row in rows]
    assert [(mail["recipients"][0]["address"], mail["content"]["subject"]) for mail in mails] == [
        ("a@association.example", "Your account at calls.cities.example"),
        ("a@association.example", "Your account at calls.cities.example has another address"),
        ("b@association.example", "Your account at calls.cities.example has another address"),
    ]
    assert {mail["content"]["url"] for mail in mails} == {"https://calls.cities.example/sign-in"}
    assert "b@association" not in mails[1]["content"]["paragraphs"][0]


async def test_of_two_administrators_who_are_taken_away_at_once_one_stays(database: Database) -> None:
    hand = Hand(command_actor(), system_clock())
    async with database.transaction() as tx:
        wishes = [Wish(f"{name}@association.example", name, "admin") for name in "ab"]
        first, second = [await add_staff(tx, hand, wish) for wish in wishes]

    async def remove(staff_id: str) -> bool:
        try:
            async with database.transaction() as tx:
                await remove_staff(tx, hand, staff_id)
        except LastAdministrator:
            return False
        return True

    async def demote(staff_id: str) -> bool:
        try:
            async with database.transaction() as tx:
                await change_staff(tx, hand, staff_id, Wish("b@association.example", "b", "viewer"))
        except LastAdministrator:
            return False
        return True

    assert sorted(await asyncio.gather(remove(first.id), demote(second.id))) == [False, True]


async def form_of(site: httpx.AsyncClient, me: SignedIn, **fields: str) -> dict[str, str]:
    return {"name": "Max Fictional", "email": "max@association.example", "role": "viewer"} | fields | me.form


async def test_staff_are_added_changed_removed_and_brought_back_on_pages(
    site: httpx.AsyncClient, database: Database
) -> None:
    me = await signed_in(site, database, "admin", name="Ada <i>Admin</i>")
    assert "Ada &lt;i&gt;Admin" in (await site.get("/staff")).text
    fields = await form_of(site, me, role="manager", **{"division-peninsula": "manager", "division-east-bay": "deputy"})
    added = await site.post("/staff", data=fields, follow_redirects=True)
    assert "Max Fictional has an account now." in added.text
    assert "manager of Peninsula; deputy in East Bay" in " ".join(added.text.split())
    who = str(added.url.params["who"])
    form = (await site.get(f"/staff/{who}")).text
    assert '<option value="deputy" selected>' in form
    changed_page = await site.post(f"/staff/{who}", data=await form_of(site, me), follow_redirects=True)
    assert "Max Fictional is changed." in changed_page.text
    removed = await site.post(f"/staff/{who}/remove", data=me.form, follow_redirects=True)
    assert "Max Fictional is removed, and signed out everywhere." in removed.text
    assert (await site.get(f"/staff/{who}")).status_code == 404
    back = await site.post(f"/staff/{who}/restore", data=me.form, follow_redirects=True)
    assert "Max Fictional is back." in back.text
    recorded = await acts(database)
    assert [(act, kind, place) for act, kind, place, _, _ in recorded] == [
        (f"staff.{what}", "staff", "203.0.113.9") for what in ("added", "changed", "removed", "restored")
    ]


async def test_who_is_removed_is_out_at_once_and_not_signed_in_again_by_the_undo(
    site: httpx.AsyncClient, database: Database
) -> None:
    me = await signed_in(site, database)
    other = await sign_in_as(site, database, (await signed_in(site, database)).staff)
    site.cookies.clear()
    site.cookies.set("clarion_session", me.token)
    await site.post(f"/staff/{other.staff.id}/remove", data=me.form)
    site.cookies.set("clarion_session", other.token)
    assert (await site.get("/staff")).status_code == 303
    site.cookies.set("clarion_session", me.token)
    await site.post(f"/staff/{other.staff.id}/restore", data=me.form)
    site.cookies.set("clarion_session", other.token)
    assert (await site.get("/staff")).status_code == 303


async def test_an_administrator_signs_somebody_out_everywhere(site: httpx.AsyncClient, database: Database) -> None:
    other = await signed_in(site, database, name="Lost Telephone")
    me = await signed_in(site, database)
    assert "In 1 browser now" in (await site.get(f"/staff/{other.staff.id}")).text
    done = await site.post(f"/staff/{other.staff.id}/sign-out", data=me.form, follow_redirects=True)
    assert "Lost Telephone is signed out everywhere." in done.text
    assert "browser now" not in (await site.get(f"/staff/{other.staff.id}")).text
    assert [(act, details) for act, _, _, details, _ in await acts(database)] == [("staff.signed-out", {"ended": 1})]
    site.cookies.set("clarion_session", other.token)
    assert (await site.get("/staff")).status_code == 303


async def test_a_form_that_cannot_be_is_shown_again_with_what_is_wrong_and_what_was_written(
    site: httpx.AsyncClient, database: Database
) -> None:
    me = await signed_in(site, database)
    wrong = await site.post("/staff", data=await form_of(site, me, name="", email="nobody", role="manager"))
    assert wrong.status_code == 422
    assert wrong.text.count('role="alert"') == 3
    assert 'value="nobody"' in wrong.text
    taken = await site.post("/staff", data=await form_of(site, me, email=me.staff.email))
    assert "has an account already" in taken.text
    own = await site.post(f"/staff/{me.staff.id}", data=await form_of(site, me, email=me.staff.email))
    assert own.status_code == 409
    assert "last administrator" in own.text
    assert (await site.post(f"/staff/{me.staff.id}/remove", data=me.form)).status_code == 409
    for path in ("/staff/nobody", "/staff/nobody/remove", "/staff/nobody/restore", "/staff/nobody/sign-out"):
        assert (await site.post(path, data=await form_of(site, me))).status_code == 404
    assert await acts(database) == []


@pytest.mark.parametrize("role", ["state", "manager", "viewer"])
async def test_nobody_but_an_administrator_sees_or_keeps_accounts(
    site: httpx.AsyncClient, database: Database, role: str
) -> None:
    me = await signed_in(site, database, role, ["peninsula"] if role == "manager" else [])
    for path in ("/staff", "/staff/new", f"/staff/{me.staff.id}"):
        assert (await site.get(path)).status_code == 403
    fields = await form_of(site, me, role="admin")
    paths = ("/staff", f"/staff/{me.staff.id}", f"/staff/{me.staff.id}/remove", f"/staff/{me.staff.id}/restore")
    for path in paths:
        assert (await site.post(path, data=fields)).status_code == 403
    assert await acts(database) == []


async def test_a_form_of_another_session_changes_nothing(site: httpx.AsyncClient, database: Database) -> None:
    other = await signed_in(site, database)
    me = await signed_in(site, database)
    for token in ({}, other.form):
        fields = await form_of(site, me) | {"form_token": ""} | token
        assert (await site.post("/staff", data=fields)).status_code == 403
        assert (await site.post(f"/staff/{other.staff.id}/remove", data=fields)).status_code == 403
    assert await acts(database) == []


async def test_who_was_removed_and_is_added_again_is_the_same_account_with_other_rights(database: Database) -> None:
    hand = Hand(command_actor(), system_clock())
    async with database.transaction() as tx:
        await add_staff(tx, hand, Wish("a@association.example", "A", "admin"))
        first = await add_staff(tx, hand, Wish("m@association.example", "M", "manager", ["peninsula"]))
        await remove_staff(tx, hand, first.id)
        again = await add_staff(tx, hand, Wish("M@association.example", "M N", "viewer"))
    assert (again.id, again.name, again.role, again.divisions) == (first.id, "M N", Role.VIEWER, frozenset())
