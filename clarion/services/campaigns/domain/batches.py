"""The messages of a fan-out: who gets which batch, and what of it other hearings tell them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from pydantic import PrivateAttr

from clarion.schemas.messages import CalendarEntry, CallContent, Fact, MessageBatch, Reason, Withdrawal
from clarion.schemas.roles import LETTER_ROLES
from clarion.services.campaigns.domain import words
from clarion.services.campaigns.domain.amending import BILL, NOT_CONCERNED
from clarion.services.campaigns.domain.decision import letters_open, not_after
from clarion.services.campaigns.domain.model import Asked, Division, Withdrawn

RECIPIENTS_PER_MESSAGE = 250
BYTES_PER_MESSAGE = 900_000
PLACE_BYTES = 24
"""What the number of what it has in common takes in a recipient, and the commas."""
MAILBOXES_PER_WITHDRAWAL = 1_000
DAY = timedelta(hours=24)
LAST_DAY = "Less than a day is left."

_to_json = json.JSONEncoder(ensure_ascii=False).encode


class City(NamedTuple):
    """A city of a campaign, with its reasons as JSON: they are read where they are told."""

    name: str
    bills: tuple[str, ...]
    reasons: str


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
    cities: Mapping[str, City]
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


def message_from(row: Mapping[str, Any], cities: Mapping[str, City], paragraphs: Mapping[str, str]) -> Message:
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
    recipients = Recipients(message, elsewhere)
    together: dict[tuple[int, str, bool], list[Written]] = defaultdict(list)
    for each in asked:
        together[each.bucket, each.division, each.letter and apart].append(recipients.written(each))
    frames = {
        (slug, letter): _frame(message, slug, divisions.get(slug), now, letter=letter)
        for slug, letter in {(slug, letter) for _, slug, letter in together}
    }
    for (bucket, slug, letter), written in sorted(together.items()):
        frame = frames[slug, letter]
        for chunk in _chunks(written, len(frame.encode())):
            yield bucket, WrittenBatch.of(frame, chunk)


class Written(NamedTuple):
    """A recipient as JSON, all but the last brace; and what it has in common with others, as JSON."""

    recipient: str
    common: str


class WrittenBatch(MessageBatch):
    """A batch as it goes over the wire: what its recipients have in common was written once, and none is an object."""

    _body: str = PrivateAttr("")

    @classmethod
    def of(cls, frame: str, written: Sequence[Written]) -> "WrittenBatch":
        """The batch of recipients that are JSON already; `frame` is a batch without any."""
        places: dict[str, int] = {}
        recipients = [
            f'{each.recipient},"in_common":{places.setdefault(each.common, len(places))}}}' for each in written
        ]
        said = f'{frame[:-1]},"in_common":[{",".join(places)}],"recipients":[{",".join(recipients)}]}}'
        return cls.of_valid(_body=said)

    def model_dump_json(self, **_: Any) -> str:
        """The batch as JSON."""
        return self._body


def _frame(message: Message, slug: str, division: Division | None, now: datetime, *, letter: bool) -> str:
    """What all of a wave are told, as JSON."""
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
    return batch.model_dump_json(exclude={"recipients", "in_common"})


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
    """What a mailbox is told for its cities: the bills it is about, and the reasons as JSON."""

    bills: Sequence[str]
    reasons: str


class Recipients:
    """Writes recipients as JSON; what is equal for all of a city is written once."""

    def __init__(self, message: Message, elsewhere: Elsewhere) -> None:
        self._message = message
        self._elsewhere = elsewhere
        self._wordings: dict[tuple[str, ...], Wording] = {}
        self._common: dict[tuple[tuple[str, ...], bool, bool, bool], str] = {}

    def written(self, asked: Asked) -> Written:
        """The recipient of a mailbox, with its reasons and what it is asked for. Its values were validated before."""
        key = asked.cities, asked.letter, asked.phone, asked.testimony
        common = self._common.get(key) or self._common.setdefault(key, self._in_common(asked))
        officials = ",".join(map(_to_json, asked.officials))
        said = f'{{"mailbox":"{asked.mailbox}","officials":[{officials}]'
        if asked.own or self._elsewhere.came:
            said += f',"reasons":[{",".join(self._own(asked))}]'
        if self._elsewhere.called:
            said += f',"told_elsewhere":[{self._told_elsewhere(asked.mailbox)}]'
        return Written(said, common)

    def _in_common(self, asked: Asked) -> str:
        wording = self._worded(asked.cities)
        asks = ",".join(each.model_dump_json() for each in words.asks(asked, wording.bills, self._message.first_ask))
        return f'{{"reasons":[{wording.reasons}],"asks":[{asks}]}}'

    def _worded(self, cities: tuple[str, ...]) -> Wording:
        if cities not in self._wordings:
            found = tuple(self._message.cities[city] for city in cities)
            about = {bill for city in found for bill in city.bills}
            bills = [each.bill for each in self._message.content.bills if each.bill in about]
            self._wordings[cities] = Wording(bills, _reasons_told(found, self._message.jurisdiction))
        return self._wordings[cities]

    def _own(self, asked: Asked) -> list[str]:
        own = [*self._moved(asked.mailbox, self._worded(asked.cities).bills), *asked.own]
        return [each.model_dump_json() for each in own]

    def _told_elsewhere(self, mailbox: str) -> str:
        called = self._elsewhere.called.get(mailbox, ())
        return ",".join(_to_json(f"{BILL}{bill}"[:200]) for bill in sorted(called))

    def _moved(self, mailbox: str, bills: Sequence[str]) -> list[Reason]:
        came = self._elsewhere.came.get(mailbox)
        if not came:
            return []
        return [
            Reason(kind="moved", text=each["text"])
            for each in self._message.arrivals
            if each["hearing"] in came and each["bill"] in bills
        ]


@lru_cache(maxsize=1_024)
def _reasons_told(cities: tuple[City, ...], jurisdiction: str) -> str:
    """The reasons of these cities as JSON; they come again with each transaction of a fan-out."""
    found = [{"name": city.name, "reasons": json.loads(city.reasons)} for city in cities]
    return ",".join(each.model_dump_json() for each in words.reasons_told(found, jurisdiction))


def _chunks(written: Iterable[Written], shared: int) -> Iterator[list[Written]]:
    """Recipients by message; `shared` is how many bytes else there are in each."""
    chunk: list[Written] = []
    known: set[str] = set()
    size = shared
    for each in written:
        own = len(each.recipient.encode()) + PLACE_BYTES
        length = own if each.common in known else own + len(each.common.encode())
        if chunk and (len(chunk) == RECIPIENTS_PER_MESSAGE or size + length > BYTES_PER_MESSAGE):
            yield chunk
            chunk, known, size = [], set(), shared
            length = own + len(each.common.encode())
        chunk.append(each)
        known.add(each.common)
        size += length
    if chunk:
        yield chunk
