"""The outbox and its relay, on the real broker and database."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from clarion.runtime.database import Database, is_transient, load_queries
from clarion.runtime.messaging import MessageTooLarge, Outgoing, Subscription, enqueue
from clarion.runtime.messaging.outbox import Parcel, enqueue_parcels
from clarion.runtime.messaging.relay import Relay, make_producer
from clarion.runtime.messaging.subscribers import Subscribers
from clarion.runtime.settings import Settings
from tests.conftest import Until
from tests.runtime.messaging.conftest import COMPACTED, ECHO, WIDE, Bench, Ear, Echo, say


@asynccontextmanager
async def relaying(settings: Settings, service: str = "echo") -> AsyncIterator[Relay]:
    relay, stopping = Relay(settings, service), asyncio.Event()
    task = asyncio.create_task(relay.run(stopping))
    try:
        yield relay
    finally:
        stopping.set()
        async with asyncio.timeout(20):
            await task


async def unpublished(database: Database) -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL"))


async def test_what_is_committed_is_published_with_its_headers(
    settings: Settings, echo: Database, bench: Bench
) -> None:
    async with relaying(settings):
        async with echo.transaction() as tx:
            await enqueue(tx, [Outgoing(ECHO, "ann", "echo.said", Echo(number=1), id="a", extensions={"lane": "call"})])
        (record,) = await bench.read(ECHO, 1)
    headers = dict(record.headers)
    assert (record.key, record.value) == (b"ann", b'{"number":1,"text":""}')
    assert headers["ce_id"] == b"a"
    assert headers["ce_source"] == b"/clarion/echo"
    assert headers["ce_lane"] == b"call"
    assert headers["content-type"] == b"application/json"
    assert b"T" in headers["ce_time"]


async def test_what_is_rolled_back_is_not_published(settings: Settings, echo: Database, bench: Bench) -> None:
    async with relaying(settings):
        with contextlib.suppress(LookupError):
            async with echo.transaction() as tx:
                await enqueue(tx, [Outgoing(ECHO, "k", "echo.said", Echo(number=1))])
                raise LookupError
        await say(echo, 2)
        (record,) = await bench.read(ECHO, 1)
    assert b'"number":2' in record.value


async def test_rows_that_commit_late_are_not_lost(
    settings: Settings, echo: Database, bench: Bench, until: Until
) -> None:
    """Their ids are older than those of rows that were published long before."""
    async with relaying(settings) as relay:
        async with echo.transaction() as late:
            await enqueue(late, [Outgoing(ECHO, "a", "echo.said", Echo(number=1))])
            await say(echo, 2)
            await until(lambda: relay.published == 1)
        await until(lambda: relay.published == 2)
    assert [record.value[:11] for record in await bench.read(ECHO, 2)] == [b'{"number":2', b'{"number":1']


async def test_the_order_of_each_key_is_kept(settings: Settings, echo: Database, bench: Bench, until: Until) -> None:
    await bench.make(WIDE)
    async with relaying(settings) as relay:
        for start in range(0, 3_000, 500):
            await say(echo, *range(start, start + 500), topic=WIDE, key=lambda number: f"k{number % 7}")
        await until(lambda: relay.published == 3_000)
    seen: dict[bytes, list[int]] = {}
    for record in await bench.read(WIDE, 3_000):
        seen.setdefault(record.key, []).append(Echo.model_validate_json(record.value).number)
    assert {len(numbers) for numbers in seen.values()} <= {428, 429}
    assert all(numbers == sorted(numbers) for numbers in seen.values())


async def test_of_two_relays_one_leads_and_the_other_takes_over(
    settings: Settings, echo: Database, bench: Bench, until: Until
) -> None:
    async with relaying(settings) as second:
        async with relaying(settings) as first:
            await until(lambda: first.leads or second.leads)
            await say(echo, *range(100))
            await until(lambda: first.published + second.published == 100)
            assert first.leads != second.leads
            assert {first.published, second.published} == {0, 100}
            await kill_sessions(settings, "clarion_echo")
            await until(lambda: said(echo, 100))
            await until(lambda: first.published + second.published == 101)
        await until(lambda: second.leads)
        await say(echo, 101)
        await until(lambda: first.published + second.published == 102)
    assert len(await bench.read(ECHO, 102)) == 102


async def said(database: Database, number: int) -> bool:
    """Say it, if the pool's connection is whole again."""
    try:
        await say(database, number)
    except Exception as error:
        if not is_transient(error):
            raise
        return False
    return True


async def kill_sessions(settings: Settings, application: str) -> None:
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = $1 AND datname = current_database()",
        application,
    )
    await connection.close()


async def test_a_message_that_is_too_large_is_refused_when_enqueued(echo: Database) -> None:
    async with echo.transaction() as tx:
        with pytest.raises(MessageTooLarge, match="takes 1000000"):
            await enqueue(tx, [Outgoing(ECHO, "k", "echo.said", Echo(number=1, text="x" * 999_900))])
    assert await unpublished(echo) == 0


async def test_the_largest_message_that_may_be_enqueued_arrives(
    settings: Settings, echo: Database, bench: Bench, ear: Ear, until: Until
) -> None:
    async with relaying(settings), bench.subscribed(Subscription(ECHO, ear)):
        async with echo.transaction() as tx:
            await enqueue(tx, [Outgoing(ECHO, "k", "echo.said", Echo(number=1, text="x" * 999_600))])
        await until(lambda: ear.batches == [[1]])


async def test_a_dead_letter_of_the_largest_message_is_published(
    settings: Settings, echo: Database, bench: Bench, ear: Ear, until: Until
) -> None:
    ear.fail_on = {1}
    async with relaying(settings), relaying(settings, "listener") as relay, bench.subscribed(Subscription(ECHO, ear)):
        async with echo.transaction() as tx:
            await enqueue(tx, [Outgoing(ECHO, "k", "echo.said", Echo(number=1, text="x" * 999_600))])
        await until(lambda: relay.published == 1)


@pytest.mark.parametrize(
    "wrong",
    [
        Outgoing(ECHO, "k", "echo.sung", Echo(number=1)),
        Outgoing(ECHO, "k", "echo.said", None),
        Outgoing(ECHO, "k", "echo.said", Settings(_env_file=None)),
    ],
)
async def test_what_is_no_event_of_the_topic_is_not_enqueued(wrong: Outgoing, echo: Database) -> None:
    async with echo.transaction() as tx:
        with pytest.raises(ValueError, match=r"echo\.s"):
            await enqueue(tx, [wrong])


async def test_a_tombstone_is_published_without_a_body(settings: Settings, echo: Database, bench: Bench) -> None:
    await bench.make(COMPACTED)
    async with relaying(settings):
        async with echo.transaction() as tx:
            await enqueue(tx, [Outgoing(COMPACTED, "ann", "echo.said", None)])
        (record,) = await bench.read(COMPACTED, 1)
    assert (record.key, record.value) == (b"ann", None)


async def test_rows_of_many_batches_keep_their_order_and_lie_where_other_clients_put_their_key(
    settings: Settings, echo: Database, bench: Bench, until: Until
) -> None:
    await bench.make(WIDE)
    async with relaying(settings) as relay:
        async with echo.transaction() as tx:
            said = [
                Outgoing(WIDE, f"k{number % 5}", "echo.said", Echo(number=number, text="x" * 3_000))
                for number in range(1_000)
            ]
            await enqueue(tx, said)
        await until(lambda: relay.published == 1_000)
    async with bench.producer() as producer:
        plain = [await producer.send_and_wait(bench.name(WIDE), b"{}", b"k%d" % key) for key in range(5)]
    records = (await bench.read(WIDE, 1_005))[:1_005]
    assert {record.key: record.partition for record in records} == {b"k%d" % at: plain[at].partition for at in range(5)}
    for key in range(5):
        numbers = [json.loads(record.value).get("number") for record in records if record.key == b"k%d" % key]
        assert numbers == [*range(key, 1_000, 5), None]


@pytest.mark.parametrize(("most_bytes", "numbers"), [(1, [0]), (2_500, [0, 1, 2]), (1_000_000, [0, 1, 2, 3, None])])
async def test_a_round_takes_the_oldest_to_so_many_bytes_but_at_least_one(
    echo: Database, most_bytes: int, numbers: list[int | None]
) -> None:
    async with echo.transaction() as tx:
        said = [Outgoing(ECHO, "k", "echo.said", Echo(number=number, text="x" * 1_000)) for number in range(4)]
        await enqueue(tx, [*said, Outgoing(COMPACTED, "k", "echo.said", None)])
    async with echo.connection() as connection:
        waiting = load_queries("clarion.runtime.messaging").unpublished(
            connection, held_topics=[], held_ids=[], at_most=100, most_bytes=most_bytes
        )
        found = [json.loads(row["body"])["number"] if row["body"] else None async for row in waiting]
    assert found == numbers


async def test_an_unknown_topic_holds_up_only_itself_and_goes_out_once_it_is_there(
    settings: Settings, echo: Database, bench: Bench, until: Until
) -> None:
    async with relaying(settings) as relay:
        await say(echo, 1, topic=WIDE)
        await say(echo, 2)
        await until(lambda: relay.published == 1, seconds=5)
        assert await unpublished(echo) == 1
        await bench.make(WIDE)
        await until(lambda: relay.published == 2)


async def test_a_refused_record_holds_up_only_itself(
    settings: Settings, echo: Database, bench: Bench, until: Until
) -> None:
    async with relaying(settings) as relay:
        async with echo.transaction() as tx:
            parcels = [Parcel("echo.said.v1", b"k", "[]", b"x" * size) for size in (10, 1_500_000, 2_500_000, 10)]
            await enqueue_parcels(tx, parcels)
        await until(lambda: relay.published == 2)
        await say(echo, 3)
        await until(lambda: relay.published == 3)
    assert await unpublished(echo) == 2


async def test_a_transaction_notifies_once(echo: Database) -> None:
    async with echo.listen("clarion_echo_outbox") as wakeups:
        assert await wakeups.wait(5)
        async with echo.transaction() as tx:
            for number in range(3):
                await enqueue(tx, [Outgoing(ECHO, "k", "echo.said", Echo(number=number))])
        assert await wakeups.wait(5)
        assert not await wakeups.wait(0.05)


async def test_what_nobody_waits_for_wakes_nobody_and_is_published_all_the_same(
    settings: Settings, echo: Database, bench: Bench
) -> None:
    async with relaying(settings), echo.listen("clarion_echo_outbox") as wakeups:
        assert await wakeups.wait(5)
        async with echo.transaction() as tx:
            await enqueue(tx, [Outgoing(ECHO, "k", "echo.said", Echo(number=7))], wake=False)
        (record,) = await bench.read(ECHO, 1)
        assert not await wakeups.wait(0.05)
    assert b'"number":7' in record.value


async def test_stopping_publishes_what_is_left(settings: Settings, echo: Database, bench: Bench, until: Until) -> None:
    async with relaying(settings) as relay:
        await until(lambda: relay.leads)
        await say(echo, *range(5_000))
    assert await unpublished(echo) == 0


async def test_producers_and_consumers_are_built_with_safe_settings(settings: Settings, bench: Bench, ear: Ear) -> None:
    producer: AIOKafkaProducer = make_producer(settings)
    assert producer._txn_manager is not None
    assert producer._sender._acks == -1
    await producer.stop()
    async with bench.subscribed(Subscription(ECHO, ear)) as subscribers:
        assert isinstance(subscribers, Subscribers)
        consumer = subscribers.made[0].consumer
        assert consumer is not None
        assert consumer._auto_offset_reset == "earliest"
        assert consumer._enable_auto_commit is False
        assert consumer._fetcher._prefetch_backoff >= 10
        assert consumer._fetcher._fetch_max_bytes <= 4_000_000
        assert consumer._group_id == f"{settings.kafka_prefix}clarion.listener.echo.said.v1"
        assert subscribers.broker.config.broker_config.allow_auto_create_topics is False


async def test_partitions_of_coming_days_exist_and_old_ones_go_once_published(echo: Database) -> None:
    async with echo.connection() as connection:
        await connection.execute("SELECT maintain_outbox(days_ahead => 5)")
        names = await partitions(connection)
        assert len(names) == 6 + 1
        await connection.execute(
            "INSERT INTO outbox (topic, headers, enqueued_at, published_at) VALUES"
            " ('t', '[]', now() - interval '9 days', now()), ('t', '[]', now() - interval '8 days', NULL),"
            " ('t', '[]', now() + interval '6 days', NULL)"
        )
        await connection.execute("SELECT maintain_outbox(days_ahead => 6)")
        kept = await connection.fetch("SELECT tableoid::regclass::text AS place FROM outbox ORDER BY enqueued_at")
        assert [row["place"] == "outbox_default" for row in kept] == [True, False]
        await connection.execute("UPDATE outbox SET published_at = now()")
        await connection.execute("SELECT maintain_outbox(days_ahead => 6, days_kept => -30)")
        assert await partitions(connection) == ["outbox_default"]


async def partitions(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'outbox'::regclass ORDER BY 1"
    )
    return [row["name"] for row in rows]


async def test_the_inbox_forgets_after_thirty_days(echo: Database) -> None:
    async with echo.connection() as connection:
        await connection.execute(
            "INSERT INTO inbox SELECT 't', 's', age::text, now() - make_interval(days => age)"
            " FROM generate_series(1, 60) AS age"
        )
        assert await connection.fetchval("SELECT purge_inbox(at_most => 10)") == 10
        assert await connection.fetchval("SELECT purge_inbox()") == 21
        assert await connection.fetchval("SELECT count(*) FROM inbox") == 29
