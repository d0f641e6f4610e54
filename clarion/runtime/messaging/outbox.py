"""The outbox: what a transaction wants published is a row of that transaction."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel

from clarion.runtime import traces
from clarion.runtime.database import Transaction, load_queries
from clarion.runtime.ids import new_id
from clarion.schemas.cloudevents import binary_headers
from clarion.schemas.topics import Topic

ROWS_PER_INSERT = 5_000
BYTES_PER_INSERT = 16_000_000

_to_json = json.JSONEncoder(ensure_ascii=False).encode


class MessageTooLarge(Exception):
    """The message is larger than its topic allows; refused here, so that it cannot block the relay."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event to publish; without data it is a tombstone of a compacted topic.

    The source is `/clarion/<service>`, the id a fresh one and the time now where they are not given.
    """

    topic: Topic
    key: str
    type: str
    data: BaseModel | None
    id: str | None = None
    subject: str | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message as the outbox keeps it: `headers` is JSON as of `headers_to_json`."""

    topic: str
    key: bytes
    headers: str
    body: bytes | None

    @property
    def size(self) -> int:
        """Bytes on the wire, roughly and rather too many."""
        return len(self.key) + len(self.headers) + len(self.body or b"")


async def enqueue(tx: Transaction, messages: Sequence[Outgoing], *, wake: bool = True) -> None:
    """Publish these once the transaction commits, in this order.

    Without `wake` the relay comes upon them by itself, within half a second. Each wake-up has the database serve all
    who listen to anything, while other commits that wake somebody wait for this one.

    Raises:
        MessageTooLarge: one is larger than its topic allows.
        ValueError: an event is none of its topic.
    """
    await enqueue_parcels(tx, [_parcel(tx, message) for message in messages], wake=wake)


async def enqueue_parcels(tx: Transaction, parcels: Sequence[Parcel], *, wake: bool = True) -> None:
    """Put messages into the outbox just as they are."""
    queries = load_queries("clarion.runtime.messaging")
    channels = [tx.channel("outbox")] if wake else []
    for chunk in _chunks(parcels):
        await queries.insert_outgoing(
            tx.connection,
            channels=channels,
            topics=[parcel.topic for parcel in chunk],
            keys=[parcel.key for parcel in chunk],
            headers=[parcel.headers for parcel in chunk],
            bodies=[parcel.body for parcel in chunk],
        )


def _parcel(tx: Transaction, message: Outgoing) -> Parcel:
    topic = message.topic
    model = topic.types.get(message.type)
    if model is None or not isinstance(message.data, model | None):
        raise ValueError(f"{message.type} with {type(message.data).__name__} is no event of {topic.name}")
    if message.data is None and not topic.compacted:
        raise ValueError(f"{topic.name} is not compacted, so {message.type} needs data")
    headers = binary_headers(
        id=message.id or new_id(),
        source=message.source or f"/clarion/{tx.service}",
        type=message.type,
        time=message.time or tx.clock(),
        subject=message.subject,
        extensions=message.extensions,
    )
    if (current := traces.traceparent()) is not None:
        headers[traces.TRACEPARENT] = current
    body = None if message.data is None else message.data.model_dump_json().encode()
    parcel = Parcel(topic.name, message.key.encode(), _to_json(list(headers.items())), body)
    if parcel.size > topic.max_bytes:
        raise MessageTooLarge(f"{parcel.size} bytes for {topic.name}, which takes {topic.max_bytes}")
    return parcel


def _chunks(parcels: Sequence[Parcel]) -> Iterator[Sequence[Parcel]]:
    start, size = 0, 0
    for position, parcel in enumerate(parcels):
        its_size = parcel.size
        if position > start and (position - start >= ROWS_PER_INSERT or size + its_size > BYTES_PER_INSERT):
            yield parcels[start:position]
            start, size = position, 0
        size += its_size
    if start < len(parcels):
        yield parcels[start:]
