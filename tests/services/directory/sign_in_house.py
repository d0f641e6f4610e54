"""The pages of signing in, browsers at them, and what they put into the outbox and the record."""

import json
import re
from datetime import datetime
from typing import Any

import httpx
from fastapi import FastAPI

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.web import pages, problems
from clarion.runtime.web.staff import StaffOnly
from clarion.services.directory.staff.visits import OwnSessions, SignIn, own_router, sign_in_router
from tests.staff import form_token_in

PUBLIC = "https://calls.cities.example"
SESSION, BROWSER = "__Host-clarion_session", "__Host-clarion_browser"
ANSWER_SECONDS = 0.05


class Clock:
    def __init__(self) -> None:
        self.now = system_clock()

    def __call__(self) -> datetime:
        return self.now


class House:
    """The pages of signing in, and what they put into the outbox and the record."""

    def __init__(self, database: Database, clock: Clock) -> None:
        settings = Settings(_env_file=None, public_url=PUBLIC)
        staff_only = StaffOnly(database.connection, settings, clock)
        self.database, self.clock, self.app = database, clock, FastAPI()
        problems.install(self.app)
        pages.install(self.app)
        asking = SignIn(database, staff_only, settings, clock, answer_seconds=ANSWER_SECONDS)
        self.app.include_router(sign_in_router(asking))
        self.app.include_router(own_router(OwnSessions(database, staff_only, clock), staff_only))

    def browser(self, host: str = "203.0.113.9", base: str = PUBLIC) -> httpx.AsyncClient:
        """A browser of its own at this address."""
        headers = {"accept": "text/html", "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(host, 1)), base_url=base, headers=headers
        )

    async def mailed(self) -> list[dict[str, Any]]:
        """The requests for mail, in their order."""
        async with self.database.connection() as connection:
            rows = await connection.fetch("SELECT body FROM directory.outbox WHERE topic LIKE '%notices%' ORDER BY id")
        return [json.loads(row["body"]) for row in rows]

    async def newest_link(self) -> str:
        """The path of the newest link that was mailed."""
        url = str((await self.mailed())[-1]["content"]["url"])
        assert url.startswith(f"{PUBLIC}/sign-in/")
        return url.removeprefix(PUBLIC)

    async def recorded(self) -> list[tuple[str, str, str]]:
        async with self.database.connection() as connection:
            rows = await connection.fetch("SELECT act, subject, place FROM clarion.audit ORDER BY id")
        return [(row["act"], row["subject"], row["place"]) for row in rows]

    async def sessions(self) -> int:
        async with self.database.connection() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM clarion.sessions"))


async def ask(browser: httpx.AsyncClient, email: str, going: str = "") -> httpx.Response:
    page = await browser.get("/sign-in", params={"next": going} if going else {})
    form = {"email": email, "next": hidden(page.text, "next"), "form_token": form_token_in(page.text)}
    return await browser.post("/sign-in", data=form)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return found[1].replace("&amp;", "&")


async def press(browser: httpx.AsyncClient, link: str) -> httpx.Response:
    page = await browser.get(link)
    assert page.status_code == 200, page.text
    return await browser.post(link, data={"form_token": form_token_in(page.text)})
