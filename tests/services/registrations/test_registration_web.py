"""The API and the public pages."""

import html
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from clarion.runtime.web import pages, problems
from clarion.runtime.web.keys import create_key
from clarion.runtime.web.links import SignedLinks
from clarion.services.registrations.web import build_router
from tests.services.registrations.conftest import Registrations, make_webinar

PAGE = "/webinars/packaging-law"
API = "/api/v1/webinars"


@pytest.fixture
async def site(registrations: Registrations) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(openapi_url="/api/openapi.json")
    problems.install(app)
    pages.install(app)
    links = SignedLinks(["test-secret-key-of-some-length"], registrations.clock)
    app.include_router(build_router(registrations.database, registrations.desk, links))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://clarion.example") as client:
        yield client


def form_token(page: httpx.Response) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert found
    return html.unescape(found[1])


async def fill_in(site: httpx.AsyncClient, **fields: str) -> httpx.Response:
    token = form_token(await site.get(PAGE))
    filled = {"form_token": token, "name": "Ada Fictional", "email": "ada@city.example", "answer-city": "Pleasantville"}
    return await site.post(PAGE, data=filled | fields)


async def key(registrations: Registrations, scope: str = "registrations") -> dict[str, str]:
    async with registrations.database.transaction() as tx:
        _, made = await create_key(tx.connection, "host", [scope])
    return {"authorization": f"Bearer {made}"}


async def test_a_form_is_received_at_once_then_confirmed_cancelled_and_undone(
    site: httpx.AsyncClient, registrations: Registrations
) -> None:
    await registrations.create()
    answer = await fill_in(site)
    assert answer.status_code == 303
    address = answer.headers["location"]
    page = await site.get(address)
    assert page.status_code == 200
    assert "Received." in page.text
    assert page.headers["cache-control"] == "no-store"
    # With its address: the browser keeps the form's #register, and a refresh to a part of the same page loads nothing.
    assert f'<meta http-equiv="refresh" content="2; url={address}">' in page.text
    await registrations.deliver()
    page = await site.get(address)
    assert "Confirmed." in page.text
    assert "https://join.league.example/1" in page.text
    assert 'http-equiv="refresh"' not in page.text
    cancelled = await site.post(f"{address}/cancel", data={"form_token": form_token(page)})
    assert cancelled.status_code == 303
    assert "Received: you cancel." in (await site.get(address)).text
    await registrations.deliver()
    page = await site.get(address)
    assert "Cancelled." in page.text
    assert "Register again" in page.text
    again = await fill_in(site)
    assert again.headers["location"] != address
    await registrations.deliver()
    assert "Confirmed." in (await site.get(again.headers["location"])).text


async def test_errors_stand_at_their_fields_and_what_was_typed_stays(
    site: httpx.AsyncClient, registrations: Registrations
) -> None:
    await registrations.create()
    page = await fill_in(site, name="  ", email='"><script>', **{"answer-role": "King"})
    assert page.status_code == 422
    for field in ("name", "email", "answers.role"):
        assert f'id="error-{field}"' in page.text
        assert f'aria-describedby="error-{field}"' in page.text
    assert 'id="error-answers.city"' not in page.text
    assert "<script>" not in page.text
    assert 'value="Pleasantville"' in page.text
    assert await registrations.fetch("SELECT 1 FROM registrations") == []
    nothing = await fill_in(site, **{"answer-city": ""})
    assert "this needs an answer" in nothing.text


@pytest.mark.parametrize("token", ["", "forged", None])
async def test_a_form_of_another_site_is_not_taken(
    site: httpx.AsyncClient, registrations: Registrations, token: str | None
) -> None:
    await registrations.create()
    own = form_token(await site.get(PAGE))
    if token is None:
        site.cookies.clear()
    data = {"form_token": own if token is None else token, "name": "Ada", "email": "ada@city.example"}
    answer = await site.post(PAGE, data=data)
    assert answer.status_code == 403
    assert 'value="ada@city.example"' in answer.text
    assert await registrations.fetch("SELECT 1 FROM registrations") == []


async def test_cancelling_needs_the_form_of_the_status_page(
    site: httpx.AsyncClient, registrations: Registrations
) -> None:
    await registrations.create()
    address = (await fill_in(site)).headers["location"]
    await registrations.deliver()
    other = form_token(await site.get(PAGE))
    assert (await site.post(f"{address}/cancel", data={"form_token": other})).status_code == 403
    assert (await site.get(f"{address}/cancel")).status_code == 405
    await registrations.deliver()
    assert "Confirmed." in (await site.get(address)).text


async def test_who_registers_the_address_of_another_gets_the_answer_but_no_power_over_it(
    site: httpx.AsyncClient, registrations: Registrations
) -> None:
    await registrations.create()
    await fill_in(site)
    await registrations.deliver()
    address = (await fill_in(site, email="ADA@city.example", name="Mallory")).headers["location"]
    await registrations.deliver()
    page = await site.get(address)
    assert "Confirmed." in page.text
    assert "registered before" in page.text
    assert "Cancel my registration" not in page.text
    assert "join.league.example" not in page.text
    assert len(await registrations.notices()) == 1


async def test_the_deadline_is_when_our_site_received_it_however_late_kafka_brings_it(
    site: httpx.AsyncClient, registrations: Registrations
) -> None:
    event = await registrations.create()
    registrations.now = event.webinar.closes_at
    body = {"name": "Ada", "email": "ada@city.example", "answers": {"city": "Pleasantville"}}
    first = await site.post(f"{API}/packaging-law/registrations", json=body)
    registrations.now += timedelta(seconds=1)
    second = await site.post(f"{API}/packaging-law/registrations", json=body | {"email": "bo@city.example"})
    assert "Registration has closed" in (await site.get(PAGE)).text
    await registrations.deliver()
    statuses = [(await site.get(answer.json()["status_url"])).json() for answer in (first, second)]
    assert [status["status"] for status in statuses] == ["confirmed", "declined"]
    assert statuses[1]["reason"] == "Registration closed on Wednesday, May 5, 2027, 12:00 pm PDT."


async def test_the_api_takes_a_registration_and_tells_pending_then_the_place(
    site: httpx.AsyncClient, registrations: Registrations
) -> None:
    await registrations.create(capacity=0)
    body = {"name": "Ada", "email": "ada@city.example", "answers": {"city": "Pleasantville", "other": "x"}}
    answer = await site.post(f"{API}/packaging-law/registrations", json=body)
    assert answer.status_code == 202
    accepted = answer.json()
    assert accepted["status"] == "pending"
    assert answer.headers["location"] == accepted["status_url"]
    assert (await site.get(accepted["status_url"])).json()["status"] == "pending"
    assert "Received." in (await site.get(accepted["page_url"])).text
    await registrations.deliver()
    status = (await site.get(accepted["status_url"])).json()
    assert (status["status"], status["place"]) == ("waitlisted", 1)
    assert "Ada" not in str(status)
    assert "@" not in str(status)
    assert "Waiting list, place 1." in (await site.get(accepted["page_url"])).text


async def test_the_api_names_what_is_wrong_with_a_registration(
    site: httpx.AsyncClient, registrations: Registrations
) -> None:
    await registrations.create()
    path = f"{API}/packaging-law/registrations"
    good = {"name": "Ada", "email": "ada@city.example", "answers": {"city": "P"}}
    for wrong, fields in (
        (good | {"email": "nobody"}, {"email"}),
        (good | {"name": "\x00"}, {"name"}),
        (good | {"answers": {}}, {"answers.city"}),
        (good | {"answers": {"city": "x" * 2_001}}, {"answers.city"}),
        ({"email": "ada@city.example"}, {"name"}),
        ([], {"(body)"}),
    ):
        answer = await site.post(path, json=wrong)
        assert answer.status_code == 422, wrong
        assert {error["field"] for error in answer.json()["errors"]} == fields
    assert (await site.post(path, content=b"{")).status_code == 422
    assert (await site.post(path, json=good | {"answers": {"city": "x" * 70_000}})).status_code == 413
    assert await registrations.fetch("SELECT 1 FROM registrations") == []


@pytest.mark.parametrize("slug", ["nothing", "%00", "a" * 300, "%FF", "Packaging Law"])
async def test_an_unknown_event_is_not_found(site: httpx.AsyncClient, registrations: Registrations, slug: str) -> None:
    for path in (f"/webinars/{slug}", f"{API}/{slug}"):
        assert (await site.get(path)).status_code == 404
    answer = await site.post(f"{API}/{slug}/registrations", json={"name": "A", "email": "a@b.example"})
    assert answer.status_code == 404
    assert (await site.get(f"/registrations/{slug}")).status_code == 404
    assert (await site.get(f"/api/v1/registrations/{slug}")).status_code == 404


async def test_making_an_event_needs_a_key_and_is_refused_twice(
    site: httpx.AsyncClient, registrations: Registrations
) -> None:
    webinar = make_webinar()
    assert (await site.post(API, json=webinar)).status_code == 401
    assert (await site.post(API, json=webinar, headers=await key(registrations, "updates"))).status_code == 403
    host = await key(registrations)
    made = await site.post(API, json=webinar, headers=host)
    assert made.status_code == 201
    assert (await site.post(API, json=webinar, headers=host)).status_code == 409
    shown = (await site.get(f"{API}/packaging-law")).json()
    assert shown == made.json()
    assert "join" not in str(shown)
    wrong = await site.post(API, json=webinar | {"slug": "Bad Slug", "capacity": -1}, headers=host)
    assert {error["field"] for error in wrong.json()["errors"]} == {"slug", "capacity"}


async def test_an_id_that_an_integration_chose_is_shown_to_keys_alone(
    site: httpx.AsyncClient, registrations: Registrations
) -> None:
    event = await registrations.create()
    await registrations.hear(registrations.asks(event, "ada", registration_id="1"))
    assert (await site.get("/api/v1/registrations/1")).status_code == 404
    shown = await site.get("/api/v1/registrations/1", headers=await key(registrations))
    assert shown.json()["status"] == "confirmed"


async def test_a_full_a_closed_and_a_cancelled_event_say_so(
    site: httpx.AsyncClient, registrations: Registrations
) -> None:
    event = await registrations.create(capacity=1)
    await registrations.hear(registrations.asks(event, "ada"), registrations.asks(event, "bo"))
    page = (await site.get(PAGE)).text
    assert "Join the waiting list" in page
    assert "1 on the waiting list" in page
    registrations.now = datetime(2027, 5, 6, tzinfo=UTC)
    assert "Registration has closed" in (await site.get(PAGE)).text
    await registrations.call_off(reason="<b>ill</b>")
    page = (await site.get(PAGE)).text
    assert "This event was cancelled." in page
    assert "&lt;b&gt;ill" in page
    assert "<form" not in page


async def test_the_api_is_described(site: httpx.AsyncClient) -> None:
    paths: dict[str, Any] = (await site.get("/api/openapi.json")).json()["paths"]
    assert {"/api/v1/webinars", "/api/v1/webinars/{slug}/registrations", "/api/v1/registrations/{registration_id}"} <= (
        paths.keys()
    )
