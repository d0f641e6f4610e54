"""The pages behind the unsubscribe links."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from clarion.runtime.clock import system_clock
from clarion.runtime.web import pages, problems
from clarion.services.notifications.web import preferences_router
from tests.services.notifications.conftest import House, batch, mailbox_of

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
async def browser(house: House) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    pages.install(app)
    problems.install(app)
    app.include_router(preferences_router(house.database, house.links, system_clock))
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
    assert "calls for action" in page.text
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


def form_of(page: httpx.Response) -> dict[str, str]:
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    wish = re.search(r'name="wish" value="([^"]+)"', page.text)
    assert token
    assert wish
    return {"form_token": token[1], "wish": wish[1]}


async def test_the_page_leaves_and_comes_back(house: House, browser: httpx.AsyncClient) -> None:
    page = await browser.get(path(house))
    page = await browser.post(f"{path(house)}/preferences", data=form_of(page))
    assert "gets no more mail" in page.text
    assert await left(house) == [(mailbox_of(1), "calls")]
    page = await browser.post(f"{path(house)}/preferences", data=form_of(page))
    assert "This address gets mail" in page.text
    assert await left(house) == []


async def test_the_form_of_another_link_is_refused(house: House, browser: httpx.AsyncClient) -> None:
    other = form_of(await browser.get(path(house, 2)))
    assert (await browser.post(f"{path(house)}/preferences", data=other)).status_code == 403
    forged = {**other, "form_token": "x"}
    assert (await browser.post(f"{path(house)}/preferences", data=forged)).status_code == 403
    assert await left(house) == []
