"""The list of campaigns and the page of one."""

import pytest

from tests.services.campaigning.conftest import Console, words


async def test_without_a_campaign_the_list_says_how_one_begins(console: Console) -> None:
    await console.sign_in("viewer", ())
    assert "There is no campaign yet" in await console.get("/campaigns")
    await console.sign_in()
    assert "No campaign concerns your divisions yet" in await console.get("/campaigns")


async def test_a_launched_campaign_is_listed_with_who_was_asked_and_reached(console: Console) -> None:
    await console.world.launch()
    await console.sign_in("viewer", ())
    page = words(await console.get("/campaigns"))
    assert "SB 79: Senate Committee on Housing" in page
    assert "launched · 5 asked, 0 reached" in page


async def test_a_manager_sees_the_own_divisions_first_and_can_see_all(console: Console) -> None:
    await console.world.launch()
    await console.sign_in("manager", ("orange-county",))
    assert "No campaign concerns your divisions yet" in await console.get("/campaigns")
    assert "SB 79" in await console.get("/campaigns?where=all")
    await console.sign_in("manager", ("orange-county",), deputy_in=("peninsula",))
    assert "SB 79" in await console.get("/campaigns")


async def test_what_waits_for_whom_stands_first_with_the_time_that_is_left(console: Console) -> None:
    await console.world.launch(launch="approval")
    await console.sign_in()
    page = words(await console.get("/campaigns"))
    assert "One division's calls wait for you. The first helps until Wednesday, April 14, 2027, 12:00 pm PDT" in page
    await console.sign_in("state", ())
    assert "3 divisions' calls wait for approval." in words(await console.get("/campaigns"))
    await console.sign_in("manager", ("orange-county",))
    assert "Nothing waits for you." in words(await console.get("/campaigns"))
    await console.sign_in("viewer", ())
    assert "waits for you" not in words(await console.get("/campaigns"))


async def test_what_is_over_stands_behind_what_is_open(console: Console) -> None:
    await console.world.launch()
    await console.world.hear(hearing_id="h-2", aliases=["later"], starts_at="2027-04-28T13:30:00-07:00")
    await console.sign_in("viewer", ())
    page = words(await console.get("/campaigns"))
    assert page.index("April 21") < page.index("April 28")
    console.world.later(days=23)
    await console.sign_in("viewer", ())
    page = words(await console.get("/campaigns"))
    assert page.index("April 28") < page.index("April 21")
    assert "over" in page


async def test_a_campaign_shows_its_divisions_with_numbers_and_what_was_told(console: Console) -> None:
    await console.world.launch()
    await console.sign_in()
    campaign = (await console.world.campaign())["id"]
    page = await console.get(f"/campaigns/{campaign}")
    assert f'href="/campaigns/{campaign}/east-bay"' in page
    assert f'href="/campaigns/{campaign}/-"' in page
    assert "East Bay yours" in words(page)
    assert "Wednesday, April 21, 2027, 1:30 pm PDT" in page
    assert "The call itself" in page


async def test_what_a_campaign_waits_for_is_said(console: Console) -> None:
    await console.world.import_all()
    await console.world.adopt()
    await console.world.hear(committee={"name": "Nobody knows it", "chamber": "upper", "id": None})
    await console.sign_in("viewer", ())
    campaign = await console.world.campaign()
    assert "Nobody knows it" in campaign["problem"]
    assert campaign["problem"][1:] in words(await console.get(f"/campaigns/{campaign['id']}"))


@pytest.mark.parametrize("campaign", ["nothing", "%00", "a%00b", "x" * 400])
async def test_a_campaign_that_is_not_there_is_said(console: Console, campaign: str) -> None:
    await console.sign_in("viewer", ())
    assert "There is no such campaign" in await console.get(f"/campaigns/{campaign}", 404)


@pytest.mark.parametrize("query", ["?page=0", "?page=x", "?where=elsewhere"])
async def test_a_page_that_is_none_is_refused(console: Console, query: str) -> None:
    await console.sign_in("viewer", ())
    await console.get(f"/campaigns{query}", 422)


async def test_a_page_beyond_the_last_leads_back(console: Console) -> None:
    await console.sign_in("viewer", ())
    assert "Back to the first page" in await console.get("/campaigns?page=9")


async def test_who_is_not_signed_in_is_sent_to_sign_in(console: Console) -> None:
    for path in ("/campaigns", "/campaigns/x"):
        answer = await console.browser.get(path)
        assert (answer.status_code, answer.headers["location"].startswith("/sign-in?next=")) == (303, True)


async def test_the_outcome_so_far_is_shown_and_can_be_saved_for_a_spreadsheet(console: Console) -> None:
    await console.world.launch()
    await console.sign_in("viewer", ())
    campaign = (await console.world.campaign())["id"]
    page = words(await console.get(f"/campaigns/{campaign}"))
    assert "5 asked, 0 reached, 5 on the way." in page
    assert "Jesse Example chair" in page
    for by, line in (("division", "Peninsula"), ("member", "Jesse Example"), ("city", "Alder")):
        answer = await console.browser.get(f"/campaigns/{campaign}/outcome.csv?by={by}")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in answer.headers["content-disposition"]
        assert line in answer.text
    await console.get(f"/campaigns/{campaign}/outcome.csv?by=person", 422)
    for unknown in ("nothing", "%00"):
        assert "no such campaign" in await console.get(f"/campaigns/{unknown}/outcome.csv", 404)


async def test_a_campaign_leads_to_what_follows_it(console: Console) -> None:
    await console.world.launch()
    await console.world.hear(hearing_id="h-2", aliases=["later"], starts_at="2027-04-28T13:30:00-07:00")
    first, second = [row["id"] for row in await console.world.fetch("SELECT id FROM campaigns ORDER BY ends_at")]
    await console.world.fetch(
        "INSERT INTO follow_ups (id, jurisdiction, session, bill_key, bill, follows, committee, state, drafted_at,"
        " changed_at) VALUES ('f-1', 'j', 's', 'AB1', 'AB 1', $1, $2, 'waiting', now(), now())",
        first,
        {"name": "Rules"},
    )
    await console.sign_in("viewer", ())
    page = await console.get(f"/campaigns/{first}")
    assert f'After: <a href="/campaigns/{second}">' in page
    assert "waits for the hearing before Rules" in page
    assert f'Before: <a href="/campaigns/{first}">' in await console.get(f"/campaigns/{second}")
