"""HTTP in: campaigns are counted, started, moved and cancelled, and that is taken back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Response

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.web.fields import FieldError
from clarion.runtime.web.keys import ApiKey, require_scope
from clarion.runtime.web.problems import Refused, documented
from clarion.services.campaigns.starting import changing, operations
from clarion.services.campaigns.starting.changing import Changer, Wish
from clarion.services.campaigns.starting.drafts import EXAMPLE, Change, Looked, OccasionDraft
from clarion.services.campaigns.starting.errors import NotToBeStarted, NotYours, Overtaken, Taken, Unfit, Unknown
from clarion.services.campaigns.starting.progress import QUERIES
from clarion.services.campaigns.starting.views import Counted, FollowUp, Foreseen, ReachedBefore, Started, follow_up

SCOPE = "occasions"
PREFIX = "/api/v1/campaigns"
CHANGES = documented(401, 403, 404, 409, 413, 422, 503)
OptionalLook = Annotated[Looked | None, Body()]
Draft = Annotated[OccasionDraft, Body(openapi_examples={"a comment period": {"value": EXAMPLE}})]


def starting_router(database: Database, clock: Clock) -> APIRouter:
    """Counting, starting, moving and cancelling under `/api/v1/campaigns`, for keys of the scope `occasions`."""
    router = APIRouter()
    router.include_router(beginning_router(database, clock))
    router.include_router(following_router(database, clock))
    router.include_router(changing_router(database, clock))
    return router


def beginning_router(database: Database, clock: Clock) -> APIRouter:
    """`POST /api/v1/campaigns` and `/api/v1/campaigns/count`."""
    router = APIRouter(prefix=PREFIX, tags=["campaigns"])
    key_for_occasions = require_scope(SCOPE, database.connection, clock)

    @router.post(
        "/count",
        responses=documented(401, 403, 413, 422, 503),
        operation_id="count_campaign",
        summary="Whom a campaign would ask",
        dependencies=[Depends(key_for_occasions)],
    )
    async def post_count(draft: Draft) -> Counted:
        """By division, as things are now: nothing is kept. Names that nobody knows are refused with those nearby."""
        async with database.connection() as connection:
            with told():
                return await operations.count(connection, draft, clock())

    @router.post(
        "",
        status_code=201,
        responses=documented(401, 403, 409, 413, 422, 503),
        operation_id="create_campaign",
        summary="Start a campaign that is no hearing's",
    )
    async def post_campaign(
        draft: Draft, response: Response, key: Annotated[ApiKey, Depends(key_for_occasions)]
    ) -> Started:
        """A floor vote, the Governor's desk, a comment period, a programme, volunteers, a threat to all cities.

        It waits for approval unless `launch` is auto. Posted again with the same `id` it is the same campaign.
        """
        with told():
            async with database.transaction() as tx:
                started = await operations.start(tx, draft, key.actor, None, clock())
        response.headers["location"] = f"{PREFIX}/{started.id}"
        return started

    return router


def following_router(database: Database, clock: Clock) -> APIRouter:
    """`GET /api/v1/campaigns/follow-ups` and `/{id}/reached-before`, for keys of the scope `campaigns`."""
    router = APIRouter(prefix=PREFIX, tags=["campaigns"])

    @router.get(
        "/follow-ups",
        responses=documented(401, 403, 503),
        operation_id="list_follow_ups",
        summary="Campaigns that wait for the next hearing of a bill",
        dependencies=[Depends(require_scope("campaigns", database.connection, clock))],
    )
    async def get_follow_ups() -> list[FollowUp]:
        """Drafted since a bill on which we called goes on; each becomes the campaign of this id once that is set."""
        async with database.connection() as connection:
            return [follow_up(row) async for row in QUERIES.list_follow_ups(connection, id=None)]

    @router.get(
        "/{campaign_id}/reached-before",
        responses=documented(401, 403, 404, 503),
        operation_id="list_reached_before",
        summary="Who was reached by the campaigns that this one follows",
        dependencies=[Depends(require_scope("campaigns", database.connection, clock))],
    )
    async def get_reached_before(campaign_id: str) -> list[ReachedBefore]:
        """Each official once, with the last of those campaigns; as long as its calls are kept."""
        async with database.connection() as connection:
            known = "\x00" not in campaign_id and await QUERIES.occasion_of_campaign(connection, campaign=campaign_id)
            if not known:
                raise Refused(404, "There is no campaign with this id.")
            rows = QUERIES.reached_before(connection, campaign=campaign_id)
            return [ReachedBefore(**dict(row)) async for row in rows]

    return router


def changing_router(database: Database, clock: Clock) -> APIRouter:
    """`POST /api/v1/campaigns/{id}/move`, `/cancel` and `/take-back`, and `/count` behind each."""
    desk = ChangingDesk(database, clock)
    router = APIRouter(prefix=f"{PREFIX}/{{campaign_id}}", tags=["campaigns"], responses=CHANGES)
    router.include_router(moving_router(desk))
    router.include_router(ending_router(desk))
    return router


def moving_router(desk: "ChangingDesk") -> APIRouter:
    """Moving, and what that would do."""
    router = APIRouter()
    key_of = Annotated[ApiKey, Depends(desk.key_of)]

    @router.post("/move", operation_id="move_campaign", summary="Move a campaign's end")
    async def post_move(campaign_id: str, change: Change, key: key_of) -> Started:
        """Everyone who was told is told what changed, as of a hearing that moves."""
        return await desk.change(campaign_id, change, key, change.look)

    @router.post("/move/count", operation_id="count_move", summary="What moving it would do")
    async def count_move(campaign_id: str, change: Change, key: key_of) -> Foreseen:
        """How many mails of amendment go out, and what they say; nothing is kept."""
        return await desk.foresee(campaign_id, change, key)

    return router


def ending_router(desk: "ChangingDesk") -> APIRouter:
    """Cancelling, taking the last change back, and what those would do."""
    router = APIRouter()
    key_of = Annotated[ApiKey, Depends(desk.key_of)]

    @router.post("/cancel", operation_id="cancel_campaign", summary="Cancel a campaign")
    async def post_cancel(campaign_id: str, key: key_of, looked: OptionalLook = None) -> Started:
        """Everyone who was told is told that it is off; what is unsent is not sent."""
        return await desk.change(campaign_id, "cancel", key, looked.look if looked else None)

    @router.post("/cancel/count", operation_id="count_cancel", summary="What cancelling would do")
    async def count_cancel(campaign_id: str, key: key_of) -> Foreseen:
        """How many are told that it is off; nothing is kept."""
        return await desk.foresee(campaign_id, "cancel", key)

    @router.post("/take-back", operation_id="take_back_change", summary="Take the last move or cancellation back")
    async def post_take_back(campaign_id: str, key: key_of, looked: OptionalLook = None) -> Started:
        """Who was told of it is told again; whose mail of it did not go out yet gets none."""
        return await desk.change(campaign_id, "take-back", key, looked.look if looked else None)

    @router.post(
        "/take-back/count", operation_id="count_take_back", summary="What taking the last change back would do"
    )
    async def count_take_back(campaign_id: str, key: key_of) -> Foreseen:
        """How many mails go out, and what they say; nothing is kept."""
        return await desk.foresee(campaign_id, "take-back", key)

    return router


class ChangingDesk:
    """What the routes do that change a campaign."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.key_of = require_scope(SCOPE, database.connection, clock)

    async def change(self, campaign: str, wish: Wish, key: ApiKey, look: str | None) -> Started:
        """Make a change."""
        with told():
            async with self._database.transaction() as tx:
                await changing.change(tx, campaign, wish, Changer(key.actor), self._clock(), look=look)
        return Started(id=campaign, created=False)

    async def foresee(self, campaign: str, wish: Wish, key: ApiKey) -> Foreseen:
        """What it would do."""
        async with self._database.connection() as connection:
            with told():
                return await changing.foresee(connection, campaign, wish, Changer(key.actor), self._clock())


@contextmanager
def told() -> Iterator[None]:
    """Answer what cannot be done as a problem."""
    try:
        yield
    except Unfit as error:
        raise Refused(422, "The campaign cannot be started like this.", errors=error.errors) from error
    except Unknown as error:
        raise Refused(404, str(error)) from error
    except NotYours as error:
        raise Refused(403, str(error)) from error
    except Taken as error:
        raise Refused(409, str(error), errors=[FieldError(field="id", message=str(error))]) from error
    except Overtaken as error:
        changed = [FieldError(field="look", message=each) for each in error.changes]
        raise Refused(409, str(error), errors=changed) from error
    except NotToBeStarted as error:
        raise Refused(409, str(error)) from error
