"""From a raw record to a validated event, or to the reason why it is none."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from clarion.runtime.messaging.record import Record
from clarion.schemas.cloudevents import JSON, PREFIX, STRUCTURED, EventAttributes
from clarion.schemas.topics import Topic

M = TypeVar("M", bound=BaseModel)

ERRORS_SHOWN = 5


class InvalidRecord(Exception):
    """The record is no event of its topic; the message says why."""


@dataclass(frozen=True, slots=True)
class Received(Generic[M]):
    """One validated event.

    `data` is None for a tombstone of a compacted topic; `received_at` is the record's timestamp, in UTC.
    """

    attributes: EventAttributes
    data: M | None
    key: str
    received_at: datetime
    partition: int
    offset: int
    record: Record

    @property
    def identity(self) -> tuple[str, str]:
        """Source and id: seen twice, done once."""
        return self.attributes.source, self.attributes.id


def parse(topic: Topic, record: Record) -> Received[Any]:
    """Validate a record against its topic.

    Raises:
        InvalidRecord: it cannot be read, is no CloudEvent, of an unknown type, or its body does not fit the type.
    """
    if record.unreadable is not None:
        raise InvalidRecord(f"the record cannot be decoded: {record.unreadable}")
    headers = _clean(record)
    key = _key(topic, record)
    content_type = headers.get("content-type", JSON)
    attributes: EventAttributes
    data: BaseModel | None
    if content_type.partition(";")[0].strip().lower() == STRUCTURED:
        attributes, data = _structured(topic, record)
    else:
        attributes, data = _binary(topic, record, headers, content_type)
    return Received(attributes, data, key, record.received_at, record.partition, record.offset, record)


def claims(record: Record) -> tuple[str | None, str | None, str | None]:
    """What a record that may be invalid says of its source, id and type."""
    found = {name.lower(): value for name, value in record.headers if value is not None}
    source, event_id, kind = (
        found.get(PREFIX + name, b"").decode(errors="replace").replace("\x00", "")[:500] or None
        for name in ("source", "id", "type")
    )
    return source, event_id, kind


def _clean(record: Record) -> dict[str, str]:
    """The headers that are text. A broken one that nobody needs is left out."""
    clean = {}
    for raw_name, value in record.headers:
        name = raw_name.lower()
        text = _text(value)
        if text is not None:
            clean[name] = text
        elif name.startswith(PREFIX) or name == "content-type":
            raise InvalidRecord(f"the header {name!r} is not text")
    return clean


def _text(value: bytes | None) -> str | None:
    try:
        text = value.decode() if value is not None else None
    except UnicodeDecodeError:
        return None
    return text if text is not None and "\x00" not in text else None


def _key(topic: Topic, record: Record) -> str:
    key = _text(record.key or b"")
    if key is None:
        raise InvalidRecord("the key is not text")
    if topic.compacted and not key:
        raise InvalidRecord("a record of a compacted topic needs a key")
    return key


def _binary(
    topic: Topic, record: Record, headers: dict[str, str], content_type: str
) -> tuple[EventAttributes, BaseModel | None]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind != JSON and not kind.endswith("+json"):
        raise InvalidRecord(f"the content type is {content_type!r}, not {JSON}")
    try:
        attributes = EventAttributes.from_headers(headers)
    except ValueError as error:
        raise InvalidRecord(f"no CloudEvent: {describe(error)}") from error
    model = _model(topic, attributes.type)
    if record.body is None:
        if topic.compacted:
            return attributes, None
        raise InvalidRecord("the record has no body")
    return attributes, _validate(model, record.body)


def _structured(topic: Topic, record: Record) -> tuple[EventAttributes, BaseModel]:
    if not topic.inbound:
        raise InvalidRecord("structured mode is not accepted on this topic")
    try:
        event = from_json(record.body or b"")
        if not isinstance(event, dict):
            raise InvalidRecord("no CloudEvent: the body is no object")
        attributes = EventAttributes.from_attributes(event)
        body = to_json(event.get("data"))
    except ValueError as error:
        raise InvalidRecord(f"no CloudEvent: {describe(error)}") from error
    return attributes, _validate(_model(topic, attributes.type), body)


def _model(topic: Topic, kind: str) -> type[BaseModel]:
    model = topic.types.get(kind)
    if model is None:
        raise InvalidRecord(f"unknown event type {kind!r}; known here: {', '.join(topic.types)}")
    return model


def _validate(model: type[BaseModel], body: bytes) -> BaseModel:
    try:
        return model.model_validate_json(body)
    except ValueError as error:
        raise InvalidRecord(describe(error)) from error


def describe(error: ValueError) -> str:
    """A validation error in a line, by field and without the values."""
    if not isinstance(error, ValidationError):
        return str(error)
    found = error.errors(include_url=False, include_input=False, include_context=False)
    parts = [": ".join(filter(None, (".".join(map(str, one["loc"])), one["msg"]))) for one in found[:ERRORS_SHOWN]]
    if len(found) > ERRORS_SHOWN:
        parts.append(f"and {len(found) - ERRORS_SHOWN} more")
    return "; ".join(parts)
