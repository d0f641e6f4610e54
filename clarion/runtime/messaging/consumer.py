"""A Kafka consumer that never passes what was not acknowledged.

FastStream drives it. What it adds to aiokafka's:
- a batch that was not acknowledged when the next one is asked for is read again;
- on a rebalance the partitions are given up only after the batch in work has ended;
- it ends without waiting for a rebalance, and leaves that to the others of its group;
- a batch that aiokafka cannot decode does not stop its partition for ever: it is read by our own means (a header name
  that is no UTF-8) or handed out as `Unreadable` (unknown codec, broken content).
"""

import asyncio
import contextlib
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import (
    CommitFailedError,
    ConsumerStoppedError,
    CorruptRecordException,
    IllegalStateError,
    KafkaError,
    RecordTooLargeError,
    UnsupportedCodecError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import LeaveGroupRequest
from cramjam import DecompressionError

from clarion.runtime.messaging.decoding import RawBatch, RawRecord, raw_batches
from clarion.runtime.settings import Settings

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
POSITION_SECONDS = 0.1
REVOKE_SECONDS = 55.0
DECODE_ATTEMPTS = 3
ERROR_PAUSE_SECONDS = 0.5
GIVE_UP_SECONDS = 20.0
RAW_FETCH_BYTES = 4_000_000
FETCH_BYTES = 2_000_000
"""What is fetched ahead in all partitions: with aiokafka's own 50 MB memory grows with what waits on the topic."""
PREFETCH_AFTER_SECONDS = 10.0
LEAVE_SECONDS = 2.0
LEAVING = "leaving"
"""A connection of its own: on the coordinator's the broker answers nothing before the request to join."""

_DECODE_ERRORS = (
    UnsupportedCodecError,
    CorruptRecordException,
    RecordTooLargeError,
    DecompressionError,
    ValueError,
    IndexError,
    struct.error,
)


class Unreadable(ConsumerRecord):  # type: ignore[misc]
    """Stands for the rest of a batch that could not be decoded; `value` says why."""


@dataclass(slots=True)
class Pulse:
    """How a subscription is doing; written by the consumer, read by health checks. Times are of `time.monotonic`.

    `seen_at` is when a batch was last asked for or handed out.
    """

    topic: str
    assigned: int = 0
    seen_at: float = field(default_factory=time.monotonic)
    failing_since: float | None = None
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    joined: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.idle.set()

    def polled(self) -> None:
        """The consumer asks for the next batch, so the last one has ended."""
        self.seen_at = time.monotonic()
        self.idle.set()

    def began(self) -> None:
        """A batch was handed out."""
        self.seen_at = time.monotonic()
        self.idle.clear()

    def failed(self) -> bool:
        """Kafka gave an error; True once that has gone on for too long for this consumer to recover."""
        now = time.monotonic()
        self.failing_since = self.failing_since or now
        return now - self.failing_since > GIVE_UP_SECONDS


class DrainOnRevoke(ConsumerRebalanceListener):  # type: ignore[misc]
    """Lets the batch in work end before its partitions go to somebody else."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        if revoked:
            try:
                async with asyncio.timeout(REVOKE_SECONDS):
                    await self._pulse.idle.wait()
            except TimeoutError:
                log.warning("consumer.revoked_in_work", topic=self._pulse.topic)
        self._pulse.assigned = 0

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._pulse.assigned = len(assigned)
        self._pulse.joined.set()


class SteadyConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """See the module; `given_up` is set when Kafka's client does not recover by itself."""

    def __init__(self, *topics: str, pulse: Pulse, given_up: asyncio.Event, **options: Any) -> None:
        super().__init__(*topics, **options)
        self._pulse = pulse
        self._given_up = given_up
        self._in_work: dict[TopicPartition, tuple[int, int]] = {}

    async def start(self) -> None:
        """Join the group. Raises aiokafka's errors when Kafka is not there."""
        await super().start()
        # With records in hand for 0.1 s, aiokafka asks for the other partitions alone. While the broker holds that
        # request back for half a second, as it does where they are empty, no other goes to it: busy topics stall.
        self._fetcher._prefetch_backoff = PREFETCH_AFTER_SECONDS  # noqa: SLF001

    async def stop(self) -> None:
        """Leave the group, at once while it rebalances too: what is in work by now is no longer waited for.

        aiokafka would wait until the batch in work is followed by a next one, which nobody asks for, until all others
        have joined, and for the broker's answers to what was asked ahead.
        """
        if self._coordinator is not None:
            if self._subscription.reassignment_in_progress:
                await self._leave_rebalance(self._coordinator)
            await self._coordinator.close()
        if self._fetcher is not None:
            await self._fetcher.close()
        self._hang_up()
        await super().stop()

    def _hang_up(self) -> None:
        # Over TLS uvloop waits half a minute for the other side's goodbye where two answers were still to come.
        for connection in self._client._conns.values():  # noqa: SLF001
            if connection.connected():
                transport = connection._writer.transport  # noqa: SLF001
                connection.close()
                transport.abort()

    async def _leave_rebalance(self, coordinator: GroupCoordinator) -> None:
        joining = coordinator._coordination_task  # noqa: SLF001
        joining.cancel()
        await asyncio.wait([joining])
        if coordinator.coordinator_id is not None and coordinator.member_id:
            leave = LeaveGroupRequest(coordinator.group_id, coordinator.member_id)
            try:
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._client.send(coordinator.coordinator_id, leave, group=LEAVING)
            except (KafkaError, TimeoutError) as error:
                log.info("consumer.not_left", topic=self._pulse.topic, error=type(error).__name__)
        coordinator.reset_generation()

    async def getmany(
        self,
        *partitions: TopicPartition,
        timeout_ms: int = 0,  # noqa: ARG002 - FastStream sleeps that long after nothing, so waiting is done here
        max_records: int | None = None,
    ) -> dict[TopicPartition, list[ConsumerRecord[Any, Any]]]:
        """The next batch, or the last one again if it was not acknowledged."""
        self._rewind()
        self._pulse.polled()
        batch = await self._next_batch(partitions, max_records)
        self._in_work = {tp: (records[0].offset, records[-1].offset) for tp, records in batch.items()}
        if batch:
            self._pulse.began()
        return batch

    async def acknowledge(self) -> None:
        """Commit the batch in work, and nothing else. After a rebalance there may be nothing left to commit."""
        handled, self._in_work = self._in_work, {}
        assigned = self.assignment()
        offsets = {tp: last + 1 for tp, (_, last) in handled.items() if tp in assigned}
        if not offsets:
            return
        try:
            await self.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            log.info("consumer.commit_after_rebalance", topic=self._pulse.topic)

    async def unhandled(self) -> dict[TopicPartition, int]:
        """The first offset of each assigned partition that is not acknowledged; -1 where there is no position yet."""
        found = {}
        for tp in self.assignment():
            position = -1
            with contextlib.suppress(TimeoutError, IllegalStateError):
                async with asyncio.timeout(POSITION_SECONDS):
                    position = await self.position(tp)
            found[tp] = self._in_work[tp][0] if tp in self._in_work else position
        return found

    def _rewind(self) -> None:
        in_work, self._in_work = self._in_work, {}
        assigned = self.assignment()
        for tp, (first, _) in in_work.items():
            if tp in assigned:
                self.seek(tp, first)

    async def _next_batch(
        self, partitions: tuple[TopicPartition, ...], max_records: int | None
    ) -> dict[TopicPartition, list[ConsumerRecord[Any, Any]]]:
        try:
            batch = await super().getmany(*partitions, timeout_ms=int(POLL_SECONDS * 1000), max_records=max_records)
        except _DECODE_ERRORS:
            return await self._step_carefully(max_records or 1)
        except ConsumerStoppedError:
            raise
        except KafkaError as error:
            await self._pause(error)
            return {}
        self._pulse.failing_since = None
        return dict(batch)

    async def _pause(self, error: KafkaError) -> None:
        log.warning("consumer.kafka_error", topic=self._pulse.topic, error=type(error).__name__)
        if self._pulse.failed():
            self._given_up.set()
        await asyncio.sleep(ERROR_PAUSE_SECONDS)

    async def _step_carefully(self, max_records: int) -> dict[TopicPartition, list[ConsumerRecord[Any, Any]]]:
        """Record by record, so that what is broken is met alone and stepped over."""
        batch = {}
        for tp in self.assignment():
            found = await self._step(tp, max_records)
            if found:
                batch[tp] = found
        return batch

    async def _step(self, tp: TopicPartition, max_records: int) -> list[ConsumerRecord[Any, Any]]:
        found: list[ConsumerRecord[Any, Any]] = []
        failures = 0
        try:
            while len(found) < max_records:
                try:
                    step = await super().getmany(tp, timeout_ms=int(POLL_SECONDS * 1000), max_records=1)
                except _DECODE_ERRORS as error:
                    failures += 1
                    if failures == DECODE_ATTEMPTS:
                        return found + await self._pass(tp, error)
                    continue
                if not step:
                    break
                failures = 0
                found += step[tp]
        except KafkaError as error:
            # What was found must be handed out: its positions are behind us. The error will come again.
            log.warning("consumer.kafka_error", topic=self._pulse.topic, error=type(error).__name__)
        return found

    async def _pass(self, tp: TopicPartition, error: Exception) -> list[ConsumerRecord[Any, Any]]:
        """The rest of the batch at the position, by our own means or as one `Unreadable`; the position is behind it."""
        position = await self.position(tp)
        batch = await self._raw_batch(tp, position)
        if batch is None:
            self.seek(tp, position + 1)
            return [_unreadable(tp, position, error)]
        try:
            found = [_consumer_record(tp, one) for one in batch.records() if one.offset >= position]
        except Exception as broken:  # noqa: BLE001 - whatever is wrong with it, the partition goes on
            found = [_unreadable(tp, position, broken)]
        log.warning("consumer.broken_batch", topic=tp.topic, partition=tp.partition, offset=position)
        self.seek(tp, batch.last_offset + 1)
        return found

    async def _raw_batch(self, tp: TopicPartition, position: int) -> RawBatch | None:
        request = FetchRequest(500, 1, RAW_FETCH_BYTES, 0, [(tp.topic, [(tp.partition, position, RAW_FETCH_BYTES)])])
        response = await self._client.send(self._client.cluster.leader_for_partition(tp), request)
        for _, partitions in response.topics:
            for _, code, _, *rest in partitions:
                if code:
                    raise for_code(code)
                for batch in raw_batches(bytes(rest[-1] or b"")):
                    if batch.last_offset >= position:
                        return batch
        return None


def _unreadable(tp: TopicPartition, offset: int, error: Exception) -> Unreadable:
    reason = f"{type(error).__name__}: {error}"
    return Unreadable(tp.topic, tp.partition, offset, -1, 0, None, reason, None, -1, -1, ())


def _consumer_record(tp: TopicPartition, raw: RawRecord) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord(
        tp.topic, tp.partition, raw.offset, raw.timestamp, 0, raw.key, raw.value, None, -1, -1, raw.headers
    )


def consumer_settings(settings: Settings) -> Mapping[str, Any]:
    """What every consumer is subscribed with; aiokafka's and FastStream's own defaults lose records."""
    return {
        "auto_offset_reset": "earliest",
        "group_instance_id": settings.kafka_instance,
        "isolation_level": "read_committed",
        "fetch_max_bytes": FETCH_BYTES,
        "session_timeout_ms": int(settings.kafka_session_seconds * 1_000),
        "heartbeat_interval_ms": int(settings.kafka_session_seconds * 100),
        "rebalance_timeout_ms": 60_000,
        "max_poll_interval_ms": 600_000,
    }
