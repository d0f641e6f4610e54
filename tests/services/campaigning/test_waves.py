"""A division's wave on its page: who may do what to it, and what is shown of it."""

import html
import re
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest

from tests.services.campaigning.conftest import Console, words
from tests.services.campaigns.campaigns_world import IMPORTS, official

REASON = "The mayor asked us <b>not</b> to"


async def waiting(console: Console, **alert: Any) -> str:
    """A campaign that waits for approval."""
    await console.world.import_all()
    await console.world.adopt(launch="approval")
    await console.world.hear(**alert)
    return str((await console.world.campaign())["id"])


async def wave_of(console: Console, division: str = "east-bay", **alert: Any) -> str:
    """The page of a wave that waits for approval."""
    return f"/campaigns/{await waiting(console, **alert)}/{division}"


async def state_of(console: Console, division: str = "east-bay") -> str | None:
    rows = await console.world.fetch("SELECT state FROM approvals WHERE division = $1", division)
    return rows[0]["state"] if rows else None


async def decide(console: Console, path: str, data: dict[str, str] | None = None) -> httpx.Response:
    """Send the form of the page that asks once more."""
    [look] = re.findall(r'name="look" value="([^"]*)"', await console.get(path))
    return await console.post(path, {"look": html.unescape(look), **(data or {})})


async def test_what_waits_is_listed_for_its_own_people_and_nobody_else(console: Console) -> None:
    path = await wave_of(console)
    await console.sign_in()
    page = await console.get("/campaigns/waiting")
    assert f'href="{path}"' in page
    assert "peninsula" not in page
    assert "2 officials to ask, 1 city concerned" in words(page)
    await console.sign_in("manager", ("orange-county",))
    assert "Nothing waits for you" in await console.get("/campaigns/waiting")
    assert "There is no such page" in await console.get("/campaigns/waiting?after=x", 404)
    await console.sign_in("state", ())
    page = await console.get("/campaigns/waiting")
    assert "peninsula" in page
    assert "Each division's manager or deputy decides." in words(page)
    await console.sign_in("viewer", ())
    await console.get("/campaigns/waiting", 403)


async def test_what_is_urgent_stands_first_and_is_said_to_be(console: Console) -> None:
    await wave_of(console)
    await console.sign_in()
    assert "Urgent" not in await console.get("/campaigns/waiting")
    console.world.later(days=20)
    await console.sign_in()
    assert "Urgent:" in await console.get("/campaigns/waiting")


async def test_a_wave_shows_what_is_asked_by_when_of_whom_and_why(console: Console) -> None:
    path = await wave_of(console)
    await console.mirror()
    await console.sign_in()
    page = words(await console.get(path))
    assert "waits for approval" in page
    assert "Wednesday, April 21, 2027, 1:30 pm PDT" in page
    assert "Person a-mayor" in page
    assert "Jesse Example (chair)" in page
    assert "Person b-member" not in page


async def test_whom_a_wave_asks_is_found_by_name_and_by_city(console: Console) -> None:
    path = await wave_of(console)
    await console.mirror()
    await console.sign_in()
    found = words(await console.get(f"{path}?q=mayor"))
    assert "Leave out Person a-mayor" in found
    assert "Leave out Person a-chief" not in found
    assert "Person a-chief" in words(await console.get(f"{path}?q=alder"))
    assert "Nobody who is asked has a name or city" in await console.get(f"{path}?q=nobody")


async def test_the_mail_is_shown_as_text_and_in_a_frame_in_which_nothing_runs(console: Console) -> None:
    path = await wave_of(console)
    await console.mirror()
    await console.sign_in()
    assert "SB 79" in await console.get(path)
    page = await console.get(f"{path}/mail?official=a-mayor")
    assert "The mail to Person a-mayor" in page
    assert f'sandbox="" src="{path}/mail/html?official=a-mayor"' in page
    alone = await console.browser.get(f"{path}/mail/html?official=a-mayor")
    policy = alone.headers["content-security-policy"]
    assert policy.startswith("sandbox")
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert alone.headers["cache-control"] == "no-store"
    assert "Person a-mayor" in alone.text


async def test_who_is_not_of_the_wave_has_no_mail_in_it(console: Console) -> None:
    path = await wave_of(console)
    await console.mirror()
    await console.sign_in()
    assert "so there is no mail" in await console.get(f"{path}/mail?official=b-member")
    await console.get(f"{path}/mail/html?official=b-member", 404)
    await console.get(f"{path}/mail/html?official=%00", 404)


@pytest.mark.parametrize("wave", ["nothing/east-bay", "{campaign}/nowhere", "{campaign}/%00", "x%00/east-bay"])
async def test_a_wave_that_is_not_there_is_said(console: Console, wave: str) -> None:
    campaign = await waiting(console)
    await console.sign_in("viewer", ())
    said = await console.get(f"/campaigns/{wave.replace('{campaign}', campaign)}", 404)
    assert "no such part of a campaign" in said


async def test_cities_of_no_division_have_a_page_too(console: Console) -> None:
    path = await wave_of(console, "-")
    await console.sign_in("state", ())
    assert "No division" in words(await console.get(path))


async def test_a_manager_approves_after_seeing_what_will_happen_to_how_many(console: Console) -> None:
    path = await wave_of(console)
    await console.sign_in()
    look = look_in(await console.get(path), "approve")
    asked = await console.get(f"{path}/approve?look={quote(look)}")
    assert "2 officials will be asked: 2 mails go out at once" in words(asked)
    assert await state_of(console) != "approved"
    answer = await console.post(f"{path}/approve", {"look": look})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=approve")
    assert await state_of(console) == "approved"
    page = words(await console.get(answer.headers["location"]))
    assert "Approved: the mails go out now. What else waits for you" in page
    assert "approved by Sam of manager" in page


@pytest.mark.parametrize(
    ("role", "divisions", "deputy_in"), [("manager", ("east-bay",), ()), ("manager", (), ("east-bay",))]
)
async def test_manager_and_deputy_have_the_buttons(
    console: Console, role: str, divisions: tuple[str, ...], deputy_in: tuple[str, ...]
) -> None:
    path = await wave_of(console)
    await console.sign_in(role, divisions, deputy_in)
    page = await console.get(path)
    assert f"{path}/approve?look=" in page
    assert f"{path}/leave-out" not in page or "Leave out" in page
    assert (await decide(console, f"{path}/approve")).status_code == 303


@pytest.mark.parametrize(
    ("role", "divisions", "says"),
    [
        ("manager", ("peninsula",), "in your own divisions (peninsula)"),
        ("viewer", (), "may not approve a wave"),
        ("state", (), "answers for its own calls"),
    ],
)
async def test_others_see_the_wave_without_buttons_and_are_told_who_may(
    console: Console, role: str, divisions: tuple[str, ...], says: str
) -> None:
    path = await wave_of(console)
    await console.mirror()
    await console.sign_in("manager", ("east-bay",))
    await console.sign_in(role, divisions)
    page = await console.get(path)
    assert says in words(page)
    assert "Person a-mayor" in page
    for action in ("approve", "reject"):
        assert f"{path}/{action}" not in page
    for form in ("leave-out", "paragraph", "add", "undo"):
        assert f'{path}/{form}"' not in page
    for action in ("approve", "reject", "leave-out", "undo", "paragraph", "add"):
        data = {"reason": "why", "official": "a-mayor", "text": "words", "asks": "letter"}
        answer = await console.post(f"{path}/{action}", data)
        assert answer.status_code == 403, (action, answer.text)
    assert await state_of(console) != "approved"


async def test_the_state_team_may_once_it_is_urgent(console: Console) -> None:
    path = await wave_of(console)
    await console.sign_in("manager", ("east-bay",))
    console.world.later(days=20)
    await console.sign_in("state", ())
    assert "Urgent:" in await console.get(path)
    assert (await decide(console, f"{path}/approve")).status_code == 303
    assert await state_of(console) == "approved"


@pytest.mark.parametrize(
    "form", ["approve", "reject", "pause", "resume", "stop", "leave-out", "undo", "add", "paragraph"]
)
async def test_a_form_that_is_not_of_this_session_changes_nothing(console: Console, form: str) -> None:
    path = await wave_of(console)
    await console.sign_in()
    for token in ({}, {"form_token": "x" * 43}):
        answer = await console.browser.post(f"{path}/{form}", data={"reason": "why", "official": "a-mayor"} | token)
        assert answer.status_code == 403
    assert await state_of(console) in (None, "waiting")
    assert await console.world.fetch("SELECT * FROM choices") == []


async def test_what_changed_since_the_look_is_shown_and_nothing_done(console: Console) -> None:
    path = await wave_of(console)
    await console.sign_in()
    look = look_in(await console.get(path), "approve")
    await console.world.hear(revision=2, starts_at="2027-04-22T09:00:00-07:00")
    answer = await console.post(f"{path}/approve", {"look": look})
    page = words(answer.text)
    assert answer.status_code == 409
    assert "It changed since you looked. Nothing was done." in page
    assert "When: now Thursday, April 22, 2027, 9:00 am PDT" in page
    assert await state_of(console) != "approved"
    again = html.unescape(re.findall(r'name="look" value="([^"]*)"', answer.text)[0])
    assert again != look
    assert (await console.post(f"{path}/approve", {"look": again})).status_code == 303
    assert await state_of(console) == "approved"


async def test_the_second_of_two_is_told_who_decided(console: Console) -> None:
    path = await wave_of(console)
    await console.sign_in()
    await decide(console, f"{path}/approve")
    await console.sign_in("manager", (), ("east-bay",))
    answer = await decide(console, f"{path}/approve")
    assert answer.status_code == 409
    assert "It was approved by Sam of manager" in words(answer.text)


async def test_a_wave_is_rejected_with_a_reason_and_approved_after_all(console: Console) -> None:
    path = await wave_of(console)
    await console.sign_in()
    assert "Say why" in (await decide(console, f"{path}/reject", {"reason": "  "})).text
    assert await state_of(console) in (None, "waiting")
    await decide(console, f"{path}/reject", {"reason": REASON})
    page = await console.get(f"{path}?done=reject")
    assert html.escape(REASON) in page
    assert REASON not in page
    assert "rejected" in words(page)
    assert f"{path}/approve" in page
    assert f"{path}/reject" not in page
    await decide(console, f"{path}/approve")
    assert await state_of(console) == "approved"


async def test_what_was_let_go_is_paused_resumed_and_stopped(console: Console) -> None:
    path = await wave_of(console)
    await console.sign_in()
    await decide(console, f"{path}/approve")
    assert "those that are not sent yet wait" in words(await console.get(f"{path}/pause"))
    assert (await decide(console, f"{path}/pause")).status_code == 303
    page = await console.get(path)
    assert "paused" in words(page)
    assert f"{path}/resume" in page
    assert (await decide(console, f"{path}/resume")).status_code == 303
    assert (await decide(console, f"{path}/stop")).status_code == 422
    assert (await decide(console, f"{path}/stop", {"reason": "The bill is dead"})).status_code == 303
    page = words(await console.get(path))
    assert "stopped by Sam of manager" in page
    assert "The bill is dead" in page


async def test_a_hearing_that_was_cancelled_a_second_ago_is_not_approved(console: Console) -> None:
    path = await wave_of(console)
    await console.sign_in()
    look = look_in(await console.get(path), "approve")
    await console.world.hear(revision=2, status="cancelled")
    answer = await console.post(f"{path}/approve", {"look": look})
    assert answer.status_code in (404, 409)
    assert await state_of(console) != "approved"


async def test_long_lists_are_shown_a_page_at_a_time(console: Console) -> None:
    many = [official(f"x{number:03}", "alder", "council-member") for number in range(60)]
    await console.world.import_all(officials=[*IMPORTS["officials"], *many])
    await console.world.adopt(launch="approval")
    await console.world.hear()
    path = f"/campaigns/{(await console.world.campaign())['id']}/east-bay"
    await console.sign_in()
    first = await console.get(path)
    [more] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = await console.get(html.unescape(more).partition("#")[0])
    shown = [re.findall(r'/leave-out"><.*?name="official" value="([^"]+)"', page) for page in (first, second)]
    assert [len(page) for page in shown] == [50, 12]
    assert len({*shown[0], *shown[1]}) == 62
    assert 'rel="next"' not in second
    assert "From the beginning" in second


async def test_a_wave_that_goes_by_itself_can_be_paused_and_stopped(console: Console) -> None:
    await console.world.launch()
    path = f"/campaigns/{(await console.world.campaign())['id']}/east-bay"
    await console.sign_in()
    page = await console.get(path)
    assert f"{path}/approve" not in page
    assert (await decide(console, f"{path}/stop", {"reason": "The author withdrew it"})).status_code == 303
    assert await state_of(console) == "stopped"


async def test_once_it_is_over_nothing_can_be_done_any_more(console: Console) -> None:
    path = await wave_of(console)
    console.world.later(days=21)
    await console.sign_in()
    page = await console.get(path)
    assert "It is over: nobody's voice counts any more." in words(page)
    for form in ("approve", "reject", "leave-out", "add", "paragraph"):
        assert f"{path}/{form}" not in page
    assert (await decide(console, f"{path}/approve")).status_code == 409
    assert await state_of(console) != "approved"


async def test_bills_that_come_after_the_launch_wait_for_the_state_team(console: Console) -> None:
    await console.world.launch()
    await console.world.adopt(bill="AB 5", ask="vote no on AB 5", launch="approval")
    agenda = [{"bill": "SB 79", "title": None, "author": None}, {"bill": "AB 5", "title": None, "author": None}]
    await console.world.hear(revision=2, agenda=agenda)
    campaign = (await console.world.campaign())["id"]
    await console.sign_in()
    assert "Bills came to the agenda after the launch" in await console.get(f"/campaigns/{campaign}")
    page = await console.get(f"/campaigns/{campaign}/%2A")
    assert "let go for all divisions at once, by the state team" in words(page)
    assert "/approve" not in page
    await console.sign_in("state", ())
    page = await console.get(f"/campaigns/{campaign}/%2A")
    assert "AB 5 oppose; vote no on AB 5" in words(page)
    assert (await decide(console, f"/campaigns/{campaign}/%2A/approve")).status_code == 303
    assert "Bills came to the agenda" not in await console.get(f"/campaigns/{campaign}")


def look_in(page: str, action: str) -> str:
    """The look that the link to an action carries."""
    found = re.search(rf'/{action}\?look=([^"]*)"', page)
    assert found, "no such button"
    return unquote(html.unescape(found[1]))
