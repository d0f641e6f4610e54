"""`clarion dead-letters` on letters of two services, as whoever repairs an installation uses it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.messaging.dead_letters import DeadLetter, write_letters
from clarion.runtime.messaging.record import Record
from clarion.runtime.settings import Settings
from clarion.schemas.cloudevents import EventAttributes
from clarion.schemas.commands import LetterLine, LetterOutcome, LetterShown
from clarion.services.dead_letters import dead_letters
from clarion.services.sample import sample_notice

UPDATES = "legislation.updates.v1"
Clarion = Callable[..., Awaitable[Result]]


@pytest.fixture
def clarion(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Clarion:
    """The command, on the test's database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("CLARION_KAFKA_BOOTSTRAP", str(settings.kafka_bootstrap))
    monkeypatch.setenv("CLARION_SMTP_URL", "smtp://127.0.0.1:9")
    monkeypatch.setenv("CLARION_SECRET_KEY", settings.secret_key[0])
    monkeypatch.setenv("CLARION_PUBLIC_URL", str(settings.public_url))
    monkeypatch.setenv("CLARION_MAIL_FROM", str(settings.mail_from))

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, dead_letters, list(words))

    return run


def record(event_id: str, data: Any, *, topic: str = UPDATES, kind: str = "hearing.scheduled") -> Record:
    attributes = EventAttributes(id=event_id, source="https://tracker.example/", type=kind, time=system_clock())
    headers = tuple((name, value.encode()) for name, value in attributes.to_headers().items())
    body = json.dumps(data).encode()
    return Record(topic, 0, int(event_id[1:]), b"k", (*headers, ("x-empty", None)), body, system_clock())


async def bury(settings: Settings, service: str, *letters: tuple[Record, str]) -> None:
    """Letters of a service, each with its reason, in this order."""
    async with open_database(settings, service) as database:
        for record, reason in letters:
            async with database.transaction() as tx:
                await write_letters(tx, [DeadLetter(record, reason)])


def good(event_id: str) -> tuple[Record, str]:
    """An event that failed for a reason that is gone."""
    return record(event_id, sample_notice(datetime(2027, 3, 1, tzinfo=UTC))), "OSError: the disk was full"


def bad(event_id: str) -> tuple[Record, str]:
    """One that is wrong for ever."""
    return record(event_id, {"hearing_id": "h"}), "jurisdiction: Field required"


async def lines(clarion: Clarion, *words: str) -> list[LetterLine]:
    listed = await clarion("list", *words, "--json")
    assert listed.exit_code == 0, listed.output
    return [LetterLine.model_validate(one) for one in json.loads(listed.output)]


async def outcomes(clarion: Clarion, *words: str) -> dict[str, str]:
    done = await clarion(*words, "--json")
    assert done.exit_code in {0, 1}, done.output
    found = [LetterOutcome.model_validate(one) for one in json.loads(done.output)]
    assert done.exit_code == int(words[0] == "retry" and any(one.state == "open" for one in found))
    return {one.id: one.state for one in found}


async def shown(clarion: Clarion, letter: str) -> LetterShown:
    return LetterShown.model_validate(json.loads((await clarion("show", letter, "--json")).output))


async def test_letters_are_found_by_service_topic_time_and_cause(clarion: Clarion, settings: Settings) -> None:
    empty = await clarion("list")
    assert "everything that came in was handled" in empty.output
    await bury(settings, "legislation", good("e1"), bad("e2"))
    await bury(settings, "campaigns", (record("e3", {}, topic="legislation.alerts.v1"), "revision: Field required"))
    assert {letter.id for letter in await lines(clarion)} == {"legislation-1", "legislation-2", "campaigns-1"}
    assert [letter.id for letter in await lines(clarion, "--service", "campaigns")] == ["campaigns-1"]
    assert len(await lines(clarion, "--topic", UPDATES)) == 2
    assert [letter.event_id for letter in await lines(clarion, "--cause", "DISK was")] == ["e1"]
    assert len(await lines(clarion, "--cause", "field required", "--service", "legislation")) == 1
    assert len(await lines(clarion, "--type", "hearing.scheduled", "--limit", "2")) == 2
    assert len(await lines(clarion, "--since", "2020-01-01")) == 3
    assert await lines(clarion, "--since", "2999-01-01") == []
    table = (await clarion("list")).output
    assert "legislation-1" in table
    assert "the disk was full" in table


async def test_many_are_retried_and_what_fails_again_stays_with_its_history(
    clarion: Clarion, settings: Settings
) -> None:
    await bury(settings, "legislation", good("e1"), bad("e2"))
    assert await outcomes(clarion, "retry", "--all", "--by", "ada") == {
        "legislation-1": "retried",
        "legislation-2": "open",
    }
    again = await shown(clarion, "legislation-2")
    assert [(note.what, note.who) for note in again.history] == [("failed", None), ("failed again", "ada")]
    assert again.history[0].why == "jurisdiction: Field required"
    assert "jurisdiction" in again.reason
    assert ("x-empty", None) in again.headers
    assert again.body == '{"hearing_id": "h"}'
    done = await shown(clarion, "legislation-1")
    assert (done.state, done.history[-1].what) == ("retried", "retried")
    assert done.resolved_at is not None
    assert await outcomes(clarion, "retry", "legislation-1") == {"legislation-1": "retried"}
    async with open_database(settings, "legislation") as database, database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM history WHERE event_id = 'e1'") == 1


async def test_a_discarded_letter_says_who_and_why_and_can_be_taken_back_or_retried(
    clarion: Clarion, settings: Settings
) -> None:
    await bury(settings, "legislation", good("e1"), bad("e2"))
    refused = await clarion("discard", "legislation-1")
    assert (refused.exit_code, "--reason" in refused.output) == (2, True)
    both = await outcomes(clarion, "discard", "--cause", "", "--reason", "a test", "--by", "ada")
    assert set(both.values()) == {"discarded"}
    assert await lines(clarion) == []
    assert {letter.state for letter in await lines(clarion, "--state", "discarded")} == {"discarded"}
    assert await outcomes(clarion, "discard", "legislation-2", "--undo", "--by", "bo") == {"legislation-2": "open"}
    assert await outcomes(clarion, "retry", "legislation-1", "--by", "bo") == {"legislation-1": "retried"}
    notes = [(note.what, note.who, note.why) for note in (await shown(clarion, "legislation-1")).history]
    assert notes[1:] == [("discarded", "ada", "a test"), ("retried", "bo", None)]
    told = (await clarion("show", "legislation-2")).output
    assert "discarded by ada: a test" in told
    assert "taken back by bo" in told


async def test_wrong_use_is_said_and_what_is_not_there_too(clarion: Clarion) -> None:
    for words, said in {
        ("retry",): "--all",
        ("retry", "legislation-1", "--all"): "--all",
        ("show", "nobody-1"): "legislation-12",
        ("list", "--state", "lost"): "discarded",
        ("list", "--service", "lost"): "campaigns",
    }.items():
        wrong = await clarion(*words)
        assert (wrong.exit_code, said in wrong.output) == (2, True), wrong.output
    for words in [("show", "legislation-9"), ("retry", "legislation-9"), ("discard", "legislation-9", "--undo")]:
        missing = await clarion(*words)
        assert (missing.exit_code, "legislation has no dead letter 9" in missing.output) == (1, True), missing.output
