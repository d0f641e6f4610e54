"""The messages of a fan-out: who gets which batch, and what of it other hearings tell them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from clarion.schemas.messages import Ask, CalendarEntry, CallContent, Fact, MessageBatch, Reason, Recipient, Withdrawal
from clarion.services.campaigns.domain import words
from clarion.services.campaigns.domain.amending import BILL, NOT_CONCERNED
from clarion.services.campaigns.domain.decision import letters_open, not_after
from clarion.services.campaigns.domain.model import Asked, Division, Reasons, Withdrawn

RECIPIENTS_PER_MESSAGE = 250
BYTES_PER_MESSAGE = 900_000
MAILBOXES_PER_WITHDRAWAL = 1_000


@dataclass(frozen=True, slots=True)
class Message:
    """What all calls of a campaign have in common at the told revision.

    `arrivals` are bills that came from another hearing, `departures` those that went to one.
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

    @property
    def matter(self) -> str:
        """Under which its threads stand."""
        return f"campaign:{self.campaign}"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """By mailbox: bills for which it is called at another hearing, and other hearings for which it was called."""

    called: Mapping[str, set[str]] = field(default_factory=dict)
    came: Mapping[str, set[str]] = field(default_factory=dict)


def message_from(row: Mapping[str, Any], cities: Mapping[str, Reasons]) -> Message:
    """The message of a campaign's row."""
    said = row["message"]
    calendar = said.get("calendar")
    return Message(
        campaign=row["id"],
        revision=row["told_revision"],
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
        told_until=row["told_until"],
        cities=cities,
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
    for (bucket, slug, _), group in groupby(sorted(asked, key=batch_key), key=batch_key):
        members = list(group)
        division = divisions.get(slug)
        for chunk in _chunks([recipients.of(each) for each in members], message):
            yield (
                bucket,
                MessageBatch(
                    matter=message.matter,
                    revision=message.revision,
                    template="call",
                    subscription="calls",
                    lane="call",
                    reply_to=words.contact(division),
                    not_after=_not_after(message, now, letter=members[0].letter),
                    facts=list(message.facts),
                    content=_content(message, division, now),
                    calendar=message.calendar,
                    wave=slug,
                    recipients=chunk,
                ),
            )


def _not_after(message: Message, now: datetime, *, letter: bool) -> datetime:
    if not message.calling:
        return message.told_until
    return not_after(message.letters_due_at, message.ends_at, now, letter=letter)


def withdrawals_of(
    message: Message, withdrawn: Sequence[Withdrawn], elsewhere: Elsewhere
) -> Iterator[tuple[int, Withdrawal]]:
    """Withdrawals with their bucket; apart for those who hear of it from another hearing."""
    calendar = message.calendar.model_copy(update={"method": "CANCEL"}) if message.calendar else None

    def place(each: Withdrawn) -> tuple[int, bool]:
        return each.bucket, bool(elsewhere.called.get(each.mailbox))

    for (bucket, told_elsewhere), group in groupby(sorted(withdrawn, key=place), key=place):
        mailboxes = [each.mailbox for each in group]
        for start in range(0, len(mailboxes), MAILBOXES_PER_WITHDRAWAL):
            yield (
                bucket,
                Withdrawal(
                    matter=message.matter,
                    revision=message.revision,
                    mailboxes=mailboxes[start : start + MAILBOXES_PER_WITHDRAWAL],
                    reason=message.withdrawal,
                    calendar=calendar,
                    told_elsewhere=told_elsewhere,
                ),
            )


def _content(message: Message, division: Division | None, now: datetime) -> dict[str, Any]:
    content = message.content.model_copy(
        update={
            "division": division and division.name,
            "letters_open": letters_open(message.letters_due_at, now),
        }
    )
    return content.model_dump(mode="json")


class Recipients:
    """Makes recipients of mailboxes; what is equal for all of a city is made once."""

    def __init__(self, message: Message, elsewhere: Elsewhere) -> None:
        self._message = message
        self._elsewhere = elsewhere
        self._reasons: dict[tuple[str, ...], tuple[list[Reason], list[str]]] = {}
        self._asks: dict[tuple[tuple[str, ...], bool, bool], list[Ask]] = {}

    def of(self, asked: Asked) -> Recipient:
        """The recipient of a mailbox, with its reasons and what it is asked for."""
        if asked.cities not in self._reasons:
            cities = [self._message.cities[city] for city in asked.cities]
            bills = [each.bill for each in self._message.content.bills if any(each.bill in c["bills"] for c in cities)]
            self._reasons[asked.cities] = words.reasons_told(cities, self._message.jurisdiction), bills
        reasons, bills = self._reasons[asked.cities]
        key = (asked.cities, asked.letter, asked.testimony)
        if key not in self._asks:
            self._asks[key] = words.asks(asked, bills)
        return Recipient(
            mailbox=asked.mailbox,
            officials=list(asked.officials),
            reasons=[*self._moved(asked.mailbox, bills), *reasons],
            asks=self._asks[key],
            told_elsewhere=[f"{BILL}{key}"[:200] for key in sorted(self._elsewhere.called.get(asked.mailbox, ()))],
        )

    def _moved(self, mailbox: str, bills: Sequence[str]) -> list[Reason]:
        came = self._elsewhere.came.get(mailbox, set())
        return [
            Reason(kind="moved", text=each["text"])
            for each in self._message.arrivals
            if each["hearing"] in came and each["bill"] in bills
        ]


def _chunks(recipients: Sequence[Recipient], message: Message) -> Iterator[list[Recipient]]:
    shared = len(message.content.model_dump_json()) + sum(len(fact.text) + 100 for fact in message.facts)
    shared += len(message.calendar.model_dump_json()) if message.calendar else 0
    chunk: list[Recipient] = []
    size = shared
    for recipient in recipients:
        length = recipient_bytes(recipient)
        if chunk and (len(chunk) == RECIPIENTS_PER_MESSAGE or size + length > BYTES_PER_MESSAGE):
            yield chunk
            chunk, size = [], shared
        chunk.append(recipient)
        size += length
    if chunk:
        yield chunk


def recipient_bytes(recipient: Recipient) -> int:
    """About how long a recipient is on the wire, never less."""
    officials = sum(len(official.encode()) + 3 for official in recipient.officials)
    reasons = sum(len(reason.text.encode()) + 40 for reason in recipient.reasons)
    elsewhere = sum(len(key.encode()) + 3 for key in recipient.told_elsewhere)
    return 170 + officials + reasons + elsewhere + sum(len(ask.bill.encode()) + 40 for ask in recipient.asks)
