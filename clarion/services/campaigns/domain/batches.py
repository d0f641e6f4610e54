"""The messages of a fan-out: who gets which batch, and what of it other hearings tell them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from clarion.schemas.messages import Ask, CalendarEntry, CallContent, Fact, MessageBatch, Reason, Recipient, Withdrawal
from clarion.schemas.roles import LETTER_ROLES
from clarion.services.campaigns.domain import words
from clarion.services.campaigns.domain.amending import BILL, NOT_CONCERNED
from clarion.services.campaigns.domain.decision import letters_open, not_after
from clarion.services.campaigns.domain.model import Asked, Division, Reasons, Withdrawn

RECIPIENTS_PER_MESSAGE = 250
BYTES_PER_MESSAGE = 900_000
MAILBOXES_PER_WITHDRAWAL = 1_000
DAY = timedelta(hours=24)
LAST_DAY = "Less than a day is left."


@dataclass(frozen=True, slots=True)
class Message:
    """What all calls of a campaign have in common at the told revision.

    `arrivals` are bills that came from another hearing, `departures` those that went to one. `paragraphs` are the
    divisions' own, `letter_roles` those whose holders are asked for what is the `first_ask`; None are all.
    """

    campaign: str
    revision: int
    facts_revision: int
    jurisdiction: str
    facts: Sequence[Fact]
    content: CallContent
    calendar: CalendarEntry | None
    calling: bool
    withdrawal: str
    arrivals: Sequence[Mapping[str, str]]
    departures: Sequence[Mapping[str, str]]
    letters_due_at: datetime | None
    ends_at: datetime
    told_until: datetime
    cities: Mapping[str, Reasons]
    paragraphs: Mapping[str, str]
    first_ask: str
    heard: bool
    letter_roles: Sequence[str] | None

    @property
    def matter(self) -> str:
        """Under which its threads stand."""
        return f"campaign:{self.campaign}"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """By mailbox: bills for which it is called at another hearing, and other hearings for which it was called."""

    called: Mapping[str, set[str]] = field(default_factory=dict)
    came: Mapping[str, set[str]] = field(default_factory=dict)


def message_from(row: Mapping[str, Any], cities: Mapping[str, Reasons], paragraphs: Mapping[str, str]) -> Message:
    """The message of a campaign's row."""
    said = row["message"]
    calendar = said.get("calendar")
    return Message(
        campaign=row["id"],
        revision=max(1, row["told_revision"]),
        facts_revision=row["facts_revision"],
        jurisdiction=row["jurisdiction"],
        facts=[Fact.model_validate(fact) for fact in said["facts"]],
        content=CallContent.model_validate(said["content"]),
        calendar=CalendarEntry.model_validate(calendar) if calendar else None,
        calling=said.get("calling", True),
        withdrawal=said.get("withdrawal", NOT_CONCERNED),
        arrivals=said.get("arrivals", []),
        departures=said.get("departures", []),
        letters_due_at=row["letters_due_at"],
        ends_at=row["ends_at"],
        told_until=row["told_until"] or row["ends_at"],
        cities=cities,
        paragraphs=paragraphs,
        first_ask=said.get("first_ask", "letter"),
        heard=said.get("heard", True),
        letter_roles=said.get("letter_roles", sorted(LETTER_ROLES)),
    )


def batches_of(
    message: Message,
    asked: Iterable[Asked],
    divisions: Mapping[str, Division],
    elsewhere: Elsewhere,
    now: datetime,
) -> Iterator[tuple[int, MessageBatch]]:
    """Batches with their bucket: one wave each, and apart where letters end before the hearing."""
    apart = message.letters_due_at is not None

    def batch_key(each: Asked) -> tuple[int, str, bool]:
        return each.bucket, each.division, each.letter and apart

    recipients = Recipients(message, elsewhere)
    shared = _shared_bytes(message)
    for (bucket, slug, letter), group in groupby(sorted(asked, key=batch_key), key=batch_key):
        division = divisions.get(slug)
        until = _not_after(message, now, letter=letter)
        batch = MessageBatch(
            matter=message.matter,
            revision=message.revision,
            template="call",
            subscription="calls",
            lane="call",
            reply_to=words.contact(division),
            not_after=until,
            facts=list(message.facts),
            content=_content(message, division, slug, now) | _urgency(message, until, now),
            calendar=message.calendar,
            wave=slug,
            recipients=[],
        )
        for chunk in _chunks([recipients.of(each) for each in group], shared):
            yield bucket, batch.model_copy(update={"recipients": chunk})


def _not_after(message: Message, now: datetime, *, letter: bool) -> datetime:
    if not message.calling:
        return message.told_until
    return not_after(message.letters_due_at, message.ends_at, now, letter=letter)


def _urgency(message: Message, until: datetime, now: datetime) -> dict[str, str]:
    """What is said where little time is left for what is asked."""
    return {"urgent_note": LAST_DAY} if message.calling and until - now < DAY else {}


def withdrawals_of(
    message: Message, withdrawn: Sequence[Withdrawn], elsewhere: Elsewhere
) -> Iterator[tuple[int, Withdrawal]]:
    """Withdrawals with their bucket; apart for those who hear of it from another hearing."""
    calendar = message.calendar.model_copy(update={"method": "CANCEL"}) if message.calendar else None

    def place(each: Withdrawn) -> tuple[int, bool, str]:
        return each.bucket, bool(elsewhere.called.get(each.mailbox)), each.reason or message.withdrawal

    for (bucket, told_elsewhere, reason), group in groupby(sorted(withdrawn, key=place), key=place):
        mailboxes = [each.mailbox for each in group]
        for start in range(0, len(mailboxes), MAILBOXES_PER_WITHDRAWAL):
            yield (
                bucket,
                Withdrawal(
                    matter=message.matter,
                    revision=message.revision,
                    mailboxes=mailboxes[start : start + MAILBOXES_PER_WITHDRAWAL],
                    reason=reason,
                    calendar=calendar,
                    told_elsewhere=told_elsewhere,
                ),
            )


def _content(message: Message, division: Division | None, slug: str, now: datetime) -> dict[str, Any]:
    content = message.content.model_copy(
        update={
            "division": division and division.name,
            "letters_open": letters_open(message.letters_due_at, now),
            "paragraph": message.paragraphs.get(slug),
        }
    )
    return content.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Wording:
    """What a mailbox is told for its cities, and how long that is on the wire at most."""

    bills: Sequence[str]
    reasons: list[Reason]
    asks: list[Ask]
    length: int


class Recipients:
    """Makes recipients, with how long each is on the wire; what is equal for all of a city is made once."""

    def __init__(self, message: Message, elsewhere: Elsewhere) -> None:
        self._message = message
        self._elsewhere = elsewhere
        self._wordings: dict[tuple[tuple[str, ...], bool, bool, bool], Wording] = {}

    def of(self, asked: Asked) -> tuple[Recipient, int]:
        """The recipient of a mailbox, with its reasons and what it is asked for. Its values were validated before."""
        key = asked.cities, asked.letter, asked.phone, asked.testimony
        wording = self._wordings.get(key)
        if wording is None:
            wording = self._wordings[key] = self._wording(asked)
        own = [*self._moved(asked.mailbox, wording.bills), *asked.own]
        elsewhere = self._told_elsewhere(asked.mailbox)
        recipient = Recipient.of_valid(
            mailbox=asked.mailbox,
            officials=list(asked.officials),
            address=None,
            name=None,
            reasons=[*own, *wording.reasons] if own else wording.reasons,
            asks=wording.asks,
            told_elsewhere=elsewhere,
        )
        length = wording.length + texts_bytes(asked.officials)
        if own or elsewhere:
            length += reasons_bytes(own) + texts_bytes(elsewhere)
        return recipient, length

    def _wording(self, asked: Asked) -> Wording:
        cities = [self._message.cities[city] for city in asked.cities]
        bills = [each.bill for each in self._message.content.bills if any(each.bill in c["bills"] for c in cities)]
        reasons = words.reasons_told(cities, self._message.jurisdiction)
        asks = words.asks(asked, bills, self._message.first_ask)
        return Wording(
            bills, reasons, asks, 170 + reasons_bytes(reasons) + sum(37 + texts_bytes([a.bill]) for a in asks)
        )

    def _told_elsewhere(self, mailbox: str) -> list[str]:
        called = self._elsewhere.called.get(mailbox)
        return [f"{BILL}{bill}"[:200] for bill in sorted(called)] if called else []

    def _moved(self, mailbox: str, bills: Sequence[str]) -> list[Reason]:
        came = self._elsewhere.came.get(mailbox)
        if not came:
            return []
        return [
            Reason(kind="moved", text=each["text"])
            for each in self._message.arrivals
            if each["hearing"] in came and each["bill"] in bills
        ]


def _shared_bytes(message: Message) -> int:
    shared = len(message.content.model_dump_json()) + sum(len(fact.text) + 100 for fact in message.facts)
    return shared + (len(message.calendar.model_dump_json()) if message.calendar else 0)


def _chunks(recipients: Iterable[tuple[Recipient, int]], shared: int) -> Iterator[list[Recipient]]:
    chunk: list[Recipient] = []
    size = shared
    for recipient, length in recipients:
        if chunk and (len(chunk) == RECIPIENTS_PER_MESSAGE or size + length > BYTES_PER_MESSAGE):
            yield chunk
            chunk, size = [], shared
        chunk.append(recipient)
        size += length
    if chunk:
        yield chunk


def texts_bytes(texts: Iterable[str]) -> int:
    """About how long texts are in a list on the wire, never less."""
    return sum(len(text.encode()) + 3 for text in texts)


def reasons_bytes(reasons: Iterable[Reason]) -> int:
    """The same of reasons."""
    return sum(len(reason.text.encode()) + 40 for reason in reasons)
