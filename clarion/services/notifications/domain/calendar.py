"""When a calendar entry begins and ends, in its own zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clarion.schemas.messages import CalendarEntry
from clarion.services.notifications.domain.room import shortened

DAY = timedelta(days=1)
BYTES = {"summary": 800, "location": 800, "description": 1_200}
"""What these may take in the two copies of an entry that go with a mail."""
LINK_CHARACTERS = 500


def trimmed(entry: CalendarEntry) -> CalendarEntry:
    """The entry with nothing longer than a mail has room for."""
    texts = {name: shortened(text, most) for name, most in BYTES.items() if (text := getattr(entry, name))}
    url = entry.url if len(entry.url or "") <= LINK_CHARACTERS else None
    return entry.model_copy(update={**texts, "url": url})


def zone_of(entry: CalendarEntry) -> ZoneInfo:
    """The zone in which the entry's times without an offset are read.

    Raises:
        ValueError: there is no such zone.
    """
    try:
        return ZoneInfo(entry.zone)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"unknown time zone {entry.zone!r}") from error


def instant(moment: datetime, entry: CalendarEntry) -> datetime:
    """The moment in UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone_of(entry))).astimezone(UTC)


def times(entry: CalendarEntry) -> tuple[datetime | date, datetime | date | None]:
    """Start and end as a calendar wants them: in UTC, or as dates, the last of them exclusive (RFC 5545, 3.6.1)."""
    start, end = entry.starts_at, entry.ends_at
    if not isinstance(start, datetime):
        last = end.date() if isinstance(end, datetime) else end or start
        return start, max(last, start) + DAY
    begins = instant(start, entry)
    ends = instant(end, entry) if isinstance(end, datetime) else None
    return begins, ends if ends and ends > begins else None


def begins_at(entry: CalendarEntry) -> datetime:
    """The moment at which it has begun for good: of an entry of whole days the end of the first.

    Raises:
        ValueError: there is no such zone.
    """
    zone = zone_of(entry)
    if isinstance(entry.starts_at, datetime):
        return instant(entry.starts_at, entry)
    return datetime.combine(entry.starts_at + DAY, time(), zone).astimezone(UTC)
