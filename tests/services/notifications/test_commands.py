"""`clarion deliveries` on a database of its own."""

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clarion.services.deliveries import deliveries
from tests.services.notifications.conftest import House, batch, mailbox_of, official


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


async def test_list_narrows_to_what_fits_and_counts_it(house: House, clarion: Any) -> None:
    await house.call([1, 2])
    await house.ask(batch([3], wave="north"), batch([4], matter="campaign:c2", lane="bulk"))

    async def found(*words: str) -> list[list[str]]:
        result = await clarion("list", "--json", *words)
        assert result.exit_code == 0, result.output
        return sorted(one["officials"] for one in json.loads(result.stdout))

    assert await found("--campaign", "c1", "--division", "north") == [["o3"]]
    assert await found("--official", "o2") == [["o2"]]
    assert await found("--to", mailbox_of(1)) == [["o1"]]
    assert await found("--to", "nobody@city.example") == []
    assert await found("--lane", "bulk") == [["o4"]]
    assert await found("--since", "2100-01-01") == await found("--until", "2000-01-01T00:00:00+0000") == []
    assert len(await found("--since", "2000-01-01", "--until", "2100-01-01T10:00")) == 4
    counted = await clarion("list", "--count", "--campaign", "c1", "--json")
    assert json.loads(counted.stdout) == {"queued": 3}


async def test_list_goes_on_where_a_page_ended(house: House, clarion: Any) -> None:
    await house.call(range(5))
    ids: list[str] = []
    for size in (2, 2, 1):
        result = await clarion("list", "--limit", "2", "--json", *(["--after", ids[-1]] if ids else []))
        page = [one["id"] for one in json.loads(result.stdout)]
        assert len(page) == size
        ids += page
    assert len(set(ids)) == 5
    assert "--after" in (await clarion("list", "--limit", "2")).stderr


async def test_list_finds_by_an_index_what_is_one_campaigns_or_mailboxes(house: House) -> None:
    for given in ("'campaign:c1', NULL, NULL", "NULL, NULL, ARRAY['x']"):
        async with house.database.transaction() as tx:
            await tx.connection.execute("SET LOCAL enable_seqscan = off")
            plan = await tx.connection.fetch(
                f"EXPLAIN SELECT * FROM messages_fitting({given}, NULL, NULL, NULL, NULL, NULL)"
            )
        assert "Index Cond: (thread_id = ANY" in "".join(row[0] for row in plan)


async def test_show_tells_each_move_with_its_reason_and_the_relays_words(
    house: House, clarion: Any, mail_catcher: Any, until: Any
) -> None:
    mail_catcher.reply_to = lambda *_: "451 4.2.0 come again"
    await house.call([1])
    async with house.sending():
        await until(lambda: house.rows("SELECT FROM ledger WHERE state = 'deferred'"))
        mail_catcher.reply_to = None
        await until(lambda: mail_catcher.store.count() == 1)
        await until(lambda: house.rows("SELECT FROM ledger WHERE state = 'sent'"))
    (row,) = await house.rows()
    story = json.loads((await clarion("show", row["thread_id"].hex, "--json")).output)
    moves = [(move["state"], move["reason"]) for move in story["moves"]]
    assert [state for state, _ in moves][:4] == ["queued", "claimed", "sending", "deferred"]
    assert moves[-1][0] == "sent"
    assert "451 4.2.0 come again" in moves[3][1]
    assert story["relay"]
    assert (story["resend"], story["paused"], story["wave"]) == (0, False, "")
    assert "come again" in (await clarion("show", row["thread_id"].hex)).output


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
    await house.pretend("claimed", "sending", "sent")
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
