"""Signing in by a link in a mail: once, in the browser that asked, and never by a mail scanner."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime

import pytest
import pytest_asyncio

from clarion.runtime.database import Database
from clarion.runtime.staff.accounts import remove_account, save_account
from clarion.runtime.staff.rights import Staff
from clarion.services.directory.staff import sign_ins
from clarion.services.directory.staff.sign_ins import GOOD_FOR, OF_ONE_ADDRESS, OF_ONE_CLIENT, WINDOW
from clarion.services.directory.staff.upkeep import purges
from tests.conftest import TEMPLATE, cloned
from tests.services.directory.sign_in_house import (
    ANSWER_SECONDS,
    BROWSER,
    PUBLIC,
    SESSION,
    Clock,
    House,
    ask,
    press,
)
from tests.staff import forget_everybody, form_token_in, sign_in_as, signed_in, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def directory(postgres_url: str) -> AsyncIterator[Database]:
    async with cloned(postgres_url, TEMPLATE) as url:
        opened = await Database.connect(url, "directory", max_size=6)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def house(directory: Database) -> House:
    await forget_everybody(directory.url)
    return House(directory, Clock())


@pytest_asyncio.fixture(loop_scope="module")
async def sam(house: House) -> Staff:
    staff = somebody("manager", ["peninsula"])
    async with house.database.transaction() as tx:
        await save_account(tx.connection, staff, house.clock.now)
    return staff


async def test_a_link_signs_in_the_browser_that_asked_for_it_and_goes_on(house: House, sam: Staff) -> None:
    async with house.browser() as browser:
        asked = await ask(browser, sam.email.upper(), "/directory?q=a&b=c")
        assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in/asked")
        [mail] = await house.mailed()
        assert (mail["template"], mail["lane"], mail["subscription"]) == ("sign-in", "sign-in", None)
        assert mail["recipients"][0]["address"] == sam.email
        assert mail["content"]["asked_from"] == "Firefox on Linux, at 203.0.113.9"
        assert datetime.fromisoformat(mail["not_after"]) == house.clock.now + GOOD_FOR
        entered = await press(browser, await house.newest_link())
        assert (entered.status_code, entered.headers["location"]) == (303, "/directory?q=a&b=c")
        me = await browser.get("/staff/me")
        assert sam.name in me.text
        assert "Firefox on Linux" in me.text
        assert f"{sam.name} signed in" in me.text
    assert await house.recorded() == [("session.begun", f"staff:{sam.id}", "203.0.113.9")]


async def test_the_cookie_is_for_this_host_alone_and_not_for_scripts_or_other_sites(house: House, sam: Staff) -> None:
    async with house.browser() as browser:
        await ask(browser, sam.email)
        entered = await press(browser, await house.newest_link())
    [cookie] = [one for one in entered.headers.get_list("set-cookie") if one.startswith(f"{SESSION}=")]
    said = {part.strip().casefold() for part in cookie.split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= said
    assert not any(part.startswith("domain") for part in said)
    async with house.database.connection() as connection:
        kept = await connection.fetchval("SELECT string_agg(s::text, '') FROM clarion.sessions AS s")
    assert cookie.split("=", 1)[1].split(";")[0] not in kept


async def test_a_link_is_good_once(house: House, sam: Staff) -> None:
    async with house.browser() as browser:
        await ask(browser, sam.email)
        link = await house.newest_link()
        page = await browser.get(link)
        form = {"form_token": form_token_in(page.text)}
        secret = browser.cookies[BROWSER]
        assert (await browser.post(link, data=form)).status_code == 303
        browser.cookies.set(BROWSER, secret, domain="calls.cities.example")
        again = await browser.post(link, data=form)
    assert again.status_code == 410
    assert "used already" in again.text
    assert SESSION not in again.headers.get("set-cookie", "")
    assert await house.sessions() == 1


async def test_of_two_who_use_it_at_once_one_is_signed_in(house: House, sam: Staff) -> None:
    async with house.browser() as browser:
        await ask(browser, sam.email)
        link = await house.newest_link()
        form = {"form_token": form_token_in((await browser.get(link)).text)}
        cookies = {"cookie": f"{BROWSER}={browser.cookies[BROWSER]}"}
    async with house.browser() as one, house.browser() as other:
        answers = await asyncio.gather(
            *(each.post(link, data=form, headers=cookies) for each in (one, other, one, other))
        )
    assert sorted(answer.status_code for answer in answers) == [303, 410, 410, 410]
    assert await house.sessions() == 1


async def test_a_mail_scanner_that_follows_it_does_not_use_it_up(house: House, sam: Staff) -> None:
    async with house.browser() as browser:
        await ask(browser, sam.email)
        link = await house.newest_link()
        async with house.browser("198.51.100.4") as scanner:
            for _ in range(3):
                looked = await scanner.get(link)
                assert looked.status_code == 403
                assert (await scanner.head(link)).status_code < 500
                assert (await scanner.options(link)).status_code < 500
                pressed = await scanner.post(link, data={"form_token": "x"})
                assert pressed.status_code == 403
                assert SESSION not in scanner.cookies
        for _ in range(3):
            assert (await browser.get(link)).status_code == 200
        assert await house.sessions() == 0
        assert (await press(browser, link)).status_code == 303


async def test_opened_in_another_browser_it_says_what_to_do_and_stays_good(house: House, sam: Staff) -> None:
    async with house.browser() as asked, house.browser() as other:
        await ask(asked, sam.email)
        link = await house.newest_link()
        await other.get("/sign-in")
        page = await other.get(link)
        assert page.status_code == 403
        assert "only in the browser in which you asked for it" in page.text
        assert "not used up" in page.text
        own_token = form_token_in((await other.get("/sign-in")).text)
        pressed = await other.post(link, data={"form_token": own_token})
        assert pressed.status_code == 403
        assert SESSION not in other.cookies
        assert (await press(asked, link)).status_code == 303


async def test_after_its_time_it_is_over(house: House, sam: Staff) -> None:
    async with house.browser() as browser:
        await ask(browser, sam.email)
        link = await house.newest_link()
        page = await browser.get(link)
        house.clock.now += GOOD_FOR
        assert (await browser.get(link)).status_code == 410
        late = await browser.post(link, data={"form_token": form_token_in(page.text)})
    assert late.status_code == 410
    assert "no longer good" in late.text
    assert await house.sessions() == 0


async def test_the_newest_link_of_a_browser_counts_and_nobody_elses_asking_ends_it(house: House, sam: Staff) -> None:
    async with house.browser() as browser, house.browser() as stranger:
        await ask(browser, sam.email)
        first = await house.newest_link()
        await ask(browser, sam.email)
        second = await house.newest_link()
        await ask(stranger, sam.email)
        assert (await browser.get(first)).status_code == 410
        assert (await press(browser, second)).status_code == 303


async def test_known_and_unknown_addresses_get_the_same_answer_in_the_same_time(house: House, sam: Staff) -> None:
    removed = somebody("admin")
    async with house.database.transaction() as tx:
        await save_account(tx.connection, removed, house.clock.now)
        await remove_account(tx.connection, removed.id, house.clock.now)
    answers, took = [], []
    async with house.browser() as browser:
        for email in (sam.email, "nobody@cities.example", removed.email):
            page = await browser.get("/sign-in")
            began = time.monotonic()
            answer = await browser.post(
                "/sign-in", data={"email": email, "next": "", "form_token": form_token_in(page.text)}
            )
            took.append(time.monotonic() - began)
            answers.append((answer.status_code, answer.headers["location"], answer.text))
    assert len(set(answers)) == 1
    assert all(seconds >= ANSWER_SECONDS for seconds in took)
    assert [mail["recipients"][0]["address"] for mail in await house.mailed()] == [sam.email]


async def test_links_are_asked_for_so_often_and_no_more_whether_the_address_is_known_or_not(
    house: House, sam: Staff
) -> None:
    for email in (sam.email, "nobody@cities.example"):
        async with house.browser("198.51.100.4" if email == sam.email else "198.51.100.5") as browser:
            for _ in range(OF_ONE_ADDRESS):
                assert (await ask(browser, email)).status_code == 303
            refused = await ask(browser, email)
            assert refused.status_code == 429
            assert "too often" in refused.text
    assert len(await house.mailed()) == OF_ONE_ADDRESS
    house.clock.now += WINDOW
    async with house.browser() as browser:
        assert (await ask(browser, sam.email)).status_code == 303


async def test_one_client_cannot_ask_for_everybody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_ins, "OF_ONE_CLIENT", 3)
    assert OF_ONE_CLIENT > OF_ONE_ADDRESS
    async with house.browser("2001:db8::1") as one, house.browser("2001:db8::2") as neighbour:
        for number in range(3):
            assert (await ask(one, f"p{number}@cities.example")).status_code == 303
        assert (await ask(neighbour, "p4@cities.example")).status_code == 429
    async with house.browser("2001:db8:0:1::1") as other:
        assert (await ask(other, "p5@cities.example")).status_code == 303


async def test_a_form_without_the_token_of_its_browser_asks_for_nothing(house: House, sam: Staff) -> None:
    async with house.browser() as browser, house.browser() as other:
        strange = form_token_in((await other.get("/sign-in")).text)
        assert (await browser.post("/sign-in", data={"email": sam.email})).status_code == 403
        await browser.get("/sign-in")
        for token in ("", "x", strange):
            assert (await browser.post("/sign-in", data={"email": sam.email, "form_token": token})).status_code == 403
    assert await house.mailed() == []


async def test_what_is_no_address_is_said_so(house: House) -> None:
    async with house.browser() as browser:
        for email in ("", "nobody", "a@b@c", "a\x00@cities.example", "a\r\nbcc: x@cities.example", "x" * 300):
            assert (await ask(browser, email)).status_code == 422, email
    assert await house.mailed() == []


async def test_the_link_leads_to_the_public_address_whatever_host_was_asked(house: House, sam: Staff) -> None:
    async with house.browser(base="https://evil.example") as browser:
        await ask(browser, sam.email)
    [mail] = await house.mailed()
    assert mail["content"]["url"].startswith(f"{PUBLIC}/sign-in/")
    assert mail["content"]["site"] == "calls.cities.example"


@pytest.mark.parametrize(
    "going",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/%0d%0aset-cookie:x"],
)
async def test_after_signing_in_one_goes_to_own_pages_alone(house: House, sam: Staff, going: str) -> None:
    async with house.browser() as browser:
        page = await browser.get("/sign-in")
        form = {"email": sam.email, "next": going, "form_token": form_token_in(page.text)}
        assert (await browser.post("/sign-in", data=form)).status_code == 303
        entered = await press(browser, await house.newest_link())
    assert entered.headers["location"] in ("/campaigns", "/%0d%0aset-cookie:x")
    assert "evil" not in str(entered.headers)


async def test_a_session_that_was_put_into_a_browser_is_not_the_one_that_is_signed_in(house: House, sam: Staff) -> None:
    async with house.browser() as browser, house.browser() as attacker:
        await signed_in(attacker, house.database, "viewer")
        planted = attacker.cookies[SESSION]
        await ask(browser, sam.email)
        browser.cookies.set(SESSION, planted, domain="calls.cities.example")
        await press(browser, await house.newest_link())
        assert browser.cookies.get(SESSION, domain="calls.cities.example") != planted
        assert sam.email in (await browser.get("/staff/me")).text
        assert (await attacker.get("/staff/me")).status_code == 303


async def test_an_account_that_was_removed_meanwhile_does_not_come_in(house: House, sam: Staff) -> None:
    async with house.browser() as browser:
        await ask(browser, sam.email)
        link = await house.newest_link()
        form = {"form_token": form_token_in((await browser.get(link)).text)}
        async with house.database.transaction() as tx:
            await remove_account(tx.connection, sam.id, house.clock.now)
        assert (await browser.post(link, data=form)).status_code == 410
    assert await house.sessions() == 0


async def test_what_is_no_link_of_ours_is_said_so(house: House) -> None:
    async with house.browser() as browser:
        await browser.get("/sign-in")
        for token in ("x", "x" * 2_000, "%00", "é", "..%2f..%2fetc"):
            assert (await browser.get(f"/sign-in/{token}")).status_code == 404, token


async def test_who_is_signed_in_need_not_sign_in_again(house: House, sam: Staff) -> None:
    async with house.browser() as browser:
        await sign_in_as(browser, house.database, sam)
        answer = await browser.get("/sign-in?next=/directory")
        assert (answer.status_code, answer.headers["location"]) == (303, "/directory")
        stray = await browser.get("/sign-in?next=//evil.example")
        assert stray.headers["location"] == "/campaigns"


async def test_signing_out_ends_the_session_here_there_or_everywhere(house: House, sam: Staff) -> None:
    async with house.browser() as desk, house.browser() as phone, house.browser() as tablet:
        here = await sign_in_as(desk, house.database, sam)
        there = await sign_in_as(phone, house.database, sam)
        await sign_in_as(tablet, house.database, sam)
        ended = await desk.post(f"/staff/me/sessions/{there.session_id}/end", data=here.form)
        assert ended.headers["location"] == "/staff/me?done=ended"
        assert (await phone.get("/staff/me")).status_code == 303
        everywhere = await desk.post("/staff/me/sign-out-everywhere", data=here.form)
        assert everywhere.headers["location"].startswith("/sign-in")
        assert (await tablet.get("/staff/me")).status_code == 303
        again = await sign_in_as(desk, house.database, sam)
        out = await desk.post("/sign-out", data=again.form)
        assert f'{SESSION}=""' in out.headers["set-cookie"]
        desk.cookies.set(SESSION, again.token)
        assert (await desk.get("/staff/me")).status_code == 303
    assert [act for act, _, _ in await house.recorded()] == ["session.ended", "sessions.ended", "session.ended"]


async def test_nobody_ends_anothers_session(house: House, sam: Staff) -> None:
    async with house.browser() as own, house.browser() as other:
        mine = await sign_in_as(own, house.database, sam)
        theirs = await signed_in(other, house.database)
        refused = await own.post(f"/staff/me/sessions/{theirs.session_id}/end", data=mine.form)
        assert refused.status_code == 404
        assert (await own.post("/sign-out", data=theirs.form)).status_code == 403
        assert (await own.post("/sign-out")).status_code == 403
        assert (await other.get("/staff/me")).status_code == 200
        assert (await own.get("/staff/me")).status_code == 200


async def test_what_is_over_is_removed_after_a_day(house: House, sam: Staff) -> None:
    async with house.browser() as browser:
        await ask(browser, sam.email)
        await press(browser, await house.newest_link())
    async with house.database.transaction() as tx:
        assert [await job.step(tx) for job in purges()] == [0, 0, 0]
        await tx.connection.execute("UPDATE clarion.sessions SET seen_at = seen_at - interval '3 days'")
        await tx.connection.execute("UPDATE clarion.sign_ins SET ends_at = ends_at - interval '3 days'")
        await tx.connection.execute("UPDATE clarion.sign_in_counts SET since = since - interval '3 days'")
        assert [await job.step(tx) for job in purges()] == [1, 1, 2]
