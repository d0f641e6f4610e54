"""The state of a hearing: read from a notice, and compared in what a reader would act on."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from clarion.schemas.legislation import (
    AgendaItem,
    BillProgress,
    BillUpdate,
    CommitteeReference,
    HearingAgendaItem,
    HearingAlert,
    HearingNotice,
    Location,
    bill_key,
)
from clarion.services.legislation.zones import in_zone, zones

SCHEDULED = "scheduled"
CANCELLED = "cancelled"


def read_notice(notice: HearingNotice, hearing_id: str) -> tuple[HearingAlert, list[str]]:
    """The state that a notice without mistakes describes, at revision 1, and what had to be decided to read it."""
    zone = zones()[notice.jurisdiction]
    start = notice.starts_at
    starts_at, start_note = in_zone(start, zone) if isinstance(start, datetime) else (start, None)
    due_at, due_note = in_zone(notice.letters_due_at, zone) if notice.letters_due_at else (None, None)
    # What the notice holds was validated with it; a default left out here is looked up anew each time, and slowly.
    alert = HearingAlert.model_construct(
        hearing_id=hearing_id,
        aliases=[notice.hearing_id],
        revision=1,
        status=SCHEDULED,
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
        changed=[],
        counterparts=[],
    )
    return alert, [note for note in (start_note, due_note) if note]


def agenda(items: list[AgendaItem]) -> list[HearingAgendaItem]:
    """Each bill once, in the order of the agenda, with its key."""
    keyed: dict[str, HearingAgendaItem] = {}
    for item in items:
        key = bill_key(item.bill)
        keyed.setdefault(key, HearingAgendaItem.model_construct(**dict(item), bill_key=key))
    return list(keyed.values())


def bills(alert: HearingAlert) -> set[str]:
    """The keys of the bills on the agenda."""
    return {item.bill_key for item in alert.agenda}


def agenda_column(bills: Iterable[str]) -> str:
    """The bills of an agenda in one text, since arrays of several lengths make no table; keys have no spaces."""
    return " ".join(sorted(bills))


def place_of(hearing: HearingNotice | HearingAlert) -> tuple[str, str, frozenset[str]]:
    """By what hearings are found that may be one: jurisdiction, committee, and the bills' keys."""
    keys = frozenset(bill_key(item.bill) for item in hearing.agenda)
    return hearing.jurisdiction, committee_key(hearing.committee), keys


def content(alert: HearingAlert) -> dict[str, Any]:
    """What a reader would act on, by the names of `HearingAlert.changed`, however it is written."""
    return {
        "session": folded(alert.session),
        "committee": committee_key(alert.committee),
        "time": start_key(alert),
        "note": folded(alert.time_note),
        "place": [folded(part) for part in (alert.location.name, alert.location.url, alert.location.remote)],
        "agenda": sorted(bills(alert)),
        "letters": alert.letters_due_at and alert.letters_due_at.astimezone(UTC).isoformat(),
    }


def folded(text: str | None) -> str | None:
    """A text without differences in case and space."""
    return " ".join(text.split()).casefold() if text is not None else None


def committee_key(committee: CommitteeReference) -> str:
    """A committee by chamber and name; ids are compared apart, since not every source has one."""
    return f"{folded(committee.chamber) or ''}|{folded(committee.name)}"


def start_key(alert: HearingAlert) -> str:
    """The start in one form: a point in time in UTC, or a date."""
    start = alert.starts_at
    return (start.astimezone(UTC) if isinstance(start, datetime) else start).isoformat()


def differences(known: HearingAlert, told: HearingAlert) -> list[str]:
    """In what two states of a hearing differ for a reader."""
    before, after = content(known), content(told)
    if not same_committee(known.committee, told.committee):
        after["committee"] = None
    return [name for name in before if before[name] != after[name]]


def bill_content(bill: BillUpdate | BillProgress) -> dict[str, Any]:
    """What a reader would care for in a bill, by the names of `BillProgress.changed`, however it is written."""
    return {
        "status": folded(bill.status),
        "title": folded(bill.title),
        "author": folded(bill.author),
        "amended": bill.amended_on,
        "committee": committee_key(bill.committee) if bill.committee is not None else None,
    }


def bill_differences(known: BillUpdate | BillProgress, told: BillUpdate | BillProgress) -> list[str]:
    """In what two states of a bill differ for a reader."""
    before, after = bill_content(known), bill_content(told)
    if (
        known.committee is not None
        and told.committee is not None
        and not same_committee(known.committee, told.committee)
    ):
        after["committee"] = None
    return [name for name in before if before[name] != after[name]]


def same_committee(one: CommitteeReference, other: CommitteeReference) -> bool:
    """Whether these name one committee; two ids that differ are two committees of one name."""
    if one.id is not None and other.id is not None and one.id != other.id:
        return False
    return committee_key(one) == committee_key(other)


def in_the_past(alert: HearingAlert, now: datetime) -> bool:
    """Whether a hearing has begun, or its day is over where only that is known."""
    start = alert.starts_at
    if isinstance(start, datetime):
        return start < now
    return start < now.astimezone(ZoneInfo(alert.zone)).date()


def day(alert: HearingAlert) -> date:
    """The day of the hearing, where it is held."""
    return alert.starts_at.date() if isinstance(alert.starts_at, datetime) else alert.starts_at
