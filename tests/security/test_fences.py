"""What stands before the routes: by which names, how often, how long and how many at once the site may be asked."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI, Form, Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from clarion.runtime.settings import Settings
from clarion.runtime.web import fencing
from clarion.runtime.web.clients import TrueClient, read_networks, subscriber
from clarion.runtime.web.fences import MOST_ADDRESS_BYTES, MOST_HEAD_BYTES, MOST_HEADERS, AtOnce
from clarion.runtime.web.hosts import host_of
from clarion.runtime.web.rates import BURST_SECONDS, RATES, Buckets, Rates, read_rates

PUBLIC = "https://calls.cities.example"


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, public_url=PUBLIC, **given)


def site(**given: Any) -> FastAPI:
    """A small site behind all fences."""
    app = FastAPI()

    @app.get("/who")
    async def who(request: Request) -> str:
        return str(request.client.host) if request.client else ""

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("hunter2")

    @app.get("/healthz")
    async def health() -> str:
        return "ok"

    @app.post("/form")
    async def form(name: str = Form("")) -> str:
        return name

    @app.post("/api/v1/things")
    async def things() -> str:
        return "made"

    @app.post("/u/{token}")
    async def one_click(token: str) -> str:
        return token

    fencing.install(app, settings(**given))
    return app


@asynccontextmanager
async def browser(app: FastAPI, peer: str = "203.0.113.7", base: str = PUBLIC) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, client=(peer, 4711), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=base) as client:
        yield client


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("calls.cities.example", 200),
        ("CALLS.cities.example:443", 200),
        ("alias.cities.example", 200),
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("evil.example", 400),
        ("calls.cities.example.evil.example", 400),
        ("calls.cities.example@evil.example", 400),
        ("evil.example@calls.cities.example", 400),
        ("calls.cities.example/..", 400),
        ("127.0.0.1.evil.example", 400),
        ("203.0.113.9", 400),
        ("", 400),
        ("[::1", 400),
    ],
)
async def test_only_known_hosts_are_answered(host: str, status: int) -> None:
    async with browser(site(further_hosts="alias.cities.example")) as client:
        answer = await client.get("/who", headers={"host": host})
    assert answer.status_code == status
    assert host == "" or answer.status_code == 200 or host not in answer.text


async def test_a_load_balancer_may_ask_for_health_by_any_name() -> None:
    async with browser(site()) as client:
        assert (await client.get("/healthz", headers={"host": "10.2.3.4:8080"})).status_code == 200


async def test_a_foreign_name_is_logged_once_with_what_to_set() -> None:
    with structlog.testing.capture_logs() as logged:
        async with browser(site()) as client:
            for _ in range(3):
                await client.get("/who", headers={"host": "alias.cities.example"})
    [entry] = logged
    assert "CLARION_FURTHER_HOSTS" in entry["event"]
    assert entry["host"] == "alias.cities.example"


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_a_host_header_is_a_host_or_none(text: str) -> None:
    found = host_of(text)
    assert found is None or not set(found) & set("/@?#\\ ")


async def test_a_failure_carries_the_headers_and_nothing_of_the_inside() -> None:
    async with browser(site()) as client:
        answer = await client.get("/broken")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_a_failure_is_logged_by_its_kind_and_place_and_not_by_what_it_says() -> None:
    with structlog.testing.capture_logs() as logged:
        async with browser(site()) as client:
            await client.get("/broken/../broken?who=ada@pleasantville.example")
    [entry] = [each for each in logged if each["log_level"] == "error"]
    assert (entry["event"], entry["error"], entry["area"]) == ("request failed", "RuntimeError", "broken")
    assert re.fullmatch(r"test_fences\.py:\d+ broken", entry["at"][-1])
    assert "hunter2" not in str(logged)
    assert "ada@" not in str(logged)


async def test_who_is_refused_is_logged_without_the_link_that_was_tried() -> None:
    with structlog.testing.capture_logs() as logged:
        async with browser(site()) as client:
            await client.post("/form/a-signed-token", headers={"sec-fetch-site": "cross-site"})
    [entry] = [each for each in logged if each["event"] == "refused"]
    assert (entry["status"], entry["method"], entry["area"]) == (403, "POST", "form")
    assert "a-signed-token" not in str(logged)


async def test_a_site_without_https_promises_none() -> None:
    app = FastAPI()
    fencing.install(app, Settings(_env_file=None, public_url="http://127.0.0.1:8080"))
    async with browser(app, base="http://127.0.0.1:8080") as client:
        answer = await client.get("/nowhere")
    assert "strict-transport-security" not in answer.headers


async def test_too_long_an_address_and_too_many_headers_are_refused() -> None:
    async with browser(site()) as client:
        assert (await client.get("/who?q=" + "x" * (MOST_ADDRESS_BYTES - 6))).status_code == 200
        assert (await client.get("/who?q=" + "x" * MOST_ADDRESS_BYTES)).status_code == 414
        many = {f"x-{number}": "y" for number in range(MOST_HEADERS + 1)}
        assert (await client.get("/who", headers=many)).status_code == 431
        assert (await client.get("/who", headers={"x-long": "y" * MOST_HEAD_BYTES})).status_code == 431


async def test_a_form_has_a_thousand_fields_at_most() -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    async with browser(site()) as client:
        assert (await client.post("/form", content="&".join(["name=a"] * 1_000), headers=form)).status_code == 200
        refused = await client.post("/form", content="&".join(["name=a"] * 1_001), headers=form)
    assert refused.status_code == 400


@pytest.mark.parametrize("origin", ["cross-site", "same-site"])
async def test_a_form_that_another_sites_page_sends_is_refused_and_programs_are_not(origin: str) -> None:
    said = {"sec-fetch-site": origin}
    async with browser(site()) as client:
        assert (await client.post("/form", data={"name": "a"}, headers=said)).status_code == 403
        assert (await client.get("/who", headers=said)).status_code == 200
        assert (await client.post("/api/v1/things", headers=said)).status_code == 200
        assert (await client.post("/u/token", headers=said)).status_code == 200
        own = await client.post("/form", data={"name": "a"}, headers={"sec-fetch-site": "same-origin"})
    assert own.status_code == 200


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.2", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", ["198.51.100.66, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", ["198.51.100.66", "198.51.100.1, 10.0.0.9"], "198.51.100.1"),
        ("10.0.0.2", ["<script>"], "10.0.0.2"),
        ("10.0.0.2", ["198.51.100.1, unknown"], "10.0.0.2"),
        ("10.0.0.2", [], "10.0.0.2"),
        ("10.0.0.2", ["2001:db8::1"], "2001:db8::1"),
    ],
)
async def test_whom_a_proxy_names_is_believed_of_trusted_proxies_alone(
    peer: str, forwarded: list[str], client: str
) -> None:
    async with browser(site(trusted_proxies="10.0.0.0/8"), peer) as asking:
        answer = await asking.get("/who", headers=[("x-forwarded-for", one) for one in forwarded])
    assert answer.json() == client


@given(st.lists(st.text(max_size=20), max_size=4))
def test_what_a_client_writes_before_the_proxies_names_changes_nothing(written: list[str]) -> None:
    true = TrueClient(FastAPI(), read_networks("10.0.0.0/8"))
    assert true.client("10.0.0.2", [*written, "198.51.100.1, 10.0.0.3"]) == "198.51.100.1"


def test_settings_that_cannot_be_read_are_refused_by_their_name() -> None:
    with pytest.raises(ValueError, match="CLARION_TRUSTED_PROXIES"):
        read_networks("10.0.0.0/8, proxy.example")
    for text in ("write", "write=0/s", "sign-in=3/s", "read=5"):
        with pytest.raises(ValueError, match="CLARION_REQUEST_LIMITS"):
            read_rates(text)
    assert read_rates(" read=100/s,write=2.5/s ") == {**RATES, "read": 100, "write": 2.5}


def test_an_ipv6_subscriber_is_one_client_and_so_is_each_ipv4_address() -> None:
    assert subscriber("2001:db8:1:2::5") == subscriber("2001:db8:1:2:ffff::1") != subscriber("2001:db8:1:3::5")
    assert subscriber("203.0.113.7") == subscriber("::ffff:203.0.113.7") != subscriber("203.0.113.8")


class Watch:
    """A clock of the monotonic kind that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def limited(rates: Mapping[str, float], watch: Watch) -> FastAPI:
    """A site with these rates alone."""
    app = FastAPI()

    @app.get("/page")
    async def page() -> str:
        return "page"

    @app.post("/api/v1/things")
    async def things(request: Request) -> str:
        if request.headers.get("authorization") == "Bearer unknown":
            raise fencing.problems.Refused(401, "unknown")
        return "made"

    @app.post("/u/{token}")
    async def one_click(token: str) -> str:
        return token

    fencing.problems.install(app)
    app.add_middleware(Rates, rates=rates, monotonic=watch)
    return app


async def test_who_asks_too_often_is_told_when_to_come_back_and_nobody_else_is() -> None:
    watch = Watch()
    app = limited(dict.fromkeys(RATES, 0.1), watch)
    async with browser(app) as client, browser(app, "203.0.113.8") as other:
        answers = [await client.get("/page") for _ in range(4)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429]
        assert answers[-1].headers["retry-after"] == "10"
        assert answers[-1].headers["content-type"] == "application/problem+json"
        page = await client.get("/page", headers={"accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
        assert (await other.get("/page")).status_code == 200
        watch.now += 9.9
        assert (await client.get("/page")).status_code == 429
        watch.now += 0.2
        assert (await client.get("/page")).status_code == 200


async def test_who_asks_too_often_is_logged_once() -> None:
    app = limited(dict.fromkeys(RATES, 0.1), Watch())
    with structlog.testing.capture_logs() as logged:
        async with browser(app) as client:
            assert [(await client.get("/page")).status_code for _ in range(10)].count(429) == 7
    assert [entry["event"] for entry in logged] == ["a client asks too often"]


async def test_each_class_has_its_own_bucket_and_a_key_one_wherever_it_is_used() -> None:
    app = limited({"read": 0.1, "write": 0.1, "keyed": 0.1, "hooks": 10}, Watch())
    key = {"authorization": "Bearer clarion_key"}
    async with browser(app) as here, browser(app, "203.0.113.8") as there:
        assert [(await here.post("/api/v1/things")).status_code for _ in range(4)][-1] == 429
        assert (await here.get("/page")).status_code == 200
        by_key = [(await client.post("/api/v1/things", headers=key)).status_code for client in (here, there) * 2]
        assert by_key == [200, 200, 200, 429]
        assert {(await here.post("/u/token")).status_code for _ in range(50)} == {200}


async def test_a_flood_of_one_among_five_thousand_is_held_off_and_nobody_else() -> None:
    app, statuses = limited(dict.fromkeys(RATES, 1.0), Watch()), dict[str, list[int]]()

    async def post(client: str) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.setdefault(client, []).append(message["status"])

        scope = {"type": "http", "method": "POST", "path": "/api/v1/things", "raw_path": b"/api/v1/things"}
        headers = {"headers": [], "query_string": b"", "client": (client, 4711)}
        await app(scope | headers, receive, send)

    for number in range(5_000):
        await post(f"2001:db8:{number // 1_000:x}:{number % 1_000:x}::1")
        if number % 10 == 0:
            await post(f"2001:db8:ffff:1::{number:x}")
    flood = [status for client, seen in statuses.items() if client.startswith("2001:db8:ffff") for status in seen]
    assert flood == [200] * BURST_SECONDS + [429] * (500 - BURST_SECONDS)
    others = [status for client, seen in statuses.items() if not client.startswith("2001:db8:ffff") for status in seen]
    assert others == [200] * 5_000


async def test_trying_keys_costs_more_than_using_one() -> None:
    app = limited(dict.fromkeys(RATES, 2.0), Watch())
    async with browser(app) as client:
        tries = [
            (await client.post("/api/v1/things", headers={"authorization": "Bearer unknown"})).status_code
            for _ in range(4)
        ]
    assert tries == [401, 401, 401, 429]


def test_buckets_of_a_hundred_thousand_clients_take_the_memory_of_a_few() -> None:
    buckets = Buckets(1.0, most=1_000)
    for number in range(100_000):
        assert buckets.take(f"client {number}", now=float(number)) == 0
    assert len(buckets) == 1_000


def test_a_rush_of_twenty_thousand_people_from_as_many_places_is_not_slowed_down() -> None:
    buckets = Buckets(RATES["write"])
    assert not any(buckets.take(f"198.51.{number // 250}.{number % 250}", now=1.0) for number in range(20_000))


def test_an_office_of_three_hundred_behind_one_address_can_register_in_the_same_second() -> None:
    buckets = Buckets(RATES["write"])
    assert not any(buckets.take("198.51.100.1", now=1.0) for _ in range(300))


def test_an_integration_posts_thousands_of_requests_in_one_go() -> None:
    buckets = Buckets(RATES["keyed"])
    assert not any(buckets.take("key", now=1.0 + number / 1_000) for number in range(6_000))


@given(st.lists(st.floats(0, 10), min_size=1, max_size=300), st.floats(0.1, 20))
def test_in_no_span_of_time_pass_more_than_the_burst_and_the_rate_allow(pauses: list[float], rate: float) -> None:
    buckets, now, passed = Buckets(rate), 0.0, 0
    for pause in pauses:
        now += pause
        passed += buckets.take("client", now) == 0
    assert passed <= max(1.0, rate * BURST_SECONDS) + now * rate + 1e-6


async def test_beyond_so_many_requests_at_a_time_the_next_are_told_to_come_back() -> None:
    going, release = 0, asyncio.Event()
    app = FastAPI()

    @app.get("/slow")
    async def slow() -> str:
        nonlocal going
        going += 1
        await release.wait()
        return "done"

    app.add_middleware(AtOnce, most=3)
    async with browser(app) as client, asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(client.get("/slow")) for _ in range(3)]
        async with asyncio.timeout(10):
            while going < 3:
                await asyncio.sleep(0)
        refused = await client.get("/slow")
        release.set()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert [each.result().status_code for each in asked] == [200] * 3
