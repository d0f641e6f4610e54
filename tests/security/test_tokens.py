"""A token is good for its one purpose, a secret is compared in constant time, and what was taken back opens nothing."""

import re
from datetime import timedelta

import pytest
import structlog

from clarion.runtime.clock import system_clock
from clarion.runtime.staff.accounts import remove_account
from clarion.runtime.web.keys import SCOPES, create_key, revoke_key
from clarion.runtime.web.links import SignedLinks
from tests.conftest import REPOSITORY
from tests.security.conftest import HTML, MAILBOX, SECRET, Whole
from tests.staff import form_token_in

pytestmark = pytest.mark.asyncio(loop_scope="module")
OWN = {
    "/u/": {"unsubscribe"},
    "/me/address/": {"person-address"},
    "/me/undo/": {"person-undo"},
    "/me/": {"person"},
    "/api/v1/hooks/": set(),
}
"""Which purpose opens what begins so; no other may."""
PAYLOADS = (
    [MAILBOX, "calls"],
    {"mailbox": MAILBOX},
    {"mailbox": MAILBOX, "subscription": "calls"},
    MAILBOX,
    ["a", "b"],
    "x",
)


def purposes() -> set[str]:
    """All that tokens are signed for, as the code names it."""
    named = re.compile(r"^\w*PURPOSE = \"([^\"]+)\"", re.MULTILINE)
    return {
        purpose
        for path in (REPOSITORY / "clarion").rglob("*.py")
        for purpose in named.findall(path.read_text(encoding="utf-8"))
    }


def own_purposes(path: str) -> set[str]:
    """What may open a path."""
    return next((own for start, own in OWN.items() if path.startswith(start)), set())


async def test_a_token_for_one_purpose_opens_nothing_else(whole: Whole) -> None:
    signed = purposes()
    assert {"unsubscribe", "person", "registration-form", "preferences-form"} <= signed
    opened = [route for route in whole.routes() if "{token}" in route.path]
    assert opened
    for route in opened:
        for purpose in signed - own_purposes(route.path):
            for payload in PAYLOADS:
                path = route.path.replace("{token}", whole.links.sign(purpose, payload))
                form = {"data": dict.fromkeys(route.fields, "1")} if route.method == "POST" else {}
                answer = await whole.stranger.request(route.method, path, headers=HTML, **form)
                assert answer.status_code in (400, 403, 404, 410, 422), (route, purpose, payload)


async def test_a_token_of_another_secret_or_of_a_day_long_past_opens_nothing(whole: Whole) -> None:
    foreign = SignedLinks(["another-secret-of-some-length"])
    old = SignedLinks([SECRET], lambda: system_clock() - timedelta(days=400))
    for path, purpose, payload, forever in (
        ("/u/", "unsubscribe", [MAILBOX, "calls"], True),
        ("/me/", "person", {"mailbox": MAILBOX}, False),
    ):
        assert (await whole.stranger.get(path + foreign.sign(purpose, payload), headers=HTML)).status_code in (403, 404)
        answer = await whole.stranger.get(path + old.sign(purpose, payload), headers=HTML)
        assert (answer.status_code == 200) is forever, path


async def test_signing_out_clears_what_the_browser_keeps(whole: Whole) -> None:
    answer = await whole.admin.post("/sign-out", data=whole.staff.form)
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert answer.headers["cache-control"] == "no-store"
    assert "max-age=0" in answer.headers["set-cookie"].lower()


async def test_every_staff_page_has_the_way_out(whole: Whole) -> None:
    seen = 0
    for route in whole.routes():
        if route.method == "GET" and re.match(r"/(staff|keys|audit|directory)\b", route.path):
            page = await whole.admin.get(whole.address(route.path), headers=HTML)
            if page.status_code == 200 and page.headers["content-type"].startswith("text/html"):
                seen += 1
                assert 'action="/sign-out"' in page.text, route
    assert seen >= 5


async def test_signing_in_and_failing_to_are_told(whole: Whole) -> None:
    with structlog.testing.capture_logs() as logged:
        wrong = "/sign-in/" + "x" * 43
        await whole.stranger.post(wrong, headers=HTML)
    assert "sign_in.refused" in {entry["event"] for entry in logged}
    assert "x" * 43 not in str(logged)


async def test_sessions_and_sign_in_links_are_kept_as_hashes(whole: Whole) -> None:
    page = await whole.stranger.get("/sign-in", headers=HTML)
    form = {"email": whole.staff.staff.email, "form_token": form_token_in(page.text)}
    assert (await whole.stranger.post("/sign-in", data=form, headers=HTML)).status_code == 303
    async with whole.databases["directory"].connection() as connection:
        kept = [
            await connection.fetchval(f"SELECT string_agg(t::text, ' ') FROM clarion.{table} t")
            for table in ("sessions", "sign_ins")
        ]
        mail = await connection.fetchval("SELECT string_agg(convert_from(body, 'UTF8'), ' ') FROM directory.outbox")
    links = re.findall(r"/sign-in/([\w-]{20,})", mail)
    assert links
    assert not any(link in str(kept) for link in links)
    assert whole.staff.token not in str(kept)


async def test_a_session_that_was_signed_out_opens_nothing(whole: Whole) -> None:
    assert (await whole.admin.get("/staff/me", headers=HTML)).status_code == 200
    kept = dict(whole.admin.cookies)
    assert (await whole.admin.post("/sign-out", data=whole.staff.form)).status_code == 303
    whole.admin.cookies.clear()
    for name, value in kept.items():
        whole.admin.cookies.set(name, value)
    answer = await whole.admin.get("/staff/me", headers=HTML)
    assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in")


async def test_a_key_that_was_revoked_opens_no_more_than_none_at_every_route(whole: Whole) -> None:
    async with whole.databases["directory"].transaction() as tx:
        key_id, key = await create_key(tx.connection, "taken back", list(SCOPES))
        await revoke_key(tx.connection, key_id)
    refused = 0
    for route in whole.routes():
        if route.path.startswith("/api/v1/"):
            path = whole.address(route.path)
            without = await whole.stranger.request(route.method, path, json={})
            with_it = await whole.stranger.request(
                route.method, path, json={}, headers={"authorization": f"Bearer {key}"}
            )
            assert with_it.status_code in (401, without.status_code), route
            refused += with_it.status_code == 401
    assert refused >= 4


async def test_who_was_removed_comes_to_no_page_and_sends_no_form_with_the_session_of_before(whole: Whole) -> None:
    async with whole.databases["directory"].transaction() as tx:
        await remove_account(tx.connection, whole.staff.staff.id, system_clock())
    for route in whole.routes():
        if re.match(r"/(staff|keys|audit|directory)\b", route.path):
            form = {"data": whole.staff.form} if route.method == "POST" else {}
            answer = await whole.admin.request(route.method, whole.address(route.path), headers=HTML, **form)
            assert answer.status_code == 303, (route, answer.status_code)
            assert answer.headers["location"].startswith("/sign-in"), route


async def test_no_staff_page_opens_to_strangers(whole: Whole) -> None:
    pages = [route for route in whole.routes() if re.match(r"/(staff|keys|audit|directory|operators)\b", route.path)]
    assert pages
    for route in pages:
        answer = await whole.stranger.request(route.method, whole.address(route.path), headers=HTML)
        assert answer.status_code in (303, 401, 403, 404, 422), (route, answer.status_code)
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/sign-in"), route
