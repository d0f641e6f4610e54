"""Staff sign in on a phone, without JavaScript, by the link in their mail, and keep the accounts of others."""

import re
from collections.abc import AsyncIterator
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
from clarion.services.directory.staff.sample import ADMINISTRATOR, add_sample_staff
from tests.browser.fitting import fits
from tests.browser.test_pages import PHONE
from tests.conftest import Until, require
from tests.whole.installation import Installation, installed

LINK = re.compile(r"https?://\S+/sign-in/\S+")


@pytest.fixture
async def association(settings: Settings, mail_catcher: MailCatcher) -> AsyncIterator[Installation]:
    """An installation with the sample's staff, whom nobody has told anything yet."""
    require("browser")
    async with installed(settings, mail_catcher, 20) as here:
        async with open_database(here.settings, "directory") as database, database.transaction() as tx:
            await add_sample_staff(tx, Hand(command_actor(), system_clock()))
        yield here


async def phone(browser: Browser) -> BrowserContext:
    return await browser.new_context(
        java_script_enabled=False, viewport={"width": PHONE["width"], "height": PHONE["height"]}
    )


async def link_in_the_mail(here: Installation, until: Until) -> str:
    """The link in the newest mail to the administrator."""
    await until(lambda: here.catcher.store.count() > 0, 30)
    mail = here.catcher.store.get(here.catcher.store.list(limit=1)[0].id)
    assert mail is not None
    assert mail.content is not None
    body = message_from_bytes(mail.content, policy=default).get_body(("plain",))
    assert body is not None
    found = LINK.search(body.get_content())
    assert found
    return found[0]


async def says(page: Page, text: str) -> None:
    assert text in " ".join((await page.inner_text("body")).split())


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_an_administrator_signs_in_on_a_phone_and_keeps_accounts_without_javascript(
    association: Installation, browser: Browser, until: Until
) -> None:
    site = str(association.site.base_url).rstrip("/")
    own, other = await phone(browser), await phone(browser)
    page = await own.new_page()
    await page.goto(f"{site}/staff")
    assert "/sign-in?next=%2Fstaff" in page.url
    await page.get_by_label("Your mail address").fill(ADMINISTRATOR.upper())
    await page.get_by_role("button", name="Mail me a link").click()
    await says(page, "Look into your mail")
    link = await link_in_the_mail(association, until)

    elsewhere = await other.new_page()
    await elsewhere.goto(link)
    await says(elsewhere, "only in the browser in which you asked for it")
    assert await elsewhere.get_by_role("button").count() == 0

    await page.goto(link)
    await page.get_by_role("button", name="Sign in").click()
    assert page.url == f"{site}/staff"
    await page.get_by_role("link", name="Add somebody").click()
    await page.get_by_role("textbox", name="Name").fill("Max <b>Fictional</b>")
    await page.get_by_role("textbox", name="Mail address").fill("max@league.example")
    await page.get_by_label("manager:").check()
    await page.get_by_role("button", name="Add").click()
    await says(page, "a manager needs a division")
    await page.get_by_label("Peninsula").select_option("manager")
    await page.get_by_role("button", name="Add").click()
    await says(page, "Max <b>Fictional</b> has an account now.")
    await page.get_by_role("link", name="Max <b>Fictional</b>").click()
    await page.get_by_role("button", name="Remove Max <b>Fictional</b>").click()
    await says(page, "is removed, and signed out everywhere")
    await page.get_by_role("button", name="Undo").click()
    await says(page, "Max <b>Fictional</b> is back.")

    await page.get_by_role("link", name="Avery Sample").first.click()
    await says(page, "this browser")
    await page.get_by_role("button", name="Sign out everywhere").click()
    await says(page, "You are signed out.")
    await page.goto(f"{site}/staff")
    assert "/sign-in" in page.url
    await own.close()
    await other.close()


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_staff_pages_fit_a_phone_and_a_desktop_in_light_and_dark(
    association: Installation, browser: Browser, until: Until
) -> None:
    site = str(association.site.base_url).rstrip("/")
    context = await browser.new_context()
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    await page.goto(f"{site}/sign-in")
    await fits(page, "sign-in")
    await page.get_by_label("Your mail address").fill(ADMINISTRATOR)
    await page.get_by_role("button", name="Mail me a link").click()
    await fits(page, "asked")
    await page.goto(await link_in_the_mail(association, until))
    await fits(page, "link")
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="Sign out", exact=True).wait_for()
    await fits(page, "me")
    for path in ("/staff", "/staff/new"):
        await page.goto(f"{site}{path}")
        await fits(page, path)
    assert complaints == []
    await context.close()
