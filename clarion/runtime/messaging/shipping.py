"""Sends rows of the outbox in whole batches: a fraction of the work of sending each by itself."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from clarion.runtime.messaging.record import headers_from_json

MAX_REQUEST_BYTES = 2_000_000

Failure = BaseException | None

_partitioner = DefaultPartitioner()


async def ship(producer: AIOKafkaProducer, prefix: str, rows: Sequence[Any]) -> list[Failure]:
    """Send these and await every ack: None for each that was taken, else its error.

    The rows of a partition stay in their order. The topics are known to the producer.
    """
    outcomes: list[Failure] = [None] * len(rows)
    lines: dict[tuple[str, int], list[int]] = defaultdict(list)
    for position, row in enumerate(rows):
        if len(row["body"] or b"") > MAX_REQUEST_BYTES:
            outcomes[position] = MessageSizeTooLargeError(row["topic"])
            continue
        topic = prefix + row["topic"]
        lines[topic, _partition_of(row["key"], _partitions(producer, topic))].append(position)
    sending = [_send_line(producer, *line, [rows[place] for place in places]) for line, places in lines.items()]
    for places, results in zip(lines.values(), await asyncio.gather(*sending), strict=True):
        for place, result in zip(places, results, strict=True):
            outcomes[place] = result
    return outcomes


async def _send_line(producer: AIOKafkaProducer, topic: str, partition: int, rows: Sequence[Any]) -> list[Failure]:
    """One partition's share; after a batch that could not even be queued nothing more is tried."""
    counts: list[int] = []
    acks = []
    stopped_by: Failure = None
    try:
        for batch, count in _pack(producer, rows):
            acks.append(await producer.send_batch(batch, topic, partition=partition))
            counts.append(count)
    except KafkaError as error:
        stopped_by = error
    results = await asyncio.gather(*acks, return_exceptions=True)
    outcomes: list[Failure] = []
    for count, result in zip(counts, results, strict=True):
        outcomes += [result if isinstance(result, BaseException) else None] * count
    return outcomes + [stopped_by] * (len(rows) - len(outcomes))


def _pack(producer: AIOKafkaProducer, rows: Sequence[Any]) -> Iterator[tuple[BatchBuilder, int]]:
    """Batches of as many rows as fit, with how many; a batch takes its first however large it is."""
    batch = producer.create_batch()
    for row in rows:
        message = {"key": row["key"], "value": row["body"], "headers": headers_from_json(row["headers"])}
        if batch.append(timestamp=None, **message) is None:
            yield batch, batch.record_count()
            batch = producer.create_batch()
            batch.append(timestamp=None, **message)
    # Closed, it is sent at once and does not linger for more.
    batch.close()
    yield batch, batch.record_count()


def _partitions(producer: AIOKafkaProducer, topic: str) -> int:
    return len(producer.client.cluster.partitions_for_topic(topic) or ())


def _partition_of(key: bytes | None, partitions: int) -> int:
    return _keyed(key, partitions) if key is not None else int(_partitioner(None, range(partitions), []))


@lru_cache(maxsize=10_000)
def _keyed(key: bytes, partitions: int) -> int:
    """Where Kafka's own clients put this key, remembered since the hash is worked out in Python."""
    return int(_partitioner(key, range(partitions), []))
