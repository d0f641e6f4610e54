"""Times as people read them, in the zone of the hearing."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo


def spoken_date(day: date) -> str:
    """A day as in "Wednesday, April 21, 2027"."""
    return f"{day:%A, %B} {day.day}, {day.year}"


def spoken_time(moment: datetime, zone: str) -> str:
    """A moment as in "Wednesday, April 21, 2027, 1:30 pm PDT", in `zone` (an IANA name)."""
    local = moment.astimezone(ZoneInfo(zone))
    hour = local.hour % 12 or 12
    half = "am" if local.hour < 12 else "pm"
    return f"{spoken_date(local.date())}, {hour}:{local.minute:02} {half} {local:%Z}"


def spoken_start(starts_at: datetime | date, zone: str, note: str | None) -> str:
    """When a hearing begins: its time, or its day with the note that tells more, and the zone in both cases."""
    if isinstance(starts_at, datetime):
        clock = spoken_time(starts_at, zone)
        return f"{clock} ({note})" if note else clock
    noon = datetime.combine(starts_at, time(12), ZoneInfo(zone))
    return f"{spoken_date(starts_at)}, {note or 'time unknown'} ({noon:%Z})"
