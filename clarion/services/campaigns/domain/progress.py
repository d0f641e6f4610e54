"""Where a bill stands between two campaigns: what is over, what is new about it, and where it goes next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from clarion.services.campaigns.domain.names import chamber_key, committee_key
from clarion.services.campaigns.domain.stages import Stage
from clarion.services.campaigns.domain.times import spoken_date


@dataclass(frozen=True, slots=True)
class Standing:
    """A bill as its source last told of it: its `stage` if it has come to an end, and when its text was amended."""

    bill: str
    status: str
    stage: Stage | None
    amended_on: date | None = None
    committee: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Last:
    """The newest launched campaign on a bill, at another hearing; `committee` as that hearing's source named it."""

    campaign: str
    launched_at: datetime
    zone: str
    committee: Mapping[str, Any]
    is_over: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of the bills of an occasion, by their keys: where each stands, and the last campaign on it."""

    standings: Mapping[str, Standing] = field(default_factory=dict)
    last: Mapping[str, Last] = field(default_factory=dict)


def amended_since(standing: Standing, last: Last) -> bool:
    """Whether the text changed since the last campaign was launched, by the days there."""
    return (
        standing.amended_on is not None
        and standing.amended_on >= last.launched_at.astimezone(ZoneInfo(last.zone)).date()
    )


def since_last(bill: str, standing: Standing | None, last: Last, committee: Mapping[str, Any] | None) -> str | None:
    """What to say of a bill that was asked about before; None if it is as it was, before the same `committee`."""
    if standing is not None and standing.amended_on is not None and amended_since(standing, last):
        return (
            f"{bill} was amended on {spoken_date(standing.amended_on)}, after cities were last asked about it. What was"
            " written about the version before does not count here: a fresh letter does."
        )
    if committee is not None and not _same(committee, last.committee):
        before = last.committee["name"]
        return f"{bill} was elsewhere when cities were last asked ({before}): a letter of its own is wanted here."
    return None


def goes_on(standing: Standing, last: Last) -> bool:
    """Whether another campaign follows: the last is over, and the bill before another committee or of a new text."""
    if standing.stage is not None or not last.is_over:
        return False
    if standing.committee is not None and not _same(standing.committee, last.committee):
        return True
    return amended_since(standing, last)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two references name one committee: by their ids if both have one, else by name and chamber."""
    if one.get("id") and other.get("id"):
        return bool(one["id"] == other["id"])
    if committee_key(str(one["name"])) != committee_key(str(other["name"])):
        return False
    return len({chamber_key(each["chamber"]) for each in (one, other) if each.get("chamber")}) < 2
