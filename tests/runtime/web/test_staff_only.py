"""Pages for staff alone: who is let in, what they may, and which forms count."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated

import httpx
import pytest
import pytest_asyncio
from fastapi import Depends, FastAPI

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.staff.rights import Act
from clarion.runtime.staff.sessions import IDLE, LONGEST
from clarion.runtime.web import pages, problems
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.staff import StaffOnly, Visit
from tests.conftest import TEMPLATE, cloned
from tests.staff import forget_everybody, form_token_in, sign_in_as, signed_in, somebody

HTML = {"accept": "text/html"}
PUBLIC = "https://calls.cities.example"


class Clock:
    def __init__(self) -> None:
        self.now = system_clock()

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def campaigns(postgres_url: str) -> AsyncIterator[Database]:
    """A service that keeps no accounts: any service can ask who visits."""
    async with cloned(postgres_url, TEMPLATE) as url:
        opened = await Database.connect(url, "campaigns", max_size=3)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def database(campaigns: Database) -> Database:
    await forget_everybody(campaigns.url)
    return campaigns


@pytest_asyncio.fixture(loop_scope="module")
async def site(database: Database, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    staff_only = StaffOnly(database.connection, Settings(_env_file=None, public_url=PUBLIC), clock)
    app = FastAPI()
    problems.install(app)
    pages.install(app)
    rendered = Pages()

    @app.get("/waves")
    async def show(visit: Annotated[Visit, Depends(staff_only.may(Act.APPROVE_WAVE))]) -> object:
        return rendered.render("staff.html", visit=visit)

    @app.post("/waves/{division}")
    async def approve(division: str, visit: Annotated[Visit, Depends(staff_only.may(Act.APPROVE_WAVE))]) -> str:
        visit.allow(Act.APPROVE_WAVE, division)
        return f"{visit.actor.name} from {visit.actor.place}"

    @app.post("/staff")
    async def add(visit: Annotated[Visit, Depends(staff_only.may(Act.MANAGE_STAFF))]) -> str:
        return visit.staff.id

    transport = httpx.ASGITransport(app, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC, headers=HTML) as client:
        yield client


async def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(site: httpx.AsyncClient) -> None:
    answer = await site.get("/waves?state=open&x=%2F%2Fevil.example")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fwaves%3Fstate%3Dopen%26x%3D%252F%252Fevil.example"
    posted = await site.post("/waves/peninsula")
    assert (posted.status_code, posted.headers["location"]) == (303, "/sign-in?ended=1")
    machine = await site.get("/waves", headers={"accept": "application/json"})
    assert machine.status_code == 401
    assert machine.headers["content-type"] == "application/problem+json"


async def test_a_manager_acts_in_own_divisions_and_as_deputy_and_nowhere_else(
    site: httpx.AsyncClient, database: Database
) -> None:
    me = await signed_in(site, database, "manager", ["peninsula"], ["east-bay"], name="Robin Fictional")
    for division in ("peninsula", "east-bay"):
        answer = await site.post(f"/waves/{division}", data=me.form)
        assert (answer.status_code, answer.json()) == (200, "Robin Fictional from 203.0.113.9")
    refused = await site.post("/waves/redwood-empire", data=me.form)
    assert refused.status_code == 403
    assert "own divisions (east-bay, peninsula), not in redwood-empire" in refused.text
    assert (await site.post("/staff", data=me.form)).status_code == 403


async def test_a_page_offers_the_places_that_one_may_go_to(site: httpx.AsyncClient, database: Database) -> None:
    await signed_in(site, database, "manager", ["peninsula"])
    page = await site.get("/waves")
    assert page.status_code == 200
    assert 'href="/directory"' in page.text
    assert 'href="/staff"' not in page.text
    assert 'href="/keys"' not in page.text


async def test_a_form_counts_only_with_the_token_of_its_own_session(
    site: httpx.AsyncClient, database: Database
) -> None:
    other = await signed_in(site, database)
    own = await signed_in(site, database)
    for form in ({}, {"form_token": ""}, {"form_token": "x"}, {"form_token": "\x00é"}, other.form):
        answer = await site.post("/waves/peninsula", data=form)
        assert answer.status_code == 403, form
        assert "not from this session" in answer.text
    shown = form_token_in((await site.get("/waves")).text)
    assert (await site.post("/waves/peninsula", data={"form_token": shown})).status_code == 200
    header = {"x-form-token": own.form["form_token"]}
    assert (await site.post("/waves/peninsula", headers=header)).status_code == 200
    upload = await site.post("/waves/peninsula", data=own.form, files={"file": ("a.csv", b"a,b")})
    assert upload.status_code == 200


async def test_a_role_that_is_taken_away_is_gone_at_the_next_request(
    site: httpx.AsyncClient, database: Database
) -> None:
    staff = somebody("manager", ["peninsula"])
    me = await sign_in_as(site, database, staff)
    assert (await site.post("/waves/peninsula", data=me.form)).status_code == 200
    changed = somebody("manager", ["east-bay"])
    await keep(database, staff.id, changed.divisions)
    assert (await site.post("/waves/peninsula", data=me.form)).status_code == 403
    assert (await site.post("/waves/east-bay", data=me.form)).status_code == 200


async def keep(database: Database, staff_id: str, divisions: frozenset[str]) -> None:
    """Give somebody other divisions, as an administrator does meanwhile."""
    opened = await Database.connect(database.url, "directory", max_size=1)
    async with opened.transaction() as tx:
        await tx.connection.execute("DELETE FROM clarion.staff_divisions WHERE staff_id = $1", staff_id)
        await tx.connection.executemany(
            "INSERT INTO clarion.staff_divisions VALUES ($1, $2, 'manager')", [(staff_id, one) for one in divisions]
        )
    await opened.close()


async def test_an_account_that_is_removed_is_out_at_the_next_request(
    site: httpx.AsyncClient, database: Database
) -> None:
    me = await signed_in(site, database)
    assert (await site.get("/waves")).status_code == 200
    opened = await Database.connect(database.url, "directory", max_size=1)
    async with opened.transaction() as tx:
        await tx.connection.execute("UPDATE clarion.staff SET removed_at = now() WHERE id = $1", me.staff.id)
    await opened.close()
    assert (await site.get("/waves")).status_code == 303
    assert (await site.post("/waves/peninsula", data=me.form)).headers["location"] == "/sign-in?ended=1"


async def test_a_session_ends_when_it_is_idle_and_at_last_whatever_is_done(
    site: httpx.AsyncClient, database: Database, clock: Clock
) -> None:
    began = clock.now
    await signed_in(site, database, now=began)
    clock.now = began + IDLE - timedelta(seconds=1)
    assert (await site.get("/waves")).status_code == 200
    while clock.now < began + LONGEST - IDLE:
        clock.now += IDLE - timedelta(minutes=2)
        assert (await site.get("/waves")).status_code == 200
    clock.now = began + LONGEST
    assert (await site.get("/waves")).status_code == 303
    await signed_in(site, database, now=clock.now)
    clock.now += IDLE
    assert (await site.get("/waves")).status_code == 303


async def test_what_is_no_token_of_ours_opens_nothing(site: httpx.AsyncClient, database: Database) -> None:
    await signed_in(site, database)
    for token in ("x", "x" * 5_000, "%00", "' OR 1=1 --"):
        site.cookies.set("__Host-clarion_session", token)
        assert (await site.get("/waves")).status_code == 303, token
    odd = await site.get("/waves", headers=[(b"cookie", b"__Host-clarion_session=\xff\xfe")])
    assert odd.status_code == 303


async def test_a_services_role_can_neither_make_a_session_nor_change_the_record(database: Database) -> None:
    refused = "permission denied"
    async with database.connection() as connection:
        for statement in (
            "UPDATE clarion.sessions SET staff_id = 'x'",
            "UPDATE clarion.staff SET role = 'admin'",
            "INSERT INTO clarion.staff VALUES ('a', 'a', 'a', 'admin', now())",
            "UPDATE clarion.audit SET act = 'x'",
            "DELETE FROM clarion.audit",
            "SELECT * FROM clarion.sign_ins",
        ):
            with pytest.raises(Exception, match=refused):
                await connection.execute(statement)
