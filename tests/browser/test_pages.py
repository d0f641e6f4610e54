"""The pages and a mail in Chromium: they fit a phone, keep their policy, and work without JavaScript."""

import re
from email import message_from_bytes
from email.policy import default
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page

from tests.whole.installation import Installation

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CONTRAST = """
() => {
  const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = parse(c).map(channel); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
  const ground = e => {
    for (let n = e; n; n = n.parentElement) {
      const c = getComputedStyle(n).backgroundColor;
      if (!/, 0\\)$/.test(c) && c !== 'transparent') return c;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? 'rgb(18, 18, 18)' : 'rgb(255, 255, 255)';
  };
  const faint = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(e.tagName + ': ' + e.textContent.trim().slice(0, 40));
  }
  return faint;
}
"""


async def read(browser: Browser, address: str, *, dark: bool, size: dict[str, int]) -> Page:
    """Open a page without JavaScript of its own and hold it to what every page must keep."""
    context = await browser.new_context(
        viewport={"width": size["width"], "height": size["height"]}, color_scheme="dark" if dark else "light"
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    answer = await page.goto(address)
    assert answer is not None
    assert answer.ok, f"{address}: {answer.status}"
    assert await page.evaluate(OVERFLOW) <= 0, f"{address} is wider than {size['width']} pixels"
    assert await page.evaluate(CONTRAST) == [], address
    assert complaints == [], address
    return page


def unsubscribe_link(here: Installation) -> str:
    """The link at the foot of one mail."""
    mail = here.catcher.store.get(here.catcher.store.list(limit=1)[0].id)
    assert mail is not None
    assert mail.content is not None
    header = str(message_from_bytes(mail.content, policy=default)["List-Unsubscribe"])
    found = re.search(r"<(http[^>]+)>", header)
    assert found
    return found[1]


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_every_page_and_a_mail_fit_phone_and_desktop_in_light_and_dark(
    installation: Installation, browser: Browser
) -> None:
    site = str(installation.site.base_url).rstrip("/")
    mail_id = installation.catcher.store.list(limit=1)[0].id
    addresses = [
        f"{site}{path}"
        for path in (
            "/",
            "/mail",
            f"/mail/{mail_id}",
            f"/mail/{mail_id}/html",
            "/mail?q=nobody",
            "/webinars/packaging-law",
        )
    ]
    for address in [*addresses, unsubscribe_link(installation)]:
        for size in (PHONE, DESKTOP):
            for dark in (False, True):
                page = await read(browser, address, dark=dark, size=size)
                await page.context.close()


@pytest.mark.browser
@pytest.mark.timeout(120)
async def test_the_list_is_left_and_joined_again_from_the_mails_link_without_javascript(
    installation: Installation, browser: Browser
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(unsubscribe_link(installation))
    assert await installation.rows("SELECT 1 FROM notifications.unsubscribed") == []
    await page.get_by_role("button", name="Leave calls for action").click()
    assert len(await installation.rows("SELECT 1 FROM notifications.unsubscribed")) == 1
    await page.get_by_role("button", name="Get calls for action again").click()
    assert await installation.rows("SELECT 1 FROM notifications.unsubscribed") == []
    await context.close()


@pytest.mark.browser
@pytest.mark.timeout(120)
async def test_one_click_leaves_the_list_and_a_look_at_the_link_does_not(installation: Installation) -> None:
    path = urlsplit(unsubscribe_link(installation)).path
    assert (await installation.site.get(path)).status_code == 200
    assert await installation.rows("SELECT 1 FROM notifications.unsubscribed") == []
    left = await installation.site.post(path, data={"List-Unsubscribe": "One-Click"})
    assert left.status_code == 200
    assert len(await installation.rows("SELECT 1 FROM notifications.unsubscribed")) == 1
