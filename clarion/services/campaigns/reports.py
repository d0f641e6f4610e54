"""What people and machines are told about campaigns."""

from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Page:
    """So many campaigns behind one of them and those that are skipped, or all without a `limit`.

    With `coming_after` only those that are open and whose voices still count then.
    """

    limit: int | None = None
    skipped: int = 0
    coming_after: datetime | None = None
    after: str | None = None
    """The id of the last one that was seen; where there is none of that id, nothing comes behind it."""


ALL = Page()


async def list_campaigns(connection: Connection, page: Page = ALL) -> list[dict[str, Any]]:
    """Campaigns, the latest hearing first, with how many were asked and reached; that is counted for these alone."""
    rows = QUERIES.list_campaigns(
        connection,
        id=None,
        coming=page.coming_after is not None,
        now=page.coming_after,
        at_most=page.limit,
        skipped=page.skipped,
        after=page.after,
    )
    return [dict(row) async for row in rows]


async def page_of_campaigns(connection: Connection, page: Page) -> tuple[list[dict[str, Any]], bool]:
    """The campaigns of a page with a limit, and whether there are more behind them."""
    if page.limit is None:
        return await list_campaigns(connection, page), False
    found = await list_campaigns(connection, replace(page, limit=page.limit + 1))
    return found[: page.limit], len(found) > page.limit


async def is_campaign(connection: Connection, campaign_id: str) -> bool:
    """Whether there is a campaign of this id."""
    return "\x00" not in campaign_id and bool(await QUERIES.is_campaign(connection, id=campaign_id))


async def _one(connection: Connection, campaign_id: str) -> dict[str, Any] | None:
    rows = QUERIES.list_campaigns(connection, id=campaign_id, coming=False, now=None, at_most=1, skipped=0, after=None)
    return next(iter([dict(row) async for row in rows]), None)


async def campaign_summary(connection: Connection, campaign_id: str) -> dict[str, Any] | None:
    """One campaign with its `waves`, `reasons`, what was `told` when, the `progress` of the bills on its agenda, and
    the officials by `outcomes`; None if none.
    """
    found = await _one(connection, campaign_id)
    if found is None:
        return None
    rows = QUERIES.outcomes_of_campaign(connection, campaign=campaign_id)
    return found | {
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
    campaign = await _one(connection, campaign_id)
    if campaign is None:
        return f"no campaign {campaign_id}: `clarion campaigns list` shows the ids"
    if campaign["status"] != "launched":
        return f"the campaign is {campaign['status']}: only one that is launched is sent again"
    return None if campaign["ends_at"] > now else "it is too late: the hearing has begun"
