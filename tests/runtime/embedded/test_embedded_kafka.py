"""The embedded Kafka keeps its records and its port through stops and kills."""

import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from embedded_processes import listening_addresses

from clarion.runtime.embedded import DataDirInUse, KafkaServer, PortTaken, ensure_jars
from clarion.runtime.embedded.aot import aot_cache_location, find_aot_cache


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaServer]:
    server = KafkaServer(tmp_path_factory.mktemp("kafka") / "a b,ü:x", keep_records_for_ever=True)
    await server.start()
    yield server
    await server.stop()


async def create_topic(kafka: KafkaServer, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        reply = await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
        assert [error[1] for error in reply.topic_errors] == [0]
    finally:
        await admin.close()


async def send(kafka: KafkaServer, topic: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, acks="all", enable_idempotence=True, compression_type="zstd"
    )
    async with producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def records(kafka: KafkaServer, topic: str) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
    async with consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        found: list[bytes | None] = []
        while len(found) < end:
            found += [record.value for record in (await consumer.getmany(timeout_ms=5000)).get(partition, [])]
        return found


async def test_records_and_port_survive_a_stop_and_a_kill(kafka: KafkaServer) -> None:
    before = kafka.bootstrap
    await create_topic(kafka, "survival")
    await send(kafka, "survival", b"one")
    await kafka.stop()
    assert await kafka.wait_stopped() == 143
    await kafka.start()
    await send(kafka, "survival", b"two")
    os.kill(kafka.pid, signal.SIGKILL)
    assert await kafka.wait_stopped() == -signal.SIGKILL
    await kafka.start()
    assert kafka.bootstrap == before
    assert await records(kafka, "survival") == [b"one", b"two"]


async def test_it_listens_on_loopback_only(kafka: KafkaServer) -> None:
    assert listening_addresses(kafka.pid) == {"127.0.0.1"}


async def test_its_port_is_below_those_of_outgoing_connections(kafka: KafkaServer) -> None:
    assert int(kafka.bootstrap.rpartition(":")[2]) < 32_768


async def test_starting_it_twice_changes_nothing(kafka: KafkaServer) -> None:
    pid = kafka.pid
    await kafka.start()
    assert kafka.pid == pid


async def test_a_second_one_on_its_data_is_refused_with_the_pid(kafka: KafkaServer) -> None:
    with pytest.raises(DataDirInUse, match=str(os.getpid())):
        await KafkaServer(kafka._directory).start()


async def test_with_both_its_ports_taken_it_moves_and_keeps_its_records(kafka: KafkaServer) -> None:
    await create_topic(kafka, "moving")
    await send(kafka, "moving", b"kept")
    await kafka.stop()
    before = kafka._ports
    with taken(*before):
        await kafka.start()
        assert not set(before) & set(kafka._ports)
        assert await records(kafka, "moving") == [b"kept"]


async def test_a_wanted_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with taken(0) as (port,), pytest.raises(PortTaken, match=f"port {port} is taken"):
        await KafkaServer(tmp_path / "kafka", port=port).start()


async def test_a_bad_aot_cache_does_not_prevent_a_start(tmp_path: Path, linked_jars: Path) -> None:
    good = find_aot_cache(ensure_jars())
    if good is None:
        pytest.skip("no ahead-of-time cache has been made here: run clarion.runtime.embedded.prefetch")
    content = bytearray(good.read_bytes())
    quarter = len(content) // 4
    content[quarter : 3 * quarter] = bytes(2 * quarter)
    jars = ensure_jars(linked_jars)
    bad = aot_cache_location(jars)
    bad.write_bytes(content)
    server = KafkaServer(tmp_path / "kafka", _jars=jars)
    await server.start()
    await server.stop()
    assert find_aot_cache(jars) is None


@contextmanager
def taken(*ports: int) -> Iterator[tuple[int, ...]]:
    sockets = [socket.create_server(("127.0.0.1", port)) for port in ports]
    try:
        yield tuple(one.getsockname()[1] for one in sockets)
    finally:
        for one in sockets:
            one.close()
