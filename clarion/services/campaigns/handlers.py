"""Kafka in: events become one operation each."""

from collections.abc import Sequence
from typing import Any

from clarion.runtime.clock import Clock
from clarion.runtime.database import Transaction
from clarion.runtime.messaging import Received, Subscription
from clarion.schemas.legislation import BillProgress, HearingAlert
from clarion.schemas.topics import DIRECTORY_ENTITIES, LEGISLATION_ALERTS, NOTIFICATIONS_DELIVERIES
from clarion.services.campaigns.operations import follow_directory, hear
from clarion.services.campaigns.outcomes import record_deliveries
from clarion.services.campaigns.starting.follow_ups import follow_bills

PART_BYTES = 250_000
"""Of long agendas a few dozen hearings are decided on in one transaction."""


def subscriptions(clock: Clock) -> list[Subscription]:
    """What campaigns listens to."""

    async def on_entities_changed(tx: Transaction, events: Sequence[Received[Any]]) -> None:
        await follow_directory(tx, events, clock)

    async def on_legislation_alert(tx: Transaction, events: Sequence[Received[Any]]) -> None:
        await follow_bills(tx, [event.data for event in events if isinstance(event.data, BillProgress)], clock)
        await hear(tx, [event.data for event in events if isinstance(event.data, HearingAlert)], clock)

    async def on_deliveries_recorded(tx: Transaction, events: Sequence[Received[Any]]) -> None:
        await record_deliveries(tx, [delivery for event in events if event.data for delivery in event.data.deliveries])

    return [
        Subscription(DIRECTORY_ENTITIES, on_entities_changed, use_inbox=False, batch_size=5_000),
        Subscription(LEGISLATION_ALERTS, on_legislation_alert, part_bytes=PART_BYTES),
        Subscription(NOTIFICATIONS_DELIVERIES, on_deliveries_recorded, batch_size=50, gather_seconds=0.25),
    ]
