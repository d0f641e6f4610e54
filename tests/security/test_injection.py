"""What comes from outside is text, wherever it comes in and wherever it is shown; what goes out leads nowhere else."""

import itertools
import re
from urllib.parse import quote

import httpx
import pytest

from tests.security.conftest import HTML, Route, Whole

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCRIPT = "\"'><script>alert(1)</script>{{7*7}}"
HOSTILE = (
    SCRIPT,
    "'; DROP TABLE clarion.api_keys; --",
    "x\r\nset-cookie: hostile=1",
    "nul\x00here",
    "../../../../etc/passwd",
    "//evil.example/\\evil.example",
    "https://evil.example/",
    "\U0001f4a9" * 50,
    "9" * 40,
    "-1",
    "",
)
READ_BY_HAND = ("name", "email", "role", "division", "deputy_in", "scope", "source", "expires", "answer-city", "why")
"""Fields that routes take from forms by themselves."""
SHOWN = re.compile(r"<script>alert|>\s*49\s*<")
SAFE = ("GET", "HEAD", "OPTIONS")
TRIES = (
    "../settings.py",
    "..%2fsettings.py",
    "%2e%2e/%2e%2e/settings.py",
    "..%5c..%5csettings.py",
    "....//settings.py",
    "%00",
    "/etc/passwd",
    "%2fetc%2fpasswd",
)


def filled(whole: Whole, route: Route, text: str) -> httpx.Request:
    """A request with this text in the place of everything that may be chosen."""
    path = re.sub(r"\{\w+(:\w+)?\}", quote(text, safe=""), route.path)
    fields = dict.fromkeys((*route.fields, *READ_BY_HAND), text) | whole.staff.form
    form = {"data": fields} if route.method not in SAFE else {}
    query = dict.fromkeys((*route.queries, "next", "q"), text)
    return whole.admin.build_request(route.method, path, params=query, headers=HTML, **form)


async def check(answer: httpx.Response, told: object) -> None:
    """No error of ours, nothing that runs, no header that was smuggled in, no way to elsewhere."""
    assert answer.status_code < 500 or answer.request.url.path in ("/healthz", "/readyz"), (told, answer.text[:300])
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert not SHOWN.search(answer.text), told
    assert "hostile" not in answer.cookies, told
    location = answer.headers.get("location", "/")
    assert re.match(r"/(?![/\\])|https://calls\.cities\.example/", location), (told, location)


@pytest.mark.slow
async def test_whatever_is_written_into_any_field_of_any_route_is_text_or_refused(whole: Whole) -> None:
    for text in HOSTILE:
        for route in whole.routes():
            if "sign-out" not in route.path:
                await check(await whole.admin.send(filled(whole, route, text)), (route, text))
    for route in whole.routes():
        if route.method == "GET":
            await check(await whole.admin.get(whole.address(route.path), headers=HTML), route)


async def test_what_a_host_and_a_person_write_is_text_on_their_pages(whole: Whole) -> None:
    key = {"authorization": f"Bearer {whole.key}"}
    slug = whole.values["/webinars"]["slug"]
    known = (await whole.admin.get(f"/api/v1/webinars/{slug}")).json()
    given = {name: known[name] for name in ("starts_at", "ends_at", "capacity")}
    texts = dict.fromkeys(("title", "summary", "audience", "where", "host"), SCRIPT)
    presenters, questions = [{"name": SCRIPT, "title": SCRIPT}], [{"key": "q", "label": SCRIPT, "choices": [SCRIPT]}]
    body = given | texts | {"slug": "hostile", "presenters": presenters, "partners": [SCRIPT], "questions": questions}
    made = await whole.admin.post("/api/v1/webinars", json=body, headers=key)
    assert made.status_code == 201, made.text
    asked = {"name": SCRIPT, "email": "robin@oakville.example", "answers": {"q": SCRIPT}}
    seat = await whole.stranger.post("/api/v1/webinars/hostile/registrations", json=asked)
    assert seat.status_code == 202, seat.text
    for path in ("/webinars/hostile", seat.json()["page_url"].removeprefix("https://calls.cities.example")):
        page = await whole.stranger.get(path, headers=HTML)
        assert page.status_code == 200
        assert "&lt;script&gt;alert(1)" in page.text
        await check(page, path)


async def test_a_link_that_is_none_of_the_web_is_refused(whole: Whole) -> None:
    urls = ("javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://a.example/")
    slug = whole.values["/webinars"]["slug"]
    known = (await whole.admin.get(f"/api/v1/webinars/{slug}")).json()
    body = {name: known[name] for name in ("title", "starts_at", "ends_at", "capacity")}
    key = {"authorization": f"Bearer {whole.key}"}
    for field, url in itertools.product(("join_url", "policy_url"), urls):
        answer = await whole.admin.post("/api/v1/webinars", json=body | {"slug": "links", field: url}, headers=key)
        assert answer.status_code == 422, (field, url)


async def test_keys_and_headers_of_an_update_are_text_in_the_answer(whole: Whole) -> None:
    key = {"authorization": f"Bearer {whole.key}"}
    hostile = {"type": SCRIPT, SCRIPT: 1, "data": {SCRIPT: SCRIPT, "__proto__": {}, "constructor": 1}}
    path = "/api/v1/legislation/updates"
    answer = await whole.admin.post(path, json=hostile, headers=key | HTML)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    said = {"ce-type": quote("hearing.cancelled\r\nset-cookie: hostile=1"), "ce-id": quote("a\r\nb\x00")}
    answer = await whole.admin.post(path, json={"hearing_id": "x"}, headers=key | said)
    assert answer.status_code == 422
    await check(answer, said)


async def test_no_path_leads_out_of_what_is_served(whole: Whole) -> None:
    starts = ("/static/", "/schemas/", "/schemas/legislation.updates.v1/", "/mail/")
    for start, wanted in itertools.product(starts, TRIES):
        address = httpx.URL("https://calls.cities.example", raw_path=f"{start}{wanted}".encode())
        answer = await whole.stranger.get(address, headers=HTML)
        assert answer.status_code in (400, 404, 405, 422), (start, wanted)
        assert "root:" not in answer.text
        assert "CLARION_" not in answer.text


async def test_folders_are_not_listed_and_repositories_not_served(whole: Whole) -> None:
    for path in (
        "/static",
        "/static/",
        "/static/.",
        "/.git/config",
        "/.env",
        "/up.json",
        "/docs",
        "/redoc",
        "/openapi.json",
    ):
        answer = await whole.stranger.get(path, follow_redirects=True)
        assert answer.status_code == 404, path


async def test_a_parameter_that_comes_twice_counts_once(whole: Whole) -> None:
    good, bad = whole.staff.form["form_token"], "x"
    path, kind = "/staff/me/sign-out-everywhere", {"content-type": "application/x-www-form-urlencoded"}
    twice = await whole.admin.post(path, content=f"form_token={good}&form_token={bad}", headers=kind)
    assert twice.status_code == 403
    answer = await whole.admin.get("/mail?q=one&q=%3Cscript%3Ealert(1)%3C/script%3E", headers=HTML)
    await check(answer, "q twice")
    assert answer.status_code == 200
