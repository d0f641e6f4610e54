"""Topics as the code declares them, on the broker."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError as CoordinatorNotAvailable
from aiokafka.errors import for_code

from clarion.runtime.messaging.connection import kafka_options, topic_name
from clarion.runtime.settings import Settings
from clarion.schemas.topics import TOPICS, Topic

log = structlog.get_logger(__name__)

TOPIC_ALREADY_EXISTS = 36
BATCH_OVERHEAD_BYTES = 16_384
DAY_MS = 86_400_000
TIMEOUT_MS = 30_000
MOST_REPLICAS = 3
COORDINATOR_POLL_SECONDS = 0.05
METADATA_POLL_SECONDS = 0.2
PATIENCE_SECONDS = 5.0


class TopicError(Exception):
    """A topic is not as the code needs it, or cannot be made."""


@dataclass(frozen=True, slots=True)
class EnsuredTopics:
    """Names, with the installation's prefix, of the topics that were made and of those that were there."""

    created: list[str]
    present: list[str]


async def ensure_topics(settings: Settings, topics: Sequence[Topic] = TOPICS) -> EnsuredTopics:
    """Make the topics that are missing, each with its `.dead` twin; what is there is left as it is.

    Raises:
        TopicError: one has another number of partitions, or the broker refuses to make one.
        KafkaError: the broker is not there.
    """
    wanted = [one for topic in topics for one in (topic, topic.dead)]
    async with administration(settings) as admin:
        partitions = await _partitions(admin)
        _check(settings, wanted, partitions)
        missing = [topic for topic in wanted if topic_name(settings, topic) not in partitions]
        replicas = settings.kafka_replication or min(MOST_REPLICAS, await _brokers(admin))
        created = await _create(admin, [_new(settings, topic, replicas) for topic in missing]) if missing else []
        if len(created) < len(missing):
            # Somebody else made one since the list was read, or the list was a moment old.
            _check(settings, missing, await _once_listed(admin, settings, missing))
    present = sorted({topic_name(settings, topic) for topic in wanted} - set(created))
    return EnsuredTopics(sorted(created), present)


async def check_topics(
    settings: Settings, topics: Sequence[Topic] = TOPICS, *, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Refuse to work with topics that are not as the code needs them; nothing is changed.

    Raises:
        TopicError: one is missing or has another number of partitions; it says what to do.
        KafkaError: the broker is not there.
    """
    wanted = [one for topic in topics for one in (topic, topic.dead)]
    async with administration(settings) as admin:
        _check(settings, wanted, await _once_listed(admin, settings, wanted, patience_seconds))


def _missing(settings: Settings, wanted: Iterable[Topic], partitions: dict[str, int]) -> list[str]:
    return [name for topic in wanted if (name := topic_name(settings, topic)) not in partitions]


async def cluster_id(settings: Settings) -> str:
    """The identity of the Kafka cluster; another one after its data were wiped."""
    async with administration(settings) as admin:
        return str((await admin.describe_cluster())["cluster_id"])


async def wait_for_groups(settings: Settings) -> None:
    """Wait until the broker takes part in consumer groups; a fresh one makes its offsets' topic when first asked.

    Raises:
        TopicError: it does not within 30 seconds.
        KafkaError: the broker is not there.
    """
    give_up_at = time.monotonic() + TIMEOUT_MS / 1000
    async with administration(settings) as admin:
        while True:
            try:
                await admin.find_coordinator(f"{settings.kafka_prefix}clarion.preparation")
            except CoordinatorNotAvailable as error:
                if time.monotonic() > give_up_at:
                    raise TopicError("the broker's group coordinator does not come up") from error
                await asyncio.sleep(COORDINATOR_POLL_SECONDS)
            else:
                return


def topic_configuration(topic: Topic) -> dict[str, str]:
    """The topic's own settings on the broker."""
    configuration = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "max.message.bytes": str(topic.max_bytes + BATCH_OVERHEAD_BYTES),
        # What integrations write is stamped by the broker: deadlines go by when it was received.
        "message.timestamp.type": "LogAppendTime" if topic.inbound else "CreateTime",
    }
    if topic.compacted:
        # Time enough for a consumer that was away to see that something was erased.
        return configuration | {
            "delete.retention.ms": str(30 * DAY_MS),
            "min.cleanable.dirty.ratio": "0.1",
            # Who was erased is out of it by then, however little is written: a segment in use is not compacted.
            "max.compaction.lag.ms": str(topic.retention_seconds * 1000),
        }
    return configuration | {"retention.ms": str(topic.retention_seconds * 1000)}


@contextlib.asynccontextmanager
async def administration(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """The broker's own commands, until the end of the block."""
    admin = AIOKafkaAdminClient(**kafka_options(settings))
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def _once_listed(
    admin: AIOKafkaAdminClient, settings: Settings, wanted: Sequence[Topic], patience_seconds: float = PATIENCE_SECONDS
) -> dict[str, int]:
    """How many partitions each has; a broker lists topics a little after they were made.

    Raises:
        TopicError: one is not listed in that time.
    """
    give_up_at = time.monotonic() + patience_seconds
    while missing := _missing(settings, wanted, partitions := await _partitions(admin)):
        if time.monotonic() > give_up_at:
            raise TopicError(f"the broker has no topic {', '.join(missing)}: run clarion topics")
        await asyncio.sleep(METADATA_POLL_SECONDS)
    return partitions


async def _partitions(admin: AIOKafkaAdminClient) -> dict[str, int]:
    # All of them: asking for one by name would make it, with one partition, where the broker allows that.
    return {found["topic"]: len(found["partitions"]) for found in await admin.describe_topics()}


def _check(settings: Settings, wanted: Iterable[Topic], partitions: dict[str, int]) -> None:
    named = [(topic_name(settings, topic), topic.partitions) for topic in wanted]
    wrong = [
        f"{name} has {partitions[name]} partitions, not {needed}: {_what_to_do(name, partitions[name], needed)}"
        for name, needed in named
        if partitions.get(name, needed) != needed
    ]
    if wrong:
        raise TopicError("\n".join(wrong))


def _what_to_do(name: str, found: int, needed: int) -> str:
    if found < needed:
        return f"stop the services, then kafka-topics.sh --alter --topic {name} --partitions {needed}"
    # Partitions cannot be taken away.
    return f"stop the services, then kafka-topics.sh --delete --topic {name}, clarion topics and clarion replay"


async def _brokers(admin: AIOKafkaAdminClient) -> int:
    return len((await admin.describe_cluster())["brokers"])


async def _create(admin: AIOKafkaAdminClient, missing: Sequence[NewTopic]) -> list[str]:
    """Those that were made; somebody else may make one at the same moment."""
    response = await admin.create_topics(missing, timeout_ms=TIMEOUT_MS)
    created = []
    for name, code, *rest in response.topic_errors:
        if code == TOPIC_ALREADY_EXISTS:
            continue
        if code:
            message = rest[0] if rest and rest[0] else for_code(code).__name__
            raise TopicError(f"{name} cannot be made: {message}")
        log.info("topics.created", topic=name)
        created.append(name)
    return created


def _new(settings: Settings, topic: Topic, replicas: int) -> NewTopic:
    name = topic_name(settings, topic)
    return NewTopic(name, topic.partitions, replicas, topic_configs=topic_configuration(topic))
