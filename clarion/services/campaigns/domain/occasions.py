"""Occasions: when voices count. A committee hearing as legislation tells of it, or one that the association made."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from clarion.schemas.legislation import HearingAlert
from clarion.schemas.roles import LETTER_ROLES
from clarion.schemas.text import Contract, Identifier, Line, Text

OccasionKind = Literal["hearing", "floor-vote", "governor", "comment-period", "programme", "volunteer", "threat"]
AskKind = Literal["letter", "comment-letter", "phone", "volunteer"]
MADE = "occasion:"
"""How the `hearing_id` of an occasion begins that is no hearing."""


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
    whom it is meant for. `own` are asks on which no position was adopted; `started_in` is the division that started it.
    """

    kind: OccasionKind = "hearing"
    audience: Audience | None = None
    own: list[OwnAsk] = Field(default_factory=list)
    first_ask: AskKind = "letter"
    started_in: Identifier | None = None

    @model_validator(mode="after")
    def _has_an_audience(self) -> Self:
        if (self.kind == "hearing") != (self.audience is None):
            raise ValueError("a hearing's audience is its committee's; any other occasion names its own")
        return self

    @staticmethod
    def of(alert: HearingAlert) -> Occasion:
        """A hearing as it was told of; its values were validated before."""
        return Occasion.model_construct(**dict(alert))

    @property
    def letter_roles(self) -> list[str] | None:
        """Roles whose holders are asked to write; None asks whoever is in the audience."""
        if self.audience is None:
            return sorted(LETTER_ROLES)
        return sorted(self.audience.roles) or None

    @property
    def is_hearing(self) -> bool:
        """Whether a committee hears it: then there is a place to testify."""
        return self.kind == "hearing"

    def due_at(self, due_at: datetime | None) -> Self:
        """The same with another end of letters."""
        return self.model_copy(update={"letters_due_at": due_at})
