"""Times as people give them to a filter."""

from datetime import UTC, datetime

MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


def aware(moment: datetime | None) -> datetime | None:
    """A time that was given; without a zone it is UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def read_moment(text: str) -> datetime | None:
    """A time from a form; nothing given is none.

    Raises:
        ValueError: it is no time in ISO 8601.
    """
    return aware(datetime.fromisoformat(text.strip())) if text.strip() else None
