"""HTTP in: campaigns to read, and their waves to decide on."""

from typing import Annotated, Any, TypeAlias
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.web.keys import require_scope
from clarion.runtime.web.problems import Refused, documented
from clarion.services.campaigns.approving.web import approving_router
from clarion.services.campaigns.outcome.web import outcome_router
from clarion.services.campaigns.reports import Page, campaign_summary, is_campaign, page_of_campaigns
from clarion.services.campaigns.views import CampaignDetails, CampaignView

Limit: TypeAlias = Annotated[int | None, Query(ge=1, le=10_000)]
After: TypeAlias = Annotated[str | None, Query(max_length=200)]
Skip: TypeAlias = Annotated[int, Query(ge=0, le=1_000_000)]


def campaigns_router(database: Database, clock: Clock) -> APIRouter:
    """What the API answers about campaigns, by key."""
    router = APIRouter()
    router.include_router(reading_router(database, clock))
    router.include_router(approving_router(database, clock))
    router.include_router(outcome_router(database, clock))
    return router


def reading_router(database: Database, clock: Clock) -> APIRouter:
    """`GET /api/v1/campaigns` and `GET /api/v1/campaigns/{id}`, for API keys of the scope `campaigns`."""
    may_read = Depends(require_scope("campaigns", database.connection, clock))
    router = APIRouter(prefix="/api/v1/campaigns", tags=["campaigns"], dependencies=[may_read])

    @router.get(
        "",
        response_model=list[CampaignView],
        responses=documented(401, 403, 422, 503),
        operation_id="list_campaigns",
        summary="All campaigns",
    )
    async def list_all(
        response: Response,
        *,
        limit: Limit = None,
        after: After = None,
        skip: Skip = 0,
        open: bool = False,  # noqa: A002 - as clients say it
    ) -> list[dict[str, Any]]:
        """The latest hearing first, each with how many officials were asked and reached.

        All, or a page of `limit`, which is quicker, behind the campaign whose id is `after`; with `open` only those
        whose voices still count. If there are more, a `Link` header with `rel="next"` (RFC 8288) leads to them.
        """
        async with database.connection() as connection:
            if after is not None and not await is_campaign(connection, after):
                raise Refused(422, "after names no campaign: take the id as a list shows it.")
            found, more = await page_of_campaigns(connection, Page(limit, skip, clock() if open else None, after))
        if more:
            query = urlencode({"limit": limit, "after": found[-1]["id"]} | ({"open": "true"} if open else {}))
            response.headers["link"] = f'</api/v1/campaigns?{query}>; rel="next"'
        return found

    @router.get(
        "/{campaign_id}",
        response_model=CampaignDetails,
        responses=documented(401, 403, 404, 503),
        operation_id="get_campaign",
        summary="One campaign",
    )
    async def show(campaign_id: str) -> dict[str, Any]:
        """With its waves, reasons, what was told, and outcomes."""
        async with database.connection() as connection:
            found = None if "\x00" in campaign_id else await campaign_summary(connection, campaign_id)
        if found is None:
            raise Refused(404, "There is no campaign with this id.")
        return found

    return router
