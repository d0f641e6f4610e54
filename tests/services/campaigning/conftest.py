"""The pages over a small fictional state, in which a hearing was set and its campaign launched."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI

from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.web import pages, problems
from clarion.runtime.web.staff import StaffOnly
from clarion.services.campaigning.pages import campaigning_router
from tests.services.campaigns.campaigns_world import World
from tests.staff import SignedIn, signed_in

SITE = "http://clarion.example"
PAGE = {"accept": "text/html"}


@dataclass
class Console:
    """The state, and a browser at the console's pages."""

    world: World
    browser: httpx.AsyncClient
    settings: Settings

    async def sign_in(
        self, role: str = "manager", divisions: tuple[str, ...] = ("east-bay",), deputy_in: tuple[str, ...] = ()
    ) -> SignedIn:
        """Be somebody of this role from now on."""
        return await signed_in(
            self.browser, self.world.database, role, divisions, deputy_in, now=self.world.now, name=f"Sam of {role}"
        )

    async def get(self, path: str, status: int = 200) -> str:
        """What a page says."""
        answer = await self.browser.get(path)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.text


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
            yield Console(world, browser, settings)
    finally:
        await database.close()
        await keeper.close()
