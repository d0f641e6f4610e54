"""Kafka in."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Transaction
from clarion.runtime.messaging import Received
from clarion.services.legislation.domain.statements import Outcome, Statement
from clarion.services.legislation.operations import hear


async def on_updates(
    tx: Transaction,
    received: Sequence[Received[Any]],
    *,
    clock: Clock = system_clock,
    settle: timedelta = timedelta(0),
) -> None:
    """Hear what integrations say; what cannot be made use of is a dead letter and stays in the history."""
    decisions = await hear(tx, [statement(one) for one in received], clock(), settle=settle)
    for one, decision in zip(received, decisions, strict=True):
        if decision.outcome is Outcome.REJECTED:
            tx.reject(one, decision.note or "rejected")


def statement(received: Received[Any]) -> Statement:
    """A record as a statement of its source."""
    attributes = received.attributes
    return Statement(
        source=attributes.source,
        event_id=attributes.id,
        type=attributes.type,
        data=received.data,
        received_at=received.received_at,
        time=attributes.time,
    )
