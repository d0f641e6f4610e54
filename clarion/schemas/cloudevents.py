"""CloudEvents 1.0 attributes: binary mode in Kafka headers, structured mode in a JSON body.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StringConstraints

from clarion.schemas.text import Contract, Instant, storable

PREFIX = "ce_"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"

Attribute = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(storable)]


class EventAttributes(Contract):
    """Who says what, and when. `(source, id)` identifies an event: seen twice, done once."""

    id: Attribute
    source: Attribute
    type: Attribute
    time: Instant | None = None
    subject: Attribute | None = None
    extensions: dict[str, str] = Field(default_factory=dict)

    def to_headers(self) -> dict[str, str]:
        """The attributes as Kafka headers in binary mode."""
        return binary_headers(
            id=self.id,
            source=self.source,
            type=self.type,
            time=self.time,
            subject=self.subject,
            extensions=self.extensions,
        )

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self:
        """Read binary mode headers.

        Raises:
            ValueError: (a pydantic ValidationError) an attribute is missing or malformed.
        """
        return cls.from_attributes(
            {name.removeprefix(PREFIX): value for name, value in headers.items() if name.startswith(PREFIX)}
        )

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, Any]) -> Self:
        """Build from a flat mapping, keeping what is unknown as extensions.

        Raises:
            ValueError: an attribute is missing, malformed or of another version of CloudEvents.
        """
        version = attributes.get("specversion", "1.0")
        if version != "1.0":
            raise ValueError(f"specversion {version!r} is not 1.0")
        known = {name: attributes[name] for name in KNOWN if attributes.get(name) is not None}
        extensions = {
            name: value
            for name, value in attributes.items()
            if name not in KNOWN and name not in IGNORED and isinstance(value, str)
        }
        return cls.model_validate(known | {"extensions": extensions})


KNOWN = ("id", "source", "type", "time", "subject")
IGNORED = ("specversion", "datacontenttype", "dataschema", "data", "data_base64")


def binary_headers(
    *,
    id: str,  # noqa: A002 - the attribute's name
    source: str,
    type: str,  # noqa: A002 - the attribute's name
    time: datetime | None,
    subject: str | None,
    extensions: Mapping[str, str],
) -> dict[str, str]:
    """These attributes as Kafka headers in binary mode; they are taken as they are."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": id,
        "ce_type": type,
        "ce_source": source,
        "content-type": JSON,
    }
    if time is not None:
        headers["ce_time"] = time.isoformat()
    if subject is not None:
        headers["ce_subject"] = subject
    for name, value in extensions.items():
        headers[PREFIX + name] = value
    return headers
