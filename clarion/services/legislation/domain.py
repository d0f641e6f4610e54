"""The rules: what a notice says, whether it says anything new, and what becomes of an update."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from clarion.schemas.legislation import (
    AgendaItem,
    BillUpdate,
    HearingAgendaItem,
    HearingAlert,
    HearingCalendar,
    HearingCancellation,
    HearingNotice,
    Location,
    bill_key,
)
from clarion.services.legislation.zones import (
    EARLIEST_YEAR,
    LATEST_YEAR,
    in_zone,
    out_of_reach,
    unknown_jurisdiction,
    zones,
)

AHEAD_SECONDS = 300
"""How far a source's clock may be ahead before its `time` is not believed."""
BILL_KEY_LENGTH = 200

Alias = tuple[str, str]
"""A jurisdiction and the id that sources give a hearing there."""


class Outcome(StrEnum):
    """What became of an update."""

    RECEIVED = "received"
    ALERTED = "alerted"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
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

    @property
    def alias(self) -> Alias | None:
        """Which hearing it is about, if it is about one."""
        if isinstance(self.data, HearingNotice | HearingCancellation):
            return self.data.jurisdiction, self.data.hearing_id
        return None


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about a statement. `alert` is the hearing's new state, if it has one."""

    outcome: Outcome
    note: str | None = None
    alert: HearingAlert | None = None
    hearing_id: str | None = None


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
    if isinstance(data, HearingCalendar):
        for place, notice in enumerate(data.hearings):
            for field, message in notice_mistakes(notice):
                yield f"hearings[{place}].{field}", message


def notice_mistakes(notice: HearingNotice) -> Iterator[tuple[str, str]]:
    """What is wrong with a notice, its jurisdiction apart."""
    for field in ("starts_at", "letters_due_at"):
        value = getattr(notice, field)
        if value is not None and out_of_reach(value):
            yield field, f"the year {value.year} is not between {EARLIEST_YEAR} and {LATEST_YEAR}"
    for place, item in enumerate(notice.agenda):
        if not 0 < len(bill_key(item.bill)) <= BILL_KEY_LENGTH:
            yield f"agenda[{place}].bill", f"{item.bill[:50]!r} is not the number of a bill"


def read_notice(notice: HearingNotice, hearing_id: str) -> tuple[HearingAlert, list[str]]:
    """The state that a notice without mistakes describes, at revision 1, and what had to be decided to read it."""
    zone = zones()[notice.jurisdiction]
    start = notice.starts_at
    starts_at, start_note = in_zone(start, zone) if isinstance(start, datetime) else (start, None)
    due_at, due_note = in_zone(notice.letters_due_at, zone) if notice.letters_due_at else (None, None)
    alert = HearingAlert(
        hearing_id=hearing_id,
        aliases=[notice.hearing_id],
        revision=1,
        status="scheduled",
        jurisdiction=notice.jurisdiction,
        zone=zone,
        session=notice.session,
        committee=notice.committee,
        starts_at=starts_at,
        time_note=notice.time_note,
        location=notice.location or Location(),
        agenda=agenda(notice.agenda),
        letters_due_at=due_at,
        notice_url=notice.notice_url,
    )
    return alert, [note for note in (start_note, due_note) if note]


def agenda(items: list[AgendaItem]) -> list[HearingAgendaItem]:
    """Each bill once, in the order of the agenda, with its key."""
    keyed: dict[str, HearingAgendaItem] = {}
    for item in items:
        key = bill_key(item.bill)
        keyed.setdefault(key, HearingAgendaItem(**item.model_dump(), bill_key=key))
    return list(keyed.values())


def content(alert: HearingAlert) -> dict[str, Any]:
    """What a reader would act on, in one form for all ways of writing it: equal content is the same statement."""
    start = alert.starts_at
    return {
        "session": folded(alert.session),
        "committee": [folded(part) for part in (alert.committee.chamber, alert.committee.name, alert.committee.id)],
        "starts_at": (start.astimezone(UTC) if isinstance(start, datetime) else start).isoformat(),
        "time_note": folded(alert.time_note),
        "location": [folded(part) for part in (alert.location.name, alert.location.url, alert.location.remote)],
        "agenda": sorted(item.bill_key for item in alert.agenda),
        "letters_due_at": alert.letters_due_at and alert.letters_due_at.astimezone(UTC).isoformat(),
    }


def folded(text: str | None) -> str | None:
    """A text without differences in case and space."""
    return " ".join(text.split()).casefold() if text is not None else None


def differences(known: HearingAlert, told: HearingAlert) -> list[str]:
    """The fields in which two states of a hearing differ."""
    before, after = content(known), content(told)
    return [field for field in before if before[field] != after[field]]


def decide(statement: Statement, known: HearingAlert | None, new_hearing_id: str, now: datetime) -> Decision:
    """What becomes of a statement, given the state of its hearing, if that is known."""
    known_id = known.hearing_id if known else None
    wrong = rejection(statement)
    if wrong is not None:
        return Decision(Outcome.REJECTED, wrong, hearing_id=known_id)
    if statement.type != "hearing.scheduled" or not isinstance(statement.data, HearingNotice):
        return Decision(Outcome.REJECTED, f"amendment not handled yet: {statement.type}", hearing_id=known_id)
    alert, notes = read_notice(statement.data, known_id or new_hearing_id)
    if in_the_past(alert, now):
        notes.append("starts in the past")
    note = "; ".join(notes) or None
    if known is None:
        return Decision(Outcome.ALERTED, note, alert, alert.hearing_id)
    changed = differences(known, alert)
    if not changed:
        return Decision(Outcome.UNCHANGED, note, hearing_id=known_id)
    reason = f"amendment not handled yet: hearing {known_id} would change in {', '.join(changed)}"
    return Decision(Outcome.REJECTED, reason, hearing_id=known_id)


def rejection(statement: Statement) -> str | None:
    """Why nothing can be made of a statement, whatever is known, or None."""
    if statement.data is None:
        return "the record has no body"
    wrong = [f"{field}: {message}" if field else message for field, message in mistakes(statement.data)]
    return "; ".join(wrong[:10]) or None


def in_the_past(alert: HearingAlert, now: datetime) -> bool:
    """Whether a hearing has begun, or its day is over where only that is known."""
    start = alert.starts_at
    if isinstance(start, datetime):
        return start < now
    return start < now.astimezone(ZoneInfo(alert.zone)).date()


def decide_all(
    statements: Sequence[Statement],
    known: Mapping[Alias, HearingAlert],
    proposed: Mapping[Alias, str],
    now: datetime,
) -> list[Decision]:
    """Decide a batch in its order: each statement meets the state that the ones before it left.

    `proposed` are the ids for hearings that are not known yet.
    """
    states = dict(known)
    decisions = []
    for statement in statements:
        alias = statement.alias
        state = states.get(alias) if alias else None
        decision = decide(statement, state, proposed.get(alias, "") if alias else "", now)
        if decision.alert is not None and alias is not None:
            states[alias] = decision.alert
        decisions.append(decision)
    return decisions


def may_create(statement: Statement) -> bool:
    """Whether a statement makes a hearing if there is none."""
    return (
        statement.type == "hearing.scheduled"
        and isinstance(statement.data, HearingNotice)
        and rejection(statement) is None
    )
