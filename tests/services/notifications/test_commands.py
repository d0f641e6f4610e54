"""`clarion deliveries` on a database of its own."""

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clarion.services.notifications.commands import deliveries
from tests.services.notifications.conftest import House, batch, official


@pytest.fixture
def clarion(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", house.database.url)

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, deliveries, list(words))

    return run


async def test_list_tells_states_without_addresses(house: House, clarion: Any) -> None:
    await house.call([1, 2])
    await house.ask(batch([3], matter="campaign:c2"))
    result = await clarion("list", "--campaign", "c1", "--state", "queued", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert [one["officials"] for one in found] == [["o1"], ["o2"]] or len(found) == 2
    assert "@" not in result.output
    assert "queued" in (await clarion("list")).output


async def test_show_tells_one_mails_story(house: House, clarion: Any) -> None:
    await house.know(official(1))
    await house.ask(batch([1]))
    (found,) = json.loads((await clarion("list", "--json")).output)
    result = await clarion("show", f"<{found['id']}@clarion.example>", "--json")
    story = json.loads(result.output)
    assert story["to"] == "o1@city.example"
    assert story["officials"] == ["Ada Nr1"]
    assert (story["state"], story["lane"], story["attempts"]) == ("queued", "call", 0)
    assert story["facts"] == ["When: Wednesday, April 21, 2027, 1:30 pm PDT"]
    assert "Ada Nr1" in (await clarion("show", found["id"])).output


async def test_wrong_use_ends_with_2_and_an_unknown_id_with_1(clarion: Any) -> None:
    assert (await clarion("list", "--state", "lost")).exit_code == 2
    assert (await clarion("show", "nonsense")).exit_code == 2
    assert (await clarion("show", f"{'0' * 32}.1")).exit_code == 1
    assert (await clarion("list")).output.strip() == "No messages."


async def test_show_tells_how_the_whole_thread_went(house: House, clarion: Any) -> None:
    moved = [{"key": "when", "label": "When", "text": "Thursday"}]
    await house.know(official(1))
    await house.ask(batch([1]))
    await house.execute("UPDATE ledger SET state = 'claimed'")
    await house.execute("UPDATE ledger SET state = 'sending'")
    await house.execute("UPDATE ledger SET state = 'sent'")
    await house.ask(batch([1], revision=2))
    await house.ask(batch([1], revision=3, facts=moved))
    (row, *_) = await house.rows("SELECT thread_id FROM ledger")
    story = json.loads((await clarion("show", row["thread_id"].hex, "--json")).output)
    assert (story["revision"], story["newest_revision"]) == (3, 3)
    assert [(one["revision"], one["state"]) for one in story["thread"]] == [
        (1, "sent"),
        (2, "superseded"),
        (3, "queued"),
    ]
    assert story["thread"][2]["says"] == ["Moved: now Thursday, was Wednesday, April 21, 2027, 1:30 pm PDT"]
    shown = (await clarion("show", f"{row['thread_id'].hex}.1")).output
    assert "2 superseded" in shown
    assert "revision 3 replaces it" in shown
    assert "Moved: now Thursday" in shown
