"""The state team keeps positions and the agenda on a phone, without JavaScript; every page fits and can be read."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from clarion.runtime.clock import system_clock
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.runtime.web.staff import SessionCookie
from clarion.services.sample import sample_notice
from tests.browser.fitting import fits
from tests.browser.test_campaigns import phone, says
from tests.conftest import Until, require
from tests.staff import signed_in
from tests.whole.installation import Installation, installed

OFFICIALS = 40
TOLD = "SELECT 1 FROM campaigns.campaigns WHERE status = 'launched'"


@pytest.fixture
async def association(settings: Settings, mail_catcher: MailCatcher, until: Until) -> AsyncIterator[Installation]:
    """An installation with the sample's position, whose campaign is under way."""
    require("browser")
    async with installed(settings, mail_catcher, OFFICIALS) as here:
        await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})

        async def launched() -> bool:
            return bool(await here.rows(TOLD))

        await until(launched, 60)
        yield here


async def opened(here: Installation, browser: Browser) -> tuple[Page, str]:
    """A page of somebody of the state team, and the site."""
    site = str(here.site.base_url).rstrip("/")
    who = await signed_in(here.site, here.settings, "state")
    context = await phone(browser)
    await context.add_cookies([{"name": SessionCookie(site).name, "value": who.token, "url": site}])
    return await context.new_page(), site


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_a_position_is_withdrawn_and_adopted_again_and_a_priority_ended_on_a_phone_without_javascript(
    association: Installation, browser: Browser
) -> None:
    page, site = await opened(association, browser)
    await page.goto(f"{site}/positions")
    await fits(page, "positions")
    await page.get_by_role("link", name="SB 79").click()
    await says(page, "Campaigns, and whom they reached")
    await fits(page, "position")
    await page.get_by_role("link", name="Withdraw...").click()
    await fits(page, "position-withdraw")
    await page.get_by_label("Why, for the bill's story").fill("Amended as cities asked")
    await page.get_by_role("button", name="Withdraw it").click()
    await says(page, "It is withdrawn.")
    await fits(page, "position-withdrawn")
    await page.get_by_role("link", name="Adopt it again...").click()
    await fits(page, "position-form")
    await page.get_by_label("Ask: what is to be done").fill("vote no on SB 79 unless amended")
    await page.get_by_role("button", name="Adopt it").click()
    await says(page, "It is adopted.")
    await says(page, "stance: oppose, was withdrawn")

    await page.get_by_role("link", name="Agenda", exact=True).click()
    await fits(page, "agenda")
    await page.get_by_role("link", name="Add a priority...").click()
    await page.get_by_label("Short name").fill("water")
    await page.get_by_label("Title").fill("Water that lasts")
    await page.get_by_label("What it is about").fill("Pipes before promises.")
    await fits(page, "priority-form")
    await page.get_by_role("button", name="Put it on the agenda").click()
    await says(page, "It stands on the agenda.")
    await page.get_by_role("button", name="Have it end today").click()
    await says(page, "It holds until the end of today.")
    await fits(page, "priority")
