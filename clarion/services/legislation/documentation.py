"""What the API's description says of the bodies that integrations post."""

from typing import Any

from clarion.schemas.cloudevents import BATCH, JSON, STRUCTURED
from clarion.schemas.topics import LEGISLATION_UPDATES

NOTICE: dict[str, Any] = {
    "hearing_id": "ca-2027-04-21-s-housing",
    "jurisdiction": "ocd-jurisdiction/country:us/state:ca/government",
    "session": "20272028",
    "committee": {"name": "Housing", "chamber": "upper"},
    "starts_at": "2027-04-21T13:30:00-07:00",
    "location": {"name": "1021 O Street, Room 1200"},
    "agenda": [{"bill": "SB 79", "title": "Housing development: transit-oriented development", "author": "Wiener"}],
}
SHORTHAND = {"type": "hearing.scheduled", "data": NOTICE}
UPON_ADJOURNMENT = {
    "type": "hearing.scheduled",
    "data": NOTICE | {"starts_at": "2027-04-21", "time_note": "upon adjournment of session"},
}
CLOUD_EVENT = {
    "specversion": "1.0",
    "id": "notice-4711",
    "source": "/integrations/daily-file",
    "time": "2027-04-09T08:00:00Z",
    **SHORTHAND,
}

LINE = {"type": "string", "minLength": 1, "maxLength": 500}
ATTRIBUTES: dict[str, Any] = {
    "specversion": {"type": "string", "const": "1.0"},
    "id": LINE | {"description": "with the key's source it identifies the event"},
    "source": LINE | {"description": "read and replaced by the key's source"},
    "time": {"type": "string", "format": "date-time"},
    "subject": LINE,
}


def event(event_type: str, model: str, *required: str) -> dict[str, Any]:
    """An event of one type, whose data is the model's."""
    own = {"type": {"type": "string", "const": event_type}, "data": {"$ref": f"#/components/schemas/{model}"}}
    return {
        "type": "object",
        "title": event_type,
        "required": [*required, "type", "data"],
        "properties": ATTRIBUTES | own,
    }


def any_event(*required: str) -> dict[str, Any]:
    """An event of any type that integrations publish."""
    return {"oneOf": [event(name, model.__name__, *required) for name, model in LEGISLATION_UPDATES.types.items()]}


EVENT, CLOUD = any_event(), any_event("specversion", "id", "source")
EVENTS, CLOUDS = ({"type": "array", "minItems": 1, "items": each} for each in (EVENT, CLOUD))

REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        JSON: {
            "schema": {"oneOf": [*EVENT["oneOf"], EVENTS]},
            "examples": {
                "one": {"summary": "A hearing is scheduled", "value": SHORTHAND},
                "several": {"summary": "An array; one begins upon adjournment", "value": [UPON_ADJOURNMENT]},
            },
        },
        STRUCTURED: {"schema": CLOUD, "examples": {"structured": {"value": CLOUD_EVENT}}},
        BATCH: {"schema": CLOUDS, "examples": {"batch": {"value": [CLOUD_EVENT]}}},
    },
}

# What became of the first of them, for programs that follow the description.
ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"links": {"status": {"operationId": "get_update", "parameters": {"event_id": "$response.body#/ids/0"}}}}
}
