"""Positions and priorities as commands print them and as the API answers; additive only."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from clarion.schemas.campaigns import CampaignStatus, Stance


class Shown(BaseModel):
    """Something shown; nothing more than is declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ChangeShown(Shown):
    """A field in which a version differs from the one before it."""

    field: str
    now: JsonValue
    was: JsonValue


class PriorityLine(Shown):
    """One item of the Action Agenda, as `clarion agenda set` and `end` leave it."""

    slug: str
    title: str
    text: str
    place: int = Field(description="its order, from 1")
    from_day: date
    until_day: date | None = Field(description="its last day; nothing while that is open")
    adopted_by: str | None
    adopted_on: date | None
    state: Literal["ahead", "in force", "over"]
    version: int
    changed_at: datetime


class PrioritySet(PriorityLine):
    """`clarion agenda set` and `end`."""

    changed: bool = Field(description="whether this is a new version")


class PriorityListed(PriorityLine):
    """One item in `clarion agenda list`."""

    positions: int = Field(description="how many positions in force refer to it")


class PriorityVersion(Shown):
    """A version of a priority, and what it changed."""

    version: int
    changed_at: datetime
    changed: list[ChangeShown]


class PriorityShown(PriorityLine):
    """`clarion agenda show`."""

    versions: list[PriorityVersion] = Field(description="newest first")


class RepresentativeShown(Shown):
    """The legislative representative: of a staff `account` what that says today, or somebody by name."""

    account: str | None
    name: str | None
    email: str | None
    phone: str | None


class WithdrawalShown(Shown):
    """When a position was withdrawn, and why."""

    at: datetime
    reason: str | None


class ProgressShown(Shown):
    """What became of the bill; `committee` hears it next."""

    bill: str
    status: str
    text: str | None
    title: str | None
    author: str | None
    amended_on: date | None
    committee: str | None
    stated_at: datetime
    revision: int
    changed: list[str]


class PositionFields(Shown):
    """A position as it stands."""

    id: str = Field(description="of this version; each version's id leads to the position")
    version: int
    adopted_at: datetime = Field(description="when this version was entered")
    jurisdiction: str
    session: str | None = Field(description="of a bill")
    subject: Literal["bill", "regulation", "measure"]
    bill: str = Field(description="the bill's number, or the name of the regulation or ballot measure")
    bill_key: str = Field(description="by which agendas match it")
    stance: Stance | Literal["withdrawn"]
    ask: str = Field(description="empty for a ballot measure, which asks nobody for anything")
    why: str
    policy_area: str | None
    points: str | None
    letter: str | None
    statewide: bool
    include_non_members: bool
    groups: list[str]
    launch: Literal["auto", "approval"]
    priority: str | None = Field(description="the slug of the agenda's")
    representative: RepresentativeShown | None
    adopted_by: str | None = Field(description="the body that took it")
    adopted_on: date | None = Field(description="the day on which it did")
    withdrawal: WithdrawalShown | None


class PositionChanged(PositionFields):
    """`clarion positions adopt` and `withdraw`."""

    changed: bool = Field(description="whether this is a new version")
    to_follow: int = Field(0, description="hearings ahead yet to be decided on again; nobody is asked there so far")


class PositionLine(PositionFields):
    """One position in `clarion positions list` and `GET /api/v1/positions`."""

    progress: ProgressShown | None


class PositionVersion(Shown):
    """A version of a position, and what it changed."""

    id: str
    version: int
    adopted_at: datetime
    stance: Stance | Literal["withdrawn"]
    adopted_by: str | None
    adopted_on: date | None
    reason: str | None = Field(description="of a withdrawal")
    changed: list[ChangeShown]


class OtherPosition(Shown):
    """A position on the same number in another session or jurisdiction, or on something else of that name."""

    id: str
    jurisdiction: str
    session: str | None
    subject: Literal["bill", "regulation", "measure"]
    stance: Stance | Literal["withdrawn"]
    version: int
    adopted_at: datetime


class HearingShown(Shown):
    """A hearing with the bill on its agenda; `status` is that of its campaign."""

    hearing: str
    kind: str = Field(description="hearing, or another occasion, of which `committee` is who decides")
    starts_at: str
    time_note: str | None
    zone: str
    committee: str
    hearing_status: str
    campaign: str | None
    status: CampaignStatus | None


class CampaignShown(Shown):
    """A campaign that asks about the bill or did, with whom it ever asked and reached."""

    id: str
    title: str
    status: CampaignStatus
    problem: str | None
    held: str
    ends_at: datetime
    launched_at: datetime | None
    divisions: int
    cities: int
    asked: int
    reached: int
    failed: int
    ended: int = Field(description="officials whom it no longer concerns")


class PositionStory(PositionLine):
    """`clarion positions show` and `GET /api/v1/positions/{id}`: a bill's whole story."""

    versions: list[PositionVersion] = Field(description="newest first")
    hearings: list[HearingShown] = Field(description="ahead, the first one first")
    past_hearings: list[HearingShown] = Field(description="over or cancelled, the latest first")
    campaigns: list[CampaignShown] = Field(description="the latest first")
    to_follow: int = Field(0, description="hearings ahead yet to be decided on again; nobody is asked there so far")
    others: list[OtherPosition]
