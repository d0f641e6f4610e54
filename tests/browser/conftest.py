"""An installation that has told everyone, and a Chromium to look at it."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from clarion.runtime.clock import system_clock
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.services.sample import sample_notice
from tests.conftest import Until, require
from tests.whole.installation import Installation, installed

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


@pytest.fixture
async def installation(settings: Settings, mail_catcher: MailCatcher, until: Until) -> AsyncIterator[Installation]:
    require("browser")
    async with installed(settings, mail_catcher) as here:
        await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
        await until(here.told_everyone, 60)
        yield here


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    require("browser")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        await opened.close()
