"""What a worker has in hand: which messages, in which version, and since when."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from clarion.services.notifications.domain.messages import Claimed

Key = tuple[UUID, int]
"""A message: its thread and revision."""


class Hold(NamedTuple):
    """How a worker holds a message: at which version of its row, and since when; once it is marked also for whom.

    `named` is None where the mail names everyone it was asked for; `sequence` is that of its calendar entry.
    `grounds` are those on which it may be sent as long as they hold; None if that is to be looked at.
    """

    claim: int
    claimed_at: datetime
    marked_at: datetime | None = None
    named: Sequence[str] | None = None
    sequence: int | None = None
    grounds: int | None = None


def key_of(message: Claimed) -> Key:
    """The message by which it is held."""
    return message.thread_id, message.revision
