"""The broker: whether it takes us, and whether its topics are as the code declares them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from clarion.runtime.messaging.connection import kafka_options, topic_name
from clarion.runtime.messaging.reaching import PROTOCOL, reach_broker
from clarion.runtime.messaging.topics import administration, topic_configuration
from clarion.runtime.settings import Settings
from clarion.schemas.commands import Finding
from clarion.schemas.topics import TOPICS
from clarion.services.doctor.database import last_broker
from clarion.services.doctor.findings import Patient, bad, is_loopback, warn, well

AHEAD = timedelta(seconds=5)
FETCH_MS = 2_000


async def look_at_broker(patient: Patient) -> list[Finding]:
    """Everything that the broker can tell. Raises MissingSetting, WrongSetting, Refused, Unreachable, KafkaError."""
    settings = patient.settings
    await reach_broker(settings)
    async with administration(settings) as admin:
        cluster = await admin.describe_cluster()
        known = await last_broker(patient)
        found = {one["topic"]: one for one in await admin.describe_topics()}
        configurations = await _configurations(admin, [name for name in _wanted(settings) if name in found])
    hosts = [broker["host"] for broker in cluster["brokers"]]
    return [
        *_cluster(cluster, hosts, known, settings),
        *_topics(settings, found, brokers=len(hosts)),
        *_settings_of_topics(settings, configurations),
        *await _clock(patient, found),
    ]


def _wanted(settings: Settings) -> dict[str, Any]:
    return {topic_name(settings, one): one for topic in TOPICS for one in (topic, topic.dead)}


def _cluster(cluster: Mapping[str, Any], hosts: list[str], known: str | None, settings: Settings) -> Iterator[Finding]:
    protocol = settings.kafka_security_protocol
    yield well("broker", f"Kafka answers by {protocol}: cluster {cluster['cluster_id']}, {len(hosts)} brokers")
    away = not all(is_loopback(host) for host in hosts)
    if away and not protocol.endswith("SSL"):
        yield warn("broker", "the connection to it is not encrypted", f"set {PROTOCOL} to SSL or SASL_SSL")
    if away and len(hosts) == 1:
        yield warn("broker", "one broker alone: while it is down nothing goes on", "run three")
    if known is not None and known != cluster["cluster_id"]:
        yield bad(
            "broker",
            f"this is another cluster than the one that services published to ({known})",
            "clarion topics, then clarion replay; nobody gets a second mail",
        )


def _topics(settings: Settings, found: Mapping[str, Any], *, brokers: int) -> Iterator[Finding]:
    wanted = _wanted(settings)
    missing = [name for name in wanted if name not in found]
    if missing:
        yield bad("broker", f"{len(missing)} topics are missing ({', '.join(missing[:3])} ...)", "clarion topics")
    present = {name: found[name]["partitions"] for name in wanted if name in found}
    for name, partitions in present.items():
        if len(partitions) != wanted[name].partitions:
            yield bad(
                "broker",
                f"{name} has {len(partitions)} partitions, not {wanted[name].partitions}",
                "clarion topics says how to change it; one mailbox's messages would lose their order",
            )
    fewest = min((len(one["replicas"]) for partitions in present.values() for one in partitions), default=brokers)
    if fewest < min(2, brokers):
        yield warn(
            "broker",
            "some topics have one replica, though there are several brokers",
            "kafka-reassign-partitions.sh gives them three",
        )
    lagging = [name for name, parts in present.items() if any(len(one["isr"]) < len(one["replicas"]) for one in parts)]
    if lagging:
        yield warn("broker", f"replicas of {len(lagging)} topics are behind", "is one of the brokers down?")
    if not missing:
        yield well("broker", f"{len(present)} topics are there")


async def _configurations(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answers = await admin.describe_configs(resources)
    return {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
        if not resource[0]
    }


def _settings_of_topics(settings: Settings, configurations: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    wanted = _wanted(settings)
    for name, has in configurations.items():
        needs = topic_configuration(wanted[name])
        other = {key: value for key, value in needs.items() if key in has and has[key] != value}
        if other:
            said = ", ".join(f"{key} is {has[key]}, not {value}" for key, value in other.items())
            change = ",".join(f"{key}={value}" for key, value in other.items())
            yield warn("broker", f"{name}: {said}", f"kafka-configs.sh --alter --topic {name} --add-config {change}")


async def _clock(patient: Patient, found: Mapping[str, Any]) -> list[Finding]:
    """Where the broker stamps records, its last stamps tell if its clock is ahead; that it is behind nobody can see."""
    names = [topic_name(patient.settings, topic) for topic in TOPICS if topic.inbound]
    stamped = await _newest_stamp(patient.settings, [name for name in names if name in found])
    if stamped is None:
        return [well("broker", "it stamped nothing yet by which its clock could be told")]
    ahead = stamped - patient.clock()
    if ahead > AHEAD:
        return [bad("broker", f"its clock is {ahead.total_seconds():.0f} seconds ahead", "set both clocks by NTP")]
    return [well("broker", "its clock is not ahead of this machine's")]


async def _newest_stamp(settings: Settings, topics: list[str]) -> datetime | None:
    if not topics:
        return None
    consumer = AIOKafkaConsumer(**kafka_options(settings), enable_auto_commit=False)
    try:
        await consumer.start()
        partitions = [TopicPartition(one, number) for one in topics for number in await _partitions(consumer, one)]
        ends = await consumer.end_offsets(partitions)
        used = {partition: end for partition, end in ends.items() if end > 0}
        if not used:
            return None
        consumer.assign(list(used))
        for partition, end in used.items():
            consumer.seek(partition, end - 1)
        batches = await consumer.getmany(timeout_ms=FETCH_MS)
        stamps = [record.timestamp for records in batches.values() for record in records]
        return datetime.fromtimestamp(max(stamps) / 1000, UTC) if stamps else None
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    await consumer._client.add_topic(topic)  # noqa: SLF001 - without a subscription it knows no topic
    return sorted(consumer.partitions_for_topic(topic) or ())
