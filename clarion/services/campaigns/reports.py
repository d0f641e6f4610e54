"""What people and machines are told about campaigns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection
from clarion.services.campaigns.bills import progress_in
from clarion.services.campaigns.repository import QUERIES


@dataclass(frozen=True, slots=True)
class Affected:
    """Whom a committee's hearing concerns: members, their districts, the cities there and those cities' divisions."""

    members: int
    districts: int
    cities: int
    divisions: int


async def affected(connection: Connection, committee_id: str, *, include_non_members: bool = False) -> Affected:
    """Count whom a hearing of this committee concerns, before any position."""
    row = await QUERIES.affected_by_committee(
        connection, committee=committee_id, include_non_members=include_non_members
    )
    return Affected(**dict(row))


async def list_campaigns(connection: Connection) -> list[dict[str, Any]]:
    """All campaigns, the latest hearing first, with how many were asked and reached."""
    return [dict(row) async for row in QUERIES.list_campaigns(connection, id=None)]


async def campaign_summary(connection: Connection, campaign_id: str) -> dict[str, Any] | None:
    """One campaign with its `waves`, `reasons`, what was `told` when, the `progress` of the bills on its agenda, and
    the officials by `outcomes`; None if none.
    """
    found = [dict(row) async for row in QUERIES.list_campaigns(connection, id=campaign_id)]
    if not found:
        return None
    rows = QUERIES.outcomes_of_campaign(connection, campaign=campaign_id)
    return found[0] | {
        "outcomes": {row["outcome"]: row["officials"] async for row in rows},
        "progress": await progress_in(connection, campaign_id),
        "told": [dict(row) async for row in QUERIES.told_of_campaign(connection, campaign=campaign_id)],
        "waves": [dict(row) async for row in QUERIES.waves_of_campaign(connection, campaign=campaign_id)],
        "reasons": [dict(row) async for row in QUERIES.reasons_of_campaign(connection, campaign=campaign_id)],
    }


async def is_settled(connection: Connection, campaign_id: str) -> bool:
    """Whether everyone whom the campaign concerns was asked and the end of each newest message is known."""
    if await QUERIES.any_job_open(connection, campaign=campaign_id):
        return False
    outcomes = [row["outcome"] async for row in QUERIES.outcomes_of_campaign(connection, campaign=campaign_id)]
    return "pending" not in outcomes


async def wave_names(connection: Connection, campaign_id: str) -> dict[str, str]:
    """The divisions of a campaign's waves by slug, as people call them."""
    rows = QUERIES.waves_of_campaign(connection, campaign=campaign_id)
    return {row["slug"]: row["division"] async for row in rows}


async def why_not_open(connection: Connection, campaign_id: str, now: datetime) -> str | None:
    """What keeps a campaign from asking anyone; None while it is open and in time."""
    found = [row async for row in QUERIES.list_campaigns(connection, id=campaign_id)]
    if not found:
        return f"no campaign {campaign_id}: `clarion campaigns list` shows the ids"
    [campaign] = found
    if campaign["status"] != "launched":
        return f"the campaign is {campaign['status']}: only one that is launched is sent again"
    return None if campaign["ends_at"] > now else "it is too late: the hearing has begun"
