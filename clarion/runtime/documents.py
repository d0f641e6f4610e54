"""The contract documents that the package carries: JSON Schemas, example payloads, AsyncAPI and OpenAPI."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import clarion.schemas
from clarion.schemas.asyncapi import Examples
from clarion.schemas.topics import TOPICS

FOLDER = Path(clarion.schemas.__file__).parent / "json"
GOLDEN = FOLDER / "golden" / "v1"


class UnknownDocument(Exception):
    """There is no contract document of this name."""


@cache
def examples() -> Examples:
    """The golden payload of each topic's name and event type."""
    return {
        (topic.name, event_type): json.loads((GOLDEN / topic.name / f"{event_type}.json").read_bytes())
        for topic in TOPICS
        for event_type in topic.types
    }


def schema_names() -> list[str]:
    """The JSON Schemas, as in `legislation.updates.v1/hearing.scheduled`."""
    return [f"{topic.name}/{event_type}" for topic in TOPICS for event_type in topic.types]


@cache
def document(name: str) -> bytes:
    """`asyncapi`, `openapi` or one of `schema_names`, as JSON in UTF-8.

    Raises:
        UnknownDocument: it names those that are like it.
    """
    if name not in ("asyncapi", "openapi", *schema_names()):
        raise UnknownDocument(f"no contract document is called {name!r}: `clarion contracts list` names all")
    return (FOLDER / f"{name}.json").read_bytes()


def parsed(name: str) -> Any:
    """A document as a value. Raises UnknownDocument."""
    return json.loads(document(name))
