"""What the API takes and shows of approving."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from clarion.schemas.messages import CallBill, Fact
from clarion.schemas.text import Line, Text, storable
from clarion.services.campaigns.approving.taking_up import TEXT_AT_MOST
from clarion.services.campaigns.approving.waves import WaveRecipient, WaveView

Reason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TEXT_AT_MOST, strip_whitespace=True),
    AfterValidator(storable),
]
LOOK = "when=5f3a9c1b02,where=0be77c94d1,bill:SB79=9d1c0f7e55"
WAVE: dict[str, JsonValue] = {
    "campaign": "0b9f7c2e5d3a4e61",
    "title": "SB 79: Senate Committee on Housing, Wednesday, April 21, 2027",
    "division": "east-bay",
    "name": "East Bay",
    "state": "waiting",
    "cities": 4,
    "officials": 5,
    "mailboxes": 5,
    "left_out": 0,
    "added": 0,
    "paragraph": None,
    "look": LOOK,
    "urgent": False,
    "useless_at": "2027-04-14T19:00:00Z",
    "decided_by": None,
    "decided_at": None,
    "reason": None,
    "paused": False,
    "asks": {"letter": 4, "testimony": 1},
    "facts": [{"key": "when", "label": "When", "text": "Wednesday, April 21, 2027, 1:30 pm PDT", "material": True}],
    "bills": [{"bill": "SB 79", "stance": "oppose", "ask": "vote no on SB 79", "why": "It takes zoning from cities."}],
    "history": [],
}


class HistoryView(BaseModel):
    """What was done to a wave: approved, rejected, stopped, waiting (it changed), added or left out."""

    at: datetime
    by: str | None
    what: str
    reason: str | None
    official: str | None


class WaveDetails(BaseModel):
    """A division's part of a campaign, for whoever decides on it.

    `division` is empty for cities without one and `*` for bills that came to a launched campaign; in addresses `-`
    stands for the empty one. Nothing of it helps from `useless_at` on. Send `look` with a decision, so that it is taken
    only if what would be read is still what you saw. `asks` counts officials.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [WAVE]})

    campaign: str
    title: str
    division: str
    name: str
    state: Literal["waiting", "approved", "rejected", "stopped"]
    cities: int
    officials: int
    mailboxes: int
    left_out: int
    added: int
    paragraph: str | None
    look: str
    urgent: bool
    useless_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    paused: bool
    asks: dict[str, int]
    facts: list[Fact]
    bills: list[CallBill]
    history: list[HistoryView]


class RecipientView(BaseModel):
    """Somebody whom a wave asks, or who was left out of it (`included` is false), with the reasons as sentences."""

    official: str
    mailbox: str
    city: str
    roles: list[str]
    reasons: list[str]
    asks: list[str]
    included: bool
    reason: str | None = Field(description="why they were left out or added by hand")


class RecipientsPage(BaseModel):
    """Some of a wave's people by city; `next` is what to ask for `after` these, if there are more."""

    recipients: list[RecipientView]
    next: str | None


class Approval(BaseModel):
    """To let a wave go: the `look` of what was seen. Without it, whatever it is now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"look": LOOK}]})

    look: Text | None = None


class Verdict(Approval):
    """To reject or stop a wave: why, in a sentence. Whoever was told already reads why it was stopped."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The author took our amendments."}]})

    reason: Reason


class Choice(BaseModel):
    """Somebody to leave out, or with `asks` to add: `letter` is whatever is to be written there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"official": "o-17", "reason": "Knows the author.", "asks": ["letter", "testimony"]}]
        }
    )

    official: Line
    reason: Reason
    asks: list[Literal["letter", "testimony"]] = Field(default_factory=list, max_length=2)


class Paragraph(BaseModel):
    """The division's own paragraph; an empty one takes it out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "Three of our cities are named in the bill."}]})

    text: Annotated[str, StringConstraints(max_length=TEXT_AT_MOST, strip_whitespace=True), AfterValidator(storable)]


def wave_details(wave: WaveView) -> WaveDetails:
    """A wave as the API shows it."""
    fields = {name: getattr(wave, name) for name in WaveView.__dataclass_fields__ if name != "history"}
    return WaveDetails(**fields, history=[HistoryView(**asdict(each)) for each in wave.history])


def recipient_view(recipient: WaveRecipient) -> RecipientView:
    """One of its people as the API shows them."""
    return RecipientView(**asdict(recipient))
