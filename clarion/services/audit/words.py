"""Times as people give them to a filter, and details of an act as they read them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import JsonValue

from clarion.runtime.output import cell

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


def spoken_details(details: Mapping[str, JsonValue]) -> str:
    """The details of an act in a line, without those that say nothing."""
    told = {name: value for name, value in details.items() if value not in (None, [], {}, "", False)}
    return "; ".join(f"{name.replace('_', ' ')}: {cell(value)}" for name, value in told.items())
