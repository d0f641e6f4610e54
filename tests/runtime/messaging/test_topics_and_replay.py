"""Topics on the broker, dead letters tried again, and a broker that comes back empty."""

import dataclasses
from pathlib import Path

import pytest

from clarion.runtime.database import Database, Transaction
from clarion.runtime.embedded import KafkaServer
from clarion.runtime.messaging import DeadLetters, Outgoing, Subscription, UnknownLetter, enqueue
from clarion.runtime.messaging.replay import replay_if_new_broker
from clarion.runtime.messaging.topics import TopicError, check_topics, ensure_topics
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import Actor
from tests.conftest import Until
from tests.runtime.messaging.conftest import COMPACTED, ECHO, INBOUND, WIDE, Bench, Ear, Echo, said, say
from tests.runtime.messaging.test_relay import relaying

ADA = Actor("staff", "a", "ada", "192.0.2.1")


async def test_topics_are_made_once_with_their_dead_twins(settings: Settings) -> None:
    first = await ensure_topics(settings, [WIDE, INBOUND])
    again = await ensure_topics(settings, [WIDE, INBOUND])
    names = sorted(f"{settings.kafka_prefix}{topic.name}{end}" for topic in (WIDE, INBOUND) for end in ("", ".dead"))
    assert (first.created, first.present) == (names, [])
    assert (again.created, again.present) == ([], names)


async def test_another_number_of_partitions_is_an_error_that_names_both(settings: Settings) -> None:
    await ensure_topics(settings, [WIDE])
    more, fewer = (dataclasses.replace(WIDE, partitions=count) for count in (6, 2))
    for ask in (ensure_topics, check_topics):
        with pytest.raises(TopicError, match=r"echo\.wide\.v1 has 4 partitions, not 6: .* --alter .* --partitions 6"):
            await ask(settings, [more])
        with pytest.raises(TopicError, match=r"echo\.wide\.v1 has 4 partitions, not 2: .* clarion replay"):
            await ask(settings, [fewer])


async def test_a_topic_that_is_missing_is_named_and_not_made_by_asking(settings: Settings) -> None:
    for _ in range(2):
        with pytest.raises(TopicError, match=r"no topic .*echo\.wide\.v1, .*dead: run clarion topics"):
            await check_topics(settings, [WIDE], patience_seconds=0)
    await ensure_topics(settings, [WIDE])
    await check_topics(settings, [WIDE])


async def test_what_the_broker_refuses_is_said(settings: Settings) -> None:
    with pytest.raises(TopicError, match="cannot be made"):
        await ensure_topics(settings, [dataclasses.replace(WIDE, name="echo wide?")])


async def one_letter(bench: Bench, ear: Ear, until: Until, *, use_inbox: bool = True) -> int:
    """An event that failed; the id of its letter."""
    ear.fail_on = {1}
    await bench.put(ECHO, said(1))

    async def dead() -> bool:
        return len(await bench.letters()) == 1

    async with bench.subscribed(Subscription(ECHO, ear, use_inbox=use_inbox)):
        await until(dead)
    return int((await bench.letters())[0]["id"])


async def test_a_retried_letter_is_handled_and_a_redelivery_does_not_double_it(
    bench: Bench, ear: Ear, until: Until
) -> None:
    letter_id = await one_letter(bench, ear, until)
    letters, subscription = DeadLetters(bench.listener), Subscription(ECHO, ear)
    ear.fail_on = set()
    assert (await letters.retry(letter_id, [subscription], by=ADA)).state == "retried"
    assert (await letters.retry(letter_id, [subscription], by=ADA)).state == "retried"
    await bench.put(ECHO, said(1), said(2))
    async with bench.subscribed(subscription):
        await until(lambda: ear.batches[-1] == [2])
    assert await bench.heard() == [1, 2]
    assert await letters.list() == []
    assert [letter["state"] for letter in await letters.list(state=None)] == ["retried"]


async def test_a_letter_that_fails_again_stays_open_with_the_new_reason(bench: Bench, ear: Ear, until: Until) -> None:
    letter_id = await one_letter(bench, ear, until)
    letters = DeadLetters(bench.listener)
    ear.fail_on, ear.reject = set(), {1}
    outcome = await letters.retry(letter_id, [Subscription(ECHO, ear)], by=ADA)
    assert (outcome.state, outcome.reason) == ("open", "not handled yet")
    assert (await letters.get(letter_id))["reason"] == "not handled yet"
    assert (await letters.retry(letter_id, [], by=ADA)).reason == "nothing here reads echo.said.v1"


async def test_an_invalid_letter_stays_invalid_and_its_event_may_come_right_later(
    bench: Bench, ear: Ear, until: Until
) -> None:
    _, headers = said(1)
    await bench.put(ECHO, (b"{}", headers), (b"{}", headers), said(1))

    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(lambda: ear.batches == [[1]])
    (letter,) = await bench.letters()
    assert (letter["seen"], letter["claimed"]) == (2, False)
    outcome = await DeadLetters(bench.listener).retry(letter["id"], [Subscription(ECHO, ear)], by=ADA)
    assert outcome.reason == "number: Field required"


async def test_a_discarded_letter_stays_aside_when_it_comes_again_and_is_retried_when_asked(
    bench: Bench, ear: Ear, until: Until
) -> None:
    letter_id = await one_letter(bench, ear, until, use_inbox=False)
    letters, subscription = DeadLetters(bench.listener), Subscription(ECHO, ear, use_inbox=False)
    assert await letters.discard(letter_id, by=ADA, why="a test")
    assert not await letters.discard(letter_id, by=ADA)
    await bench.put(ECHO, said(1))

    async def came_again() -> bool:
        return [letter["seen"] for letter in await bench.letters()] == [2]

    async with bench.subscribed(subscription):
        await until(came_again)
    assert [letter["state"] for letter in await bench.letters()] == ["discarded"]
    assert (await letters.retry(letter_id, [subscription], by=ADA)).state == "open"
    ear.fail_on = set()
    assert (await letters.retry(letter_id, [subscription], by=ADA)).state == "retried"
    whats = [note["what"] for note in (await letters.get(letter_id))["history"]]
    assert whats == ["failed", "discarded", "failed again", "retried"]
    with pytest.raises(UnknownLetter, match="listener has no dead letter 4711"):
        await letters.retry(4711, [], by=ADA)


async def test_a_letter_that_nothing_reads_yet_is_handled_once_something_does(
    bench: Bench, ear: Ear, until: Until
) -> None:
    letter_id = await one_letter(bench, ear, until)
    letters = DeadLetters(bench.listener)
    assert (await letters.retry(letter_id, [], by=ADA)).reason == "nothing here reads echo.said.v1"
    ear.fail_on = set()
    assert (await letters.retry(letter_id, [Subscription(ECHO, ear)], by=ADA)).state == "retried"
    assert await bench.heard() == [1]


async def test_without_inbox_the_same_failure_is_one_letter_seen_twice(bench: Bench, ear: Ear, until: Until) -> None:
    await one_letter(bench, ear, until, use_inbox=False)
    await bench.put(ECHO, said(1))

    async def seen_twice() -> bool:
        return [letter["seen"] for letter in await bench.letters()] == [2]

    async with bench.subscribed(Subscription(ECHO, ear, use_inbox=False)):
        await until(seen_twice)
    async with bench.listener.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM outbox") == 1


async def test_a_broker_that_lost_everything_gets_it_back_and_nobody_does_it_twice(
    settings: Settings, echo: Database, listener: Database, until: Until, tmp_path: Path
) -> None:
    ear = Ear()

    async def republish(tx: Transaction) -> int:
        await enqueue(tx, [Outgoing(COMPACTED, "ann", "echo.said", Echo(number=9))])
        return 1

    used = [ECHO, COMPACTED]
    hooks = {"echo": republish}

    async def run_on(server: KafkaServer, *numbers: int) -> dict[str, int] | None:
        here = settings.model_copy(update={"kafka_bootstrap": server.bootstrap})
        await ensure_topics(here, used)
        report = await replay_if_new_broker(here, ["echo", "listener"], hooks, topics=used)
        assert await replay_if_new_broker(here, ["echo", "listener"], hooks, topics=used) is None
        bench = Bench(here, listener)
        await say(echo, *numbers)
        async with relaying(here) as relay, bench.subscribed(Subscription(ECHO, ear)):
            await until(lambda: ear.batches and numbers[-1] in ear.batches[-1])
            expected = len(numbers) + (sum(report.messages.values()) + 1 if report else 0)
            await until(lambda: relay.published == expected)
        return report.messages | report.entities if report else None

    server = KafkaServer(tmp_path / "first", keep_records_for_ever=True)
    await server.start()
    assert await run_on(server, 1, 2) is None
    await server.stop()
    server = KafkaServer(tmp_path / "second", keep_records_for_ever=True)
    await server.start()
    assert await run_on(server, 3) == {"echo.said.v1": 2, "echo": 1}
    await server.stop()
    assert await Bench(settings, listener).heard() == [1, 2, 3]
