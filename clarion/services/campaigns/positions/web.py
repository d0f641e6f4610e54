"""HTTP in: positions to read."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.web.keys import require_scope
from clarion.runtime.web.problems import Refused, documented
from clarion.schemas.positions import PositionLine, PositionStory
from clarion.services.campaigns.positions import story
from clarion.services.campaigns.positions.repository import Wanted, find_place

Given = Annotated[str | None, Query(max_length=1_000)]


def positions_router(database: Database, clock: Clock) -> APIRouter:
    """`GET /api/v1/positions` and `GET /api/v1/positions/{id}`, for API keys of the scope `campaigns`."""
    may_read = Depends(require_scope("campaigns", database.connection, clock))
    router = APIRouter(prefix="/api/v1/positions", tags=["campaigns"], dependencies=[may_read])

    @router.get(
        "",
        response_model=list[PositionLine],
        responses=documented(401, 403, 414, 422, 503),
        operation_id="list_positions",
        summary="The positions in force",
    )
    async def list_all(
        *,
        stance: Given = None,
        subject: Given = None,
        session: Given = None,
        priority: Given = None,
        policy_area: Given = None,
        withdrawn: bool = False,
    ) -> list[dict[str, Any]]:
        """Those that fit all that is given, each with where its bill stands; withdrawn ones too if asked for."""
        given = (stance, subject, session, priority, policy_area)
        if any("\x00" in text for text in given if text):
            return []
        async with database.connection() as connection:
            return await story.listed(connection, Wanted(*given, withdrawn))

    @router.get(
        "/{position_id}",
        response_model=PositionStory,
        responses=documented(401, 403, 404, 503),
        operation_id="get_position",
        summary="A bill's whole story",
    )
    async def show(position_id: str) -> dict[str, Any]:
        """The position of which some version has this id: its versions, hearings and campaigns."""
        async with database.connection() as connection:
            place = await find_place(connection, position_id)
            found = place and await story.story_at(connection, place, clock())
        if not found:
            raise Refused(404, "There is no position with this id.")
        return found

    return router
