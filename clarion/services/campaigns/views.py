"""What the API shows of campaigns: the reports' rows with their types."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from clarion.schemas.campaigns import CampaignStatus
from clarion.schemas.deadlines import Due
from clarion.services.campaigns.approving.states import WaveState

EXAMPLE: dict[str, JsonValue] = {
    "id": "0b9f7c2e5d3a4e61",
    "title": "Senate Housing, SB 79",
    "status": "launched",
    "problem": None,
    "held": "Wednesday, April 21, 2027, 1:30 pm PDT",
    "ends_at": "2027-04-21T20:30:00Z",
    "not_after": "2027-04-21T20:30:00Z",
    "letters_due_at": "2027-04-14T19:00:00Z",
    "due_source": {
        "kind": "rule",
        "text": "Wednesday before the hearing, noon",
        "address": "https://shou.senate.ca.gov/node/15",
        "checked_on": "2026-11-22",
        "unknown_years": [],
    },
    "divisions": 2,
    "cities": 4,
    "officials": 5,
    "hearing": "5c0f3a526c0a4c43",
    "bills": ["SB 79"],
    "revision": 2,
    "told_revision": 1,
    "created_at": "2027-04-09T08:00:01Z",
    "changed_at": "2027-04-09T08:00:02Z",
    "launched_at": "2027-04-09T08:00:02Z",
    "asked": 5,
    "mailboxes": 5,
    "reached": 5,
    "failed": 0,
    "other": 0,
}


class CampaignView(BaseModel):
    """A campaign: what came of one hearing on our positions.

    `held` says when the hearing is, for people; nothing is told after `not_after`. `officials` are those whom it
    concerns, `asked` those a message was made for, `reached` those who were sent what holds now; `other` were
    suppressed, came too late or were not needed. `problem` says what a campaign that waits is waiting for.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    title: str
    status: CampaignStatus
    problem: str | None
    held: str
    ends_at: datetime
    not_after: datetime | None
    letters_due_at: datetime | None
    due_source: Due | None = Field(description="where the letters' deadline comes from, and when that was last checked")
    divisions: int
    cities: int
    officials: int
    hearing: str = Field(description="the hearing's id in alerts")
    bills: list[str]
    revision: int
    told_revision: int = Field(description="how many changes were told; 0 before the first call")
    created_at: datetime
    changed_at: datetime
    launched_at: datetime | None
    asked: int
    mailboxes: int
    reached: int
    failed: int
    other: int


class BillProgressView(BaseModel):
    """What became of a bill on the hearing's agenda; `committee` hears it next."""

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


class ToldChange(BaseModel):
    """One fact that changed: what it is now and what it was before, as they were told."""

    key: str
    label: str
    now: str | None
    was: str | None


class Told(BaseModel):
    """A revision of what was told, and what it changed; the first changes nothing."""

    revision: int
    told_at: datetime
    changed: list[ToldChange]


class WaveView(BaseModel):
    """A division's part of a campaign; `slug` is empty for cities without a division."""

    slug: str
    division: str
    manager: str | None
    state: WaveState = Field(description="waiting for approval, approved (or by itself), rejected or stopped")
    cities: int
    officials: int
    asked: int
    reached: int
    failed: int


class ReasonView(BaseModel):
    """Why cities are asked, or people in them: a legislator with their part in the hearing, or a group with the role in
    it, and for how many cities that counts.
    """

    kind: str
    legislator: str | None = Field(description="the legislator, or by kind the group, division or city")
    role: str | None
    district: str | None
    cities: int


class CampaignDetails(CampaignView):
    """A campaign with its waves, reasons, the progress of its bills, what was told when, and officials by outcome."""

    outcomes: dict[str, int]
    progress: list[BillProgressView]
    told: list[Told]
    waves: list[WaveView]
    reasons: list[ReasonView]
