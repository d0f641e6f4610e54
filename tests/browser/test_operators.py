"""The operators' pages in Chromium: they fit a phone, can be read, and a letter is put aside and taken back on them."""

import itertools

import pytest
from playwright.async_api import Browser

from tests.browser.test_pages import DESKTOP, PHONE, read
from tests.conftest import Until
from tests.whole.installation import Installation

HEADINGS = "[...document.querySelectorAll('h1, h2, h3')].map(e => +e.tagName[1])"


async def letter_of(here: Installation, until: Until) -> str:
    """A record that cannot be handled, as the pages call it."""

    async def found() -> object:
        return await here.rows("SELECT id FROM legislation.dead_letters")

    await here.send(b"\x00 no event, with a very long word: " + b"x" * 300, [("ce_id", b"x" * 200)])
    rows: list[dict[str, int]] = await until(found)
    return f"legislation-{rows[0]['id']}"


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_the_operators_pages_fit_and_can_be_read(
    installation: Installation, browser: Browser, until: Until
) -> None:
    letter = await letter_of(installation, until)
    await installation.watch.look()
    site = str(installation.site.base_url).rstrip("/")
    for path in ("", "/dead-letters", f"/dead-letters/{letter}", f"/dead-letters/{letter}/discard"):
        for size in (PHONE, DESKTOP):
            for dark in (False, True):
                page = await read(browser, f"{site}/operators{path}", dark=dark, size=size)
                levels = await page.evaluate(HEADINGS)
                assert levels[0] == 1
                assert levels.count(1) == 1
                assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
                await page.context.close()


@pytest.mark.browser
@pytest.mark.timeout(120)
async def test_a_letter_is_put_aside_and_taken_back_without_javascript(
    installation: Installation, browser: Browser, until: Until
) -> None:
    letter = await letter_of(installation, until)
    site = str(installation.site.base_url).rstrip("/")
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site}/operators")
    await page.get_by_role("link", name=letter).click()
    await page.get_by_role("link", name="Discard").click()
    await page.get_by_label("Why").fill("sent by mistake")
    await page.get_by_role("button", name="Discard it").click()
    await page.get_by_text("It is put aside").wait_for()
    await page.get_by_role("button", name="Take it back").click()
    await page.get_by_text("It waits for somebody again").wait_for()
    await page.get_by_role("button", name="Retry").click()
    await page.get_by_text("It failed again").wait_for()
    await context.close()
