"""A division's people are left out and added by hand, and its own paragraph written."""

import html

from tests.services.campaigning.conftest import Console, words
from tests.services.campaigning.test_waves import REASON, decide, wave_of


async def test_somebody_is_left_out_with_a_reason_and_asked_after_all(console: Console) -> None:
    path = await wave_of(console)
    await console.mirror()
    await console.sign_in()
    refused = await console.post(f"{path}/leave-out", {"official": "a-mayor"})
    assert (refused.status_code, "Say why they are left out" in refused.text) == (422, True)
    answer = await console.post(f"{path}/leave-out", {"official": "a-mayor", "reason": REASON})
    assert answer.status_code == 303
    page = await console.get(answer.headers["location"])
    said = words(page)
    assert "Person a-mayor is left out." in said
    assert "1 official to ask" in said
    assert "1 left out" in said
    assert html.escape(REASON) in page
    assert REASON not in page
    answer = await console.post(f"{path}/undo", {"official": "a-mayor"})
    page = words(await console.get(answer.headers["location"]))
    assert "Person a-mayor stands as before." in page
    assert "2 officials to ask" in page


async def test_somebody_is_added_with_a_reason(console: Console) -> None:
    path = await wave_of(console)
    await console.mirror()
    await console.sign_in()
    found = await console.get(f"{path}/add?q=clerk")
    assert 'value="a-clerk"' in found
    assert 'value="b-member"' not in await console.get(f"{path}/add?q=member")
    refused = await console.post(f"{path}/add", {"official": "a-clerk", "asks": "letter", "wanted": "clerk"})
    assert (refused.status_code, "Say who is to be asked" in refused.text) == (422, True)
    data = {"official": "a-clerk", "asks": ["letter", "testimony", "money"], "reason": "She knows <i>it</i>"}
    answer = await console.post(f"{path}/add", data)
    assert answer.status_code == 303, answer.text
    page = words(await console.get(answer.headers["location"]))
    assert "Person a-clerk is added." in page
    assert "She knows <i>it</i>" in page
    assert "3 officials to ask" in page


async def test_an_official_of_another_division_is_neither_left_out_nor_added(console: Console) -> None:
    path = await wave_of(console)
    await console.sign_in()
    for form in ("leave-out", "add", "undo"):
        data = {"official": "b-member", "asks": "letter", "reason": "why"}
        assert (await console.post(f"{path}/{form}", data)).status_code == 409
    assert await console.world.fetch("SELECT * FROM choices") == []


async def test_the_divisions_paragraph_is_kept_and_stands_in_the_mail_as_text(console: Console) -> None:
    path = await wave_of(console)
    await console.mirror()
    await console.sign_in()
    assert "Our streets" not in await console.get(f"{path}/mail")
    answer = await console.post(f"{path}/paragraph", {"text": "Our streets <script>are</script> ours.\r\nSecond line."})
    assert answer.status_code == 303
    page = await console.get(answer.headers["location"])
    assert "The paragraph is kept" in page
    assert "<script>" not in page
    assert "Our streets <script>are</script> ours." in words(await console.get(f"{path}/mail"))
    alone = await console.get(f"{path}/mail/html")
    assert "<script>" not in alone
    assert "Our streets &lt;script&gt;" in alone
    await decide(console, f"{path}/approve")
    refused = await console.post(f"{path}/paragraph", {"text": "Too late"})
    assert refused.status_code == 409
    assert 'name="text"' not in await console.get(path)
