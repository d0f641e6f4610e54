"""HTTP in: what came of a campaign, for machines and for spreadsheets."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.web.keys import require_scope
from clarion.runtime.web.problems import Refused, documented
from clarion.schemas.outcomes import CampaignOutcome
from clarion.services.campaigns.outcome.operations import By, outcome_of, sheet_of

CSV = "text/csv"


def outcome_router(database: Database, clock: Clock) -> APIRouter:
    """`GET /api/v1/campaigns/{id}/outcome`, for API keys of the scope `campaigns`."""
    may_read = Depends(require_scope("campaigns", database.connection, clock))
    router = APIRouter(prefix="/api/v1/campaigns", tags=["campaigns"], dependencies=[may_read])

    @router.get(
        "/{campaign_id}/outcome",
        response_model=CampaignOutcome,
        responses={**documented(401, 403, 404, 422, 503), 200: {"content": {CSV: {"schema": {"type": "string"}}}}},
        operation_id="get_campaign_outcome",
        summary="What came of a campaign so far",
    )
    async def outcome(
        campaign_id: str, by: By = "division", accept: Annotated[str, Header()] = "*/*"
    ) -> CampaignOutcome | Response:
        """As JSON, or with `Accept: text/csv` one line for each division, member or city (`by`) for a spreadsheet."""
        async with database.connection() as connection:
            found = None if "\x00" in campaign_id else await outcome_of(connection, campaign_id, clock())
        if found is None:
            raise Refused(404, "There is no campaign with this id.")
        if accept.lower().startswith(CSV):
            return Response(sheet_of(found, by), media_type=f"{CSV}; charset=utf-8")
        return found

    return router
