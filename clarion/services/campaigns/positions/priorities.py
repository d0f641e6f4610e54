"""An item of the Action Agenda: what it is, when it holds, and what of two versions differs. Values in, values out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from clarion.services.campaigns.positions.subjects import fits

HOME = ZoneInfo("America/Los_Angeles")
"""In which days begin and end for the association."""
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SLUG_CHARACTERS = 100
TITLE_CHARACTERS = 300
TEXT_CHARACTERS = 20_000
BODY_CHARACTERS = 200
PLACES = range(1, 1_001)


class Standing(StrEnum):
    """Whether a priority holds on a day."""

    AHEAD = "ahead"
    IN_FORCE = "in force"
    OVER = "over"


class Unfit(ValueError):
    """It cannot be adopted as it is; the message names the field and says what would do."""


@dataclass(frozen=True, slots=True)
class Priority:
    """What the association works for from a day on, to the end of another if that is known; `place` is its order."""

    slug: str
    title: str
    body: str
    place: int
    from_day: date
    until_day: date | None = None
    adopted_by: str | None = None
    adopted_on: date | None = None

    def __post_init__(self) -> None:
        """Raises Unfit."""
        for wrong in problems(self):
            raise Unfit(wrong)

    def standing(self, today: date) -> Standing:
        """Whether it holds."""
        if today < self.from_day:
            return Standing.AHEAD
        return Standing.OVER if self.until_day is not None and today > self.until_day else Standing.IN_FORCE


@dataclass(frozen=True, slots=True)
class AgendaItem:
    """A priority at a version, counted from 1, and when it was so written."""

    version: int
    changed_at: datetime
    priority: Priority


def problems(priority: Priority) -> list[str]:
    """What keeps a priority from being one."""
    wrong = []
    if not SLUG.fullmatch(priority.slug) or len(priority.slug) > SLUG_CHARACTERS:
        wrong.append(f"slug {priority.slug!r}: write small letters, digits and hyphens, such as housing-2027")
    for name, most in (("title", TITLE_CHARACTERS), ("body", TEXT_CHARACTERS)):
        text = getattr(priority, name)
        if not text.strip() or not fits(text, most):
            wrong.append(f"{'text' if name == 'body' else name}: write 1 to {most:,} characters")
    if priority.adopted_by is not None and not (
        priority.adopted_by.strip() and fits(priority.adopted_by, BODY_CHARACTERS)
    ):
        wrong.append(f"adopted by: write 1 to {BODY_CHARACTERS} characters, such as Board of Directors")
    if priority.place not in PLACES:
        wrong.append(f"order: write a number from {PLACES.start} to {PLACES.stop - 1}")
    if priority.until_day is not None and priority.until_day < priority.from_day:
        wrong.append(f"until {priority.until_day}: it begins later, on {priority.from_day}")
    return wrong


def today_at(now: datetime) -> date:
    """The association's day at a moment."""
    return now.astimezone(HOME).date()


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields in which two versions of a thing differ: `field`, what it is `now` and what it `was`."""
    return [{"field": name, "now": now, "was": before[name]} for name, now in after.items() if now != before[name]]


def priority_of(row: Mapping[str, Any]) -> Priority:
    """A priority from what names its parts."""
    return Priority(**{each.name: row[each.name] for each in fields(Priority)})
