"""The pages behind a mail's links, and staff's: looking changes nothing, saying does, and it can be undone."""

import json
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from clarion.runtime.clock import system_clock
from clarion.runtime.web.links import SignedLinks
from clarion.services.directory import corrections
from tests.services.directory.site import SECRET, bring, directory_of, links, visitor
from tests.staff import form_token_in, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="module")
HEADER = "id,name,city,roles,email\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def directory(postgres_url):
    async with directory_of(postgres_url) as database:
        yield database


@pytest_asyncio.fixture(loop_scope="module")
async def browser(directory):
    async with visitor(directory) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def pair(directory, request):
    """Two people at one address, and the link that a mail to it leads to."""
    key = f"p{abs(hash(request.node.name))}"
    rows = "".join(
        f"{key}-{n},{name},Napa,council member,{key}@napa.ca.example\n" for n, name in ((1, "Ada One"), (2, "Bo Two"))
    )
    await bring(directory, "officials", HEADER + rows)
    async with directory.connection() as connection:
        box = (await corrections.find_official(connection, f"{key}-1"))["mailbox"]
    return key, f"/me/{links().sign('person', {'mailbox': box})}"


async def active(directory, key):
    async with directory.connection() as connection:
        return (await corrections.find_official(connection, key))["active"]


async def email(directory, key):
    async with directory.connection() as connection:
        return (await corrections.find_official(connection, key))["email"]


async def notices(directory):
    async with directory.connection() as connection:
        rows = await connection.fetch("SELECT body FROM outbox WHERE topic = 'directory.notices.v1' ORDER BY id")
    return [json.loads(bytes(row["body"])) for row in rows]


async def say(browser, link, official, wish, value=""):
    token = form_token_in((await browser.get(link)).text)
    return await browser.post(
        link, data={"official": official, "wish": wish, "value": value, "form_token": token}, follow_redirects=True
    )


async def undo(browser, link):
    page = (await browser.get(link)).text
    found = re.search(r'name="correction" value="([^"]+)"', page)
    return await browser.post(
        f"{link}/undo", data={"correction": found[1], "form_token": form_token_in(page)}, follow_redirects=True
    )


async def test_of_two_people_at_one_address_one_leaves_and_the_other_keeps_the_mail(directory, browser, pair):
    key, link = pair
    page = (await browser.get(link)).text
    assert "several people" in page
    assert await active(directory, f"{key}-1")
    answer = await say(browser, link, f"{key}-1", "left")
    assert answer.status_code == 200
    assert "Undo" in answer.text
    assert (await active(directory, f"{key}-1"), await active(directory, f"{key}-2")) == (False, True)
    await undo(browser, link)
    assert await active(directory, f"{key}-1")


async def test_an_address_is_not_shown_whole_to_who_has_a_forwarded_mail(browser, pair):
    key, link = pair
    page = (await browser.get(link)).text
    assert f"{key}@napa" not in page
    assert "p***@napa.ca.example" in page


async def test_a_form_that_is_not_ours_changes_nothing(directory, browser, pair):
    key, link = pair
    data = {"official": f"{key}-1", "wish": "left"}
    for token in ("", "made up", links().sign("person-form", "another")):
        answer = await browser.post(link, data=data | {"form_token": token})
        assert answer.status_code == 403
    assert await active(directory, f"{key}-1")


async def test_a_link_of_another_purpose_or_another_mailbox_opens_nothing(directory, browser, pair):
    key, link = pair
    box = links().read("person", link.removeprefix("/me/"))["mailbox"]
    for token in (links().sign("unsubscribe", {"mailbox": box}), links().sign("person", [box]), "x" * 50):
        assert (await browser.get(f"/me/{token}")).status_code == 404
    stranger = f"/me/{links().sign('person', {'mailbox': '0' * 32})}"
    answer = await browser.get(stranger)
    assert "Nobody in the directory" in answer.text
    token = links().sign("person-form", stranger.removeprefix("/me/"))
    said = await browser.post(stranger, data={"official": f"{key}-1", "wish": "left", "form_token": token})
    assert said.status_code == 404
    assert await active(directory, f"{key}-1")


async def test_a_link_is_good_for_a_day(directory, browser, pair):
    _, link = pair
    box = links().read("person", link.removeprefix("/me/"))["mailbox"]
    old = SignedLinks([SECRET], lambda: system_clock() - timedelta(hours=25)).sign("person", {"mailbox": box})
    assert (await browser.get(f"/me/{old}")).status_code == 404


async def test_a_new_address_is_mailed_and_counts_when_its_reader_says_so(directory, browser, pair):
    key, link = pair
    before = len(await notices(directory))
    answer = await say(browser, link, f"{key}-2", "address", "bo.two@napa.ca.example")
    assert "bo.two@napa.ca.example" in answer.text
    assert await email(directory, f"{key}-2") == f"{key}@napa.ca.example"
    to_new, to_old = (await notices(directory))[before:]
    assert to_new["recipients"][0]["address"] == "bo.two@napa.ca.example"
    assert to_old["recipients"][0]["address"] == f"{key}@napa.ca.example"
    path = urlsplit(to_new["content"]["url"]).path
    page = (await browser.get(path)).text
    assert await email(directory, f"{key}-2") == f"{key}@napa.ca.example"
    confirmed = await browser.post(path, data={"form_token": form_token_in(page)}, follow_redirects=True)
    assert "It is confirmed" in confirmed.text
    assert await email(directory, f"{key}-2") == "bo.two@napa.ca.example"
    stop = urlsplit(to_old["content"]["url"]).path
    page = (await browser.get(stop)).text
    stopped = await browser.post(stop, data={"form_token": form_token_in(page)}, follow_redirects=True)
    assert "taken back" in stopped.text
    assert await email(directory, f"{key}-2") == f"{key}@napa.ca.example"


async def test_a_stranger_cannot_lead_mail_away_with_a_forwarded_mail(directory, browser, pair):
    key, link = pair
    before = len(await notices(directory))
    await say(browser, link, f"{key}-1", "address", "mallory@stranger.example")
    path = urlsplit((await notices(directory))[before]["content"]["url"]).path
    page = (await browser.get(path)).text
    answer = await browser.post(path, data={"form_token": form_token_in(page)}, follow_redirects=True)
    assert "staff look at it first" in answer.text
    assert await email(directory, f"{key}-1") == f"{key}@napa.ca.example"


async def test_what_is_no_address_is_told_on_the_page_with_what_was_written(browser, pair):
    key, link = pair
    answer = await say(browser, link, f"{key}-1", "address", 'nobody"><script>')
    assert answer.status_code == 422
    assert "no mail address" in answer.text
    assert "<script>" not in answer.text


async def test_a_manager_corrects_and_undoes_in_the_own_division_only(directory, browser, pair):
    key, _ = pair
    data = {"official": f"{key}-1", "wish": "left"}
    other = await signed_in(browser, directory, "manager", ["desert"])
    refused = await browser.post("/directory/corrections", data=data | other.form)
    assert refused.status_code == 403
    viewer = await signed_in(browser, directory, "viewer")
    assert (await browser.post("/directory/corrections", data=data | viewer.form)).status_code == 403
    assert await active(directory, f"{key}-1")
    own = await signed_in(browser, directory, "manager", ["north-bay"])
    done = await browser.post("/directory/corrections", data=data | own.form, follow_redirects=True)
    assert "Has left" in done.text
    assert not await active(directory, f"{key}-1")
    listed = (await browser.get("/directory/corrections")).text
    assert "Ada One" in listed
    path = re.search(r'action="(/directory/corrections/[^/]+/undo)"', done.text)[1]
    other = await signed_in(browser, directory, "manager", ["desert"])
    assert (await browser.post(path, data=other.form)).status_code == 403
    assert "Ada One" not in (await browser.get("/directory/corrections")).text
    deputy = await signed_in(browser, directory, "manager", [], ["north-bay"])
    await browser.post(path, data=deputy.form, follow_redirects=True)
    assert await active(directory, f"{key}-1")


async def test_what_waits_is_accepted_or_refused_by_staff(directory, browser, pair):
    key, link = pair
    await say(browser, link, f"{key}-1", "name", "Ada Renamed")
    own = await signed_in(browser, directory, "manager", ["north-bay"])
    page = (await browser.get(f"/directory/officials/{key}-1")).text
    path = re.search(r'action="(/directory/corrections/[^/]+/accept)"', page)[1]
    done = await browser.post(path, data=own.form, follow_redirects=True)
    assert "<h1>Ada Renamed</h1>" in done.text
    assert (await browser.post(path, data=own.form)).status_code == 409


async def test_a_wrong_correction_by_staff_is_told_on_the_page(directory, browser, pair):
    key, _ = pair
    admin = await signed_in(browser, directory)
    data = {"official": f"{key}-1", "wish": "address", "value": "nobody"} | admin.form
    answer = await browser.post("/directory/corrections", data=data)
    assert answer.status_code == 422
    assert "no mail address" in answer.text


async def test_while_an_import_holds_the_entry_it_is_said_so(directory, browser, pair):
    key, _ = pair
    admin = await signed_in(browser, directory)
    async with directory.transaction() as tx:
        await tx.connection.execute("SELECT 1 FROM entities WHERE id = $1 FOR UPDATE", f"{key}-1")
        answer = await browser.post(
            "/directory/corrections", data={"official": f"{key}-1", "wish": "left"} | admin.form
        )
    assert answer.status_code == 503
    assert "try again in a minute" in answer.text
