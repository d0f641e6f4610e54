"""The state team looks after deadlines on a phone, without JavaScript; every page fits and can be read."""

import pytest
from playwright.async_api import Browser

from tests.browser.fitting import fits
from tests.browser.test_campaigns import says
from tests.browser.test_positions import association, opened
from tests.whole.installation import Installation

__all__ = ["association"]
CAMPAIGN = "SELECT id FROM campaigns.campaigns"


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_a_rule_is_changed_and_had_again_and_a_hearings_deadline_set_on_a_phone_without_javascript(
    association: Installation, browser: Browser
) -> None:
    page, site = await opened(association, browser)
    await page.goto(f"{site}/rules")
    await says(page, "Senate Housing: Wednesday before the hearing, noon")
    await fits(page, "rules")
    await page.get_by_role("link", name="Change Senate Housing...").click()
    await fits(page, "rule")
    await page.locator("#when").fill("2 business days")
    await page.get_by_label("I looked there today").check()
    await page.get_by_role("button", name="Save the rule").click()
    await says(page, "It is saved, and the hearings ahead that it concerns were decided on again.")
    [row] = await association.rows(CAMPAIGN)
    await page.goto(f"{site}/campaigns/{row['id']}")
    await says(page, "2 business days before the hearing, noon")
    await page.get_by_role("link", name="Set it by hand").click()
    await fits(page, "hearing-deadline")
    await page.get_by_label("nobody knows it").check()
    await page.get_by_label("Who said so, or why").fill("They changed it and do not say to what")
    await page.get_by_role("button", name="Set the deadline").click()
    await says(page, "It is set, and what follows of it was decided.")
    await says(page, "Letters due unknown")
    await page.goto(f"{site}/rules")
    await page.get_by_role("link", name="Change Senate Housing...").click()
    await page.get_by_role("button", name="Have version 0 again").click()
    await says(page, "Senate Housing: Wednesday before the hearing, noon")
    await page.get_by_role("link", name="See them, and add days").click()
    await fits(page, "holidays")
    await page.locator("#day").fill("2029-01-01")
    await page.locator("#name").fill("New Year's Day")
    await page.locator("#source").fill("https://hr.example/holidays")
    await page.get_by_role("button", name="Add it").click()
    await says(page, "It is a holiday from now on")
    await fits(page, "holiday-added")
    await page.get_by_role("button", name="Undo").click()
    await says(page, "It is taken out")
