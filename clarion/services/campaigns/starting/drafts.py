"""A campaign as somebody drafts it: names as people write them, read and looked at before anything is kept."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from clarion.schemas.legislation import Day, OptionalLine, Start
from clarion.schemas.text import Contract, Identifier, Line, Text, iso_text
from clarion.services.campaigns.domain.names import CALIFORNIA

StartedKind = Literal["floor-vote", "governor", "comment-period", "programme", "volunteer", "threat"]
WrittenAsk = Literal["letter", "comment-letter", "phone", "volunteer"]
Members = Literal["members", "others", "all"]
Names = Annotated[list[Identifier], Field(max_length=1_000)]
Officials = Annotated[list[Identifier], Field(max_length=10_000)]
YEARS = range(2000, 2200)


def in_our_time(value: date) -> date:
    """Let only days pass with which one can reckon."""
    if value.year not in YEARS:
        raise ValueError(f"a year from {YEARS.start} to {YEARS.stop - 1} is wanted")
    return value


Moment = Annotated[datetime, BeforeValidator(iso_text), AfterValidator(in_our_time)]
Ending = Annotated[Start, AfterValidator(in_our_time)]
OwnDay = Annotated[Day, AfterValidator(in_our_time)]


class Drafted(Contract):
    """A part of a draft. A field that nobody knows is refused: one mistyped word would call everyone."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=False)


class AudienceDraft(Drafted):
    """Who is asked, by names or ids. Within a line any of the names will do; between the lines all have to fit.

    `groups` holds groups of people or of cities, "latino-caucus:chair" those in a leading role; `districts` "SD 7" or
    "upper:7"; `committees` the districts of a committee's members. `officials` are asked whatever the rest says.
    """

    divisions: Names = Field(default_factory=list)
    cities: Names = Field(default_factory=list)
    groups: Names = Field(default_factory=list)
    roles: Names = Field(default_factory=list)
    districts: Names = Field(default_factory=list)
    committees: Names = Field(default_factory=list)
    officials: Officials = Field(default_factory=list)
    members: Members = "members"
    statewide: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing says who is asked; `members` and `roles` only narrow what something else says."""
        places = (self.divisions, self.cities, self.groups, self.districts, self.committees, self.officials)
        return not (self.statewide or any(places))


class AskDraft(Drafted):
    """What is asked where no adopted position says it: about `subject`, such as a regulation or a task force."""

    subject: Line
    ask: Text
    why: Text
    points: Text | None = None
    letter: Text | None = None


class OccasionDraft(Drafted):
    """A campaign that is no hearing's.

    `decided_at` is the moment from which nobody's voice counts (a day alone lasts to its end, times without an offset
    are those of `zone`); `due_at` when what is written has to be there, if that is earlier. For the Governor's desk the
    day on which the bill was `presented_on` is enough, with `session_ended_on` where nobody knows that here. `bills`
    are bills or regulations with an adopted position. `id` is the drafter's own: posted twice it is one campaign.
    """

    id: Identifier | None = None
    kind: StartedKind
    jurisdiction: Identifier = CALIFORNIA
    session: Identifier | None = None
    zone: Identifier = "America/Los_Angeles"
    decider: OptionalLine = None
    decided_at: Ending | None = None
    due_at: Moment | None = None
    presented_on: OwnDay | None = None
    session_ended_on: OwnDay | None = None
    bills: Annotated[list[Line], Field(max_length=100)] = Field(default_factory=list)
    own: Annotated[list[AskDraft], Field(max_length=20)] = Field(default_factory=list)
    first_ask: WrittenAsk | None = None
    launch: Literal["auto", "approval"] = "approval"
    where: OptionalLine = None
    notice_url: OptionalLine = None
    audience: AudienceDraft


EXAMPLE: dict[str, object] = {
    "id": "packaging-rules-2027",
    "kind": "comment-period",
    "decider": "CalRecycle",
    "decided_at": "2027-06-14T17:00:00-07:00",
    "own": [
        {
            "subject": "SB 54 packaging regulations",
            "ask": "ask that producers pay what cities' collection really costs",
            "why": "The draft leaves cities to pay for sorting what producers sell.",
            "letter": "The City of [city] comments on the draft packaging regulations.",
        }
    ],
    "notice_url": "https://agency.example/packaging-rules",
    "audience": {"divisions": ["East Bay"], "groups": ["city-managers", "coastal-cities"]},
}
"""The worked example: an agency's rulemaking on the packaging law, and a draft of comments on it."""


class Looked(Drafted):
    """A change of a campaign that was started: with the `look` of what was counted, only if it is still so."""

    look: Text | None = None


class Change(Looked):
    """What is new about the time of a campaign that was started; what is left out stays."""

    decided_at: Ending | None = None
    due_at: Moment | None = None
    where: OptionalLine = None
