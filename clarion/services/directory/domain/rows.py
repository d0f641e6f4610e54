"""What a line of each table, and a document of Open States' people data, must say."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from clarion.schemas.text import Contract, Identifier, Line, iso_text
from clarion.services.directory.domain.addresses import address

CHAMBERS = {
    "upper": "upper",
    "senate": "upper",
    "lower": "lower",
    "assembly": "lower",
    "house": "lower",
    "legislature": "joint",
    "joint": "joint",
}
SEATED = ("upper", "lower")


def chamber(text: str) -> str:
    """`upper`, `lower` or `joint`, whichever of its names is used.

    Raises:
        ValueError: no chamber has that name.
    """
    try:
        return CHAMBERS[text.casefold()]
    except KeyError:
        raise ValueError(f'"{text}" is no chamber; known: {", ".join(CHAMBERS)}') from None


def seated(name: str) -> str:
    """A chamber that districts send members to.

    Raises:
        ValueError: it is another one.
    """
    if name not in SEATED:
        raise ValueError(f"{name} chambers have no districts")
    return name


def district_number(text: str) -> str:
    """A district's number without leading zeros or extra spaces."""
    return " ".join(text.split()).lstrip("0 ") or "0"


def district_id(chamber_name: str, number: str) -> str:
    """The id of a district, such as `upper:11`."""
    return f"{chamber_name}:{number}"


def role(text: str) -> str:
    """A committee role in the directory's words: chair, vice-chair, co-chair, alternate, member or as it stands."""
    plain = text.casefold()
    if plain.endswith("alternate"):
        return "alternate"
    return plain.replace("vice chair", "vice-chair").replace("co chair", "co-chair")


def values(text: Any) -> Any:
    """The values of one cell, parted by `;`, each once and in their order."""
    if not isinstance(text, str):
        return text
    if ";" not in text:
        return [only] if (only := text.strip()) else []
    return list(dict.fromkeys(part for raw in text.split(";") if (part := raw.strip())))


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float | date) and not isinstance(value, bool) else value


def in_order(first: date | None, last: date | None) -> None:
    """Refuse days that end before they begin.

    Raises:
        ValueError: they do.
    """
    if first is not None and last is not None and last < first:
        raise ValueError(f"the last day, {last}, is before the first, {first}")


IsoDay = Annotated[date, BeforeValidator(iso_text)]
Address = Annotated[Line, AfterValidator(address)]
ChamberName = Annotated[Line, AfterValidator(chamber)]
DistrictNumber = Annotated[
    str, BeforeValidator(_text), StringConstraints(min_length=1, max_length=100), AfterValidator(district_number)
]
Role = Annotated[Line, AfterValidator(role)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]
Values = BeforeValidator(values)
Elected = Annotated[bool, BeforeValidator(lambda word: {"elected": True, "appointed": False}.get(word, word))]


class Keyed(Contract):
    """The part of a line that says which entity it is about."""

    id: Identifier


class DivisionRow(Contract):
    """A line of the table of divisions."""

    slug: Slug
    name: Line
    manager_name: Line | None = None
    manager_email: Address | None = None
    manager_phone: Line | None = None


class CityRow(Contract):
    """A line of the table of cities; `division` is a slug or a name.

    `member_since` and `member_until` are the first and the last day of a membership of the association.
    """

    ocd_id: Identifier
    name: Line
    county: Line | None = None
    division: Line | None = None
    population: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    member: bool = True
    member_since: IsoDay | None = None
    member_until: IsoDay | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        in_order(self.member_since, self.member_until)
        return self


class DistrictKey(Contract):
    """The part of a line of the table of districts that says which district it is about."""

    chamber: Annotated[ChamberName, AfterValidator(seated)]
    district: DistrictNumber


class DistrictRow(DistrictKey):
    """A city's share in a district; `city` is a name or an id."""

    city: Line
    area_share: Annotated[float, Field(ge=0, le=1)]


class OfficialRow(Contract):
    """A line of the table of officials; `city` is a name or an id."""

    id: Identifier
    name: Line
    city: Line
    roles: Annotated[list[Line], Values, Field(max_length=50)] = Field(default_factory=list)
    email: Address
    phone: Line | None = None
    groups: Annotated[list[Identifier], Values, Field(max_length=200)] = Field(default_factory=list)
    testifies: bool = False
    elected: Elected | None = None


class GroupRow(Contract):
    """A line of the table of groups; its members are ids of officials, and names or ids of cities."""

    slug: Slug
    name: Line
    kind: Slug = "other"
    open_to: Line | None = None
    cities: Annotated[list[Line], Values, Field(max_length=1_000)] = Field(default_factory=list)
    officials: Annotated[list[Identifier], Values, Field(max_length=5_000)] = Field(default_factory=list)


class MembershipRow(Contract):
    """A line of the table of memberships: one term of an official, or of a whole city, in a group.

    The group is a slug or a name, the city a name or an id. `since` and `until` are the first and the last day.
    """

    group: Line
    official: Identifier | None = None
    city: Line | None = None
    role: Role = "member"
    since: IsoDay | None = None
    until: IsoDay | None = None

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.official is None) == (self.city is None):
            raise ValueError("a line names an official or a city, and not both")
        in_order(self.since, self.until)
        return self


class PartnerKey(Contract):
    """The part of a line of the table of partners that says which partner it is about."""

    id: Identifier
    name: Line
    kind: Slug = "partner"


class PartnerRow(PartnerKey):
    """A partner or co-host, or one of its people: a line for each."""

    person: Line | None = None
    title: Line | None = None
    email: Address | None = None
    phone: Line | None = None

    @model_validator(mode="after")
    def _of_somebody(self) -> Self:
        if self.person is None and (self.title or self.email or self.phone):
            raise ValueError("title, email and phone are those of a person, and no person is named")
        return self


class LegislatorRow(DistrictKey):
    """A line of the table of legislators."""

    id: Identifier
    name: Line
    family_name: Line | None = None
    party: Line | None = None
    email: Address | None = None


class CommitteeKey(Contract):
    """The part of a line of the table of committees that says which committee it is about."""

    id: Identifier
    name: Line
    chamber: ChamberName
    jurisdiction: Identifier | None = None
    other_names: Annotated[list[Line], Values, Field(max_length=200)] = Field(default_factory=list)


class CommitteeRow(CommitteeKey):
    """A member of a committee; a line without a legislator states the committee alone."""

    legislator_id: Identifier | None = None
    role: Role = "member"


Day = Annotated[str, BeforeValidator(_text), StringConstraints(max_length=10)]


class Term(Contract):
    """A role of a person: `type` is upper, lower or an office that is no seat. Days may lack day or month."""

    type: Line
    district: DistrictNumber | None = None
    start_date: Day = ""
    end_date: Day = ""

    def covers(self, today: date) -> bool:
        """Whether this is a seat held on that day; a partial date covers its whole month or year."""
        day = today.isoformat()
        ended = bool(self.end_date) and self.end_date < day[: len(self.end_date)]
        return self.type in SEATED and self.start_date <= day and not ended


class Named(Contract):
    """A thing that has a name."""

    name: Line


class PersonDocument(Contract):
    """A legislator as Open States publishes them; contact data is not read."""

    id: Identifier
    name: Line
    family_name: Line | None = None
    party: list[Named] = Field(default_factory=list)
    roles: list[Term]


class MemberEntry(Contract):
    """A membership as a committee's document states it."""

    name: Line
    role: Role = "member"
    person_id: Identifier | None = None


class CommitteeDocument(Contract):
    """A committee as Open States publishes it."""

    id: Identifier
    name: Line
    chamber: ChamberName
    jurisdiction: Identifier | None = None
    other_names: Annotated[list[Named], Field(max_length=200)] = Field(default_factory=list)
    members: Annotated[list[Any], Field(max_length=300)] = Field(default_factory=list)


COLUMNS: dict[str, type[Contract]] = {
    "divisions": DivisionRow,
    "cities": CityRow,
    "districts": DistrictRow,
    "legislators": LegislatorRow,
    "committees": CommitteeRow,
    "groups": GroupRow,
    "officials": OfficialRow,
    "memberships": MembershipRow,
    "partners": PartnerRow,
}
"""The kinds that come as tables, with what a line of each must say."""


def faults(error: ValidationError) -> str:
    """What is wrong with a line, field by field, in one sentence."""
    return "; ".join(_fault(fault["loc"], fault["msg"]) for fault in error.errors(include_url=False))


def _fault(where: Iterable[int | str], message: str) -> str:
    place = ".".join(str(part) for part in where)
    message = message.removeprefix("Value error, ").replace("Field required", "is missing")
    return f"{place}: {message}" if place else message
