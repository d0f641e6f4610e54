"""What a request for messages becomes in the ledger."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from clarion.schemas.messages import CalendarEntry, MessageBatch, Withdrawal
from clarion.services.notifications.domain import lanes
from clarion.services.notifications.domain.calendar import begins_at
from clarion.services.notifications.domain.messages import WITHDRAWAL, thread_of

SHARED_FIELDS = {"template", "lane", "subscription", "reply_to", "not_after", "facts", "content", "calendar"}
PART_FIELDS = {"officials", "address", "name", "reasons", "asks", "told_elsewhere"}


@dataclass(slots=True)
class Registration:
    """Rows for the ledger's tables; each thread and revision stands in it once."""

    contents: dict[tuple[str, int, str], dict[str, Any]] = field(default_factory=dict)
    threads: list[dict[str, Any]] = field(default_factory=list)
    messages: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    def add(self, batch: MessageBatch) -> "Registration | None":
        """Take a batch in, or give it back in a registration of its own if it names a thread and revision again."""
        shared = batch.model_dump(mode="json", include=SHARED_FIELDS)
        digest = _digest(shared)
        rows = [_row(batch, digest, index) for index in range(len(batch.recipients))]
        keys = [(row["thread_id"], batch.revision) for row in rows]
        if self.messages and not self.messages.keys().isdisjoint(keys):
            return Registration._of(batch)
        self.contents[batch.matter, batch.revision, digest] = {
            "matter": batch.matter,
            "revision": batch.revision,
            "digest": digest,
            "begins_at": _begins_at(batch.calendar),
            **shared,
        }
        self.messages.update(zip(keys, rows, strict=True))
        self.threads += [
            {"id": row["thread_id"], **{name: row[name] for name in ("matter", "mailbox", "revision")}} for row in rows
        ]
        return None

    @classmethod
    def _of(cls, batch: MessageBatch) -> "Registration":
        made = cls()
        made.add(batch)
        return made


@dataclass(frozen=True, slots=True)
class Ending:
    """Rows for a withdrawal: what its messages say, and the threads that it may concern.

    With `told` those who were told before are told that it ended.
    """

    revision: int
    reason: str
    content: dict[str, Any]
    threads: list[dict[str, Any]]
    told: bool

    @classmethod
    def of(cls, withdrawal: Withdrawal, reason: str) -> "Ending":
        """What a withdrawal becomes; `reason` stands where it gives none."""
        shared: dict[str, Any] = {
            "template": WITHDRAWAL,
            "lane": "call",
            "facts": [],
            "content": {"reason": withdrawal.reason},
            "calendar": withdrawal.calendar.model_dump(mode="json") if withdrawal.calendar else None,
        }
        named = {"matter": withdrawal.matter, "revision": withdrawal.revision}
        mailboxes = dict.fromkeys(withdrawal.mailboxes)
        return cls(
            withdrawal.revision,
            withdrawal.reason or reason,
            {**named, **shared, "digest": _digest(shared), "begins_at": _begins_at(withdrawal.calendar)},
            [{"id": str(thread_of(withdrawal.matter, one)), "mailbox": one, **named} for one in mailboxes],
            told=not withdrawal.told_elsewhere,
        )


def _digest(shared: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()


def _begins_at(entry: CalendarEntry | None) -> str | None:
    return begins_at(entry).isoformat() if entry else None


def _row(batch: MessageBatch, digest: str, index: int) -> dict[str, Any]:
    recipient = batch.recipients[index]
    return {
        "thread_id": str(thread_of(batch.matter, recipient.mailbox)),
        "revision": batch.revision,
        "matter": batch.matter,
        "wave": batch.wave,
        "mailbox": recipient.mailbox,
        "lane": lanes.number(batch.lane),
        "digest": digest,
        "officials": recipient.officials,
        "part": recipient.model_dump(mode="json", include=PART_FIELDS, exclude_defaults=True),
    }


def registrations(batches: Sequence[MessageBatch]) -> Iterator[Registration]:
    """All batches in as few registrations as may be, in their order."""
    current = Registration()
    for batch in batches:
        following = current.add(batch)
        if following is not None:
            yield current
            current = following
    if current.messages:
        yield current
