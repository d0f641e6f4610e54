"""Whether a page fits, and can be read, wherever it is looked at."""

import os
from pathlib import Path

from playwright.async_api import Page

from tests.browser.test_pages import CONTRAST, DESKTOP, OVERFLOW, PHONE


async def fits(page: Page, name: str) -> None:
    """Nothing is wider than a phone or a desktop, and all of it can be read in light and dark."""
    await page.wait_for_load_state()
    for size in (DESKTOP, PHONE):
        await page.set_viewport_size({"width": size["width"], "height": size["height"]})
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            assert await page.evaluate(OVERFLOW) <= 0, (name, size)
            assert await page.evaluate(CONTRAST) == [], (name, scheme)
            if folder := os.environ.get("CLARION_PICTURES"):
                picture = Path(folder) / f"{name}-{size['width']}-{scheme}.png"
                await page.screenshot(path=picture, full_page=True)
