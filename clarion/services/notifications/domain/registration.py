"""What a request for messages becomes in the ledger."""

import hashlib
import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clarion.schemas.messages import CalendarEntry, MessageBatch, Recipient, Withdrawal
from clarion.services.notifications.domain import lanes
from clarion.services.notifications.domain.calendar import begins_at
from clarion.services.notifications.domain.commons import kept
from clarion.services.notifications.domain.messages import WITHDRAWAL, thread_key

SHARED_FIELDS = {"template", "lane", "subscription", "reply_to", "not_after", "facts", "content", "calendar"}


@dataclass(slots=True)
class Asked:
    """Threads at the revisions they are asked for, column by column; `shared` has what those of a batch have in common.

    `shares` tells for each thread which of `shared` is its own; each of those names its first and last place, from 1.
    """

    shared: list[dict[str, Any]] = field(default_factory=list)
    shares: list[int] = field(default_factory=list)
    thread_ids: list[str] = field(default_factory=list)
    mailboxes: list[str] = field(default_factory=list)

    def add(self, threads: Mapping[str, str], **shared: Any) -> None:
        """Take in mailboxes by their threads."""
        places = {"first": len(self.shares) + 1, "last": len(self.shares) + len(threads)}
        self.shares += [len(self.shared)] * len(threads)
        self.shared.append({"share": len(self.shared), **places, **shared})
        self.thread_ids += threads
        self.mailboxes += threads.values()

    @property
    def matters(self) -> list[str]:
        """What they are about, each once."""
        return list({each["matter"] for each in self.shared})

    @property
    def columns(self) -> dict[str, Any]:
        """All of it by name."""
        return {
            "shared": self.shared,
            "shares": self.shares,
            "thread_ids": self.thread_ids,
            "mailboxes": self.mailboxes,
        }

    def named(self, ids: Mapping[tuple[str, str], str]) -> "Asked":
        """The same, with the threads of these matters and mailboxes by these ids."""
        threads = zip(self.shares, self.mailboxes, self.thread_ids, strict=True)
        named = [ids.get((self.shared[share]["matter"], mailbox), made) for share, mailbox, made in threads]
        return Asked(self.shared, self.shares, named, self.mailboxes)

    def only(self, threads: Container[str]) -> "Asked":
        """The same, of these threads alone."""
        kept = [place for place, thread in enumerate(self.thread_ids) if thread in threads]
        return Asked(
            self.shared,
            [self.shares[place] for place in kept],
            [self.thread_ids[place] for place in kept],
            [self.mailboxes[place] for place in kept],
        )


@dataclass(slots=True)
class Registration:
    """Rows for the ledger's tables; each thread and revision stands in it once.

    `officials` are PostgreSQL's array literals, `parts` the recipients of each batch as a JSON array. `commons` are
    what several have in common, by the ids that stand in `common_ids`: each its matter, and itself as JSON.
    """

    contents: dict[tuple[str, int, str], dict[str, Any]] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)
    officials: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    common_ids: list[str | None] = field(default_factory=list)
    commons: dict[str, tuple[str, str]] = field(default_factory=dict)
    _known: set[tuple[str, int]] = field(default_factory=set)

    def add(self, batch: MessageBatch) -> "Registration | None":
        """Take a batch in, or give it back in a registration of its own if it names a thread and revision again."""
        recipients = {thread_key(batch.matter, one.mailbox): one for one in batch.recipients}
        keys = {(thread, batch.revision) for thread in recipients}
        if not self._known.isdisjoint(keys):
            return Registration._of(batch)
        shared = batch.model_dump(mode="json", include=SHARED_FIELDS)
        digest = _digest(shared)
        named = {"matter": batch.matter, "revision": batch.revision, "digest": digest}
        self.contents[batch.matter, batch.revision, digest] = {
            **named,
            "begins_at": _begins_at(batch.calendar),
            **shared,
        }
        self._known |= keys
        threads = {thread: one.mailbox for thread, one in recipients.items()}
        self.asked.add(threads, **named, wave=batch.wave, lane=lanes.number(batch.lane))
        self.officials += [array_literal(one.officials) for one in recipients.values()]
        self._keep(batch.matter, list(recipients.values()))
        return None

    def _keep(self, matter: str, recipients: Sequence[Recipient]) -> None:
        parts, common_ids, commons = kept(matter, recipients)
        self.parts.append(parts)
        self.common_ids += common_ids
        self.commons |= {common_id: (matter, part) for common_id, part in commons.items()}

    @classmethod
    def _of(cls, batch: MessageBatch) -> "Registration":
        made = cls()
        made.add(batch)
        return made


def array_literal(texts: Sequence[str]) -> str:
    """Texts as PostgreSQL writes an array of them."""
    return "{" + ",".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts) + "}"


@dataclass(frozen=True, slots=True)
class Ending:
    """Rows for a withdrawal: what its messages say, and the threads that it may concern.

    With `told` those who were told before are told that it ended.
    """

    revision: int
    reason: str
    content: dict[str, Any]
    asked: Asked
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
        asked = Asked()
        asked.add({thread_key(withdrawal.matter, one): one for one in withdrawal.mailboxes}, **named)
        return cls(
            withdrawal.revision,
            withdrawal.reason or reason,
            {**named, **shared, "digest": _digest(shared), "begins_at": _begins_at(withdrawal.calendar)},
            asked,
            told=not withdrawal.told_elsewhere,
        )


def _digest(shared: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()


def _begins_at(entry: CalendarEntry | None) -> str | None:
    return begins_at(entry).isoformat() if entry else None


def registrations(batches: Sequence[MessageBatch]) -> Iterator[Registration]:
    """All batches in as few registrations as may be, in their order."""
    current = Registration()
    for batch in batches:
        following = current.add(batch)
        if following is not None:
            yield current
            current = following
    if current.parts:
        yield current
