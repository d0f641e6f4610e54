"""Occasions: when voices count. A committee hearing as legislation tells of it, or one that the association made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from clarion.schemas.deadlines import Due
from clarion.schemas.legislation import HearingAlert
from clarion.schemas.roles import LETTER_ROLES
from clarion.schemas.text import Contract, Identifier, Line, Text

OccasionKind = Literal["hearing", "floor-vote", "governor", "comment-period", "programme", "volunteer", "threat"]
AskKind = Literal["letter", "comment-letter", "phone", "volunteer"]
MADE = "occasion:"
"""How the `hearing_id` of an occasion begins that is no hearing."""
SPEAK_FOR_CITIES = frozenset({"hearing", "floor-vote", "governor", "comment-period", "threat"})
"""The kinds at which cities speak: those who do so for theirs are asked, where no roles are named."""


@dataclass(frozen=True, slots=True)
class Matter:
    """The words for one kind of occasion: what it is, and how it is said that its end is past.

    `when` and `decider` are the labels of its two main facts, `due` that of the written ask's deadline; `written` is
    what comes too late after that.
    """

    name: str
    was: str
    when: str
    decider: str
    due: str
    written: str


MATTERS: Mapping[str, Matter] = {
    "hearing": Matter("the hearing", "was", "When", "Committee", "Letters due", "the committee's analysis"),
    "floor-vote": Matter("the vote", "was", "Vote", "Who votes", "Letters due", "the vote"),
    "governor": Matter("the Governor's time", "ended", "Decision by", "Who decides", "Letters due", "the decision"),
    "comment-period": Matter("the comment period", "ended", "Open until", "Agency", "Comments due", "the rulemaking"),
    "programme": Matter("the programme", "closed", "Open until", "Who runs it", "Answer by", "the programme"),
    "volunteer": Matter("the call for volunteers", "closed", "Open until", "Who chooses", "Answer by", "the choice"),
    "threat": Matter("the matter", "was decided", "Decided", "Who decides", "Letters due", "the decision"),
}
"""The words for each kind of occasion."""


class Audience(Contract):
    """Whose voice counts, where no committee says so: ids as the directory has them, roles as they are compared.

    What is named of one kind is joined by "or", the kinds by "and"; officials named by hand are there in any case.
    `members` asks cities that are members, or those that are not; None asks both. `statewide` is every city.
    """

    divisions: list[Identifier] = Field(default_factory=list)
    cities: list[Identifier] = Field(default_factory=list)
    groups: list[Identifier] = Field(default_factory=list)
    roles: list[Identifier] = Field(default_factory=list)
    districts: list[Identifier] = Field(default_factory=list)
    committees: list[Identifier] = Field(default_factory=list)
    officials: list[Identifier] = Field(default_factory=list)
    members: bool | None = True
    statewide: bool = False


class OwnAsk(Contract):
    """What an occasion asks without an adopted position: the matter in the place of a bill, the ask and the reason."""

    name: Line
    ask: Text
    why: Text
    points: Text | None = None
    letter: Text | None = None


class Occasion(HearingAlert):
    """The full state of an occasion. One that is no hearing says who decides as its committee's name.

    `starts_at` is the moment from which nobody's voice counts, `letters_due_at` until when what is `first_ask` reaches
    whom it is meant for, which comes from `due`. `own` are asks on which no position was adopted; `launch` says how the
    waves of one that was made are let go; `started_in` is the division that started it.
    """

    kind: OccasionKind = "hearing"
    audience: Audience | None = None
    own: list[OwnAsk] = Field(default_factory=list)
    first_ask: AskKind = "letter"
    launch: Literal["auto", "approval"] = "auto"
    started_in: Identifier | None = None
    due: Due | None = None

    @model_validator(mode="after")
    def _has_an_audience(self) -> Self:
        if (self.kind == "hearing") != (self.audience is None):
            raise ValueError("a hearing's audience is its committee's; any other occasion names its own")
        return self

    @staticmethod
    def of(alert: HearingAlert) -> Occasion:
        """A hearing as it was told of; its values were validated before."""
        return Occasion.of_valid(
            **dict(alert),
            kind="hearing",
            audience=None,
            own=[],
            first_ask="letter",
            launch="auto",
            started_in=None,
            due=None,
        )

    @property
    def letter_roles(self) -> list[str] | None:
        """Roles whose holders are asked to write; None asks whoever is in the audience."""
        if self.audience is not None and self.audience.roles:
            return sorted(self.audience.roles)
        return sorted(LETTER_ROLES) if self.kind in SPEAK_FOR_CITIES else None

    @property
    def is_hearing(self) -> bool:
        """Whether a committee hears it: then there is a place to testify."""
        return self.kind == "hearing"

    def with_due(self, letters_due_at: datetime | None, due: Due | None) -> Self:
        """The same with the end of letters that holds, and where it comes from."""
        return self.model_copy(update={"letters_due_at": letters_due_at, "due": due})
