"""The directory's pages in Chromium: they fit a phone, can be read, and do all their work without JavaScript."""

import itertools
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, FilePayload, Page

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import Actor
from clarion.runtime.web.links import SignedLinks
from clarion.runtime.web.staff import SessionCookie
from clarion.services.directory.corrections import correct, find_official
from clarion.services.directory.domain.corrections import Wish
from clarion.services.directory.operations import import_kind
from tests.browser.test_operators import HEADINGS
from tests.browser.test_pages import CONTRAST, DESKTOP, OVERFLOW, PHONE
from tests.conftest import Until, require
from tests.staff import signed_in
from tests.whole.installation import Installation, installed

NAPA = "ocd-division/country:us/state:ca/place:napa"
SHOTS = os.environ.get("TEST_SCREENSHOTS")
ROSTER = (
    "id,name,city,roles,email,groups,testifies,elected\n"
    f"n-1,María Fernández-O'Brien,{NAPA},mayor;board of the transport authority,maria@napa.ca.example,coastal,yes,yes\n"
    f'n-2,"<b>Lee</b> ""Formula"" =1+1",{NAPA},council member,clerk@napa.ca.example,,no,yes\n'
    f"n-3,Pat Moss,{NAPA},city clerk,clerk@napa.ca.example,coastal,no,no\n"
)
LONG = "Somebody-with-a-very-long-name-" * 5


@pytest.fixture
async def here(
    settings: Settings, mail_catcher: MailCatcher, until: Until, tmp_path: Path
) -> AsyncIterator[Installation]:
    """An installation with people and groups of all kinds, and something corrected."""
    require("browser")
    async with installed(settings, mail_catcher, 300) as installation:
        await bring(settings, tmp_path, "groups", "slug,name,kind\ncoastal,Coastal Cities Group,city-group\n")
        await bring(
            settings, tmp_path, "officials", f"{ROSTER}n-4,{LONG},{NAPA},planner,{'l' * 60}@napa.ca.example,,no,no\n"
        )
        await until(lambda: written(installation), 40)
        yield installation


async def written(here: Installation) -> bool:
    return not await here.rows("SELECT 1 FROM directory.cards_to_write LIMIT 1")


async def bring(settings: Settings, folder: Path, kind: str, text: str) -> None:
    file = folder / f"{kind}.csv"
    file.write_text(text, encoding="utf-8")
    async with open_database(settings, "directory") as database:
        await import_kind(database, kind, [file], clock=system_clock)  # type: ignore[arg-type]


async def link_of(here: Installation, official: str) -> str:
    """The link that people at this official's address are led to."""
    async with open_database(here.settings, "directory") as database, database.connection() as connection:
        box = (await find_official(connection, official))["mailbox"]
    return f"/me/{SignedLinks(here.settings.secret_key).sign('person', {'mailbox': box})}"


def site_of(here: Installation) -> str:
    return str(here.site.base_url).rstrip("/")


async def staff(here: Installation, browser: Browser, **options: object) -> BrowserContext:
    """A browser in which an administrator is signed in."""
    me = await signed_in(here.site, here.settings)
    context = await browser.new_context(**options)  # type: ignore[arg-type]
    name = SessionCookie(site_of(here)).name
    await context.add_cookies([{"name": name, "value": me.token, "url": site_of(here)}])
    return context


async def look(context: BrowserContext, address: str, name: str) -> Page:
    """Open a page and hold it to what every page must keep."""
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    answer = await page.goto(address)
    assert answer is not None
    assert answer.ok, f"{address}: {answer.status}"
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)
    assert await page.evaluate(OVERFLOW) <= 0, f"{address} is too wide ({name})"
    assert await page.evaluate(CONTRAST) == [], address
    levels = await page.evaluate(HEADINGS)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), address
    assert complaints == [], address
    return page


async def hand_in(page: Page, site: str, kind: str, text: str, *, full: bool = False) -> str:
    """By the form of the page of imports; the page that is led to once the files were looked at."""
    await page.goto(f"{site}/directory/imports")
    await page.get_by_label("What the files hold").select_option(kind)
    await page.get_by_label("Files", exact=True).set_input_files(
        FilePayload(name=f"{kind}.csv", mimeType="text/csv", buffer=text.encode())
    )
    if full:
        await page.get_by_label("everything there is").check()
    await page.get_by_role("button", name="Look at them").click()
    await page.get_by_text(re.compile("Nothing was changed yet|Refused:|Nothing was imported")).wait_for(timeout=20_000)
    return page.url


@pytest.mark.browser
@pytest.mark.timeout(300)
async def test_the_directorys_pages_fit_and_can_be_read(here: Installation, browser: Browser) -> None:
    site = site_of(here)
    (committee,) = await here.rows(
        "SELECT id FROM directory.entities WHERE kind = 'committee' AND active ORDER BY id LIMIT 1"
    )
    (legislator,) = await here.rows("SELECT id FROM directory.entities WHERE kind = 'legislator' ORDER BY id LIMIT 1")
    async with open_database(here.settings, "directory") as database, database.transaction() as tx:
        box = (await find_official(tx.connection, "n-2"))["mailbox"]
        person = Actor("person", box, "the link in a mail", "192.0.2.7")
        await correct(tx, "n-2", Wish.NAME, "Lee Formula", person, mailbox=box)
        await correct(tx, "n-4", Wish.LEFT, "", Actor("staff", "s", "Sam Sample", "192.0.2.7"))
    context = await staff(here, browser)
    page = await context.new_page()
    rejected = f"{ROSTER}x-1,Nobody,Nowhere,mayor,x@x.example,,,\nn-5,New Person,{NAPA},mayor,new@napa.ca.example,,,\n"
    upload = await hand_in(page, site, "officials", rejected)
    refused = await hand_in(page, site, "officials", ROSTER, full=True)
    me = await link_of(here, "n-2")
    addresses = {
        "start": "/directory",
        "search": "/directory?q=napa",
        "nothing": "/directory?q=zzz",
        "city": f"/directory/cities/{NAPA}",
        "official": "/directory/officials/n-2",
        "long": "/directory/officials/n-4",
        "division": "/directory/divisions/north-bay",
        "group": "/directory/groups/coastal",
        "committee": f"/directory/committees/{committee['id']}",
        "legislator": f"/directory/legislators/{legislator['id']}",
        "corrections": "/directory/corrections",
        "imports": "/directory/imports",
        "upload": urlsplit(upload).path,
        "refused": urlsplit(refused).path,
        "me": me,
    }
    for size_name, size in (("phone", PHONE), ("desktop", DESKTOP)):
        for scheme in ("light", "dark"):
            context = await staff(here, browser, viewport=size, color_scheme=scheme)
            for name, path in addresses.items():
                page = await look(context, f"{site}{path}", f"{name}-{size_name}-{scheme}")
                await page.close()
            await context.close()


@pytest.mark.browser
@pytest.mark.timeout(180)
async def test_staff_search_correct_and_undo_without_javascript_by_keyboard(
    here: Installation, browser: Browser
) -> None:
    context = await staff(here, browser, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site_of(here)}/directory")
    await page.get_by_role("searchbox").focus()
    await page.keyboard.type("maria obrien")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="María").click()
    await page.get_by_role("button", name="No longer in office").focus()
    await page.keyboard.press("Enter")
    await page.get_by_text("Has left: gets no mail").wait_for()
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_text("undone").wait_for()
    assert await page.get_by_text("Has left: gets no mail").count() == 0
    await page.goto(f"{site_of(here)}/directory?q=lee formula")
    await page.get_by_role("link", name='<b>Lee</b> "Formula" =1+1').click()
    assert await page.locator("main b").count() == 0
    await context.close()


@pytest.mark.browser
@pytest.mark.timeout(180)
async def test_a_file_is_looked_at_and_imported_without_javascript(
    here: Installation, browser: Browser, until: Until
) -> None:
    context = await staff(here, browser, java_script_enabled=False)
    page = await context.new_page()
    await hand_in(page, site_of(here), "officials", f"{ROSTER}n-9,Nine New,{NAPA},mayor,nine@napa.ca.example,,,\n")
    assert await page.get_by_text("Nine New").count() == 1
    assert await here.rows("SELECT 1 FROM directory.entities WHERE id = 'n-9'") == []
    await page.get_by_role("button", name="Import it").click()
    await page.get_by_text("Imported.", exact=True).wait_for(timeout=20_000)
    assert len(await here.rows("SELECT 1 FROM directory.entities WHERE id = 'n-9'")) == 1
    await context.close()


@pytest.mark.browser
@pytest.mark.timeout(180)
async def test_of_two_people_at_one_address_one_says_that_they_left_and_undoes_it_without_javascript(
    here: Installation, browser: Browser
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site_of(here)}{await link_of(here, 'n-3')}")
    await page.get_by_text("several people").wait_for()
    await page.get_by_role("button", name="Pat Moss is no longer in office").click()
    await page.get_by_text("It is noted").wait_for()
    active = "SELECT id FROM directory.current_entities WHERE id IN ('n-2', 'n-3') AND active"
    assert [row["id"] for row in await here.rows(active)] == ["n-2"]
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_role("button", name="Pat Moss is no longer in office").wait_for()
    assert len(await here.rows(active)) == 2
    await context.close()
