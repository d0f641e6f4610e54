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

ATTRIBUTES = {
    "specversion": {"type": "string", "const": "1.0"},
    "id": {"type": "string", "maxLength": 500, "description": "with the key's source it identifies the event"},
    "source": {"type": "string", "description": "read and replaced by the key's source"},
    "time": {"type": "string", "format": "date-time"},
    "subject": {"type": "string"},
    "type": {"type": "string", "enum": list(LEGISLATION_UPDATES.types)},
    "data": {"type": "object", "description": "the body that the type asks for"},
}
EVENT = {"type": "object", "required": ["type", "data"], "properties": ATTRIBUTES}
CLOUD = EVENT | {"required": ["specversion", "id", "source", "type", "data"]}

REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        JSON: {
            "schema": {"oneOf": [EVENT, {"type": "array", "minItems": 1, "items": EVENT}]},
            "examples": {
                "one": {"summary": "A hearing is scheduled", "value": SHORTHAND},
                "several": {"summary": "An array; one begins upon adjournment", "value": [UPON_ADJOURNMENT]},
            },
        },
        STRUCTURED: {"schema": CLOUD, "examples": {"structured": {"value": CLOUD_EVENT}}},
        BATCH: {
            "schema": {"type": "array", "minItems": 1, "items": CLOUD},
            "examples": {"batch": {"value": [CLOUD_EVENT]}},
        },
    },
}
