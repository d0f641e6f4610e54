"""What sources say: one update, what is wrong with it, and what became of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from pydantic import BaseModel

from clarion.schemas.legislation import (
    BillUpdate,
    HearingCalendar,
    HearingCancellation,
    HearingNotice,
    bill_key,
)
from clarion.services.legislation.zones import EARLIEST_YEAR, LATEST_YEAR, out_of_reach, unknown_jurisdiction

AHEAD_SECONDS = 300
"""How far a source's clock may be ahead before its `time` is not believed."""
BILL_KEY_LENGTH = 200

Alias = tuple[str, str]
"""A jurisdiction and the id that sources give a hearing there; of a bill, the id that it has here."""
Notice = HearingNotice | BillUpdate
"""The whole of a hearing or of a bill, as a source knows it."""


class Outcome(StrEnum):
    """What became of an update."""

    RECEIVED = "received"
    ALERTED = "alerted"
    WAITING = "waiting"
    """It withdraws something, which may yet appear elsewhere."""
    UNCHANGED = "unchanged"
    OUTDATED = "outdated"
    """The source has said something newer."""
    RECORDED = "recorded"
    """Kept, and nothing of it is for readers now."""
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Mark:
    """When a source said something: by its own count, where it keeps one, and by the clock."""

    at: datetime
    sequence: int | None = None

    def overtakes(self, other: "Mark") -> bool:
        """Whether this is newer than what was heard before it; of equal times the one that came later is."""
        if self.sequence is not None and other.sequence is not None:
            return self.sequence > other.sequence
        return self.at >= other.at


@dataclass(frozen=True)
class Statement:
    """One update as it was received: who says what. `data` is None for a record without a body."""

    source: str
    event_id: str
    type: str
    data: BaseModel | None
    received_at: datetime
    time: datetime | None = None

    @property
    def stated_at(self) -> datetime:
        """When the source says it said so, or when it was received if that cannot be believed."""
        latest = self.received_at + timedelta(seconds=AHEAD_SECONDS)
        if self.time is None or out_of_reach(self.time) or self.time > latest:
            return self.received_at
        return self.time

    @cached_property
    def rejection(self) -> str | None:
        """Why nothing can be made of it, whatever is known, or None."""
        if self.data is None:
            return "the record has no body"
        wrong = [f"{field}: {message}" if field else message for field, message in mistakes(self.data)]
        return "; ".join(wrong[:10]) or None

    @cached_property
    def body(self) -> str | None:
        """What it says, as JSON."""
        return self.data.model_dump_json() if self.data is not None else None


@dataclass(frozen=True, slots=True)
class Said:
    """What a source says of one hearing: a notice, or (without one) that it is cancelled or on its list no more. Of a
    bill it is always a notice.
    """

    alias: Alias
    source: str
    mark: Mark
    notice: Notice | None = None
    is_absence: bool = False

    @classmethod
    def of(cls, statement: Statement, data: HearingNotice | HearingCancellation) -> "Said":
        """The one thing that a statement about a single hearing says."""
        return cls(
            alias=(data.jurisdiction, data.hearing_id),
            source=statement.source,
            mark=Mark(statement.stated_at, data.sequence),
            notice=data if isinstance(data, HearingNotice) else None,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a statement, why, and which hearing it is about; of a list, for which hearings it waits."""

    outcome: Outcome
    note: str | None = None
    hearing_id: str | None = None
    waits_for: tuple[str, ...] = ()


def mistakes(data: BaseModel | None) -> Iterator[tuple[str, str]]:
    """What is wrong with a body that has the right types: pairs of field and message."""
    if not isinstance(data, HearingNotice | HearingCancellation | HearingCalendar | BillUpdate):
        yield "", "there is no such body"
        return
    unknown = unknown_jurisdiction(data.jurisdiction)
    if unknown is not None:
        yield "jurisdiction", unknown
    if isinstance(data, HearingNotice):
        yield from notice_mistakes(data)
    if isinstance(data, BillUpdate):
        yield from bill_mistakes("bill", data.bill)
    if isinstance(data, HearingCalendar):
        for place, notice in enumerate(data.hearings):
            if notice.jurisdiction != data.jurisdiction:
                yield f"hearings[{place}].jurisdiction", "is not the calendar's"
            for field, message in notice_mistakes(notice):
                yield f"hearings[{place}].{field}", message


def notice_mistakes(notice: HearingNotice) -> Iterator[tuple[str, str]]:
    """What is wrong with a notice, its jurisdiction apart."""
    for field in ("starts_at", "letters_due_at"):
        value = getattr(notice, field)
        if value is not None and out_of_reach(value):
            yield field, f"the year {value.year} is not between {EARLIEST_YEAR} and {LATEST_YEAR}"
    for place, item in enumerate(notice.agenda):
        yield from bill_mistakes(f"agenda[{place}].bill", item.bill)


def bill_mistakes(field: str, bill: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the number of a bill."""
    if not 0 < len(bill_key(bill)) <= BILL_KEY_LENGTH:
        yield field, f"{bill[:50]!r} is not the number of a bill"
