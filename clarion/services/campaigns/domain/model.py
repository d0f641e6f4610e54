"""What campaigns are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from clarion.schemas.campaigns import Stance
from clarion.schemas.deadlines import Due
from clarion.schemas.legislation import bill_key
from clarion.schemas.messages import Reason
from clarion.services.campaigns.domain.occasions import Occasion

Launch = Literal["auto", "approval"]
Subject = Literal["bill", "regulation", "measure"]
REQUEST: Literal["request"] = "request"
"""In the place of a stance, where something is asked on which no position was taken."""


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
"""From where to where a campaign may go; one that was launched is never a draft again (`may_move`)."""


def may_move(before: Status | None, after: Status, *, launched: bool) -> bool:
    """Whether a campaign may go from one status to another; a closed one that was launched may be open again."""
    return after in MOVES[Status.LAUNCHED if launched else before]


@dataclass(frozen=True, slots=True)
class Representative:
    """Who speaks for a position at the legislature: a staff `account` by its id, or somebody by name."""

    account: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Our stance on a bill, a regulation or a ballot measure, in force until another version of it is adopted.

    `bill` names what it is on, by `bill_key` agendas match it; only bills have a session. `groups` are ids of the
    directory, `priority` is the agenda's; `adopted_by` says which body took it and `adopted_on` on which day.
    """

    jurisdiction: str
    session: str
    bill: str
    bill_key: str
    stance: Stance | Literal["request"]
    ask: str
    why: str
    policy_area: str | None = None
    points: str | None = None
    letter: str | None = None
    statewide: bool = False
    include_non_members: bool = False
    launch: Launch = "approval"
    subject: Subject = "bill"
    groups: tuple[str, ...] = ()
    priority: str | None = None
    representative: Representative | None = None
    adopted_by: str | None = None
    adopted_on: date | None = None


@dataclass(frozen=True, slots=True)
class AdoptedPosition:
    """A position with its id, its version (from 1) and when it was adopted. One that was withdrawn is `watch`."""

    id: str
    version: int
    adopted_at: datetime
    position: Position
    withdrawn: bool = False
    withdrawn_reason: str | None = None


def own_positions(occasion: Occasion) -> list[AdoptedPosition]:
    """What an occasion asks by itself, as positions that nobody adopted; they change with its revision."""
    return [
        AdoptedPosition(
            id=f"{occasion.hearing_id}/{number}/{occasion.revision}",
            version=occasion.revision,
            adopted_at=datetime.min.replace(tzinfo=UTC),
            position=Position(
                jurisdiction=occasion.jurisdiction,
                session=occasion.session,
                bill=own.name,
                bill_key=bill_key(own.name),
                stance=REQUEST,
                ask=own.ask,
                why=own.why,
                points=own.points,
                letter=own.letter,
                launch=occasion.launch,
            ),
        )
        for number, own in enumerate(occasion.own, start=1)
    ]


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
    """What is known of a campaign before it is decided on again.

    `approved` are the divisions whose waves were let go; `approved_bills` were added since the launch, and may be asked
    about.
    """

    id: str
    revision: int
    status: Status
    problem: str | None
    launched_at: datetime | None
    hearing_revision: int
    positions: tuple[str, ...]
    not_after: datetime | None
    counts: Counts = Counts()
    committee: str | None = None
    waits_for_directory: bool = False
    told_revision: int = 0
    facts_revision: int = 0
    told_until: datetime | None = None
    told_bills: frozenset[str] = frozenset()
    message: Mapping[str, Any] = field(default_factory=dict)
    launch: Launch | None = None
    approved: frozenset[str] = frozenset()
    approved_bills: frozenset[str] = frozenset()
    due: Due | None = None


@dataclass(frozen=True, slots=True)
class Division:
    """A division and its manager, to whom answers go."""

    slug: str
    name: str
    manager_name: str | None
    manager_email: str | None
    manager_phone: str | None


class Asked(NamedTuple):
    """A mailbox to be asked: whose it is, of which cities, and for what; `own` are its officials' own reasons."""

    mailbox: str
    division: str
    bucket: int
    officials: tuple[str, ...]
    cities: tuple[str, ...]
    letter: bool
    testimony: bool
    phone: bool = False
    own: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A mailbox that was told and that the campaign no longer concerns; `reason` is that of whoever decided so."""

    mailbox: str
    bucket: int
    reason: str | None = None


Reasons = Mapping[str, Any]
"""A city of a campaign: its `name`, the `bills` it is asked about and its `reasons`, first ones first."""


def ends_at(starts_at: datetime | date, zone: str) -> datetime:
    """When a hearing's voices no longer count: its start, or the end of its day in `zone` if only that is known."""
    return starts_at if isinstance(starts_at, datetime) else day_ends_at(starts_at, zone)


def day_ends_at(starts_at: datetime | date, zone: str) -> datetime:
    """The end of a hearing's day in `zone`."""
    day = starts_at.astimezone(ZoneInfo(zone)).date() if isinstance(starts_at, datetime) else starts_at
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))


def hearing_ends_at(occasion: Occasion) -> datetime:
    """`ends_at` of an occasion."""
    return ends_at(occasion.starts_at, occasion.zone)
