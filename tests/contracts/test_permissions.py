"""The Kafka permissions in the guide, on a broker with an authorizer: enough for each role, and no more."""

import argparse
import contextlib
import shlex
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.admin import CreateAclsRequest

from clarion.runtime.embedded import KafkaServer
from clarion.runtime.embedded.ports import any_free_port
from clarion.runtime.messaging.connection import kafka_options
from clarion.runtime.messaging.topics import ensure_topics, wait_for_groups
from clarion.runtime.settings import Settings
from clarion.schemas.topics import TOPICS
from tests.certificates import LOOPBACK
from tests.documents import blocks, joined_lines
from tests.secure import PASSWORD, listener_settings

# https://kafka.apache.org/43/documentation.html#operations_in_kafka: the codes of the protocol
RESOURCES = {"topic": 2, "group": 3, "cluster": 4}
OPERATIONS = {
    "All": 2,
    "Read": 3,
    "Write": 4,
    "Create": 5,
    "Describe": 8,
    "DescribeConfigs": 10,
    "IdempotentWrite": 12,
}
PATTERNS = {"literal": 3, "prefixed": 4}
ALLOW = 3
# What the two conveniences of kafka-acls.sh stand for.
PRODUCER = {"topic": ("Write", "Describe", "Create")}
CONSUMER = {"topic": ("Read", "Describe"), "group": ("Read",)}
ROLES = ("bill-tracker", "sign-up", "follower", "clarion")


@dataclass(frozen=True)
class Permission:
    """One entry of the authorizer."""

    principal: str
    resource: str
    name: str
    pattern: str
    operation: str

    def request(self) -> CreateAclsRequest:
        return CreateAclsRequest(
            RESOURCES[self.resource],
            self.name,
            PATTERNS[self.pattern],
            self.principal,
            "*",
            OPERATIONS[self.operation],
            ALLOW,
        )


def commands() -> list[argparse.Namespace]:
    """The kafka-acls.sh commands of the guide, with the options that it is known to take."""
    options = argparse.ArgumentParser("kafka-acls.sh", exit_on_error=False)
    for name in ("--bootstrap-server", "--command-config", "--allow-principal"):
        options.add_argument(name, required=True)
    for name in ("--topic", "--group", "--operation"):
        options.add_argument(name, action="append", default=[])
    options.add_argument("--resource-pattern-type", default="literal", choices=PATTERNS)
    for name in ("--producer", "--consumer", "--cluster"):
        options.add_argument(name, action="store_true")
    options.add_argument("--add", action="store_true", required=True)
    lines = [
        line for block in blocks("docs/integrators.md") if block.mark == "acl" for line in joined_lines(block.text)
    ]
    words = [shlex.split(line) for line in lines if line.strip()]
    assert {each[0] for each in words} == {"kafka-acls.sh"}
    return [options.parse_args(each[1:]) for each in words]


def permissions() -> Iterator[Permission]:
    """What the commands of the guide allow."""
    for given in commands():
        named = {"topic": given.topic, "group": given.group, "cluster": ["kafka-cluster"] if given.cluster else []}
        for resource, names in named.items():
            allowed = list(given.operation)
            allowed += PRODUCER.get(resource, ()) if given.producer else ()
            allowed += CONSUMER.get(resource, ()) if given.consumer else ()
            for name in names:
                for operation in allowed:
                    yield Permission(given.allow_principal, resource, name, given.resource_pattern_type, operation)


def settings_of(user: str, bootstrap: str) -> Settings:
    return Settings(
        _env_file=None,
        kafka_bootstrap=bootstrap,
        kafka_security_protocol="SASL_PLAINTEXT",
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_sasl_username=user,
        kafka_sasl_password=PASSWORD,
        kafka_replication=1,
    )


def guarded_settings(port: int) -> dict[str, str]:
    """A listener for users beside the broker's own, whose nameless caller administers it."""
    open_ones = f"PLAINTEXT://{LOOPBACK}:$port", f"USERS://{LOOPBACK}:{port}"
    return listener_settings("USERS", "SASL_PLAINTEXT", None) | {
        "listeners": ",".join([*open_ones, f"CONTROLLER://{LOOPBACK}:$controller_port"]),
        "advertised.listeners": ",".join(open_ones),
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,USERS:SASL_PLAINTEXT",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[str]:
    """Where users sign in to a broker that allows what the guide says, with all topics made by Clarion's own."""
    port = any_free_port()
    server = KafkaServer(
        tmp_path / "kafka",
        keep_records_for_ever=True,
        further_settings=guarded_settings(port),
        users=dict.fromkeys(ROLES, PASSWORD),
    )
    try:
        await server.start()
        admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
        await admin.start()
        for permission in permissions():
            answer = await admin._send_request(permission.request())
            assert [each[0] for each in answer.creation_responses] == [0], permission
        await admin.close()
        bootstrap = f"{LOOPBACK}:{port}"
        own = settings_of("clarion", bootstrap)
        await ensure_topics(own)
        await wait_for_groups(own)
        yield bootstrap
    finally:
        await server.stop()


async def write(user: str, bootstrap: str, topic: str) -> bool:
    """Whether a user may write there, with an idempotent producer."""
    options = kafka_options(settings_of(user, bootstrap)) | {"client_id": user}
    producer = AIOKafkaProducer(**options, acks="all", enable_idempotence=True)
    try:
        await producer.start()
        await producer.send_and_wait(topic, b"{}", key=b"key")
    except (TopicAuthorizationFailedError, ClusterAuthorizationFailedError):
        return False
    finally:
        await producer.stop()
    return True


async def read(user: str, bootstrap: str, topic: str, group: str) -> bool:
    """Whether a user may read there in that group and commit."""
    options = kafka_options(settings_of(user, bootstrap)) | {"client_id": user}
    consumer = AIOKafkaConsumer(**options, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False)
    consumer.subscribe([topic])
    try:
        await consumer.start()
        await consumer.getone()
        await consumer.commit()
    except (TopicAuthorizationFailedError, GroupAuthorizationFailedError):
        return False
    finally:
        with contextlib.suppress(GroupAuthorizationFailedError, TopicAuthorizationFailedError):
            await consumer.stop()
    return True


@pytest.mark.slow
async def test_each_role_may_do_what_the_guide_says_and_nothing_else(guarded: str) -> None:
    own = "clarion"
    for topic in TOPICS:
        for name in (topic.name, topic.dead.name):
            assert await write(own, guarded, name), name
        for service in topic.read_by:
            assert await read(own, guarded, topic.name, topic.group(service)), topic.name
    allowed = [
        await write("bill-tracker", guarded, "legislation.updates.v1"),
        await read("bill-tracker", guarded, "legislation.updates.v1.dead", "bill-tracker"),
        await write("sign-up", guarded, "registrations.requests.v1"),
        await read("sign-up", guarded, "registrations.outcomes.v1", "sign-up"),
        await read("follower", guarded, "legislation.alerts.v1", "follower"),
        await read("follower", guarded, "campaigns.lifecycle.v1", "follower"),
    ]
    assert allowed == [True] * 6
    refused = [
        await write("bill-tracker", guarded, "legislation.alerts.v1"),
        await write("bill-tracker", guarded, "registrations.requests.v1"),
        await read("bill-tracker", guarded, "directory.entities.v1", "bill-tracker"),
        await read(
            "bill-tracker", guarded, "legislation.updates.v1.dead", "clarion.legislation.legislation.updates.v1"
        ),
        await read("sign-up", guarded, "registrations.requests.v1", "sign-up"),
        await write("follower", guarded, "legislation.alerts.v1"),
        await read("follower", guarded, "campaigns.calls.v1", "follower"),
    ]
    assert refused == [False] * 7


def test_the_guide_gives_no_integration_a_topic_that_names_people() -> None:
    personal = {
        "directory.entities.v1",
        "campaigns.calls.v1",
        "registrations.notices.v1",
        "directory.notices.v1",
        "notifications.deliveries.v1",
    }
    others = [each for each in permissions() if each.principal != "User:clarion"]
    assert {each.name for each in others if each.resource == "topic"}.isdisjoint(personal)
    readable = {each.name for each in others if each.operation == "Read" and each.resource == "topic"}
    assert "registrations.requests.v1" not in readable
