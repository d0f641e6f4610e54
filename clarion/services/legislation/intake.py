"""Reads what integrations hand in: CloudEvents and the shorthand, with every mistake named by its field."""

import hashlib
import json
from collections.abc import Callable
from itertools import chain
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from clarion.runtime.web.fields import FieldError, field_errors
from clarion.schemas.cloudevents import Attribute
from clarion.schemas.text import Contract, Instant
from clarion.schemas.topics import LEGISLATION_UPDATES
from clarion.services.legislation.domain.statements import mistakes
from clarion.services.legislation.splitting import size_mistakes
from clarion.services.legislation.update import Body, Update
from clarion.services.legislation.zones import out_of_reach

Identify = Callable[[str, str, Any], str]
"""The id of an event that has none, from its source, type and data."""


class Envelope(Contract):
    """An event as it may be handed in: structured CloudEvents 1.0, or only `type` and `data`."""

    specversion: Literal["1.0"] | None = None
    id: Attribute | None = None
    source: Attribute | None = None
    type: Attribute
    time: Instant | None = None
    subject: Attribute | None = None
    data: dict[str, Any]


class StrictEnvelope(Envelope):
    """An event that says that it is a CloudEvent, so it has all that the specification requires."""

    specversion: Literal["1.0"]
    id: Attribute
    source: Attribute


class InvalidUpdate(Exception):
    """What was handed in is not valid; `errors` says what is wrong with it, all of it."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(f"{len(errors)} mistakes")
        self.errors = errors


def read_update(
    item: Any,
    *,
    identify: Identify,
    source: str | None = None,
    default_source: str = "",
    index: int | None = None,
    strict: bool = False,
) -> Update:
    """Read one event. `source` holds over the event's own, `default_source` if it has none.

    Raises:
        InvalidUpdate: with every field that is wrong.
    """
    if not isinstance(item, dict):
        raise InvalidUpdate([FieldError(field="(body)", message="an event is an object", index=index)])
    model = StrictEnvelope if strict or "specversion" in item else Envelope
    try:
        envelope = model.model_validate(item)
    except ValidationError as error:
        raise InvalidUpdate(field_errors(error.errors(), item, index=index)) from error
    data = read_body(envelope, index)
    said_by = source or envelope.source or default_source
    event_id = envelope.id or identify(said_by, envelope.type, envelope.data)
    named = None if envelope.source == said_by else envelope.source
    return Update(said_by, event_id, envelope.type, data, envelope.time, envelope.subject, named)


def read_body(envelope: Envelope, index: int | None) -> Body:
    """The event's data by its type.

    Raises:
        InvalidUpdate: the type is unknown, or the data is not what it asks for.
    """
    model: type[BaseModel] | None = LEGISLATION_UPDATES.types.get(envelope.type)
    if model is None:
        message = f"unknown type {envelope.type!r}; known: {', '.join(LEGISLATION_UPDATES.types)}"
        raise InvalidUpdate([FieldError(field="type", message=message, index=index)])
    try:
        data = model.model_validate(envelope.data)
    except ValidationError as error:
        raise InvalidUpdate(field_errors(error.errors(), envelope.data, prefix=("data",), index=index)) from error
    wrong = [
        FieldError(field=f"data.{field}" if field else "data", message=message, index=index)
        for field, message in chain(mistakes(data), size_mistakes(data, envelope.id))
    ]
    if envelope.time is not None and out_of_reach(envelope.time):
        wrong.append(FieldError(field="time", message="the year is out of reach", index=index))
    if wrong or not isinstance(data, Body):
        raise InvalidUpdate(wrong)
    return data


def read_batch(document: Any, *, identify: Identify, source: str, strict: bool = False) -> list[Update]:
    """Read one event or an array of events, all or none.

    Raises:
        InvalidUpdate: with every field that is wrong, and the place of its event in the array.
    """
    if not isinstance(document, list):
        return [read_update(document, identify=identify, source=source, strict=strict)]
    if not document:
        raise InvalidUpdate([FieldError(field="(body)", message="the array is empty")])
    updates, errors = [], []
    for index, item in enumerate(document):
        try:
            updates.append(read_update(item, identify=identify, source=source, index=index, strict=strict))
        except InvalidUpdate as error:
            errors += error.errors
    if errors:
        raise InvalidUpdate(errors)
    return updates


def fingerprint(source: str, kind: str, data: Any) -> bytes:
    """A hash that is equal for events of one source with the same type and data, however they are written."""
    canonical = json.dumps([source, kind, data], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


class Occurrences:
    """Names events without an id by what they say and how often it has been said before in the same file.

    So a file published twice changes nothing, and moved-and-moved-back is two changes.
    """

    def __init__(self) -> None:
        self.seen: dict[bytes, int] = {}

    def identify(self, source: str, kind: str, data: Any) -> str:
        """The id of the next such event."""
        digest = fingerprint(source, kind, data)
        count = self.seen[digest[:16]] = self.seen.get(digest[:16], 0) + 1
        return f"{digest.hex()[:40]}-{count}"
