"""The inbox: an event that was seen is done, whoever delivers it again."""

from collections.abc import Sequence
from typing import Any

from clarion.runtime.database import Transaction, load_queries
from clarion.runtime.messaging.received import Received
from clarion.schemas.topics import Topic


async def claim(tx: Transaction, topic: Topic, events: Sequence[Received[Any]]) -> list[Received[Any]]:
    """Those that nobody claimed before, each once, in their order; they are claimed when this commits."""
    if not events:
        return []
    rows = load_queries("clarion.runtime.messaging").claim_events(
        tx.connection,
        topic=topic.name,
        sources=[event.attributes.source for event in events],
        event_ids=[event.attributes.id for event in events],
    )
    fresh = {(row["source"], row["event_id"]) async for row in rows}
    return [event for event in once(events) if event.identity in fresh]


def once(events: Sequence[Received[Any]]) -> list[Received[Any]]:
    """Each event the first time it stands there."""
    return list({event.identity: event for event in reversed(events)}.values())[::-1]
