"""A campaign that was started is moved and called off on pages, which count before, ask once more, and can undo."""

import html
import re

import httpx

from tests.services.campaigning.conftest import Console, words
from tests.services.campaigning.test_starting import counted, kept_in, ready

SENT = "UPDATE calls SET outcome = 'sent', outcome_revision = 1, reached_revision = 1"


async def started(console: Console, **changes: str) -> str:
    """The address of a campaign of which people were told."""
    await ready(console)
    kept = kept_in((await counted(console, launch="auto", **changes)).text)
    answer = await console.post("/campaigns/new", {"kept": kept})
    await console.world.fan_out()
    async with console.world.database.connection() as connection:
        await connection.execute(SENT)
    return answer.headers["location"].partition("?")[0].rpartition("/")[2]


def fields_of(page: str) -> dict[str, str]:
    """What the first form carries on, but for the token."""
    form = page[page.index("<form method") :] if "<form method" in page else page
    main = form[form.index('<div class="bar spaced">') :].partition("</form>")[0]
    found = re.findall(r'name="(\w+)" value="([^"]*)"', main)
    return {name: html.unescape(value) for name, value in found if name not in {"form_token", "token"}}


async def move(console: Console, campaign: str) -> httpx.Response:
    """Up to the page that asks once more."""
    return await console.post(f"/campaigns/change/{campaign}/move/count", {"decided_on": "2027-05-19"})


async def test_a_move_is_counted_made_and_undone(console: Console) -> None:
    campaign = await started(console)
    page = await console.get(f"/campaigns/{campaign}")
    assert f"/campaigns/change/{campaign}/move" in page
    form = words(await console.get(f"/campaigns/change/{campaign}/move"))
    assert "Now: Wednesday, May 12, 2027, 9:00 am PDT" in form
    asked = await move(console, campaign)
    assert asked.status_code == 200, asked.text
    assert "2 mails of amendment go out, to whoever was told before." in words(asked.text)
    assert "Wednesday, May 19, 2027, until the end of the day (PDT) was Wednesday, May 12" in words(asked.text)
    made = await console.post(f"/campaigns/change/{campaign}/move", fields_of(asked.text))
    assert made.headers["location"] == f"/campaigns/{campaign}?done=move"
    page = await console.get(made.headers["location"])
    assert "It is moved." in words(page)
    assert ">Undo</button>" in page
    assert "moved by Sam of state" in words(page)
    undone = await console.post(f"/campaigns/change/{campaign}/take-back", {})
    assert undone.headers["location"] == f"/campaigns/{campaign}?done=take-back"
    page = words(await console.get(undone.headers["location"]))
    assert "It is as it was before." in page
    assert "Wednesday, May 12, 2027, 9:00 am PDT" in page
    await console.get(f"/campaigns/change/{campaign}/take-back", 409)


async def test_a_cancellation_says_to_how_many_it_is_told(console: Console) -> None:
    campaign = await started(console)
    page = await console.get(f"/campaigns/change/{campaign}/cancel")
    assert "2 mails go out: whoever was told is told that it is off." in words(page)
    answer = await console.post(f"/campaigns/change/{campaign}/cancel", fields_of(page))
    assert answer.status_code == 303, answer.text
    page = await console.get(answer.headers["location"])
    assert ">Undo</button>" in page
    assert f"/campaigns/change/{campaign}/move" not in page
    assert await console.get(f"/campaigns/change/{campaign}/move", 409)
    assert await console.get(f"/campaigns/change/{campaign}/cancel", 409)


async def test_what_changed_since_it_was_counted_is_said_and_nothing_done(console: Console) -> None:
    campaign = await started(console)
    asked = await console.get(f"/campaigns/change/{campaign}/cancel")
    await console.post(f"/campaigns/change/{campaign}/move", fields_of((await move(console, campaign)).text))
    answer = await console.post(f"/campaigns/change/{campaign}/cancel", fields_of(asked))
    assert answer.status_code == 409
    said = words(answer.text)
    assert "It changed since you looked. Nothing was done. This is new: Vote: now Wednesday, May 19, 2027" in said
    [row] = await console.world.fetch("SELECT status FROM campaigns")
    assert row["status"] == "launched"
    again = await console.post(f"/campaigns/change/{campaign}/cancel", fields_of(answer.text))
    assert again.status_code == 303


async def test_what_is_wrong_with_a_move_is_said_at_the_form_and_nothing_lost(console: Console) -> None:
    campaign = await started(console)
    for wrong, said in (
        ({"decided_on": "2020-01-01"}, "nobody's voice counts any more"),
        ({"decided_on": "soon"}, "<ul><li>"),
        ({}, "nothing would be new"),
    ):
        answer = await console.post(f"/campaigns/change/{campaign}/move/count", {"where": "", **wrong})
        assert answer.status_code == 422, answer.text
        assert said in html.unescape(answer.text)
        assert f'value="{wrong.get("decided_on", "")}"' in answer.text


async def test_who_may_not_start_it_changes_nothing(console: Console) -> None:
    campaign = await started(console)
    await console.sign_in("manager", ("peninsula",))
    assert "/campaigns/change/" not in await console.get(f"/campaigns/{campaign}")
    await console.get(f"/campaigns/change/{campaign}/cancel", 403)
    assert (await console.post(f"/campaigns/change/{campaign}/cancel", {})).status_code == 403
    await console.sign_in("viewer", ())
    await console.get(f"/campaigns/change/{campaign}/move", 403)
    await console.sign_in("manager", ("east-bay",))
    assert f"/campaigns/change/{campaign}/cancel" in await console.get(f"/campaigns/{campaign}")
    await console.get("/campaigns/change/none/move", 404)
