"""Kafka in: parse, call one operation, translate the result."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, cast

from pydantic import ValidationError

from clarion.runtime.clock import Clock
from clarion.runtime.database import Transaction
from clarion.runtime.messaging import Received, Subscription
from clarion.runtime.messaging.following import keep_trace
from clarion.schemas.directory import City, Official
from clarion.schemas.messages import MessageBatch, Pause, Withdrawal
from clarion.schemas.topics import CAMPAIGNS_CALLS, DIRECTORY_ENTITIES, DIRECTORY_NOTICES, REGISTRATIONS_NOTICES
from clarion.services.notifications import operations
from clarion.services.notifications.domain.calendar import begins_at
from clarion.services.notifications.pauses import pause
from clarion.services.notifications.rendering.bodies import CONTENTS


def subscriptions(clock: Clock) -> list[Subscription]:
    """What notifications listens to."""

    async def on_messages(tx: Transaction, events: Sequence[Received[Any]]) -> None:
        await handle_messages(tx, events, clock)

    return [
        Subscription(DIRECTORY_ENTITIES, on_entities, use_inbox=False, batch_size=2_000),
        Subscription(CAMPAIGNS_CALLS, on_messages, batch_size=8),
        # A batch of these has one recipient, mostly.
        Subscription(REGISTRATIONS_NOTICES, on_messages, batch_size=500),
        Subscription(DIRECTORY_NOTICES, on_messages, batch_size=500),
    ]


async def on_entities(tx: Transaction, events: Sequence[Received[Any]]) -> None:
    """`*.changed` and tombstones: the last state of each key counts."""
    saved: dict[str, City | Official] = {}
    erased: dict[str, tuple[str, str]] = {}
    for event in events:
        kind, _, entity_id = event.key.partition(":")
        if event.data is None:
            saved.pop(event.key, None)
            erased[event.key] = (kind, entity_id)
        elif isinstance(event.data, City | Official):
            known = saved.get(event.key)
            if known is None or known.revision < event.data.revision:
                saved[event.key] = event.data
    await operations.project(tx, list(saved.values()), list(erased.values()))


async def handle_messages(tx: Transaction, events: Sequence[Received[Any]], clock: Clock) -> None:
    """Pauses first, which go by their revision; then `messages.requested` and `messages.withdrawn`, in their order."""
    data = [event.data for event in events if event.data is not None and sendable(tx, event)]
    await pause(tx, [one for one in data if isinstance(one, Pause)], clock())
    messages = [one for one in data if not isinstance(one, Pause)]
    await keep_trace(tx.connection, {f"{one.matter}/{one.revision}" for one in messages})
    for withdrawn, group in groupby(messages, key=lambda one: isinstance(one, Withdrawal)):
        if withdrawn:
            for withdrawal in group:
                await operations.withdraw(tx, withdrawal, clock())
        else:
            await operations.register(tx, list(group), clock())


def sendable(tx: Transaction, event: Received[Any]) -> bool:
    """Whether mail can be made of it; if not it becomes a dead letter with the reason."""
    wish = cast("MessageBatch | Withdrawal | Pause", event.data)
    reason = None if isinstance(wish, Pause) else fault(wish)
    if reason is not None:
        tx.reject(event, reason)
    return reason is None


def fault(wish: MessageBatch | Withdrawal) -> str | None:
    """Why no mail can be made of it, if so."""
    try:
        if wish.calendar is not None:
            begins_at(wish.calendar)
    except (ValueError, OverflowError) as error:
        return f"calendar: {error}"
    if isinstance(wish, Withdrawal):
        return None
    model = CONTENTS.get(wish.template)
    if model is None:
        return f"unknown template {wish.template!r}; known: {', '.join(CONTENTS)}"
    try:
        model.model_validate(wish.content)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False))
        return f"content does not fit the template {wish.template!r}: {fields}"
    return None
