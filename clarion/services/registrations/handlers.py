"""Kafka in: requests for seats and cancellations."""

from collections.abc import Sequence
from typing import Any

from clarion.runtime.database import Transaction
from clarion.runtime.messaging import Received, Subscription
from clarion.schemas.topics import REGISTRATIONS_REQUESTS
from clarion.services.registrations.desk import Desk
from clarion.services.registrations.operations import admit

BATCH_SIZE = 3_000


def subscriptions(desk: Desk) -> list[Subscription]:
    """What registrations listens to."""

    async def on_requests(tx: Transaction, events: Sequence[Received[Any]]) -> None:
        with desk.requests.at_work():
            await admit(tx, desk, [event for event in events if event.data is not None])

    return [Subscription(REGISTRATIONS_REQUESTS, on_requests, batch_size=BATCH_SIZE)]
