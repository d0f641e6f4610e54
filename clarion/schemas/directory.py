"""The directory as other services need it: the newest state of each entity, with a revision.

Ids: city = its Open Civic Data id; division = slug; district = "<chamber>:<number>" such as "upper:11";
legislator and committee = their Open Civic Data ids; official = the id of the association's own list; group = slug;
partner = the id of the association's own list.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from clarion.schemas.text import Contract, Identifier, Instant, Line, Mailbox, Text

Kind = Literal["division", "city", "district", "group", "official", "legislator", "committee", "partner"]
ImportKind = Literal[
    "divisions",
    "cities",
    "districts",
    "legislators",
    "committees",
    "groups",
    "officials",
    "memberships",
    "partners",
]
NEEDED_TO_LAUNCH: tuple[ImportKind, ...] = (
    "divisions",
    "cities",
    "districts",
    "legislators",
    "committees",
    "officials",
)
"""The kinds whose newest import must have arrived whole before a campaign may be launched."""

IMPORT_EXTENSION = "importid"
"""The CloudEvents extension that carries the import an entity came with."""


class Entity(Contract):
    """What all entities share. `active` is false once it has left the directory."""

    id: Identifier
    revision: Annotated[int, Field(ge=1)]
    active: bool = True


class Division(Entity):
    """A regional division and its regional public affairs manager."""

    name: Line
    manager_name: Line | None = None
    manager_email: Line | None = None
    manager_phone: Line | None = None


class Membership(Contract):
    """A role in a group. `since` and `until` are its first and last day where they are known; it may begin later."""

    group: Identifier
    role: Line = "member"
    since: date | None = None
    until: date | None = None


class City(Entity):
    """A city; `member` of the association today or not; `division` is None while nobody has said.

    `member_since` and `member_until` are the first and the last day of that membership, where they are known.
    `memberships` are those in groups of cities that have not ended, `groups` those that count today.
    """

    name: Line
    county: Line | None = None
    division: Identifier | None = None
    population: Annotated[int, Field(ge=0)] | None = None
    member: bool = True
    member_since: date | None = None
    member_until: date | None = None
    groups: list[Identifier] = Field(default_factory=list)
    memberships: list[Membership] = Field(default_factory=list)


class CityShare(Contract):
    """How much of a city's area lies in a district, from 0 to 1."""

    city: Identifier
    share: Annotated[float, Field(ge=0, le=1)]


class District(Entity):
    """A legislative district and the cities that overlap it."""

    chamber: Identifier
    number: Identifier
    cities: list[CityShare] = Field(default_factory=list)


class Legislator(Entity):
    """A member of the legislature; `district` is a district's id."""

    name: Line
    family_name: Line | None = None
    chamber: Identifier
    district: Identifier
    party: Line | None = None
    email: Line | None = None


class CommitteeMember(Contract):
    """A membership, resolved to the member's district."""

    legislator: Identifier
    name: Line
    role: Line = "member"
    chamber: Identifier
    district: Identifier


class Committee(Entity):
    """A committee with its members. Names repeat, so identity is the id alone."""

    name: Line
    chamber: Identifier
    jurisdiction: Identifier | None = None
    other_names: list[Line] = Field(default_factory=list)
    phone: Line | None = None
    members: list[CommitteeMember] = Field(default_factory=list)


class Group(Entity):
    """A group that an audience is drawn by, of people or of whole cities; who is in it, the members carry.

    `kind` is department, caucus, policy-committee, city-group, network, community, board, task-force,
    conference-committee, other, or another word of the association's own. `open_to` says who may join.
    """

    name: Line
    kind: Identifier = "other"
    open_to: Line | None = None


class PartnerPerson(Contract):
    """A person of a partner, who is in no city."""

    name: Line
    title: Line | None = None
    email: Line | None = None
    mailbox: Mailbox | None = None
    phone: Line | None = None


class Partner(Entity):
    """An organisation outside, with its people; `kind` is partner, co-host, county or another word."""

    name: Line
    kind: Identifier = "partner"
    people: list[PartnerPerson] = Field(default_factory=list)


class Official(Entity):
    """A person of a city, with the one address by which they are reached.

    `elected` is whether any of the `roles` is an elected one. `memberships` are those in groups that have not ended,
    `groups` those that count today.
    """

    name: Line
    city: Identifier
    roles: list[Line]
    email: Line
    mailbox: Mailbox
    phone: Line | None = None
    groups: list[Identifier] = Field(default_factory=list)
    memberships: list[Membership] = Field(default_factory=list)
    testifies: bool = False
    elected: bool | None = None


class ImportCompleted(Contract):
    """An import of one kind has been published to its last entity.

    `left` counts those that were marked as left because the files did not name them, `held` those of `unchanged` for
    whom a correction holds against the files.
    """

    import_id: Identifier
    kind: ImportKind
    completed_at: Instant
    added: int
    changed: int
    unchanged: int
    rejected: int
    left: int = 0
    held: int = 0
    note: Text | None = None
