"""What tests of campaigns that somebody starts share: a small association with groups, and drafts."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from campaigns_world import IMPORTS, World, city, official

from clarion.runtime.staff.audit import Actor
from clarion.runtime.staff.rights import Role, Staff
from clarion.schemas.directory import Group, Membership
from clarion.services.campaigns.starting import changing, operations
from clarion.services.campaigns.starting.changing import Changer
from clarion.services.campaigns.starting.drafts import Change, OccasionDraft
from clarion.services.campaigns.starting.views import Counted, Started

SOMEBODY = Actor("command", "tester", "Tester", "here")
COASTAL, CLERKS = "coastal-cities", "city-clerks"
ENDS = "2027-06-14T17:00:00-07:00"
OWN = {"subject": "SB 54 packaging regulations", "ask": "ask that producers pay", "why": "Cities pay for sorting."}


def member(group: str, **changes: Any) -> Membership:
    return Membership(**{"group": group} | changes)


def manager(*divisions: str) -> Staff:
    return Staff("m", "Manager", "m@league.example", Role.MANAGER, frozenset(divisions))


async def associate(world: World) -> None:
    """The small state, with a group of cities and one of people; who was in one last year is in it no more."""
    cities = [each for each in IMPORTS["cities"] if each.id != "birch"]
    past = member(COASTAL, until=date(2026, 12, 31))
    people = [each for each in IMPORTS["officials"] if each.id not in {"a-clerk", "e-mayor"}]
    await world.import_all(
        cities=[
            *(each.model_copy(update={"memberships": [past]}) if each.id == "alder" else each for each in cities),
            city("birch", "peninsula", memberships=[member(COASTAL)]),
        ],
        officials=[
            *people,
            official("a-clerk", "alder", "City Clerk", memberships=[member(CLERKS, role="Vice-Chair")]),
            official("e-mayor", "elm", "Mayor", memberships=[member(CLERKS)]),
            official("b-clerk", "birch", "City Clerk", memberships=[member(CLERKS)]),
        ],
    )
    await world.project(
        world.entity(Group(id=COASTAL, revision=1, name="Coastal Cities Group", kind="city-group")),
        world.entity(Group(id=CLERKS, revision=1, name="City Clerks Department", kind="department")),
    )


def make_draft(audience: dict[str, Any] | None = None, **changes: Any) -> OccasionDraft:
    fields = {"kind": "comment-period", "decider": "CalRecycle", "decided_at": ENDS, "own": [OWN], "launch": "auto"}
    return OccasionDraft.model_validate(fields | changes | {"audience": audience or {"statewide": True}})


async def start(world: World, draft: OccasionDraft, staff: Staff | None = None) -> Started:
    async with world.database.transaction() as tx:
        return await operations.start(tx, draft, SOMEBODY, staff, world.now)


async def count(world: World, draft: OccasionDraft, staff: Staff | None = None) -> Counted:
    async with world.database.connection() as connection:
        return await operations.count(connection, draft, world.now, staff)


async def move(world: World, campaign: str, staff: Staff | None = None, **change: Any) -> None:
    async with world.database.transaction() as tx:
        said = Change.model_validate(change)
        await changing.move(tx, campaign, said, Changer(SOMEBODY, staff), world.now)
    await world.fan_out()


async def cancel(world: World, campaign: str, staff: Staff | None = None) -> None:
    async with world.database.transaction() as tx:
        await changing.cancel(tx, campaign, Changer(SOMEBODY, staff), world.now)
    await world.fan_out()


async def asked(world: World, audience: dict[str, Any], **changes: Any) -> set[str]:
    """Who is called by a campaign with this audience."""
    await start(world, make_draft(audience, **changes))
    await world.fan_out()
    return await world.called()


def texts(reasons: Iterable[dict[str, Any]]) -> list[str]:
    return [each["text"] for each in reasons]
