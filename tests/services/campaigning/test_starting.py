"""A campaign is started on a page: filled in, counted, looked at, and only then kept."""

import html
import re
from typing import Any

import httpx
import pytest

from tests.services.campaigning.conftest import Console, words

VOTE = {
    "kind": "floor-vote",
    "decider": "Assembly",
    "decided_on": "2027-05-12",
    "decided_time": "09:00",
    "subject": "AB 1 <b>now</b>",
    "ask": "vote no",
    "why": "It costs cities.",
    "divisions": ["east-bay"],
}


async def ready(console: Console, role: str = "state", divisions: tuple[str, ...] = ()) -> None:
    await console.world.import_all()
    await console.mirror()
    await console.sign_in(role, divisions)


async def counted(console: Console, **changes: Any) -> httpx.Response:
    return await console.post("/campaigns/new/count", {**VOTE, "id": "vote-1", **changes})


def kept_in(page: str) -> str:
    """The filled-in form that the counting page carries on."""
    return html.unescape(re.findall(r'name="kept" value="([^"]*)"', page)[0])


async def campaigns(console: Console) -> list[Any]:
    return await console.world.fetch("SELECT id, status FROM campaigns")


async def test_every_kind_of_occasion_has_its_form(console: Console) -> None:
    await ready(console)
    page = await console.get("/campaigns/new")
    kinds = re.findall(r"/campaigns/new\?kind=([\w-]+)", page)
    assert len(kinds) == 6
    for kind in kinds:
        form = await console.get(f"/campaigns/new?kind={kind}")
        assert f'name="kind" value="{kind}"' in form
        assert 'value="east-bay"' in form
    assert "What is it about?" in await console.get("/campaigns/new?kind=hearing")


async def test_it_is_counted_before_anything_is_kept(console: Console) -> None:
    await ready(console)
    answer = await counted(console)
    assert answer.status_code == 200, answer.text
    page = words(answer.text)
    assert (
        "Nothing is kept or sent yet. It would ask 2 officials by 2 mails. 2 cities in 1 division are concerned."
        in page
    )
    assert "East Bay" in page
    assert "AB 1 <b>now</b>" in page
    assert "<b>now</b>" not in answer.text
    assert "vote no" in page
    assert await campaigns(console) == []
    assert await console.world.batches() == []


async def test_it_is_started_once_however_often_the_button_is_pressed(console: Console) -> None:
    await ready(console)
    kept = kept_in((await counted(console)).text)
    for _ in range(2):
        answer = await console.post("/campaigns/new", {"kept": kept})
        assert answer.status_code == 303, answer.text
    [campaign] = await campaigns(console)
    assert answer.headers["location"] == f"/campaigns/{campaign['id']}?done=started"
    assert campaign["status"] == "drafted"
    assert "It is started." in words(await console.get(answer.headers["location"]))
    await console.sign_in()
    assert campaign["id"] in await console.get("/campaigns/waiting")


async def test_what_was_filled_in_can_be_changed(console: Console) -> None:
    await ready(console)
    kept = kept_in((await counted(console)).text)
    form = (await console.post("/campaigns/new/change", {"kept": kept})).text
    assert 'value="AB 1 &lt;b&gt;now&lt;/b&gt;"' in form
    assert re.search(r'value="east-bay" checked', form)
    answer = await console.post("/campaigns/new/change", {"kept": "{"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"divisions": ["nowhere"]}, "nowhere"),
        ({"cities": "Alderr"}, "known nearby: Alder"),
        ({"people": "Nobody Here"}, "nobody in office is called"),
        ({"decided_on": "2020-01-01"}, ""),
        ({"decided_on": "soon"}, ""),
        ({"divisions": []}, ""),
    ],
)
async def test_what_is_wrong_is_said_at_the_form_and_nothing_lost(
    console: Console, wrong: dict[str, Any], said: str
) -> None:
    await ready(console)
    answer = await counted(console, **wrong)
    assert answer.status_code in (409, 422), answer.text
    assert 'role="alert"' in answer.text
    assert html.escape(said) in answer.text
    assert 'value="Assembly"' in answer.text
    assert await campaigns(console) == []


async def test_a_person_is_named_by_name_and_city(console: Console) -> None:
    await ready(console)
    answer = await counted(console, divisions=[], people="Person b-member\nPerson a-mayor Alder")
    assert answer.status_code == 200, answer.text
    assert "2 officials by 2 mails. 2 cities in 2 divisions" in words(answer.text)
    several = await counted(console, divisions=[], people="Person")
    assert "fits several: Person a-chief (Alder)" in words(several.text)


async def test_a_manager_starts_only_in_the_own_division(console: Console) -> None:
    await ready(console, "manager", ("east-bay",))
    form = await console.get("/campaigns/new?kind=programme")
    assert 'value="east-bay" checked' in form
    assert 'value="peninsula"' not in form
    assert 'name="statewide"' not in form
    own = {"kind": "programme", "decider": "East Bay", "subject": "Clean creeks"}
    assert (await counted(console, **own)).status_code == 200
    kept = kept_in((await counted(console, **own)).text)
    for beyond in ({"divisions": ["peninsula"]}, {"divisions": [], "statewide": "true"}):
        answer = await counted(console, **own, **beyond)
        assert answer.status_code == 403, answer.text
        assert "Nothing is kept" not in words(answer.text).split("Count whom")[0]
    await console.sign_in("manager", ("peninsula",))
    assert (await console.post("/campaigns/new", {"kept": kept})).status_code == 403
    assert await campaigns(console) == []


async def test_a_viewer_starts_nothing(console: Console) -> None:
    await ready(console, "viewer")
    await console.get("/campaigns/new", 403)
    assert "/campaigns/new" not in await console.get("/campaigns")
    for path in ("/campaigns/new", "/campaigns/new/count", "/campaigns/new/change"):
        assert (await console.post(path, {**VOTE, "kept": "{}"})).status_code == 403
