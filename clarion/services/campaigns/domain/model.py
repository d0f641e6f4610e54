"""What campaigns are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Literal
from zoneinfo import ZoneInfo

from clarion.schemas.campaigns import Stance
from clarion.schemas.legislation import HearingAlert

Launch = Literal["auto", "approval"]


class Status(StrEnum):
    """Where a campaign stands."""

    WAITING = "waiting"
    DRAFTED = "drafted"
    LAUNCHED = "launched"
    CLOSED = "closed"


MOVES: Mapping[Status | None, frozenset[Status]] = {
    None: frozenset(Status),
    Status.WAITING: frozenset(Status),
    Status.DRAFTED: frozenset(Status),
    Status.LAUNCHED: frozenset({Status.LAUNCHED, Status.CLOSED}),
    Status.CLOSED: frozenset(Status),
}
"""From where to where a campaign may go; one that was launched and is closed stays so (`may_move`)."""


def may_move(before: Status | None, after: Status, *, launched: bool) -> bool:
    """Whether a campaign may go from one status to another; one that was launched never comes back."""
    if before is Status.CLOSED and launched:
        return after is Status.CLOSED
    return after in MOVES[before]


@dataclass(frozen=True, slots=True)
class Position:
    """Our stance on a bill, in force until another version of it is adopted."""

    jurisdiction: str
    session: str
    bill: str
    bill_key: str
    stance: Stance
    ask: str
    why: str
    policy_area: str | None = None
    points: str | None = None
    letter: str | None = None
    statewide: bool = False
    include_non_members: bool = False
    launch: Launch = "approval"


@dataclass(frozen=True, slots=True)
class AdoptedPosition:
    """A position with its id, its version (from 1) and when it was adopted."""

    id: str
    version: int
    adopted_at: datetime
    position: Position


@dataclass(frozen=True, slots=True)
class CommitteeFound:
    """A committee of the directory."""

    id: str
    name: str
    chamber: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a committee, or a bill's author, with the district that makes a city theirs."""

    legislator: str
    name: str
    role: str
    chamber: str
    district: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many divisions and cities a campaign affects, and how many officials it asks."""

    divisions: int = 0
    cities: int = 0
    officials: int = 0


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is known of a campaign before it is decided on again."""

    id: str
    revision: int
    status: Status
    problem: str | None
    launched_at: datetime | None
    hearing_revision: int
    positions: tuple[str, ...]
    not_after: datetime | None
    counts: Counts = Counts()


@dataclass(frozen=True, slots=True)
class Division:
    """A division and its manager, to whom answers go."""

    slug: str
    name: str
    manager_name: str | None
    manager_email: str | None
    manager_phone: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A mailbox to be asked: whose it is, of which cities, and for what."""

    mailbox: str
    division: str
    bucket: int
    officials: tuple[str, ...]
    cities: tuple[str, ...]
    letter: bool
    testimony: bool


Reasons = Mapping[str, Any]
"""A city of a campaign: its `name`, the `bills` it is asked about and its `reasons`, first ones first."""


def ends_at(starts_at: datetime | date, zone: str) -> datetime:
    """When a hearing's voices no longer count: its start, or the end of its day in `zone` if only that is known."""
    if isinstance(starts_at, datetime):
        return starts_at
    return datetime.combine(starts_at + timedelta(days=1), time(), ZoneInfo(zone))


def hearing_ends_at(alert: HearingAlert) -> datetime:
    """`ends_at` of an alert."""
    return ends_at(alert.starts_at, alert.zone)
