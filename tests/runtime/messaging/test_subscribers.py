"""What a subscriber does with good and bad records, on the real broker."""

import asyncio
from collections.abc import Sequence
from itertools import chain
from typing import Any

import asyncpg
import pytest
from aiokafka import ConsumerRecord
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from clarion.runtime.database import Transaction
from clarion.runtime.messaging import Received, Subscription, decoding
from clarion.runtime.messaging.consumer import SteadyConsumer
from tests.conftest import Until
from tests.runtime.messaging.conftest import COMPACTED, ECHO, INBOUND, WIDE, Bench, Ear, said

Header = list[tuple[str, Any]]


def heard(bench: Bench, *numbers: int) -> Any:
    async def is_so() -> bool:
        return await bench.heard() == list(numbers)

    return is_so


def letters(bench: Bench, count: int) -> Any:
    async def is_so() -> bool:
        return len(await bench.letters()) == count

    return is_so


def committed(bench: Bench, offset: int) -> Any:
    async def is_so() -> bool:
        return await bench.committed(ECHO) == offset

    return is_so


async def test_a_redelivered_event_is_handled_once(bench: Bench, ear: Ear, until: Until) -> None:
    await bench.put(ECHO, said(1), said(2), said(1, "e2"))
    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(heard(bench, 1, 2))
        await bench.put(ECHO, said(1), said(3))
        await until(heard(bench, 1, 2, 3))
    assert await bench.letters() == []


async def test_a_failing_event_costs_itself_alone(bench: Bench, ear: Ear, until: Until) -> None:
    ear.fail_on = {2}
    await bench.put(ECHO, said(1), said(2), said(3))
    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(heard(bench, 1, 3))
        await until(committed(bench, 3))
    (letter,) = await bench.letters()
    assert (letter["event_id"], letter["state"], letter["offset"]) == ("e2", "open", 1)
    assert letter["reason"] == "LookupError: no such number: 2"
    assert "Traceback" in letter["detail"]


async def test_a_dead_letter_is_copied_to_the_dead_topic_with_its_cause(bench: Bench, ear: Ear, until: Until) -> None:
    ear.fail_on = {1}
    await bench.put(ECHO, said(1))
    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(letters(bench, 1))
    async with bench.listener.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM outbox")
    assert row is not None
    assert (row["topic"], row["key"], row["body"]) == ("echo.said.v1.dead", b"k", said(1)[0])
    assert ["clarion-reason", "LookupError: no such number: 1"] in row["headers"]
    assert ["ce_id", "e1"] in row["headers"]


async def test_a_rejected_event_keeps_its_state_and_is_a_dead_letter(bench: Bench, ear: Ear, until: Until) -> None:
    ear.reject = {2}
    await bench.put(ECHO, said(1), said(2))
    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(heard(bench, 1, 2))
    assert [letter["reason"] for letter in await bench.letters()] == ["not handled yet"]
    assert len(ear.batches) == 1


BROKEN: dict[str, tuple[tuple[bytes | None, Header], str]] = {
    "not JSON": ((b"{", said(1)[1]), "Invalid JSON"),
    "wrong type of a field": ((b'{"number": "many"}', said(1)[1]), "number: "),
    "no body": ((None, said(1)[1]), "no body"),
    "NUL in the id": ((b"{}", [("ce_id", b"a\x00b"), *said(1)[1][2:]]), "'ce_id' is not text"),
    "id not UTF-8": ((b"{}", [("ce_id", b"\xff"), *said(1)[1][2:]]), "'ce_id' is not text"),
    "id null": ((b"{}", [("ce_id", None), *said(1)[1][2:]]), "'ce_id' is not text"),
    "no id": ((b"{}", said(1)[1][2:]), "id: Field required"),
    "no headers": ((b"{}", []), "no CloudEvent"),
    "unknown type": ((b"{}", [*said(1)[1], ("ce_type", b"echo.sung")]), "unknown event type 'echo.sung'"),
    "other version": ((b"{}", [*said(1)[1], ("ce_specversion", b"0.3")]), "specversion"),
    "other content": ((b"<e/>", [*said(1)[1], ("content-type", b"text/xml")]), "content type is 'text/xml'"),
    "lone surrogate": ((b'{"number": 1, "text": "\\ud800"}', said(1)[1]), "hex escape"),
    "body not UTF-8": ((b'{"number": 1, "text": "\xff"}', said(1)[1]), "Invalid JSON"),
    "structured where it is not accepted": (
        (b"{}", [("content-type", b"application/cloudevents+json")]),
        "structured mode is not accepted",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_record_is_a_dead_letter_and_its_neighbours_are_handled(
    case: str, bench: Bench, ear: Ear, until: Until
) -> None:
    record, reason = BROKEN[case]
    await bench.put(ECHO, said(1), record, said(3))
    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(heard(bench, 1, 3), seconds=5)
        await until(committed(bench, 3), seconds=5)
    (letter,) = await bench.letters()
    assert reason in letter["reason"]


async def test_a_key_that_is_not_text_is_a_dead_letter(bench: Bench, ear: Ear, until: Until) -> None:
    await bench.put(ECHO, said(1), key=b"\xfe\xff")
    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(letters(bench, 1))
    assert [letter["reason"] for letter in await bench.letters()] == ["the key is not text"]


@pytest.mark.parametrize("header", [("trace", None), ("trace", b"\xff\xfe"), ("trace", b"a\x00")])
async def test_a_broken_header_that_nobody_needs_costs_nothing(
    header: tuple[str, Any], bench: Bench, ear: Ear, until: Until
) -> None:
    body, headers = said(2)
    await bench.put(ECHO, said(1), (body, [*headers, header]), said(3))
    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(heard(bench, 1, 2, 3), seconds=5)
    assert await bench.letters() == []


async def test_a_message_without_content_type_is_taken_for_json(bench: Bench, ear: Ear, until: Until) -> None:
    body, headers = said(1)
    await bench.put(ECHO, (body, headers[:-1]))
    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(heard(bench, 1))


@pytest.mark.parametrize("codec", ["zstd", "snappy", "lz4", "gzip"])
async def test_every_compression_is_understood(codec: str, bench: Bench, ear: Ear, until: Until) -> None:
    await bench.put(ECHO, said(1), said(2), compression_type=codec)
    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(heard(bench, 1, 2), seconds=5)


class RawName(str):
    """A header name that is written as bytes which are no UTF-8."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


@pytest.mark.parametrize("codec", [0, 1, 2, 3, 4])
async def test_a_batch_that_aiokafka_cannot_decode_is_read_all_the_same(
    codec: int, bench: Bench, ear: Ear, until: Until
) -> None:
    """The broker takes header names that are no UTF-8; aiokafka fails on the whole batch, again and again."""
    body, headers = said(2)
    broken = (body, [*headers, (RawName("x"), b"1"), ("y", None)])
    await bench.put(ECHO, said(1))
    await put_batch(bench, [said(20), broken, said(21)], codec)
    await bench.put(ECHO, said(3))
    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(heard(bench, 1, 20, 2, 21, 3), seconds=10)
        await until(committed(bench, 5))
    assert await bench.letters() == []


async def test_a_batch_that_nobody_can_decode_is_one_dead_letter(
    bench: Bench, ear: Ear, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(decoding._DECODERS, 4, decoding.gzip_decode)
    body, headers = said(2)
    await bench.put(ECHO, said(1))
    await put_batch(bench, [said(20), (body, [*headers, (RawName("x"), b"1")]), said(21)], 4)
    await bench.put(ECHO, said(3))
    async with bench.subscribed(Subscription(ECHO, ear)):
        await until(heard(bench, 1, 20, 3), seconds=10)
        await until(committed(bench, 5))
    (letter,) = await bench.letters()
    assert (letter["offset"], letter["body"]) == (2, None)
    assert "cannot be decoded" in letter["reason"]


async def put_batch(bench: Bench, records: list[tuple[bytes, Header]], codec: int) -> None:
    """Records in one batch, written by the builder that does not look at the type of a header's name."""
    builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, -1, 1_000_000)
    for offset, (body, headers) in enumerate(records):
        builder.append(offset, timestamp=1_790_000_000_000, key=b"k", value=body, headers=headers)
    topics = [(bench.name(ECHO), [(0, bytes(builder.build()))])]
    async with bench.producer() as producer:
        request = ProduceRequest(transactional_id=None, required_acks=-1, timeout=10_000, topics=topics)
        response = await producer.client.send(producer.client.get_random_node(), request)
    assert response.topics[0][1][0][1] == 0


async def test_structured_mode_is_accepted_on_inbound_topics(bench: Bench, ear: Ear, until: Until) -> None:
    await bench.make(INBOUND)
    body = b'{"specversion":"1.0","id":"s1","source":"/tests","type":"echo.said","data":{"number":7}}'
    headers = [("content-type", b"application/cloudevents+json; charset=utf-8")]
    broken = b'["no", "object"]'
    await bench.put(INBOUND, (body, headers), (broken, headers), (body, headers))
    async with bench.subscribed(Subscription(INBOUND, ear)):
        await until(heard(bench, 7))
        await until(letters(bench, 1))


async def test_a_tombstone_of_a_compacted_topic_has_no_data(bench: Bench, ear: Ear, until: Until) -> None:
    await bench.make(COMPACTED)
    seen: list[Received[Any]] = []

    async def keep(_tx: object, events: Any) -> None:
        seen.extend(events)

    await bench.put(COMPACTED, said(1), (None, said(2)[1]))
    async with bench.subscribed(Subscription(COMPACTED, keep, use_inbox=False)):
        await until(lambda: len(seen) == 2)
    assert seen[1].data is None
    assert seen[1].key == "k"


async def test_without_inbox_a_redelivery_is_handled_again_but_not_within_one_batch(
    bench: Bench, ear: Ear, until: Until
) -> None:
    await bench.make(COMPACTED)
    await bench.put(COMPACTED, said(1), said(1))
    async with bench.subscribed(Subscription(COMPACTED, ear, use_inbox=False)):
        await until(heard(bench, 1))
        await bench.put(COMPACTED, said(1))
        await until(heard(bench, 1, 1))


async def test_offsets_are_committed_only_after_the_commit_of_the_database(
    bench: Bench, ear: Ear, until: Until
) -> None:
    ear.gate = asyncio.Event()
    await bench.put(ECHO, said(1))
    async with bench.subscribed(Subscription(ECHO, ear)):
        await ear.entered.wait()
        assert await bench.committed(ECHO) is None
        ear.gate.set()
        await until(committed(bench, 1))


async def test_stopping_lets_the_batch_in_work_end(bench: Bench, ear: Ear, until: Until) -> None:
    ear.gate = asyncio.Event()
    await bench.put(ECHO, said(1))
    async with bench.subscribed(Subscription(ECHO, ear)) as subscribers:
        await ear.entered.wait()
        stopping = asyncio.create_task(subscribers.stop())
        await asyncio.sleep(0)
        ear.gate.set()
        await stopping
    assert await bench.heard() == [1]
    assert await bench.committed(ECHO) == 1


async def test_a_rebalance_waits_for_the_batch_in_work_and_repeats_nothing(
    bench: Bench, ear: Ear, until: Until
) -> None:
    """Without the listener nine of ten batches in work are handled twice."""
    ear.gate = asyncio.Event()
    other = Ear()
    subscription = Subscription(ECHO, ear, use_inbox=False)
    await bench.put(ECHO, *(said(number) for number in range(10)))
    async with bench.subscribed(subscription) as first:
        await ear.entered.wait()
        joining = asyncio.create_task(hold_subscribed(bench, Subscription(ECHO, other, use_inbox=False)))
        await until(lambda: rejoining(first.made[0].consumer))
        ear.gate.set()
        subscribers, done = await joining_result(joining)
        await until(committed(bench, 10))
        await bench.put(ECHO, said(10))
        await until(heard(bench, *range(11)))
        done.set()
        await subscribers
    assert sorted(chain(*ear.batches, *other.batches)) == list(range(11))


async def hold_subscribed(bench: Bench, subscription: Subscription) -> tuple[asyncio.Task[None], asyncio.Event]:
    done, joined = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with bench.subscribed(subscription):
            joined.set()
            await done.wait()

    task = asyncio.create_task(hold())
    await joined.wait()
    return task, done


async def joining_result(joining: Any) -> Any:
    async with asyncio.timeout(30):
        return await joining


def rejoining(consumer: SteadyConsumer) -> bool:
    return bool(consumer._coordinator._rejoin_needed_fut.done())


async def test_a_batch_that_was_not_acknowledged_comes_again(bench: Bench, ear: Ear, until: Until) -> None:
    """Also when its handler vanished without a word, as FastStream lets it when a parser or a middleware raises."""
    await bench.put(ECHO, said(1), said(2))
    async with bench.subscribed(Subscription(ECHO, ear, use_inbox=False, batch_size=1)) as subscribers:
        await until(heard(bench, 1, 2))
        consumer = subscribers.made[0].consumer
        assert isinstance(consumer, SteadyConsumer)
    reader = SteadyConsumer(
        bench.name(ECHO),
        pulse=subscribers.pulses[ECHO.name],
        given_up=asyncio.Event(),
        bootstrap_servers=bench.settings.kafka_bootstrap,
        group_id=f"{bench.settings.kafka_prefix}again",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await reader.start()
    try:
        first = await next_records(reader)
        assert [one.offset for one in await next_records(reader)] == [one.offset for one in first] == [0]
        await reader.acknowledge()
        assert [one.offset for one in await next_records(reader)] == [1]
    finally:
        await reader.stop()


async def next_records(reader: SteadyConsumer) -> list[ConsumerRecord[Any, Any]]:
    async with asyncio.timeout(20):
        while not (batch := await reader.getmany(max_records=1)):
            pass
    return [record for records in batch.values() for record in records]


async def test_partitions_are_read_in_the_order_of_their_keys(bench: Bench, ear: Ear, until: Until) -> None:
    await bench.make(WIDE)
    async with bench.producer() as producer:
        for number in range(40):
            body, headers = said(number)
            await producer.send_and_wait(bench.name(WIDE), body, f"k{number % 5}".encode(), headers=headers)
    async with bench.subscribed(Subscription(WIDE, ear, batch_size=7)):
        await until(lambda: sum(map(len, ear.batches)) >= 40)
    order = await bench.heard()
    for key in range(5):
        of_key = [number for number in order if number % 5 == key]
        assert of_key == sorted(of_key)


async def test_a_failure_of_the_database_is_waited_out_and_never_a_dead_letter(bench: Bench, until: Until) -> None:
    tries: list[int] = []

    async def meet_a_deadlock(tx: Transaction, events: Sequence[Received[Any]]) -> None:
        tries.append(len(events))
        if len(tries) < 4:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        await tx.connection.execute("INSERT INTO heard VALUES (1)")

    await bench.put(ECHO, said(1))
    async with bench.subscribed(Subscription(ECHO, meet_a_deadlock)):
        await until(heard(bench, 1))
        await until(committed(bench, 1))
    assert len(tries) == 4
    assert await bench.letters() == []


async def test_stopping_does_not_wait_for_a_database_that_is_away(bench: Bench, until: Until) -> None:
    tries: list[int] = []

    async def lose_the_connection(tx: Transaction, events: Sequence[Received[Any]]) -> None:
        tries.append(len(events))
        raise asyncpg.CannotConnectNowError("starting up")

    await bench.put(ECHO, said(1))
    async with bench.subscribed(Subscription(ECHO, lose_the_connection)) as subscribers:
        await until(lambda: len(tries) >= 5)
        async with asyncio.timeout(5):
            await subscribers.stop()
    assert await bench.committed(ECHO) is None
