"""The pages over a small fictional state, in which a hearing was set and its campaign launched."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.web import pages, problems
from clarion.runtime.web.staff import StaffOnly
from clarion.schemas.directory import City, Official
from clarion.services.campaigning.pages import campaigning_router
from clarion.services.directory.cards import write_cards
from tests.services.campaigns.campaigns_world import IMPORTS, World
from tests.staff import SignedIn, signed_in

MIRRORED = """
INSERT INTO notifications.officials (id, revision, name, email, mailbox, city, roles, active)
VALUES ($1, 1, $2, $3, $4, $5, $6, true)
"""
ENTITY = """
INSERT INTO directory.entities (kind, id, revision, state, import_id, changed_at)
VALUES ($1, $2, 1, $3::text::jsonb, 'i', now())
"""
SITE = "http://clarion.example"
PAGE = {"accept": "text/html"}


@dataclass
class Console:
    """The state, and a browser at the console's pages."""

    world: World
    browser: httpx.AsyncClient
    settings: Settings
    keeper: Database
    staff: SignedIn | None = None

    async def sign_in(
        self, role: str = "manager", divisions: tuple[str, ...] = ("east-bay",), deputy_in: tuple[str, ...] = ()
    ) -> SignedIn:
        """Be somebody of this role from now on."""
        self.staff = await signed_in(
            self.browser, self.world.database, role, divisions, deputy_in, now=self.world.now, name=f"Sam of {role}"
        )
        return self.staff

    async def mirror(self) -> None:
        """The state's officials and cities as notifications and the directory have them."""
        login = await asyncpg.connect(str(self.settings.database_url))
        try:
            for kind, entities in (("city", IMPORTS["cities"]), ("official", IMPORTS["officials"])):
                for one in entities:
                    assert isinstance(one, City | Official)
                    await login.execute(ENTITY, kind, one.id, one.model_dump_json())
                    if isinstance(one, Official):
                        known = (one.id, one.name, one.email, one.mailbox, one.city, list(one.roles))
                        await login.execute(MIRRORED, *known)
        finally:
            await login.close()
        while await write_cards(self.keeper):
            pass

    async def post(self, path: str, data: dict[str, Any]) -> httpx.Response:
        """Send a form of one of the pages."""
        assert self.staff is not None
        return await self.browser.post(path, data={**self.staff.form, **data})

    async def get(self, path: str, status: int = 200) -> str:
        """What a page says."""
        answer = await self.browser.get(path)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.text


def words(page: str) -> str:
    """What a reader sees of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
async def console(database_url: str) -> AsyncIterator[Console]:
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        public_url=SITE,
        secret_key=("test-secret-key-of-some-length",),
        mail_from="Clarion <calls@clarion.example>",
    )
    database = await Database.connect(database_url, "campaigns", max_size=4)
    keeper = await Database.connect(database_url, "directory", max_size=4)
    world = World(database)
    keeper.clock = world.clock
    site = FastAPI()
    problems.install(site)
    pages.install(site)
    site.include_router(campaigning_router(keeper, StaffOnly(keeper.connection, settings, world.clock), settings))
    transport = httpx.ASGITransport(site)
    try:
        async with httpx.AsyncClient(transport=transport, base_url=SITE, headers=PAGE) as browser:
            yield Console(world, browser, settings, keeper)
    finally:
        await database.close()
        await keeper.close()
