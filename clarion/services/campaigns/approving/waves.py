"""A division's wave as it stands and as people and machines are shown it; and why something is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clarion.schemas.messages import CallBill, CallContent, Fact
from clarion.services.campaigns.approving.looks import Parts, look_of, parts_of
from clarion.services.campaigns.approving.rights import Place
from clarion.services.campaigns.approving.states import WaveState, urgent_from
from clarion.services.campaigns.domain.decision import letters_open

NOTHING: Mapping[str, Any] = {
    "facts": [],
    "content": {"committee": "unknown", "when": "unknown", "letters_due": "unknown", "bills": []},
}
"""What the calls of a campaign have in common as long as that is not known."""


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


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What was done to a wave, when and by whom; `official` is whom it was about."""

    at: datetime
    by: str | None
    what: str
    reason: str | None = None
    official: str | None = None

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


@dataclass(frozen=True, slots=True)
class WaveView:
    """A wave for those who decide on it.

    `division` is empty for cities without one, and `*` for bills that came to a launched campaign. Nothing of it helps
    from `useless_at` on. `asks` counts officials by what they are asked. `look` goes with a decision, so that what is
    decided on is what was looked at.
    """

    campaign: str
    title: str
    division: str
    name: str
    state: str
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
    asks: Mapping[str, int]
    facts: Sequence[Fact]
    bills: Sequence[CallBill]
    history: Sequence[HistoryEntry] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class WaveRecipient:
    """Somebody whom a wave asks, or who was left out: `included` says which, `reason` why by hand, if so.

    `reasons` are those for which the city or the person is asked, as sentences.
    """

    official: str
    mailbox: str
    city: str
    roles: Sequence[str]
    reasons: Sequence[str]
    asks: Sequence[str]
    included: bool
    reason: str | None


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

    def view(self, counted: Counted, history: Sequence[HistoryEntry] = ()) -> WaveView:
        """The same for those who decide."""
        written = self.common.get("first_ask", "letter") if self.letters_open else "phone"
        asks = {written: counted.writes, "testimony": counted.speaks}
        shown = ("campaign", "title", "division", "name", "state", "cities", "officials", "paragraph", "useless_at")
        decided = ("decided_by", "decided_at", "reason", "paused")
        return WaveView(
            **{name: self.row[name] for name in (*shown, *decided)},
            mailboxes=counted.mailboxes,
            left_out=counted.left_out,
            added=counted.added,
            look=look_of(self.parts),
            urgent=self.urgent,
            asks={kind: count for kind, count in asks.items() if count},
            facts=self.facts,
            bills=self.content.bills,
            history=history,
        )
