"""Whom a campaign concerns and why, worked out from the directory as it is: a committee's cities, or an audience."""

from collections.abc import Sequence
from dataclasses import asdict

from clarion.runtime.database import Connection, load_queries
from clarion.services.campaigns import repository
from clarion.services.campaigns.domain import words
from clarion.services.campaigns.domain.affected import Source, author_chambers, said_of, sources
from clarion.services.campaigns.domain.decision import Decision
from clarion.services.campaigns.domain.names import (
    CITY_RANK,
    DISTRICT_RANK,
    DIVISION_RANK,
    GROUP_RANK,
    STATEWIDE_RANK,
    member_rank,
)
from clarion.services.campaigns.domain.occasions import Audience, Occasion

BY_HAND = "You were chosen for this by name."


async def plan_audience(connection: Connection, occasion: Occasion, campaign: str, decision: Decision) -> None:
    """Write down the campaign's cities and people with their reasons, and which of the cities are open."""
    queries = load_queries(__package__)
    bills = [each.position.bill for each in decision.positions]
    await queries.clear_people(connection, campaign=campaign)
    if occasion.audience is None:
        await _plan_hearing(connection, occasion, campaign, decision, bills)
    else:
        await _plan_made(connection, occasion, campaign, decision, bills)
    await queries.plan_company(connection, campaign=campaign, bills=bills)
    await queries.shut_cities(connection, campaign=campaign, launch=decision.launch)


async def _plan_hearing(
    connection: Connection, occasion: Occasion, campaign: str, decision: Decision, bills: Sequence[str]
) -> None:
    members = await repository.members_of(connection, decision.committee.id) if decision.committee else []
    chambers = author_chambers(occasion, decision.positions)
    legislators = await repository.legislators_of(connection, sorted(chambers))
    found = sources(occasion, decision.positions, members, legislators)
    await repository.QUERIES.plan_cities(
        connection, campaign=campaign, sources=found, bills=bills, today=decision.today
    )
    groups = sorted({source["group"] for source in found if source["kind"] == "group"})
    if groups:
        await load_queries(__package__).plan_group_people(
            connection,
            campaign=campaign,
            sources=found,
            bills=bills,
            said=await _said(connection, groups, decision),
            letter_roles=occasion.letter_roles,
            today=decision.today,
        )


async def _plan_made(
    connection: Connection, occasion: Occasion, campaign: str, decision: Decision, bills: Sequence[str]
) -> None:
    audience = occasion.audience or Audience()
    groups = sorted({group.partition(":")[0] for group in audience.groups})
    await load_queries(__package__).plan_audience(
        connection,
        campaign=campaign,
        audience=audience.model_dump(mode="json"),
        seats=await _seats(connection, audience.committees, occasion.jurisdiction),
        bills=bills,
        said=await _said(connection, groups, decision),
        by_hand=BY_HAND,
        today=decision.today,
        division_rank=DIVISION_RANK,
        city_rank=CITY_RANK,
        district_rank=DISTRICT_RANK,
        group_rank=GROUP_RANK,
        statewide_rank=STATEWIDE_RANK,
        hand_rank=0,
    )


async def _said(connection: Connection, groups: Sequence[str], decision: Decision) -> list[Source]:
    """The sentence for each role that somebody has in these groups."""
    if not groups:
        return []
    rows = load_queries(__package__).roles_in_groups(connection, groups=groups, today=decision.today)
    return said_of([dict(row) async for row in rows])


async def _seats(connection: Connection, committees: Sequence[str], jurisdiction: str) -> list[Source]:
    """The members of these committees, each with the name of the committee and the rank of the reason."""
    seats: list[Source] = []
    for each in committees:
        committee = await repository.find_committee(connection, each)
        if committee is not None:
            title = words.committee_title(committee.name, committee.chamber, jurisdiction)
            members = await repository.members_of(connection, each)
            seats += [asdict(one) | {"rank": member_rank(one.role), "committee": title} for one in members]
    return seats
