"""A division's manager lets calls go on a phone, without JavaScript, from the mail that says they wait to the mail."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import command_actor
from clarion.services.directory.staff.operations import Hand
from clarion.services.directory.staff.sample import add_sample_staff
from clarion.services.sample import sample_notice
from tests.browser.fitting import fits
from tests.browser.test_pages import PHONE
from tests.conftest import Until, require
from tests.whole.installation import Installation, installed

OFFICIALS = 40
LINK = re.compile(r"https?://\S+/campaigns/\S+")
SIGN_IN = re.compile(r"https?://\S+/sign-in/\S+")
APPROVAL = "UPDATE campaigns.positions SET launch = 'approval'"
DIVISION = """
SELECT w.division, d.manager_email AS manager FROM campaigns.waves w JOIN campaigns.divisions d ON d.id = w.division
WHERE w.officials > 1 ORDER BY w.officials DESC LIMIT 1
"""


@pytest.fixture
async def association(settings: Settings, mail_catcher: MailCatcher, until: Until) -> AsyncIterator[Installation]:
    """An installation with the sample's staff, in which a hearing's calls wait for approval."""
    require("browser")
    async with installed(settings, mail_catcher, OFFICIALS) as here:
        async with open_database(here.settings, "directory") as database, database.transaction() as tx:
            await add_sample_staff(tx, Hand(command_actor(), system_clock()))
        await here.rows(APPROVAL)
        await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})

        async def drafted() -> bool:
            return bool(await here.rows(DIVISION))

        await until(drafted, 60)
        yield here


async def phone(browser: Browser) -> BrowserContext:
    return await browser.new_context(
        java_script_enabled=False, viewport={"width": PHONE["width"], "height": PHONE["height"]}
    )


async def mailed(here: Installation, until: Until, wanted: re.Pattern[str], to: str) -> str:
    """The newest link of a kind in the mail to somebody."""
    found: list[str] = []

    async def came() -> bool:
        for entry in here.catcher.store.list(limit=200, query=to or None):
            mail = here.catcher.store.get(entry.id)
            if mail is None or mail.content is None:
                continue
            body = message_from_bytes(mail.content, policy=default).get_body(("plain",))
            if body is not None and (link := wanted.search(body.get_content())):
                found.append(link[0])
                return True
        return False

    await until(came, 40)
    return found[0]


async def says(page: Page, text: str) -> None:
    assert text in " ".join((await page.inner_text("body")).split())


async def sign_in(here: Installation, page: Page, until: Until, address: str) -> None:
    """By the link in the mail, from the page that asks for it."""
    await page.get_by_label("Your mail address").fill(address)
    await page.get_by_role("button", name="Mail me a link").click()
    await page.goto(await mailed(here, until, SIGN_IN, address))
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="Sign out", exact=True).wait_for()


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_a_manager_lets_calls_go_on_a_phone_without_javascript(
    association: Installation, browser: Browser, until: Until
) -> None:
    [wave] = await association.rows(DIVISION)
    context = await phone(browser)
    page = await context.new_page()
    await page.goto(await mailed(association, until, LINK, wave["manager"]))
    assert "/sign-in?next=" in page.url
    await sign_in(association, page, until, wave["manager"])
    if page.url.endswith("/campaigns/waiting"):
        await page.locator(f'a[href$="/{wave["division"]}"]').first.click()
    await says(page, "waits for approval")
    await fits(page, "wave")

    first = page.locator("#people ~ ul details").first
    await first.locator("summary").click()
    name = await page.locator("#people ~ ul li strong").first.inner_text()
    await first.get_by_label("is not to be asked").fill("She asked <b>not</b> to be")
    await first.get_by_role("button").click()
    await says(page, f"{name} is left out.")
    await page.get_by_label("A few words of your own").fill("Our main street is at stake, <i>and</i> yours.")
    await page.get_by_role("button", name="Save the paragraph").click()
    await says(page, "The paragraph is kept.")
    await page.get_by_role("link", name="See it as it looks").click()
    frame = page.frame_locator("iframe.mail")
    assert "Our main street is at stake, <i>and</i> yours." in await frame.locator("body").inner_text()
    await fits(page, "mail")
    await page.get_by_role("link", name="Back to").click()

    await page.get_by_role("link", name="Approve").click()
    await says(page, "will be asked")
    await fits(page, "confirm")
    await page.get_by_role("button", name="Approve").click()
    await says(page, "Approved: the mails go out now.")
    await fits(page, "approved")
    await mailed(association, until, re.compile("Our main street is at stake, <i>and</i> yours"), "")
    reached = await association.rows(
        "SELECT name FROM notifications.officials o JOIN campaigns.calls k ON k.official = o.id"
    )
    assert name not in {row["name"] for row in reached}
    await context.close()


async def moved_and_called_off(page: Page) -> None:
    """From the page of a campaign that was just started."""
    await page.get_by_role("link", name="Move it").click()
    await page.locator("#decided_on").fill(f"{system_clock() + timedelta(days=40):%Y-%m-%d}")
    await fits(page, "move")
    await page.get_by_role("button", name="Count who is told").click()
    await says(page, "Nobody was told anything of it that changes")
    await fits(page, "move-counted")
    await page.get_by_role("button", name="Move it").click()
    await says(page, "It is moved.")
    await fits(page, "moved")
    await page.get_by_role("button", name="Undo").click()
    await says(page, "It is as it was before.")
    await page.get_by_role("link", name="Call it off").click()
    await fits(page, "call-off")
    await page.get_by_role("button", name="Call it off").click()
    await says(page, "It is called off.")


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_the_other_pages_about_campaigns_fit_phone_and_desktop_in_light_and_dark(
    association: Installation, browser: Browser, until: Until
) -> None:
    site = str(association.site.base_url).rstrip("/")
    [wave] = await association.rows(DIVISION)
    context = await browser.new_context()
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    await page.goto(f"{site}/campaigns/waiting")
    await sign_in(association, page, until, wave["manager"])
    await fits(page, "waiting")
    for name, path in (("campaigns", "/campaigns"), ("all", "/campaigns?where=all")):
        await page.goto(f"{site}{path}")
        await fits(page, name)
    await page.goto(f"{site}/campaigns/waiting")
    await page.locator(f'a[href$="/{wave["division"]}"]').first.click()
    here = page.url
    await page.get_by_role("link", name="Add somebody").click()
    await page.get_by_label("Name or city").fill("a")
    await page.get_by_role("button", name="Search").click()
    await fits(page, "add")
    await page.goto(f"{here}/reject")
    await fits(page, "reject")
    await page.goto(here.rpartition("/")[0])
    await fits(page, "campaign")
    await page.goto(f"{site}/campaigns/new")
    await fits(page, "new")
    await page.get_by_role("link", name="Regional programme").click()
    await page.locator("summary").click()
    await fits(page, "form")
    await page.get_by_role("textbox", name="About what").fill("Clean creeks <b>now</b>")
    await page.get_by_role("textbox", name="What you ask of them").fill("lend a hand on the day")
    await page.get_by_role("textbox", name="Why", exact=True).fill("A clean creek floods nobody.")
    await page.get_by_role("textbox", name="Who decides").fill("The division")
    await page.locator("#decided_on").fill(f"{system_clock() + timedelta(days=30):%Y-%m-%d}")
    await page.locator("#districts").fill("SD 700")
    await page.get_by_role("button", name="Count whom it reaches").click()
    assert await page.get_by_role("alert").is_visible()
    await fits(page, "wrong")
    await page.locator("#districts").fill("")
    await page.get_by_role("button", name="Count whom it reaches").click()
    await says(page, "Nothing is kept or sent yet. It would ask")
    await fits(page, "counted")
    await page.get_by_role("button", name="Start it").click()
    await says(page, "It is started.")
    await moved_and_called_off(page)
    assert complaints == ["Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"]
    await context.close()
