"""What became of messages, told to whoever asked for them."""

from typing import Literal

from pydantic import Field

from clarion.schemas.text import Contract, Identifier, Instant, Mailbox, Text

FinalState = Literal["sent", "failed", "suppressed", "expired", "superseded", "unneeded", "unknown", "bounced"]


class Delivery(Contract):
    """The end of one message: to which mailbox, for whom, what and when."""

    matter: Identifier
    revision: int
    mailbox: Mailbox
    officials: list[Identifier] = Field(default_factory=list)
    state: FinalState | Identifier
    at: Instant
    reason: Text | None = None


class DeliveriesRecorded(Contract):
    """`deliveries.recorded`: a batch of outcomes."""

    deliveries: list[Delivery]
