"""A person registers for a webinar on a phone, without JavaScript, and gives the seat back."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.test_pages import PHONE
from tests.conftest import Until
from tests.whole.installation import Installation


async def comes_to_say(page: Page, text: str) -> None:
    """The page looks for its news itself, by a refresh that needs no JavaScript."""
    await expect(page.get_by_role("main")).to_contain_text(text, ignore_case=True, timeout=30_000)


@pytest.mark.browser
@pytest.mark.timeout(120)
async def test_a_seat_is_asked_for_confirmed_and_given_back_without_javascript(
    installation: Installation, browser: Browser, until: Until
) -> None:
    context = await browser.new_context(
        java_script_enabled=False, viewport={"width": PHONE["width"], "height": PHONE["height"]}
    )
    page = await context.new_page()
    await page.goto(f"{installation.site.base_url}/webinars/packaging-law")
    await page.get_by_label("Your name").fill("Ada <b>Fictional</b>")
    await page.get_by_label("Your mail address").fill("nobody")
    await page.get_by_role("button", name="Register").click()
    assert await page.get_by_role("alert").is_visible()
    assert await page.get_by_label("Your name").input_value() == "Ada <b>Fictional</b>"
    await page.get_by_label("Your mail address").fill("Ada.Fictional@pleasantville.ca.example")
    await page.get_by_label("Your city or county").fill("Pleasantville")
    await page.get_by_role("button", name="Register").click()
    assert "/registrations/" in page.url
    await comes_to_say(page, "confirmed")
    await page.get_by_role("button").click()
    await comes_to_say(page, "cancelled")

    async def mailed() -> bool:
        return len(installation.catcher.store.list(limit=1_000, query="fictional@pleasantville")) == 2

    await until(mailed, 30)
    await context.close()
