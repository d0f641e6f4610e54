"""A division's wave as it stands and as people and machines are shown it; and why something is refused."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from clarion.schemas.messages import CallBill, CallContent, Fact
from clarion.schemas.text import storable
from clarion.services.campaigns.approving.looks import Parts, look_of, parts_of
from clarion.services.campaigns.approving.rights import Place
from clarion.services.campaigns.approving.states import WaveState, urgent_from
from clarion.services.campaigns.domain.decision import letters_open

NO_SUCH_PLACE = "there is no such page: begin with the first"
NOTHING: Mapping[str, Any] = {
    "facts": [],
    "content": {"committee": "unknown", "when": "unknown", "letters_due": "unknown", "bills": []},
}
"""What the calls of a campaign have in common as long as that is not known."""


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


PLACE_AT_MOST = 500
"""How long the place of a wave is in an address."""
WAVES_AT_MOST = 200
"""Of the waves that wait at most so many are looked at at once."""


class Refusal(Exception):
    """Nothing was done; the text says why, and what to do."""


class NoSuchWave(Refusal):
    """There is no such campaign, or the division has no part in it."""


class NotYours(Refusal):
    """It is somebody else's to decide."""


class TooLate(Refusal):
    """What is asked helps no more, or the occasion is called off."""


class Changed(Refusal):
    """What would be read is not what was looked at; `changes` says what is other, as sentences."""

    def __init__(self, changes: list[str]) -> None:
        super().__init__(f"It changed since you looked. {'. '.join(changes)}. Look at it again, then decide.")
        self.changes = changes


class Decided(Refusal):
    """Somebody decided before: `by` whom, when and what."""

    def __init__(self, by: str | None, at: datetime | None, state: str) -> None:
        who = f" by {by}" if by else ""
        when = f" on {at.astimezone(UTC):%B %-d, %Y at %H:%M} UTC" if at else ""
        super().__init__(f"It was {state}{who}{when}. Nothing was changed.")
        self.by, self.at, self.state = by, at, state


class HistoryView(BaseModel):
    """What was done to a wave: approved, rejected, stopped, waiting (it changed), added or left out."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    by: str | None
    what: str
    reason: str | None
    official: str | None

    def __str__(self) -> str:
        """As a sentence."""
        who = f" by {self.by}" if self.by else ""
        about = f" ({self.official})" if self.official else ""
        why = f": {self.reason}" if self.reason else ""
        return f"{self.at.astimezone(UTC):%B %-d, %Y, %H:%M} UTC: {self.what}{about}{who}{why}"


@dataclass(frozen=True, slots=True)
class Counted:
    """How many a wave asks or would: mailboxes, officials who would write and who would speak; and what was chosen."""

    mailboxes: int = 0
    writes: int = 0
    speaks: int = 0
    left_out: int = 0
    added: int = 0


class WaveDetails(BaseModel):
    """A division's part of a campaign, for whoever decides on it.

    `division` is empty for cities without one and `*` for bills that came to a launched campaign; in addresses `-`
    stands for the empty one. Nothing of it helps from `useless_at` on. Send `look` with a decision, so that it is taken
    only if what would be read is still what you saw. `asks` counts officials.
    """

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [WAVE]})

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

    model_config = ConfigDict(frozen=True)

    official: str
    mailbox: str
    city: str
    roles: list[str]
    reasons: list[str]
    asks: list[str]
    included: bool
    reason: str | None = Field(description="why they were left out or added by hand")


class WavePlace(NamedTuple):
    """Where a wave stands among those that wait: those whose use ends first come first."""

    after_useless: datetime | None
    after_campaign: str
    after_division: str

    def __str__(self) -> str:
        """As it goes into an address: whoever asks for what comes behind it gives it back as it is."""
        useless = self.after_useless.isoformat() if self.after_useless else ""
        return urlsafe_b64encode(json.dumps([useless, *self[1:]]).encode()).decode().rstrip("=")


def read_place(text: str) -> WavePlace | None:
    """The place that a text names; None if there is none.

    Raises:
        Refusal: it names none.
    """
    if not text:
        return None
    try:
        useless, *rest = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        campaign, division = map(storable, rest)
        moment = datetime.fromisoformat(useless).astimezone(UTC)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise Refusal(NO_SUCH_PLACE) from error
    return WavePlace(moment, campaign, division)


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """Some of the waves that wait, and what to ask for `after` these; None if no more wait."""

    waves: list[WaveDetails]
    next: str | None


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave before it is decided on; `row` is that of `find_waves`."""

    row: Mapping[str, Any]
    now: datetime

    @property
    def campaign(self) -> str:
        """The campaign's id."""
        return str(self.row["campaign"])

    @property
    def division(self) -> str:
        """The division's slug."""
        return str(self.row["division"])

    @property
    def state(self) -> WaveState:
        """Where it stands."""
        return WaveState(self.row["state"])

    @property
    def urgent(self) -> bool:
        """Whether it waits and its time runs short."""
        waits = self.state is WaveState.WAITING
        return waits and urgent_from(self.row["since"], self.row["useless_at"]) <= self.now

    @property
    def position(self) -> WavePlace:
        """Where it stands among those that wait."""
        row = self.row
        return WavePlace(row["useless_at"], row["campaign"], row["division"])

    @property
    def place(self) -> Place:
        """Whose it is."""
        return Place(self.division, self.row["name"], self.row["has_account"], self.urgent)

    @property
    def common(self) -> Mapping[str, Any]:
        """What its calls have in common, with the ask."""
        found: Mapping[str, Any] = self.row["held"] or self.row["message"] or NOTHING
        return found

    @property
    def facts(self) -> list[Fact]:
        """What its calls state, as far as a reader would act on it."""
        return [fact for fact in map(Fact.model_validate, self.common["facts"]) if fact.material]

    @property
    def content(self) -> CallContent:
        """What else its calls say."""
        return CallContent.model_validate(self.common["content"])

    @property
    def letters_open(self) -> bool:
        """Whether what is to be written is still asked for."""
        return letters_open(self.row["letters_due_at"], self.now)

    @property
    def parts(self) -> Parts:
        """What its recipients would read."""
        return parts_of(self.facts, self.content, self.row["paragraph"], letters_open=self.letters_open)

    def view(self, counted: Counted, history: Sequence[HistoryView] = ()) -> WaveDetails:
        """The same for those who decide."""
        written = self.common.get("first_ask", "letter") if self.letters_open else "phone"
        asks = {written: counted.writes, "testimony": counted.speaks}
        shown = ("campaign", "title", "division", "name", "state", "cities", "officials", "paragraph", "useless_at")
        decided = ("decided_by", "decided_at", "reason", "paused")
        return WaveDetails(
            **{name: self.row[name] for name in (*shown, *decided)},
            mailboxes=counted.mailboxes,
            left_out=counted.left_out,
            added=counted.added,
            look=look_of(self.parts),
            urgent=self.urgent,
            asks={kind: count for kind, count in asks.items() if count},
            facts=self.facts,
            bills=self.content.bills,
            history=list(history),
        )
