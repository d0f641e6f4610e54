"""Every route of the site: its headers and cookies, what a form needs, and that looking changes nothing."""

import re

import asyncpg
import httpx
import pytest

from clarion.runtime.web.headers import HTTPS_ONLY, SECURITY_HEADERS
from tests.security.conftest import HTML, Route, Whole

pytestmark = pytest.mark.asyncio(loop_scope="module")
UNUSED = ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
SAFE = ("GET", "HEAD", "OPTIONS")
FOR_PROGRAMS = re.compile(r"/api/v1/.*|/u/[^/]+|/hooks/.*")
"""What no cookie is asked for: whoever posts there shows a key or a signature."""
OWN_POLICY = re.compile(r"/mail/[^/]+(/html)?|/campaigns/.+/mail(/html)?")
"""The catcher and a wave show a mail in a frame of its own, in which nothing runs."""
FOR_ALL = re.compile(r"/static/.*|/schemas/.*\.json|/api/asyncapi\.json")
"""What names nobody and may be kept."""
RUNS = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:|<(?:link|script|img)[^>]+//", re.IGNORECASE
)
INSIDE = re.compile(r"Traceback|asyncpg|starlette|\.py\b|SELECT |site-packages")


async def answers(whole: Whole, client: httpx.AsyncClient) -> list[tuple[Route, httpx.Response]]:
    """What a client gets from each route, with a form in which nothing but a token is right."""
    found = []
    for route in whole.routes():
        form = {"data": dict.fromkeys(route.fields, "1") | whole.staff.form} if route.method not in SAFE else {}
        answer = await client.request(route.method, whole.address(route.path), headers=HTML, **form)
        found.append((route, answer))
    return found


async def test_every_answer_carries_the_headers_to_staff_and_strangers(whole: Whole) -> None:
    for client in (whole.stranger, whole.admin):
        for route, answer in await answers(whole, client):
            for name, value in {**SECURITY_HEADERS, **HTTPS_ONLY}.items():
                given = answer.headers.get_list(name)
                own = OWN_POLICY.fullmatch(route.path) and name in ("content-security-policy", "x-frame-options")
                kept = FOR_ALL.fullmatch(route.path) and name == "cache-control"
                assert given == [value] or (len(given) == 1 and (own or kept)), (route, name, given)
            assert "server" not in answer.headers, route
            assert "x-powered-by" not in answer.headers, route


async def test_no_answer_runs_script_of_its_own_or_tells_of_the_inside(whole: Whole) -> None:
    for client in (whole.stranger, whole.admin):
        for route, answer in await answers(whole, client):
            assert answer.status_code < 500 or route.path in ("/healthz", "/readyz"), (route, answer.text[:500])
            if answer.headers.get("content-type", "").startswith("text/html") and not OWN_POLICY.fullmatch(route.path):
                assert not RUNS.search(answer.text), (route, RUNS.search(answer.text))
            if answer.status_code >= 400:
                assert not INSIDE.search(answer.text), (route, answer.text)


async def test_every_answer_says_what_it_is_in_which_characters(whole: Whole) -> None:
    for route, answer in await answers(whole, whole.admin):
        if answer.content:
            kind = answer.headers["content-type"]
            assert "charset=utf-8" in kind.lower() or "json" in kind, (route, kind)


async def test_every_cookie_is_for_this_host_over_https_and_not_for_scripts(whole: Whole) -> None:
    seen = set()
    for client in (whole.stranger, whole.admin):
        for route, answer in await answers(whole, client):
            for cookie in answer.headers.get_list("set-cookie"):
                name, flags = cookie.partition("=")[0], cookie.lower().replace(" ", "").split(";")
                seen.add(name)
                assert {"secure", "httponly"} <= set(flags), (route, cookie)
                assert "samesite=lax" in flags or "samesite=strict" in flags, (route, cookie)
                assert name.startswith("__Host-"), cookie
                assert "path=/" in flags, cookie
                assert "domain" not in cookie.lower(), cookie
    assert seen


async def test_a_form_without_its_token_is_refused_and_changes_nothing(whole: Whole) -> None:
    forms = [route for route in whole.routes() if route.method not in SAFE and not FOR_PROGRAMS.fullmatch(route.path)]
    before = await content(whole)
    for client in (whole.admin, whole.stranger):
        for route in forms:
            for token in ({}, {"form_token": "x" * 43}, {"form_token": whole.staff.token}):
                data = {name: "1" for name in route.fields if name != "form_token"} | token
                answer = await client.request(route.method, whole.address(route.path), data=data)
                assert answer.status_code in (400, 401, 403, 404, 422), (route, token, answer.status_code)
    assert await content(whole) == before
    assert forms


async def test_what_programs_post_wants_a_key_or_a_signature(whole: Whole) -> None:
    before = await content(whole)
    for route in whole.routes():
        if route.method in SAFE or not FOR_PROGRAMS.fullmatch(route.path) or route.path in PUBLIC_POSTS:
            continue
        address = re.sub(r"\{[^}]+\}", "x", route.path)
        answer = await whole.admin.request(route.method, address, json={})
        assert answer.status_code in (401, 403, 404, 422), (route, answer.status_code)
    assert await content(whole) == before


PUBLIC_POSTS = ("/api/v1/webinars/{slug}/registrations",)
"""Anyone may ask for a seat."""


async def test_looking_changes_nothing(whole: Whole) -> None:
    before = await content(whole)
    for client in (whole.stranger, whole.admin):
        for route in whole.routes():
            if route.method in SAFE:
                for headers in (HTML, {}, {"authorization": f"Bearer {whole.key}"}):
                    await client.request(route.method, whole.address(route.path), headers=headers)
    assert await content(whole) == before


async def test_a_method_that_a_path_does_not_have_is_refused(whole: Whole) -> None:
    allowed: dict[str, set[str]] = {}
    for route in whole.routes():
        allowed.setdefault(whole.address(route.path), set()).add(route.method)
    for path, methods in allowed.items():
        for method in UNUSED:
            answer = await whole.admin.request(method, path, headers=HTML)
            if method not in methods:
                assert answer.status_code in (404, 405), (method, path)


async def test_no_other_site_is_let_in_to_read(whole: Whole) -> None:
    for route in whole.routes():
        for method in (route.method, "OPTIONS"):
            asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
            answer = await whole.admin.request(method, whole.address(route.path), headers=asked)
            assert not [name for name in answer.headers if name.startswith("access-control-")], route


async def test_no_address_holds_a_session_or_a_key(whole: Whole) -> None:
    given = {"access_token": whole.key, "token": whole.key, "session": whole.staff.token}
    assert (await whole.stranger.get("/api/v1/campaigns", params=given)).status_code == 401
    assert (await whole.stranger.get("/staff/me", params=given, headers=HTML)).status_code == 303
    for route, answer in await answers(whole, whole.admin):
        assert whole.staff.token not in answer.text, route
        assert whole.staff.token not in answer.headers.get("location", ""), route
        assert whole.key not in answer.text, route


async def content(whole: Whole) -> dict[str, str]:
    """What every table holds, but for when a session or a key was last seen."""
    connection = await asyncpg.connect(whole.settings.database_url)
    try:
        tables = await connection.fetch(
            "SELECT table_schema AS schema, table_name AS name FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        found = {}
        for table in tables:
            name = f"{table['schema']}.{table['name']}"
            row = "to_jsonb(t) - 'last_seen_at' - 'last_used_at' - 'seen_at'"
            found[name] = await connection.fetchval(
                f"SELECT coalesce(md5(string_agg(({row})::text, ',' ORDER BY ({row})::text)), '') FROM {name} t"
            )
        return found
    finally:
        await connection.close()
