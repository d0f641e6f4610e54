"""What integrations publish about hearings, and the alert that Clarion makes of it."""

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from clarion.schemas.text import ISO_DATE, Contract, Identifier, Instant, Line, Text, iso_text


def date_or_time(value: Any) -> Any:
    """Keep `2027-04-21` a date; pydantic alone would read it as midnight."""
    iso_text(value)
    return date.fromisoformat(value.strip()) if isinstance(value, str) and ISO_DATE.fullmatch(value.strip()) else value


Start = Annotated[datetime | date, BeforeValidator(date_or_time)]
"""A time (without an offset it is the jurisdiction's), or a date alone."""


def without_blank(value: Any) -> Any:
    """Read an empty text as absent."""
    return None if isinstance(value, str) and not value.strip() else value


def iso_date(value: Any) -> Any:
    """Let only a date alone pass: of a time, the day would depend on the zone."""
    if isinstance(value, str) and ISO_DATE.fullmatch(value.strip()):
        return date.fromisoformat(value.strip())
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError("a date is a text such as 2027-03-03")


Day = Annotated[date, BeforeValidator(iso_date)]
OptionalLine = Annotated[Line | None, BeforeValidator(without_blank)]
Sequence = Annotated[int, Field(strict=True, ge=0, le=2**53)]
"""A source's own count of what it said; neither a text nor a truth value is one."""


class CommitteeReference(Contract):
    """A committee as a source names it. `chamber` is upper, lower or joint; others are kept as text."""

    name: Line
    chamber: OptionalLine = None
    id: OptionalLine = None


class Location(Contract):
    """Where a hearing is held."""

    name: OptionalLine = None
    url: OptionalLine = None
    remote: OptionalLine = None


class AgendaItem(Contract):
    """A bill on a hearing's agenda."""

    bill: Line
    title: OptionalLine = None
    author: OptionalLine = None


class HearingNotice(Contract):
    """The whole of a hearing as its source knows it: `hearing.scheduled` and `hearing.rescheduled`."""

    hearing_id: Identifier
    jurisdiction: Identifier
    session: Identifier
    committee: CommitteeReference
    starts_at: Start
    time_note: OptionalLine = None
    sequence: Sequence | None = None
    location: Location | None = None
    agenda: Annotated[list[AgendaItem], Field(max_length=500)] = Field(default_factory=list)
    letters_due_at: Annotated[datetime, BeforeValidator(iso_text)] | None = None
    notice_url: OptionalLine = None

    @model_validator(mode="after")
    def _date_alone_needs_a_note(self) -> "HearingNotice":
        if not isinstance(self.starts_at, datetime) and self.time_note is None:
            raise ValueError(
                "starts_at is a date without a time: say in time_note when it begins, such as"
                ' "upon adjournment of session"'
            )
        return self


class HearingCancellation(Contract):
    """A hearing that will not be held: `hearing.cancelled`. `sequence` counts on from that of its notices."""

    hearing_id: Identifier
    jurisdiction: Identifier
    sequence: Sequence | None = None
    reason: Text | None = None


MOST_LISTED = 5_000
"""Hearings on one list, at most."""


class HearingCalendar(Contract):
    """A source's whole list of coming hearings for a jurisdiction, or one committee of it."""

    jurisdiction: Identifier
    committee: CommitteeReference | None = None
    hearings: Annotated[list[HearingNotice], Field(max_length=MOST_LISTED)]

    @property
    def listed(self) -> frozenset[str]:
        """The ids of all hearings on the list."""
        return frozenset(notice.hearing_id for notice in self.hearings)


class HearingCalendarPart(HearingCalendar):
    """A part of a list that is too long for one event: some of its hearings, and the ids of all others on it.

    None of those in `also_listed` is withdrawn by it. Parts may come in any order.
    """

    also_listed: Annotated[list[Identifier], Field(max_length=MOST_LISTED)]

    @property
    def listed(self) -> frozenset[str]:
        """The ids of all hearings on the list, also of those that other parts have."""
        return super().listed | frozenset(self.also_listed)


class BillUpdate(Contract):
    """The whole of a bill as its source knows it: `bill.updated`.

    `status` is the stage in the source's words, `text` what happened, `committee` the one that hears the bill next and
    `amended_on` the date of its version in force. What is left out the source does not know.
    """

    jurisdiction: Identifier
    session: Identifier
    bill: Line
    status: Line
    text: Text | None = None
    title: OptionalLine = None
    author: OptionalLine = None
    amended_on: Day | None = None
    committee: CommitteeReference | None = None
    sequence: Sequence | None = None


class HearingAgendaItem(AgendaItem):
    """A bill on the agenda with the key by which positions match it."""

    bill_key: Identifier


class Counterpart(Contract):
    """The other hearing of a bill that went from one to another: `came_from` it, or `went_to` it.

    `when` and `committee` are the other hearing's, ready to be compared and told.
    """

    bill_key: Identifier
    direction: Literal["came_from", "went_to"] | Identifier
    hearing_id: Identifier
    starts_at: Start
    zone: Identifier
    time_note: OptionalLine = None
    committee: CommitteeReference


class HearingAlert(Contract):
    """The full state of one hearing as Clarion knows it; consumers go by it and its revision.

    `changed` names what differs from the revision before: time, place, note, committee, agenda, letters, session,
    cancelled, reinstated. `starts_at` is a time with offset, or a date of `zone` (an IANA name) when only `time_note`
    tells more.
    """

    hearing_id: Identifier
    aliases: list[Identifier]
    revision: Annotated[int, Field(ge=1)]
    status: Literal["scheduled", "cancelled"] | Identifier
    jurisdiction: Identifier
    zone: Identifier
    session: Identifier
    committee: CommitteeReference
    starts_at: Start
    time_note: OptionalLine = None
    location: Location = Field(default_factory=Location)
    agenda: list[HearingAgendaItem]
    letters_due_at: Instant | None = None
    notice_url: OptionalLine = None
    changed: list[Identifier] = Field(default_factory=list)
    counterparts: list[Counterpart] = Field(default_factory=list)

    @field_validator("starts_at")
    @classmethod
    def _has_offset(cls, value: datetime | date) -> datetime | date:
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError("starts_at has no offset")
        return value


class BillProgress(Contract):
    """The full state of one bill as Clarion knows it: `bill.progressed`; consumers go by it and its revision.

    `changed` names what differs from the revision before: status, title, author, amended, committee. `stated_at` is
    when the source whose word holds changed it. A hearing's agenda keeps its own title and author.
    """

    bill_id: Identifier
    revision: Annotated[int, Field(ge=1)]
    jurisdiction: Identifier
    session: Identifier
    bill: Line
    bill_key: Identifier
    status: Line
    text: Text | None = None
    title: OptionalLine = None
    author: OptionalLine = None
    amended_on: Day | None = None
    committee: CommitteeReference | None = None
    stated_at: Instant
    changed: list[Identifier] = Field(default_factory=list)


@lru_cache(maxsize=4_096)
def bill_key(bill: str) -> str:
    """A bill's number as all sources would write it: "sb 079" and "SB79" are both "SB79".

    Letters are made capital; spaces, dots, dashes and leading zeros of each number go.
    """
    compact = re.sub(r"[\s.\-\u2010-\u2015]+", "", bill).upper()
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", compact)
