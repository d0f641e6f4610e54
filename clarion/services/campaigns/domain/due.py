"""The letters' deadline of one hearing: set by hand, else what its notice says, else what a rule makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from clarion.schemas.deadlines import Due
from clarion.services.campaigns.domain.deadlines import Holidays, Rule, day_of, due_at, spoken_rule
from clarion.services.campaigns.domain.occasions import Occasion

BY_NOTICE = "the notice says so"
AS_STARTED = "as the campaign was started with"
NO_RULE = "no rule is known here, and the notice says nothing"
SEVERAL = "several rules fit this committee"


@dataclass(frozen=True, slots=True)
class Override:
    """A deadline that staff set for one hearing; `due_at` is None where they said that nobody knows it.

    It holds while the hearing is on that `day`: moved to another, it has the deadline of that day.
    """

    version: int
    day: date
    due_at: datetime | None
    withdrawn: bool
    reason: str
    made_by: str
    made_at: datetime


def letters_due(
    occasion: Occasion, override: Override | None, *, rules: Sequence[Rule], holidays: Holidays
) -> tuple[datetime | None, Due | None]:
    """Until when letters are due, in UTC, and where that comes from; None is unknown, and never guessed.

    What the occasion's own notice says is in its `letters_due_at`; `rules` are those that fit its committee. One that
    is no hearing and says nothing has no deadline before its end.
    """
    if override is not None and not override.withdrawn and override.day == occasion_day(occasion):
        said = f"set by hand by {override.made_by}: {override.reason}"
        return override.due_at, Due(kind="override", text=said, checked_on=override.made_at.date())
    if occasion.letters_due_at is not None:
        return occasion.letters_due_at, Due(kind="notice", text=BY_NOTICE if occasion.is_hearing else AS_STARTED)
    if not occasion.is_hearing:
        return None, None
    if len(rules) != 1:
        return None, Due(kind="unknown", text=SEVERAL if rules else NO_RULE)
    return by_rule(rules[0], occasion, holidays)


def occasion_day(occasion: Occasion) -> date:
    """The day of an occasion in its zone."""
    return day_of(occasion.starts_at, occasion.zone)


def by_rule(rule: Rule, occasion: Occasion, holidays: Holidays) -> tuple[datetime | None, Due]:
    """What one rule makes of a hearing."""
    found = due_at(rule, occasion.starts_at, occasion.zone, holidays)
    due = Due(
        kind="unknown" if found is None else "rule",
        text=spoken_rule(rule),
        address=rule.source,
        checked_on=rule.checked_on,
        unknown_years=list(found.unknown_years) if found else [],
    )
    return (found.at if found else None), due


def spoken_due(due: Due) -> str:
    """Where a deadline comes from, for people, with what is doubtful about it."""
    parts = [due.text]
    if due.checked_on and due.address:
        parts.append(f"as {due.address} says, last checked on {due.checked_on.isoformat()}")
    elif due.kind == "rule":
        where = f" at {due.address}" if due.address else ""
        parts.append(f"to be confirmed{where}: nobody knows when it was last checked")
    if due.unknown_years:
        years = ", ".join(map(str, due.unknown_years))
        parts.append(f"counted without the holidays of {years}, which are not known here: ask the committee")
    return "; ".join(parts)
