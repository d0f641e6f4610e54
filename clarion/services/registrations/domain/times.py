"""What moves with an event that moves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from clarion.schemas.registrations import Webinar


def carried_along(webinar: Webinar, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, with end and closing time as far from a new start as before, by the clock on the wall."""
    carried = dict(changes)
    start = carried.get("starts_at")
    if not isinstance(start, datetime):
        return carried
    zone = ZoneInfo(str(carried.get("zone", webinar.zone)))
    for name in ("ends_at", "registration_closes_at"):
        old = getattr(webinar, name)
        if name not in carried and old is not None:
            carried[name] = shifted(old, webinar.starts_at, start, zone)
    return carried


def shifted(moment: datetime, old_start: datetime, new_start: datetime, zone: ZoneInfo) -> datetime:
    """The moment as far from the new start as it was from the old one, in local time."""
    old_wall, new_wall = (start.astimezone(zone).replace(tzinfo=None) for start in (old_start, new_start))
    return (moment.astimezone(zone).replace(tzinfo=None) + (new_wall - old_wall)).replace(tzinfo=zone)
