"""The AsyncAPI document: valid by the official schema, with examples that hold, and true of the code."""

import ast
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

import clarion.services
from clarion.runtime import documents
from clarion.runtime.messaging.connection import group_name
from clarion.runtime.messaging.topics import topic_configuration
from clarion.runtime.settings import Settings
from clarion.schemas import topics
from clarion.schemas.asyncapi import asyncapi
from clarion.schemas.documents import DIALECT
from clarion.schemas.topics import TOPICS, Topic
from clarion.services.builders import BUILDERS
from tests.sources import tree_of

OFFICIAL = Path(__file__).parent / "asyncapi" / "3.0.0.json"
SERVICES = Path(clarion.services.__file__).parent
PAIRS = [(topic, event_type) for topic in TOPICS for event_type in topic.types]
NAMES = {name: value for name, value in vars(topics).items() if isinstance(value, Topic)}


@pytest.fixture(scope="module")
def document() -> Any:
    return documents.parsed("asyncapi")


@pytest.fixture(scope="module")
def official() -> jsonschema.protocols.Validator:
    return jsonschema.Draft7Validator(json.loads(OFFICIAL.read_bytes()))


def in_document(document: Any, schema: Any) -> jsonschema.protocols.Validator:
    """A validator of a part of the document, whose references lead into it."""
    registry: Registry[Any] = Registry().with_resource("urn:document", Resource(document, DRAFT7))
    absolute = json.loads(json.dumps(schema).replace('"#/', '"urn:document#/'))
    return jsonschema.Draft7Validator(
        absolute, registry=registry, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    )


def test_the_committed_document_is_that_of_the_code(document: Any) -> None:
    assert document == asyncapi(documents.examples()), "run `make schemas` and commit what changed"


def test_it_is_valid_by_the_official_schema(document: Any, official: Any) -> None:
    assert not [f"{'/'.join(map(str, one.absolute_path))}: {one.message}" for one in official.iter_errors(document)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda it: it.pop("info"),
        lambda it: it["channels"]["legislation.updates.v1"].update(partitions=6),
        lambda it: it["operations"]["legislation.receives.legislation.updates.v1"].update(action="subscribe"),
        lambda it: it["channels"]["legislation.updates.v1"]["bindings"]["kafka"].update(partitions="six"),
    ],
    ids=["no info", "unknown field", "action of AsyncAPI 2", "partitions in words"],
)
def test_the_official_schema_refuses_a_spoilt_document(document: Any, official: Any, spoil: Any) -> None:
    spoilt = json.loads(json.dumps(document))
    spoil(spoilt)
    assert not official.is_valid(spoilt)


def references(node: Any) -> set[str]:
    """All that a document refers to."""
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()


def test_every_reference_leads_somewhere(document: Any) -> None:
    for reference in references(document):
        found = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in found, reference
            found = found[part]


@pytest.mark.parametrize(("topic", "event_type"), PAIRS, ids=lambda it: it if isinstance(it, str) else it.name)
def test_an_event_has_an_example_that_holds(document: Any, topic: Topic, event_type: str) -> None:
    message = document["components"]["messages"][f"{topic.name}.{event_type}"]
    [example] = message["examples"]
    in_document(document, message["payload"]).validate(example["payload"])
    in_document(document, message["headers"]).validate(example["headers"])
    assert example["payload"] == documents.examples()[topic.name, event_type]
    assert not in_document(document, message["headers"]).is_valid(example["headers"] | {"ce_type": "something.else"})


@pytest.mark.parametrize(("topic", "event_type"), PAIRS, ids=lambda it: it if isinstance(it, str) else it.name)
def test_a_json_schema_stands_alone_and_its_example_holds(topic: Topic, event_type: str) -> None:
    schema = documents.parsed(f"{topic.name}/{event_type}")
    assert (schema["$schema"], schema["$id"]) == (DIALECT, f"/schemas/{topic.name}/{event_type}.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    for example in schema["examples"]:
        jsonschema.Draft202012Validator(schema, format_checker=checker).validate(example)


def test_a_channel_says_what_the_broker_is_told(document: Any) -> None:
    for topic in TOPICS:
        for one in (topic, topic.dead):
            told = topic_configuration(one)
            said = document["channels"][one.name]["bindings"]["kafka"]
            assert said["partitions"] == one.partitions
            assert said["topicConfiguration"]["cleanup.policy"] == [told["cleanup.policy"]]
            assert str(said["topicConfiguration"].get("retention.ms")) == str(told.get("retention.ms"))
            assert said["topicConfiguration"]["max.message.bytes"] <= int(told["max.message.bytes"])


async def test_a_service_reads_what_the_document_says(document: Any, settings: Settings) -> None:
    everything = settings.model_copy(update={"kafka_prefix": "", "smtp_url": "smtp://127.0.0.1:9"})
    reads = set()
    for build in BUILDERS.values():
        service = await build(everything)
        reads |= {
            (service.name, one.topic.name, group_name(everything, service.name, one.topic))
            for one in service.subscriptions
        }
        await service.close()
    said = {
        (name.partition(".")[0], one["channel"]["$ref"].rpartition("/")[2], group(one))
        for name, one in document["operations"].items()
        if one["action"] == "receive"
    }
    assert reads == said


def group(operation: Any) -> str:
    return str(operation["bindings"]["kafka"]["groupId"]["const"])


def published(service: str) -> set[str]:
    """The topics that a service's code makes outgoing events for."""
    found = set()
    for path in (SERVICES / service).rglob("*.py"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Outgoing":
                given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "topic")]
                found |= {NAMES[one.id].name for one in given if isinstance(one, ast.Name)}
    return found


@pytest.mark.parametrize("service", BUILDERS)
def test_a_service_sends_what_the_document_says(document: Any, service: str) -> None:
    sends = {name for name, one in document["operations"].items() if one["action"] == "send"}
    assert {f"{service}.sends.{topic}" for topic in published(service)} == {
        name for name in sends if name.startswith(f"{service}.")
    }
