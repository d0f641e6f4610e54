"""The pages behind the unsubscribe links."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from clarion.runtime.clock import system_clock
from clarion.runtime.staff.audit import Actor, record
from clarion.runtime.web import pages, problems
from clarion.services.notifications.web import preferences_router
from tests.services.notifications.conftest import House, batch, mailbox_of, official, recipient

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
async def browser(house: House) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    pages.install(app)
    problems.install(app)
    app.include_router(preferences_router(house.database, house.links, system_clock, "https://clarion.example"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://clarion.example") as client:
        yield client


def path(house: House, number: int = 1, subscription: str = "calls") -> str:
    return f"/u/{house.links.sign('unsubscribe', [mailbox_of(number), subscription])}"


async def left(house: House) -> list[Any]:
    return [(row["mailbox"], row["subscription"]) for row in await house.rows("SELECT * FROM unsubscribed")]


async def test_looking_at_the_page_changes_nothing(house: House, browser: httpx.AsyncClient) -> None:
    await house.call([1])
    before = await house.rows()
    page = await browser.get(path(house))
    assert page.status_code == 200
    assert "Calls for action" in page.text
    assert (await browser.head(path(house))).status_code in {200, 405}
    assert await left(house) == []
    assert await house.rows() == before


@pytest.mark.parametrize("form", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}])
async def test_one_click_leaves_that_subscription_at_once_for_queued_mail_too(
    house: House, browser: httpx.AsyncClient, form: Any
) -> None:
    await house.call([1, 2])
    await house.ask(batch([1], matter="news:1", subscription="newsletter", lane="bulk"))
    answer = await browser.post(path(house), **form)
    assert answer.status_code == 200
    assert await left(house) == [(mailbox_of(1), "calls")]
    states = {(row["officials"][0], row["subscription"]): row["state"] for row in await house.rows()}
    assert states == {("o1", "calls"): "unneeded", ("o2", "calls"): "queued", ("o1", "newsletter"): "queued"}
    assert [one["reason"] for one in await house.delivered()] == ["unsubscribed"]
    assert (await browser.post(path(house), data=ONE_CLICK)).status_code == 200


async def test_a_post_that_is_no_one_click_changes_nothing(house: House, browser: httpx.AsyncClient) -> None:
    assert (await browser.post(path(house))).status_code == 400
    assert await left(house) == []


@pytest.mark.parametrize("purpose", ["preferences-form", "act"])
async def test_a_link_for_another_purpose_is_not_taken(house: House, browser: httpx.AsyncClient, purpose: str) -> None:
    token = house.links.sign(purpose, [mailbox_of(1), "calls"])
    for answer in (await browser.get(f"/u/{token}"), await browser.post(f"/u/{token}", data=ONE_CLICK)):
        assert answer.status_code == 404
    assert await left(house) == []


def form_token(page: httpx.Response) -> str:
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert token
    return token[1]


def form_of(page: httpx.Response, wish: str = "leave", *lists: str) -> dict[str, Any]:
    assert f'value="{wish}"' in page.text
    return {"form_token": form_token(page), "wish": wish, "subscription": list(lists)}


def undo_of(page: httpx.Response) -> dict[str, Any]:
    """The form that takes back what was just done."""
    card = page.text.split('role="status"')[1].split("</div>")[0]
    wish = re.search(r'name="wish" value="([^"]+)"', card)
    assert wish
    lists = re.findall(r'name="subscription" value="([^"]+)"', card)
    return {"form_token": form_token(page), "wish": wish[1], "subscription": lists}


async def send(house: House, browser: httpx.AsyncClient, form: dict[str, Any], number: int = 1) -> httpx.Response:
    return await browser.post(f"{path(house, number)}/preferences", data=form)


async def test_the_page_leaves_and_comes_back(house: House, browser: httpx.AsyncClient) -> None:
    page = await send(house, browser, form_of(await browser.get(path(house))))
    assert "This address left calls for action" in page.text
    assert await left(house) == [(mailbox_of(1), "calls")]
    page = await send(house, browser, form_of(page, "return", "calls"))
    assert "gets mail again: calls for action" in page.text
    assert await left(house) == []


async def test_the_page_names_every_list_with_what_it_is(house: House, browser: httpx.AsyncClient) -> None:
    await house.know(official(1))
    await house.ask(batch([1], matter="talk:1", subscription="list:city-clerks", lane="bulk"))
    page = (await browser.get(path(house))).text
    for words in ("Calls for action", "hearings digest", "ebinars and events", "newsletter", "magazine", "city-clerks"):
        assert words in page, words
    assert page.count("This address gets it.") == 6
    await send(house, browser, form_of(await browser.get(path(house)), "leave", "list:city-clerks", "digest"))
    assert await left(house) == [(mailbox_of(1), "digest"), (mailbox_of(1), "list:city-clerks")]
    assert await house.states() == {"unneeded": 1}
    assert (await browser.get(path(house))).text.count("This address gets it.") == 4


async def test_every_change_can_be_undone(house: House, browser: httpx.AsyncClient) -> None:
    page = await browser.get(path(house))
    await send(house, browser, form_of(page, "leave", "digest"))
    page = await send(house, browser, form_of(page, "leave-all"))
    assert len(await left(house)) == 5
    page = await send(house, browser, undo_of(page))
    assert await left(house) == [(mailbox_of(1), "digest")], "what was left before stays so"
    page = await send(house, browser, undo_of(page))
    assert len(await left(house)) == 5


async def test_joining_again_does_not_send_what_ended(house: House, browser: httpx.AsyncClient) -> None:
    await house.call([1])
    page = await send(house, browser, form_of(await browser.get(path(house)), "leave", "calls"))
    await send(house, browser, undo_of(page))
    assert await house.states() == {"unneeded": 1}


@pytest.mark.parametrize("form", [{"wish": "leave", "subscription": ["stranger"]}, {"wish": "win"}])
async def test_what_is_not_on_the_page_cannot_be_chosen(house: House, browser: httpx.AsyncClient, form: Any) -> None:
    token = form_token(await browser.get(path(house)))
    assert (await send(house, browser, {"form_token": token, **form})).status_code == 422
    assert await left(house) == []


async def test_a_mailbox_of_several_names_whom_its_mail_named_and_nobody_else(
    house: House, browser: httpx.AsyncClient
) -> None:
    shared = {"mailbox": mailbox_of(1)}
    await house.know(official(1), official(2, **shared), official(3, **shared), official(4, **shared))
    await house.ask(batch([], recipients=[recipient(1, officials=["o1", "o2", "o4"])]))
    assert "Ada Nr1" not in (await browser.get(path(house))).text, "nobody was written to yet"
    await house.pretend("claimed", "sending", "sent")
    await house.know(official(4, revision=2, active=False, **shared))
    page = (await browser.get(path(house))).text
    assert "for Ada Nr1, Ada Nr2. What is chosen here holds for the address" in page
    assert "Ada Nr3" not in page
    assert "Ada Nr4" not in page


async def test_who_is_not_the_right_person_gets_to_the_page_for_that(house: House, browser: httpx.AsyncClient) -> None:
    found = re.search(r'href="/me/([^"]+)"', (await browser.get(path(house))).text)
    assert found
    assert house.links.read("person", found[1]) == {"mailbox": mailbox_of(1)}


async def test_what_is_kept_is_told_to_the_mailbox_alone_and_once_an_hour(
    house: House, browser: httpx.AsyncClient, mail_catcher: Any, parse: Any, until: Any
) -> None:
    await house.know(official(1))
    page = await send(house, browser, form_of(await browser.get(path(house)), "export"))
    assert "A mail goes to this address" in page.text
    assert "/kept/" not in page.text
    page = await send(house, browser, form_of(page, "export"))
    assert "No mail was sent" in page.text
    async with house.sending():
        await until(lambda: mail_catcher.store.count() == 1)
    [mail] = [parse(mail_catcher.store.get(one.id).content) for one in mail_catcher.store.list()]
    assert mail["To"] == "Ada Nr1 <o1@city.example>"
    assert mail["List-Unsubscribe"] is None
    token = re.search(r"https://clarion.example/kept/(\S+)", mail.get_body(("plain",)).get_content())
    assert token
    assert house.links.read("export", token[1]) == {"mailbox": mailbox_of(1)}


async def test_an_export_of_a_mailbox_that_nobody_reads_goes_nowhere(house: House, browser: httpx.AsyncClient) -> None:
    page = await send(house, browser, form_of(await browser.get(path(house)), "export"))
    assert "No mail was sent" in page.text
    assert await house.states() == {}


async def test_staff_are_told_who_wants_to_be_erased_until_it_is_taken_back(
    house: House, browser: httpx.AsyncClient
) -> None:
    page = await send(house, browser, form_of(await browser.get(path(house)), "erasure"))
    assert [row["wish"] for row in await house.rows("SELECT * FROM wishes")] == ["erasure"]
    await send(house, browser, undo_of(page))
    assert await house.rows("SELECT * FROM wishes") == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [("erased", "was erased on"), ("hard-bounce", "came back"), ("complaint", "as spam"), ("hand", "Nothing is sent")],
)
async def test_why_nothing_is_sent_to_an_address_is_said_on_its_page(
    house: House, browser: httpx.AsyncClient, kind: str, words: str
) -> None:
    await house.execute("INSERT INTO suppressions VALUES ($1, 'x', now(), $2)", mailbox_of(1), kind)
    page = (await browser.get(path(house))).text
    assert words in page
    assert "association to let" in " ".join(page.split())


async def test_the_form_of_another_link_is_refused(house: House, browser: httpx.AsyncClient) -> None:
    other = form_of(await browser.get(path(house, 2)))
    assert (await browser.post(f"{path(house)}/preferences", data=other)).status_code == 403
    forged = {**other, "form_token": "x"}
    assert (await browser.post(f"{path(house)}/preferences", data=forged)).status_code == 403
    assert await left(house) == []


async def test_what_was_done_about_the_address_is_told_to_its_readers_without_naming_staff(
    house: House, browser: httpx.AsyncClient
) -> None:
    async with house.database.transaction() as tx:
        staff = Actor("staff", "s1", "Sam Sample", "192.0.2.7")
        for number in (1, 2):
            box = mailbox_of(number)
            await record(tx.connection, staff, f"list.act-{number}", f"mailbox:{box}", at=system_clock(), mailbox=box)
    page = await send(house, browser, form_of(await browser.get(path(house))))
    assert "Staff list.act-1" in page.text
    assert "A reader left subscriptions" in page.text
    assert "list.act-2" not in page.text
    assert "Sam Sample" not in page.text
