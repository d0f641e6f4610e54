"""Signing in by an OpenID Connect provider: who has an account comes in, and no forgery does."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database
from clarion.runtime.settings import MissingSetting, Settings, WrongSetting
from clarion.runtime.staff.accounts import remove_account, save_account
from clarion.runtime.staff.rights import Staff
from clarion.runtime.web import pages, problems
from clarion.runtime.web.staff import StaffOnly
from clarion.services.directory.staff import oidc
from clarion.services.directory.staff.oidc_pages import provider_of
from clarion.services.directory.staff.web import staff_router
from tests.provider import CLIENT_ID, SECRET, Provider, new_key, providing
from tests.staff import somebody

PUBLIC = "https://calls.cities.example"
PATH = "/sign-in/oidc"
SESSION = "__Host-clarion_session"
PLAIN = "You could not be signed in this way"


class House:
    """The site, and the provider that its settings name."""

    def __init__(self, database: Database, provider: Provider) -> None:
        self.database, self.provider = database, provider
        settings = settings_with(issuer=provider.issuer)
        self.app = FastAPI()
        problems.install(self.app)
        pages.install(self.app)
        staff_only = StaffOnly(database.connection, settings)
        self.app.include_router(staff_router(database, staff_only, settings, system_clock))

    def browser(self) -> httpx.AsyncClient:
        headers = {"accept": "text/html"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=PUBLIC, headers=headers)

    async def account(self, **changes: Any) -> Staff:
        staff = replace(somebody("state", name="Sam Sample"), email="Sam@Cities.example", **changes)
        async with self.database.transaction() as tx:
            await save_account(tx.connection, staff, system_clock())
        return staff

    async def sessions(self) -> list[tuple[str, str]]:
        async with self.database.connection() as connection:
            rows = await connection.fetch("SELECT staff_id, method FROM clarion.sessions")
        return [(row["staff_id"], row["method"]) for row in rows]


def settings_with(issuer: str | None, **changes: Any) -> Settings:
    known = {"oidc_client_id": CLIENT_ID, "oidc_client_secret": SECRET, "public_url": PUBLIC, "secret_key": "s" * 32}
    return Settings(_env_file=None, oidc_issuer=issuer, **(known | changes))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.connect(database_url, "directory", max_size=3)
    yield opened
    await opened.close()


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with providing(Provider()) as provider:
        yield House(database, provider)


async def at_the_provider(browser: httpx.AsyncClient, path: str = PATH) -> str:
    """Go there and sign in, and give the address that it sends the browser back to."""
    sent = await browser.get(path)
    assert sent.status_code == 303
    async with httpx.AsyncClient() as elsewhere:
        answered = await elsewhere.get(sent.headers["location"])
    assert answered.status_code == 303
    return answered.headers["location"]


async def sign_in(browser: httpx.AsyncClient, path: str = PATH) -> httpx.Response:
    return await browser.get(await at_the_provider(browser, path))


async def test_who_has_an_account_is_signed_in_and_goes_on_to_where_they_were_going(house: House) -> None:
    staff = await house.account()
    async with house.browser() as browser:
        page = await browser.get("/sign-in?next=/directory%3Fx%3D1")
        assert 'href="/sign-in/oidc?next=%2Fdirectory%3Fx%3D1"' in page.text
        assert "127.0.0.1" in page.text
        done = await sign_in(browser, f"{PATH}?next=/directory%3Fx%3D1")
        assert (done.status_code, done.headers["location"]) == (303, "/directory?x=1")
        assert all(word in done.headers["set-cookie"] for word in (f"{SESSION}=", "HttpOnly", "Secure", "SameSite=lax"))
        assert "Sam Sample" in (await browser.get("/staff/me")).text
    assert await house.sessions() == [(staff.id, "OpenID Connect")]
    async with house.database.connection() as connection:
        act = await connection.fetchrow("SELECT act, actor_id, details FROM clarion.audit")
    assert (act["act"], act["actor_id"], act["details"]["method"]) == ("session.begun", staff.id, "OpenID Connect")


async def test_what_the_provider_is_asked_holds_nothing_twice_and_no_secret(house: House) -> None:
    async with house.browser() as browser:
        asked = [urlsplit((await browser.get(PATH)).headers["location"]) for _ in range(2)]
    first, second = (parse_qs(one.query) for one in asked)
    assert first["redirect_uri"] == [f"{PUBLIC}{PATH}/callback"]
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]
        assert len(first[name][0]) >= 43
    assert SECRET not in asked[0].query


async def test_an_address_that_only_the_provider_tells_of_counts_as_well(house: House) -> None:
    staff = await house.account()
    house.provider.told = {"sub": "u-1", "email": "SAM@cities.example", "email_verified": True}
    async with house.browser() as browser:
        assert (await sign_in(browser)).status_code == 303
        house.provider.told = house.provider.told | {"sub": "u-2"}
        assert (await sign_in(browser)).status_code == 403
    assert await house.sessions() == [(staff.id, "OpenID Connect")]


async def test_nobody_without_an_account_comes_in_and_none_is_made(house: House) -> None:
    staff = await house.account()
    async with house.browser() as browser:
        house.provider.email = "stranger@cities.example"
        stranger = await sign_in(browser)
        async with house.database.transaction() as tx:
            await remove_account(tx.connection, staff.id, system_clock())
        house.provider.email = "sam@cities.example"
        gone = await sign_in(browser)
    assert (stranger.status_code, gone.status_code) == (403, 403)
    assert stranger.text == gone.text
    assert PLAIN in gone.text
    assert await house.sessions() == []


def changed(**claims: Any) -> Any:
    return lambda said: {name: value for name, value in {**said, **claims}.items() if value is not None}


NOW = int(system_clock().timestamp())


CLAIMS: tuple[dict[str, Any], ...] = (
    {"iss": "https://login.elsewhere.example"},
    {"iss": None},
    {"aud": "another"},
    {"aud": None},
    {"aud": "another", "azp": CLIENT_ID},
    {"aud": [CLIENT_ID, "another"]},
    {"aud": [CLIENT_ID, "another"], "azp": "another"},
    {"exp": NOW - 120},
    {"exp": None},
    {"exp": "tomorrow"},
    {"iat": NOW + 3_600},
    {"nbf": NOW + 3_600},
    {"nonce": "another's"},
    {"nonce": None},
    {"sub": None},
    {"at_hash": "another's"},
    {"email_verified": False},
    {"email_verified": None},
    {"email_verified": "true"},
    {"email": 7},
    {"email": "sam@cities.example\x00"},
)


async def test_a_token_that_says_what_it_must_not_is_refused(house: House) -> None:
    await house.account()
    async with house.browser() as browser:
        for claims in CLAIMS:
            house.provider.forge = changed(**claims)
            refused = await sign_in(browser)
            assert (refused.status_code, PLAIN in refused.text) == (403, True), claims
    assert await house.sessions() == []


def unsigned(_provider: Provider, claims: dict[str, Any]) -> str:
    parts = [json.dumps({"alg": "none", "typ": "JWT"}), json.dumps(claims)]
    return ".".join([*(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts), ""])


def by_another(provider: Provider, claims: dict[str, Any]) -> str:
    kid = provider.keys[0].kid
    return jwt.encode({"alg": "ES256", "kid": kid}, claims, new_key(kid))


def by_an_unknown_key(_provider: Provider, claims: dict[str, Any]) -> str:
    key = new_key()
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)


def with_its_own_key(_provider: Provider, claims: dict[str, Any]) -> str:
    key = new_key()
    return jwt.encode({"alg": "ES256", "jwk": key.as_dict(private=False)}, claims, key)


def by_our_secret(_provider: Provider, claims: dict[str, Any]) -> str:
    key = OctKey.import_key(SECRET)
    return jwt.encode({"alg": "HS256"}, claims, key)


def by_the_public_key(provider: Provider, claims: dict[str, Any]) -> str:
    key = OctKey.import_key(json.dumps(provider.keys[0].as_dict(private=False)))
    return jwt.encode({"alg": "HS256", "kid": provider.keys[0].kid}, claims, key)


def cut(provider: Provider, claims: dict[str, Any]) -> str:
    return str(jwt.encode({"alg": "ES256", "kid": provider.keys[0].kid}, claims, provider.keys[0]))[:-8]


def altered(provider: Provider, claims: dict[str, Any]) -> str:
    head, _, signature = str(jwt.encode({"alg": "ES256", "kid": provider.keys[0].kid}, claims, provider.keys[0])).split(
        "."
    )
    body = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "u-9"}).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


def none_at_all(_provider: Provider, _claims: dict[str, Any]) -> None:
    return None


def no_token(_provider: Provider, _claims: dict[str, Any]) -> str:
    return "not a token"


FORGERIES = (
    unsigned,
    by_another,
    by_an_unknown_key,
    with_its_own_key,
    by_our_secret,
    by_the_public_key,
    cut,
    altered,
    none_at_all,
    no_token,
)


async def test_a_token_that_the_provider_did_not_sign_is_refused(house: House) -> None:
    await house.account()
    async with house.browser() as browser:
        for forgery in FORGERIES:
            house.provider.sign = forgery
            refused = await sign_in(browser)
            assert (refused.status_code, PLAIN in refused.text) == (403, True), forgery.__name__
    assert await house.sessions() == []


async def test_only_the_browser_that_began_comes_back_and_only_once(house: House) -> None:
    await house.account()
    async with house.browser() as browser, house.browser() as other:
        back = await at_the_provider(browser)
        assert (await other.get(back)).status_code == 403
        await other.get(PATH)
        assert (await other.get(back)).status_code == 403
        other_state = dict(parse_qsl(urlsplit(await at_the_provider(other)).query))["state"]
        code = dict(parse_qsl(urlsplit(back).query))["code"]
        stolen = await other.get(f"{PATH}/callback", params={"code": code, "state": other_state})
        assert (stolen.status_code, await house.sessions()) == (403, [])
        back = await at_the_provider(browser)
        assert (await browser.get(back)).status_code == 303
        assert (await browser.get(back)).status_code == 403
    assert len(await house.sessions()) == 1


async def test_an_answer_that_is_none_is_refused(house: House) -> None:
    nowhere = {"code": "x", "iss": "https://login.elsewhere.example"}
    async with house.browser() as browser:
        for answer in ({"error": "access_denied"}, {}, nowhere, {"code": "x", "state": ""}, {"code": "x"}):
            state = parse_qs(urlsplit((await browser.get(PATH)).headers["location"]).query)["state"][0]
            refused = await browser.get(f"{PATH}/callback", params={"state": state, **answer})
            assert (refused.status_code, PLAIN in refused.text) == (403, True), answer


async def test_while_the_provider_is_away_that_is_said_and_the_way_by_mail_is_open(database: Database) -> None:
    async with providing(Provider()) as provider:
        house = House(database, provider)
    async with house.browser() as browser:
        away = await browser.get(f"{PATH}?next=/directory")
        assert (away.status_code, "does not answer" in away.text) == (503, True)
        assert (await browser.get("/sign-in")).status_code == 200


async def test_a_provider_that_fails_half_way_is_away_and_nobody_is_signed_in(house: House) -> None:
    await house.account()
    async with house.browser() as browser:
        back = await at_the_provider(browser)
        house.provider.broken = True
        assert (await browser.get(back)).status_code == 503
    assert await house.sessions() == []


async def test_a_provider_that_points_elsewhere_is_not_followed(house: House) -> None:
    elsewhere = "https://login.elsewhere.example"
    async with house.browser() as browser:
        for metadata in ({"issuer": elsewhere}, {"token_endpoint": "http://login.example/token"}, {"jwks_uri": None}):
            house.provider.metadata = metadata
            assert (await browser.get(PATH)).status_code == 503, metadata


async def test_new_keys_of_the_provider_are_asked_for_when_a_token_names_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "KEYS_ASKED_EVERY_SECONDS", 0.0)
    await house.account()
    async with house.browser() as browser:
        assert (await sign_in(browser)).status_code == 303
        house.provider.keys.append(RSAKey.generate_key(2048, {"kid": "new", "use": "sig"}))  # type: ignore[arg-type]
        house.provider.sign = lambda provider, claims: jwt.encode(
            {"alg": "RS256", "kid": "new"}, claims, provider.keys[-1]
        )
        assert (await sign_in(browser)).status_code == 303
    assert house.provider.requests.count("/keys") == 2
    assert house.provider.requests.count("/.well-known/openid-configuration") == 1


async def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(house: House) -> None:
    await house.account()
    house.provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    async with house.browser() as browser:
        assert (await sign_in(browser)).status_code == 303


async def test_without_a_provider_the_page_offers_none(database: Database) -> None:
    site, settings = FastAPI(), settings_with(None, oidc_client_id=None, oidc_client_secret=None)
    staff_only = StaffOnly(database.connection, settings)
    site.include_router(staff_router(database, staff_only, settings, system_clock))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=PUBLIC) as browser:
        assert "oidc" not in (await browser.get("/sign-in")).text
        assert "no link of ours" in (await browser.get(PATH)).text


def test_half_of_a_provider_is_refused() -> None:
    with pytest.raises(WrongSetting, match="CLARION_OIDC_CLIENT_SECRET not set"):
        provider_of(settings_with("https://login.example", oidc_client_secret=None), system_clock)
    with pytest.raises(WrongSetting, match="is to begin with https"):
        provider_of(settings_with("http://login.example"), system_clock)
    with pytest.raises(MissingSetting):
        provider_of(settings_with("https://login.example", secret_key=()), system_clock)
