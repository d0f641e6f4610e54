"""The state of a hearing: read from a notice, and compared in what a reader would act on."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, TypeVar
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
NOWHERE = Location()


def read_notice(notice: HearingNotice, hearing_id: str) -> tuple[HearingAlert, list[str]]:
    """The state that a notice without mistakes describes, at revision 1, and what had to be decided to read it."""
    zone = zones()[notice.jurisdiction]
    starts_at, start_note = placed(notice.starts_at, zone)
    due_at, due_note = placed(notice.letters_due_at, zone)
    alert = HearingAlert.of_valid(
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


T = TypeVar("T", date, datetime | None)


def placed(time: T, zone: str) -> tuple[T, str | None]:
    """A time with the zone's offset, and what had to be decided to know which it is; a date stays one."""
    return in_zone(time, zone) if isinstance(time, datetime) else (time, None)


def agenda(items: list[AgendaItem]) -> list[HearingAgendaItem]:
    """Each bill once, in the order of the agenda, with its key."""
    keyed: dict[str, HearingAgendaItem] = {}
    for item in items:
        key = bill_key(item.bill)
        if key not in keyed:
            keyed[key] = HearingAgendaItem.of_valid(bill=item.bill, title=item.title, author=item.author, bill_key=key)
    return list(keyed.values())


def bills(hearing: HearingNotice | HearingAlert) -> set[str]:
    """The keys of the bills on the agenda."""
    return {bill_key(item.bill) for item in hearing.agenda}


def agenda_column(bills: Iterable[str]) -> str:
    """The bills of an agenda in one text, since arrays of several lengths make no table; keys have no spaces."""
    return " ".join(sorted(bills))


def place_of(hearing: HearingNotice | HearingAlert) -> tuple[str, str, frozenset[str]]:
    """By what hearings are found that may be one: jurisdiction, committee, and the bills' keys."""
    return hearing.jurisdiction, committee_key(hearing.committee), frozenset(bills(hearing))


def start_of(hearing: HearingNotice | HearingAlert) -> tuple[str, str, str]:
    """By what hearings are found that are at one time before one committee: jurisdiction, committee, start."""
    return hearing.jurisdiction, committee_key(hearing.committee), start_key(hearing)


def content(hearing: HearingNotice | HearingAlert) -> dict[str, Any]:
    """What a reader would act on, by the names of `HearingAlert.changed`, however it is written."""
    location = hearing.location or NOWHERE
    due_at, _ = placed(hearing.letters_due_at, zone_of(hearing))
    return {
        "session": folded(hearing.session),
        "committee": committee_key(hearing.committee),
        "time": start_key(hearing),
        "note": folded(hearing.time_note),
        "place": [folded(part) for part in (location.name, location.url, location.remote)],
        "agenda": sorted(bills(hearing)),
        "letters": due_at and due_at.astimezone(UTC).isoformat(),
    }


def zone_of(hearing: HearingNotice | HearingAlert) -> str:
    """The zone in which a hearing is held."""
    return zones()[hearing.jurisdiction] if isinstance(hearing, HearingNotice) else hearing.zone


@lru_cache(maxsize=4_096)
def folded(text: str | None) -> str | None:
    """A text without differences in case and space."""
    return " ".join(text.split()).casefold() if text is not None else None


def committee_key(committee: CommitteeReference) -> str:
    """A committee by chamber and name; ids are compared apart, since not every source has one."""
    return f"{folded(committee.chamber) or ''}|{folded(committee.name)}"


def start_key(hearing: HearingNotice | HearingAlert) -> str:
    """The start in one form: a point in time in UTC, or a date."""
    start = hearing.starts_at
    if isinstance(hearing, HearingNotice):
        start, _ = placed(start, zone_of(hearing))
    return (start.astimezone(UTC) if isinstance(start, datetime) else start).isoformat()


def differences(known: HearingNotice | HearingAlert, told: HearingNotice | HearingAlert) -> list[str]:
    """In what two states of a hearing, or two notices of it, differ for a reader."""
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
