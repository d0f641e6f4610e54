"""The contracts as JSON Schema documents, one for each event type of each topic."""

import json
from collections.abc import Iterator

from clarion.schemas.topics import TOPICS


def json_schemas() -> Iterator[tuple[str, str]]:
    """Each document's file name, such as `legislation.updates.v1/hearing.scheduled.json`, and its text."""
    for topic in TOPICS:
        for event_type, model in topic.types.items():
            schema = model.model_json_schema(mode="validation")
            document = {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "title": event_type,
                "description": f"Data of {event_type} on {topic.name}. {schema.pop('description', '')}".strip(),
            } | {name: value for name, value in schema.items() if name != "title"}
            yield f"{topic.name}/{event_type}.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n"
