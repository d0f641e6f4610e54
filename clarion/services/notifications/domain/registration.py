"""What a request for messages becomes in the ledger."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from clarion.schemas.messages import MessageBatch
from clarion.services.notifications.domain import lanes
from clarion.services.notifications.domain.messages import thread_of

SHARED_FIELDS = {"template", "lane", "subscription", "reply_to", "not_after", "facts", "content"}
PART_FIELDS = {"officials", "address", "name", "reasons", "asks"}


@dataclass(slots=True)
class Registration:
    """Rows for the ledger's tables; each thread and revision stands in it once."""

    contents: dict[tuple[str, int, str], dict[str, Any]] = field(default_factory=dict)
    threads: list[dict[str, Any]] = field(default_factory=list)
    messages: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    def add(self, batch: MessageBatch) -> "Registration | None":
        """Take a batch in, or give it back in a registration of its own if it names a thread and revision again."""
        shared = batch.model_dump(mode="json", include=SHARED_FIELDS)
        digest = hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()
        rows = [_row(batch, digest, index) for index in range(len(batch.recipients))]
        keys = [(row["thread_id"], batch.revision) for row in rows]
        if self.messages and not self.messages.keys().isdisjoint(keys):
            return Registration._of(batch)
        self.contents[batch.matter, batch.revision, digest] = {
            "matter": batch.matter,
            "revision": batch.revision,
            "digest": digest,
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


def _row(batch: MessageBatch, digest: str, index: int) -> dict[str, Any]:
    recipient = batch.recipients[index]
    return {
        "thread_id": str(thread_of(batch.matter, recipient.mailbox)),
        "revision": batch.revision,
        "matter": batch.matter,
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
