"""A claimed message and to whom it may go."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from clarion.schemas.messages import Ask, CalendarEntry, Contact, Fact, Reason, Recipient
from clarion.services.notifications.domain.addresses import written
from clarion.services.notifications.domain.states import State

PATIENCE = timedelta(minutes=10)
"""How long a message waits for officials that the directory has not told of yet; topics are not ordered."""

NO_OFFICIAL = "no such official in the directory"
LEFT = "left, or no longer has this mailbox"
MALFORMED = "the address is malformed"
WAITING_FOR_DIRECTORY = "waiting for the directory"

WITHDRAWAL = "withdrawal"
"""The template of a message that says that a matter no longer concerns its reader."""
CANCELLED = "cancelled"
TRIAL = "wording:"
"""What the matters of mails begin with that only try a wording out."""


def thread_of(matter: str, mailbox: str) -> UUID:
    """The thread of a matter with a mailbox: always the same, so that a replay finds it again.

    A thread from before ids began with their matter keeps another: `notifications.threads` gives the one it has.
    """
    return UUID(thread_key(matter, mailbox))


def thread_key(matter: str, mailbox: str) -> str:
    """The same in 32 hexadecimal digits, where a batch of them is only handed on to the database."""
    return matter_key(matter) + hashlib.sha256(f"{matter}\n{mailbox}".encode()).hexdigest()[:20]


@lru_cache(maxsize=1_024)
def matter_key(matter: str) -> str:
    """The twelve digits with which all threads of a matter begin, so that they are neighbours in the indexes."""
    return hashlib.sha256(matter.encode()).hexdigest()[:12]


def message_name(thread_id: UUID, revision: int, resend: int = 0) -> str:
    """The name of a message, by which `deliveries show` finds it; one that staff had sent again has its number."""
    return f"{thread_id.hex}.{revision}" + (f".{resend}" if resend else "")


class Official(NamedTuple):
    """An official as the directory last told."""

    id: str
    name: str
    email: str
    mailbox: str
    city: str | None
    roles: tuple[str, ...]
    active: bool


class Claimed(NamedTuple):
    """A ledger row that a worker holds. `claim` counts its claims and tells a late word from a current one.

    `grounds` is the edition of what could forbid it at its claim, when nothing did; None if something may.
    """

    thread_id: UUID
    revision: int
    matter: str
    mailbox: str
    lane: int
    content_id: int
    subscription: str | None
    recipient: Recipient
    not_after: datetime | None
    queued_at: datetime
    claim: int
    attempts: int
    doubts: int
    resend: int = 0
    grounds: int | None = None

    @property
    def id(self) -> str:
        """The name of the message: its thread, revision and, if it was sent again, the number of that."""
        return message_name(self.thread_id, self.revision, self.resend)


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What the messages of one matter, revision and wave share; known by itself, since it is read once for them all."""

    id: int
    matter: str
    template: str
    reply_to: Contact | None
    content: Mapping[str, Any]
    facts: tuple[Fact, ...] = ()
    calendar: CalendarEntry | None = None
    edition: int = 0
    """Of the wordings, the newest when it was asked for; 0: the project's own."""

    @property
    def tried_out(self) -> bool:
        """Whether it is only sent to see what a wording makes of it."""
        return self.matter.startswith(TRIAL)

    @property
    def withdrawn(self) -> bool:
        """Whether all it says is that the matter no longer concerns its reader."""
        return self.template == WITHDRAWAL

    @property
    def called_off(self) -> bool:
        """Whether it calls to nothing any more; a registration always has a state worth telling."""
        if self.template != "call":
            return False
        cancelled = self.calendar is not None and self.calendar.method == "CANCEL"
        return cancelled or any(fact.key == "status" and fact.text.casefold() == CANCELLED for fact in self.facts)

    def worded_as(self, before: str | None) -> str:
        """The template in whose words it is told; `before` is the one in which its matter was told last."""
        if self.withdrawn:
            return before if before == "registration" else "over"
        return "over" if self.called_off else self.template


class Addressed(NamedTuple):
    """The address to which a message goes and the people it names."""

    address: str
    officials: tuple[Official, ...]
    name: str | None = None

    def only(self, readers: Collection[str]) -> "Addressed":
        """The same, for these officials alone."""
        officials = tuple(official for official in self.officials if official.id in readers)
        return Addressed(self.address, officials, officials[0].name if len(officials) == 1 else None)


@dataclass(frozen=True, slots=True)
class NotYet:
    """The directory has not told of all its officials yet; looked at again after `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NotSent:
    """It ends here: `unneeded` where nobody is left to get it, `failed` where its address cannot be written to."""

    state: State
    reason: str


Addressing = Addressed | NotYet | NotSent


def address(message: Claimed, known: Mapping[str, Official], now: datetime) -> Addressing:
    """To whom a message goes: those of its officials who still have the mailbox, or the address it came with."""
    recipient = message.recipient
    if not recipient.officials and recipient.address:
        return reachable(recipient.address, (), recipient.name)
    found = [known[one] for one in recipient.officials if one in known]
    if len(found) < len(recipient.officials) and (waited := now - message.queued_at) < PATIENCE:
        return NotYet(min(60.0, max(1.0, waited.total_seconds() / 2)))
    readers = tuple([official for official in found if official.active and official.mailbox == message.mailbox])
    if not readers:
        return NotSent("unneeded", LEFT if found else NO_OFFICIAL)
    return reachable(readers[0].email, readers, readers[0].name if len(readers) == 1 else None)


def reachable(to: str, officials: tuple[Official, ...], name: str | None) -> Addressed | NotSent:
    """An address that can stand in an SMTP command."""
    address = written(to)
    return NotSent("failed", MALFORMED) if address is None else Addressed(address, officials, name)


class Common(NamedTuple):
    """What a recipient is told and asked as others of its batch are."""

    reasons: list[Reason]
    asks: list[Ask]


NOTHING = Common([], [])
NOTHING_ELSE: Sequence[Mapping[str, Any]] = ({},)
"""The parts of one recipient who has all in common with others."""


def joined(
    mailbox: str, officials: Sequence[str], parts: Sequence[Mapping[str, Any]], common: Common = NOTHING
) -> Recipient:
    """The recipients of one mailbox that came in several batches as one: everyone named, each reason and ask once.

    `common` is what the first of them has in common with others.
    """
    first = recipient_of(mailbox, officials, parts[0], common)
    if len(parts) == 1:
        return first
    recipients = [first, *(recipient_of(mailbox, officials, part) for part in parts[1:])]
    return first.model_copy(
        update={
            "officials": list(dict.fromkeys(officials)),
            "reasons": list({(r.kind, r.text): r for part in recipients for r in part.reasons}.values()),
            "asks": list({(a.kind, a.bill): a for part in recipients for a in part.asks}.values()),
            "told_elsewhere": list(dict.fromkeys(key for part in recipients for key in part.told_elsewhere)),
        }
    )


def recipient_of(
    mailbox: str, officials: Sequence[str], part: Mapping[str, Any], common: Common = NOTHING
) -> Recipient:
    """A recipient as the ledger keeps it, which was validated when it was asked for."""
    get = part.get
    own = common_of(part) if part else common
    return Recipient.of_valid(
        mailbox=mailbox,
        officials=officials,
        address=get("address"),
        name=get("name"),
        reasons=own.reasons or common.reasons,
        asks=own.asks or common.asks,
        told_elsewhere=get("told_elsewhere", []),
        in_common=None,
    )


def common_of(part: Mapping[str, Any]) -> Common:
    """What is told and asked of a part, or of what parts have in common."""
    return Common(
        [_reason(one["kind"], one["text"]) for one in part.get("reasons", ())],
        [_ask(one["kind"], one["bill"]) for one in part.get("asks", ())],
    )


@lru_cache(maxsize=4_096)
def _reason(kind: str, text: str) -> Reason:
    """Most of a matter's recipients share theirs."""
    return Reason.of_valid(kind=kind, text=text)


@lru_cache(maxsize=4_096)
def _ask(kind: str, bill: str) -> Ask:
    return Ask.of_valid(kind=kind, bill=bill)
