"""The topics as one AsyncAPI 3.0 document, for whoever publishes to Clarion or reads from it.

https://www.asyncapi.com/docs/reference/specification/v3.0.0 and its Kafka bindings 0.5.0
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from clarion.schemas.cloudevents import JSON, STRUCTURED
from clarion.schemas.topics import TOPICS, Topic

Document: TypeAlias = dict[str, Any]
Examples: TypeAlias = Mapping[tuple[str, str], Any]
"""A payload for each topic's name and event type."""

VERSION = "1.0.0"
BINDING = "0.5.0"
ATTRIBUTES = "CloudEventsAttributes"
DEAD_LETTER = "dead-letter"
EXAMPLE_TIME = "2027-04-09T08:00:00+00:00"
INTEGRATION = "/integrations/daily-file"
DESCRIPTION = f"""\
Clarion turns hearing notices into calls to city officials, and keeps what it told true when hearings change.

Every record is a CloudEvent 1.0 in binary mode: its attributes are headers with the prefix `ce_`, its data is the JSON
body. On the topics that integrations write, structured mode (`content-type: {STRUCTURED}`) is taken as well.
`(ce_source, ce_id)` identifies an event: seen twice, done once. Readers ignore fields they do not know; within a
version of a topic (its suffix) changes only add. What cannot be handled goes to `<topic>.dead` with the reason.

Addresses stand without an installation's prefix (`CLARION_KAFKA_PREFIX`), which is empty unless it is set.
"""
DEAD_HEADERS: Document = {
    "type": "object",
    "description": "The record's own headers, and these.",
    "properties": {
        "clarion-reason": {"type": "string", "description": "why it could not be handled"},
        "clarion-partition": {"type": "string", "description": "the partition it was read from"},
        "clarion-offset": {"type": "string", "description": "its offset there"},
    },
    "required": ["clarion-reason", "clarion-partition", "clarion-offset"],
}


def asyncapi(examples: Examples) -> Document:
    """The document; each event's example is the payload in `examples`."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Clarion",
            "version": VERSION,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": JSON,
        "servers": {"production": server("kafka-secure"), "one-machine": server("kafka")},
        "channels": {one.name: channel(one) for topic in TOPICS for one in (topic, topic.dead)},
        "operations": dict(operations()),
        "components": {
            "messages": dict(messages(examples)) | {DEAD_LETTER: dead_letter()},
            "schemas": schemas(),
            "securitySchemes": {
                "scram": {"type": "scramSha512", "description": "a user of the cluster, over TLS"},
                "plain": {"type": "plain", "description": "where the cluster has no SCRAM; over TLS"},
            },
        },
    }


def server(protocol: str) -> Document:
    """The cluster of an installation, or the plain one that `clarion up` starts on loopback."""
    secure = protocol == "kafka-secure"
    example = "kafka-1.example:9093,kafka-2.example:9093" if secure else "127.0.0.1:40123"
    found: Document = {
        "host": "{bootstrap}",
        "protocol": protocol,
        "description": "The cluster of an installation." if secure else "`clarion up`: its up.json names the address.",
        "variables": {"bootstrap": {"description": "host:port of brokers, comma separated", "examples": [example]}},
    }
    if secure:
        found["security"] = [{"$ref": f"#/components/securitySchemes/{name}"} for name in ("scram", "plain")]
    return found


def channel(topic: Topic) -> Document:
    """A topic with its messages and how it lies on the broker."""
    is_dead = not topic.types
    names = [DEAD_LETTER] if is_dead else [message_name(topic, event_type) for event_type in topic.types]
    return {
        "address": topic.name,
        "title": topic.name,
        "description": f"{topic.about} Key: {topic.key}.{described_tombstones(topic)}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": topic_configuration(topic),
                "bindingVersion": BINDING,
            }
        },
    }


def described_tombstones(topic: Topic) -> str:
    """What a record without a body means, where there are such."""
    return " A record without a body says that its entity was erased." if topic.compacted else ""


def topic_configuration(topic: Topic) -> Document:
    """How long the broker keeps it, and how large a record may be."""
    if topic.compacted:
        return {"cleanup.policy": ["compact"], "max.message.bytes": topic.max_bytes}
    retention = topic.retention_seconds * 1000
    return {"cleanup.policy": ["delete"], "retention.ms": retention, "max.message.bytes": topic.max_bytes}


def message_name(topic: Topic, event_type: str) -> str:
    """Types repeat on topics, so a message is named by both."""
    return f"{topic.name}.{event_type}"


def operations() -> Iterator[tuple[str, Document]]:
    """Who sends and who receives, by service."""
    for topic in TOPICS:
        for service in topic.published_by:
            yield f"{service}.sends.{topic.name}", operation(topic, service, "send")
        for service in topic.read_by:
            receives = operation(topic, service, "receive")
            group = {"type": "string", "const": topic.group(service)}
            yield (
                f"{service}.receives.{topic.name}",
                receives | {"bindings": {"kafka": {"groupId": group, "bindingVersion": BINDING}}},
            )


def operation(topic: Topic, service: str, action: str) -> Document:
    """One service's part in a topic."""
    names = [message_name(topic, event_type) for event_type in topic.types]
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"{service} {action}s: {topic.about}",
        "tags": [{"name": name} for name in (service, *audience(topic, action))],
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{name}"} for name in names],
    }


def audience(topic: Topic, action: str) -> tuple[str, ...]:
    """Who outside takes part, too: integrations send what a service receives there, and may read what it sends."""
    outside = topic.inbound if action == "receive" else topic.name in FOR_ANYONE
    return ("integrations",) if outside else ()


FOR_ANYONE = frozenset({"campaigns.lifecycle.v1", "registrations.outcomes.v1", "legislation.alerts.v1"})
"""Topics without addresses of people, made for readers outside."""


def messages(examples: Examples) -> Iterator[tuple[str, Document]]:
    """Each event type of each topic."""
    for topic in TOPICS:
        for event_type, model in topic.types.items():
            headers = {"ce_type": {"const": event_type}}
            yield (
                message_name(topic, event_type),
                {
                    "name": event_type,
                    "title": event_type,
                    "summary": described(model),
                    "contentType": JSON,
                    "headers": {
                        "allOf": [
                            {"$ref": f"#/components/schemas/{ATTRIBUTES}"},
                            {"type": "object", "properties": headers},
                        ]
                    },
                    "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
                    "bindings": {
                        "kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": BINDING}
                    },
                    "examples": [example(topic, event_type, examples[topic.name, event_type])],
                },
            )


def example(topic: Topic, event_type: str, payload: Any) -> Document:
    """A whole event."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": "4711",
        "ce_type": event_type,
        "ce_source": INTEGRATION if topic.inbound else f"/clarion/{topic.published_by[0]}",
        "ce_time": EXAMPLE_TIME,
        "content-type": JSON,
    }
    return {"name": event_type.replace(".", "-"), "headers": headers, "payload": payload}


def dead_letter() -> Document:
    """A copy of a record that could not be handled, which may be anything."""
    return {
        "name": DEAD_LETTER,
        "title": "A record that could not be handled",
        "summary": "Key, body and headers are the record's own; `clarion dead-letters` shows, retries and discards it.",
        "contentType": "application/octet-stream",
        "headers": DEAD_HEADERS,
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": BINDING}},
    }


def schemas() -> Document:
    """Every payload's schema and the parts they share, by their models' names."""
    models = {model.__name__: model for topic in TOPICS for model in topic.types.values()}
    _, found = models_json_schema(
        [(model, "validation") for model in models.values()], ref_template="#/components/schemas/{model}"
    )
    defined: Document = found["$defs"]
    return dict(sorted(defined.items())) | {ATTRIBUTES: attributes()}


def attributes() -> Document:
    """The headers of every event."""
    line = {"type": "string", "minLength": 1, "maxLength": 500}
    return {
        "type": "object",
        "description": "CloudEvents 1.0 attributes in binary mode; other `ce_` headers are extensions.",
        "properties": {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_id": line | {"description": "with ce_source it identifies the event"},
            "ce_type": line | {"description": "what happened, such as hearing.scheduled"},
            "ce_source": line | {"description": "who says so"},
            "ce_time": {"type": "string", "format": "date-time", "description": "when it was said"},
            "ce_subject": line | {"description": "what it is about"},
            "content-type": {"type": "string", "const": JSON},
            "traceparent": {"type": "string", "description": "W3C trace context"},
        },
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source"],
    }


def described(model: type[BaseModel]) -> str:
    """What a model is for, in a line."""
    return " ".join((model.__doc__ or "").partition("\n\n")[0].split())
