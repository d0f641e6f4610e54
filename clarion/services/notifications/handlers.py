"""Kafka in: parse, call one operation, translate the result."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, cast

from pydantic import ValidationError

from clarion.runtime.clock import Clock
from clarion.runtime.database import Transaction
from clarion.runtime.messaging import Received, Subscription
from clarion.schemas.directory import City, Official
from clarion.schemas.messages import MessageBatch, Withdrawal
from clarion.schemas.topics import CAMPAIGNS_CALLS, DIRECTORY_ENTITIES
from clarion.services.notifications import operations
from clarion.services.notifications.rendering.mail import CONTENTS


def subscriptions(clock: Clock) -> list[Subscription]:
    """What notifications listens to."""

    async def on_messages(tx: Transaction, events: Sequence[Received[Any]]) -> None:
        await handle_messages(tx, events, clock)

    return [
        Subscription(DIRECTORY_ENTITIES, on_entities, use_inbox=False, batch_size=2_000),
        Subscription(CAMPAIGNS_CALLS, on_messages, batch_size=20),
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
    """`messages.requested` and `messages.withdrawn`, in their order."""
    for withdrawn, group in groupby(events, key=lambda event: isinstance(event.data, Withdrawal)):
        if withdrawn:
            for event in group:
                await operations.withdraw(tx, cast("Withdrawal", event.data), clock())
        else:
            await operations.register(tx, renderable(tx, list(group)), clock())


def renderable(tx: Transaction, events: Sequence[Received[Any]]) -> list[MessageBatch]:
    """The batches of which mail can be made; the others become dead letters with the reason."""
    good = []
    for event in events:
        if event.data is None:
            continue
        model = CONTENTS.get(event.data.template)
        if model is None:
            tx.reject(event, f"unknown template {event.data.template!r}; known: {', '.join(CONTENTS)}")
            continue
        try:
            model.model_validate(event.data.content)
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False))
            tx.reject(event, f"content does not fit the template {event.data.template!r}: {fields}")
            continue
        good.append(event.data)
    return good
