"""A campaign's outcome so far, as it is printed and answered."""

from pydantic import Field

from clarion.schemas.campaigns import CampaignStatus
from clarion.schemas.text import Contract, Identifier, Instant, Line


class Tally(Contract):
    """Officials by what became of their call, as the campaign concerns them now.

    Who is `asked` is in one of the others: `reached` was sent what holds now, `bounced` came back, `failed` was
    refused, `suppressed` is not written to, of those `in_doubt` nobody knows, `pending` is under way, and for `other`
    it came too late or was not needed. `to_approve` were not asked, since nobody decided on their division yet.
    """

    cities: int = Field(ge=0)
    asked: int = Field(ge=0)
    reached: int = Field(ge=0)
    bounced: int = Field(ge=0)
    failed: int = Field(ge=0)
    suppressed: int = Field(ge=0)
    in_doubt: int = Field(ge=0)
    pending: int = Field(ge=0)
    other: int = Field(ge=0)
    to_approve: int = Field(ge=0)


class DivisionOutcome(Tally):
    """A division's part; its `slug` is empty for cities without one. `without` counts cities without anyone to ask."""

    slug: str
    division: Line
    without: int = Field(ge=0)


class MemberOutcome(Tally):
    """The cities that a member of the committee represents; who has several members counts for each of them."""

    legislator: Identifier
    name: Line
    role: Line
    district: Identifier


class CityOutcome(Tally):
    """One city; `officials` are those who would be asked there, none in a city without anyone to ask."""

    city: Identifier
    name: Line
    division: str
    officials: int = Field(ge=0)


class CampaignOutcome(Contract):
    """What came of a campaign until `at`: in all, by division, by committee member, and by city; chairs and the largest
    share first, names in their order. `without` names the cities without anyone to ask.
    """

    campaign: Identifier
    title: Line
    status: CampaignStatus
    at: Instant
    total: Tally
    divisions: list[DivisionOutcome]
    members: list[MemberOutcome]
    cities: list[CityOutcome]
    without: list[Line]
