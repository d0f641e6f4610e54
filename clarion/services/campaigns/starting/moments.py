"""When voices cease to count: as the draft says, or as the Constitution has it for the Governor."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from clarion.services.campaigns.domain.deadlines import Deadline, Holidays, SessionEnd, governor_deadline
from clarion.services.campaigns.domain.model import ends_at
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.domain.times import spoken_time
from clarion.services.campaigns.rules.reference import desk_deadline
from clarion.services.campaigns.starting.drafts import OccasionDraft
from clarion.services.campaigns.starting.errors import Unfit
from clarion.services.campaigns.starting.kinds import GOVERNOR

LEFT_OVER = timedelta(days=30)
"""How long the Governor has for what is left over when the houses adjourn."""
FARTHEST = timedelta(days=3 * 366)
"""Nothing is started that ends later: a year was mistyped."""
ADJOURNMENT_UNKNOWN = (
    "whether it is twelve days or thirty depends on when the houses adjourned, which is not known here: say that, or"
    " give decided_at"
)
DAY_NOTE = "until the end of the day"


def known_zone(zone: str) -> ZoneInfo:
    """The zone of this name.

    Raises:
        Unfit: there is none.
    """
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise Unfit.at("zone", f"unknown zone {zone!r}: name one of the IANA time zone database") from error


def ending_of(draft: OccasionDraft, now: datetime, closed: Holidays) -> datetime | date:
    """The moment or the day with which the occasion ends; it is ahead. `closed` are the legislature's holidays.

    Raises:
        Unfit: nobody says when, or it is past or years ahead.
    """
    if draft.jurisdiction != CALIFORNIA and "zone" not in draft.model_fields_set:
        raise Unfit.at("zone", "name the zone of that jurisdiction, such as America/Denver")
    zone = known_zone(draft.zone)
    field, end = "decided_at", in_zone(draft.decided_at, zone)
    if end is None and draft.kind == GOVERNOR:
        field, end = "presented_on", governor_until(draft, closed)
    if end is None:
        raise Unfit.at("decided_at", "say until when voices count, such as 2027-06-14T17:00:00-07:00 or 2027-06-14")
    return checked(field, end, draft.zone, now)


def checked(field: str, end: datetime | date, zone: str, now: datetime) -> datetime | date:
    """The same, if it is ahead and not years away.

    Raises:
        Unfit: it is not.
    """
    last = ends_at(end, zone)
    if last <= now:
        raise Unfit.at(field, f"that was {spoken_time(last, zone)}: nobody's voice counts any more")
    if last > now + FARTHEST:
        raise Unfit.at(field, f"that is more than three years ahead ({spoken_time(last, zone)})")
    return end


def governor_until(draft: OccasionDraft, closed: Holidays) -> datetime | None:
    """The end of the Governor's twelve days, or of the time at the session's end; None without a day of presentment.

    Raises:
        Unfit: nobody knows when the session ends, on which it depends, or the state has another rule.
    """
    if draft.presented_on is None:
        return None
    found = _desk_deadline(draft, draft.presented_on, closed)
    if found is None:
        raise Unfit.at("session_ended_on", ADJOURNMENT_UNKNOWN)
    return found.at


def _desk_deadline(draft: OccasionDraft, presented_on: date, closed: Holidays) -> Deadline | None:
    ended = draft.session_ended_on
    if ended is None:
        return desk_deadline(draft.jurisdiction, presented_on, draft.zone, closed)
    until = date(ended.year, 9, 30) if ended.year % 2 == 0 else ended + LEFT_OVER
    sessions = {ended.year: SessionEnd(ended, until)}
    return governor_deadline(presented_on, draft.zone, closed, sessions)


def due_of(due_at: datetime | None, end: datetime | date, zone: str) -> datetime | None:
    """When what is written has to be there; None if that is when the occasion ends.

    Raises:
        Unfit: it is later than the end.
    """
    if due_at is None:
        return None
    due, last = in_zone(due_at, known_zone(zone)), ends_at(end, zone)
    if isinstance(due, datetime) and due > last:
        raise Unfit.at("due_at", f"it is later than the end, which is {spoken_time(last, zone)}")
    return due if isinstance(due, datetime) and due != last else None


def in_zone(moment: datetime | date | None, zone: ZoneInfo) -> datetime | date | None:
    """A clock's time as one of this zone; what has an offset, and a day alone, stays.

    Raises:
        Unfit: the clocks there skip it.
    """
    if not isinstance(moment, datetime) or moment.tzinfo is not None:
        return moment
    placed = moment.replace(tzinfo=zone)
    if placed.astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None) != moment:
        raise Unfit.at("decided_at", f"{moment:%H:%M} is skipped by the clocks of {zone.key} on that day")
    return placed


def noted(end: datetime | date) -> str | None:
    """What is said beside a day alone."""
    return None if isinstance(end, datetime) else DAY_NOTE
