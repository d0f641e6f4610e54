"""`/campaigns/{id}/outcome.csv`: what came of a campaign so far, for a spreadsheet."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from clarion.runtime.staff.rights import Act
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import Visit
from clarion.services.campaigning.desk import PLACE, Desk
from clarion.services.campaigns.outcome.operations import By, outcome_of, sheet_of

UNKNOWN_CAMPAIGN = "There is no such campaign. It may be that the link is broken: open the list of campaigns."


def outcomes_router(desk: Desk) -> APIRouter:
    """The sheet by division, by committee member or by city."""
    router = APIRouter(prefix=PLACE, include_in_schema=False)
    seen = Depends(desk.staff.may(Act.SEE_CAMPAIGNS))

    @router.get("/{campaign}/outcome.csv")
    async def save(campaign: str, _visit: Annotated[Visit, seen], by: By = "division") -> Response:
        async with desk.campaigns() as database, database.connection() as connection:
            found = None if "\x00" in campaign else await outcome_of(connection, campaign, desk.clock())
        if found is None:
            raise Refused(404, UNKNOWN_CAMPAIGN)
        headers = {"content-disposition": f'attachment; filename="outcome-by-{by}.csv"', "cache-control": "no-store"}
        return Response(sheet_of(found, by), media_type="text/csv; charset=utf-8", headers=headers)

    return router
