"""Which day it is for memberships, whose days have no zone."""

from datetime import UTC, date, datetime, timedelta

DAYBREAK_UTC = timedelta(hours=12)
"""A day counts from here on: in the small hours from Hawaii to California, and by seven in the morning in the east."""


def day_of(now: datetime) -> date:
    """The day that holds from Hawaii to Maine, so that nobody's last day ends in its afternoon."""
    return (now.astimezone(UTC) - DAYBREAK_UTC).date()
