"""Everything that is kept about a person, as one document."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Kept = dict[str, Any]
"""What one part keeps: lists by what they are of. Each part adds to its own as it grows."""


class TopicHeld(BaseModel):
    """A topic of Kafka in which something of the person may stand until it is forgotten."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str
    until: datetime = Field(description="at the latest, for what was published when the export was made")


class PersonKept(BaseModel):
    """`clarion people export`: what is kept about an address, by the service that keeps it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    exported_at: datetime
    address: str
    mailbox: str = Field(description="what services call the address by: a keyed hash of it")
    officials: list[str] = Field(description="ids of the officials who are meant")
    shared: bool = Field(description="others read the address too; what is theirs alone is left out")
    directory: Kept = Field(description="officials, corrections, memberships, manages, partners, uploads")
    campaigns: Kept = Field(description="officials, calls with reasons and outcomes, manages, represents")
    notifications: Kept = Field(description="officials, threads, messages, left, suppressed, wishes, named_in")
    registrations: Kept = Field(description="registrations with answers, early_cancellations, contact_of")
    legislation: Kept = Field(description="messages and dead letters that name the address, as in each service")
    staff: Kept = Field(description="account, sessions, sign_ins, acts")
    topics: list[TopicHeld]
