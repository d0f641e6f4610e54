"""The contracts as documents: a JSON Schema for each event type of each topic, and all topics as AsyncAPI."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from clarion.schemas.asyncapi import Examples, asyncapi
from clarion.schemas.topics import TOPICS, Topic

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = "/schemas"
"""Where a site serves the JSON Schemas; their `$id` is relative to the site, so that each installation's resolve."""
ASYNCAPI = "asyncapi.json"


def documents(examples: Examples) -> Iterator[tuple[str, str]]:
    """Each document's file name and its text."""
    yield from json_schemas(examples)
    yield ASYNCAPI, printed(asyncapi(examples))


def json_schemas(examples: Examples) -> Iterator[tuple[str, str]]:
    """Each schema's file name, such as `legislation.updates.v1/hearing.scheduled.json`, and its text."""
    for topic in TOPICS:
        for event_type, model in topic.types.items():
            name = f"{topic.name}/{event_type}.json"
            yield name, printed(json_schema(topic, event_type, model, examples[topic.name, event_type]))


def json_schema(topic: Topic, event_type: str, model: type[BaseModel], example: Any) -> dict[str, Any]:
    """The schema of an event's data, with an example."""
    schema = model.model_json_schema(mode="validation")
    head = {
        "$schema": DIALECT,
        "$id": f"{ADDRESS}/{topic.name}/{event_type}.json",
        "title": event_type,
        "description": f"Data of {event_type} on {topic.name}. {schema.pop('description', '')}".strip(),
    }
    return head | {name: value for name, value in schema.items() if name != "title"} | {"examples": [example]}


def printed(document: Any) -> str:
    """A document as it is kept and served."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
