"""What a service declares about a topic it reads."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from clarion.runtime.database import Transaction
from clarion.runtime.messaging.received import Received
from clarion.schemas.topics import Topic

Handler: TypeAlias = Callable[[Transaction, Sequence[Received[Any]]], Awaitable[None]]


class Rejected(Exception):
    """Raised by a handler: this event can never be handled, and the message says why."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic and what is done with its events.

    `handle` runs inside the transaction that holds the inbox rows. If it raises, each event is handed to it again,
    alone in a transaction of its own, and the one that fails becomes a dead letter. `use_inbox` is False where
    revisions make a redelivery harmless. What need not be dealt with at once is gathered for `gather_seconds`, at most.
    A batch of more than `part_bytes` is handled in parts of about that much, each in a transaction of its own, so that
    memory does not grow with how long the records are.
    """

    topic: Topic
    handle: Handler
    use_inbox: bool = True
    batch_size: int = 500
    part_bytes: int | None = None
    gather_seconds: float = 0.0
