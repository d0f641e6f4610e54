"""HTTP in: a division's calls are looked at and decided on, by key."""

from collections.abc import Awaitable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Response

from clarion.runtime.clock import Clock
from clarion.runtime.database import Connection, Database
from clarion.runtime.web.fields import FieldError
from clarion.runtime.web.keys import ApiKey, require_scope
from clarion.runtime.web.problems import Refused, documented
from clarion.services.campaigns.approving import operations as waves
from clarion.services.campaigns.approving.operations import Approver, Changed, NoSuchWave, NotYours, Refusal
from clarion.services.campaigns.approving.views import (
    Approval,
    Choice,
    Paragraph,
    RecipientsPage,
    Verdict,
)
from clarion.services.campaigns.approving.waves import PLACE_AT_MOST, WAVES_AT_MOST, WaveDetails

SCOPE = "approvals"
NO_DIVISION = "-"
NOT_THERE = "There is no such wave: the campaign may not concern this division."
ANSWERS = documented(401, 403, 404, 409, 422, 503)
READS = documented(401, 403, 404, 422, 503)
PATH = "/api/v1/campaigns/{campaign_id}/divisions/{division}"

Campaign = Annotated[str, Path(alias="campaign_id", max_length=200)]
Division = Annotated[str, Path(max_length=200, description="its slug; `-` for cities without one, `*` for added bills")]


def approving_router(database: Database, clock: Clock) -> APIRouter:
    """The routes of a wave, for API keys of the scope `approvals`."""
    router = APIRouter(tags=["campaigns"])
    router.include_router(waiting_router(database, clock))
    router.include_router(seeing_router(database, clock))
    router.include_router(deciding_router(database, clock))
    router.include_router(choosing_router(database, clock))
    return router


def waiting_router(database: Database, clock: Clock) -> APIRouter:
    """What waits, page by page."""
    router = APIRouter(dependencies=[Depends(require_scope(SCOPE, database.connection, clock))])

    @router.get(
        "/api/v1/waves/waiting",
        responses=documented(401, 403, 422, 503),
        operation_id="list_waiting_waves",
        summary="The waves that wait",
    )
    async def list_waiting(
        response: Response,
        after: Annotated[str, Query(max_length=PLACE_AT_MOST)] = "",
        limit: Annotated[int, Query(ge=1, le=WAVES_AT_MOST)] = WAVES_AT_MOST,
    ) -> list[WaveDetails]:
        """Of all divisions, those that are useless first first, without their history.

        If more wait, the header `Link` has the address of the next page (RFC 8288, `rel="next"`).
        """
        async with database.connection() as connection:
            try:
                found = await waves.waiting_waves(connection, None, clock(), after=after, limit=limit)
            except Refusal as error:
                raise Refused(422, str(error), errors=[FieldError(field="after", message=str(error))]) from error
        if found.next:
            query = urlencode({"after": found.next, "limit": limit})
            response.headers["link"] = f'</api/v1/waves/waiting?{query}>; rel="next"'
        return found.waves

    return router


def seeing_router(database: Database, clock: Clock) -> APIRouter:
    """One wave, and its people."""
    router = APIRouter(dependencies=[Depends(require_scope(SCOPE, database.connection, clock))])

    @router.get(PATH, responses=READS, operation_id="get_wave", summary="A division's part of a campaign")
    async def show(campaign: Campaign, division: Division) -> WaveDetails:
        """What would be read, whom it asks, and what was decided."""
        async with database.connection() as connection:
            return await shown(connection, campaign, slug(division), clock)

    @router.get(
        f"{PATH}/recipients", responses=READS, operation_id="list_wave_recipients", summary="Whom a wave asks, and why"
    )
    async def list_recipients(
        campaign: Campaign,
        division: Division,
        after: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> RecipientsPage:
        """By city, with who was left out; people are ids, whose names the directory has."""
        async with database.connection() as connection:
            await shown(connection, campaign, slug(division), clock)
            found = await waves.recipients(
                connection, campaign, slug(division), after=after, limit=limit + 1, now=clock()
            )
        page = found[:limit]
        return RecipientsPage(recipients=page, next=page[-1].official if len(found) > limit else None)

    return router


def deciding_router(database: Database, clock: Clock) -> APIRouter:
    """Approving, rejecting, stopping, pausing and resuming; each answers with the wave as it is then."""
    router = APIRouter()
    key_of = Annotated[ApiKey, Depends(require_scope(SCOPE, database.connection, clock))]

    @router.post(f"{PATH}/approve", responses=ANSWERS, operation_id="approve_wave", summary="Let a wave go")
    async def approve(campaign: Campaign, division: Division, key: key_of, said: Approval) -> WaveDetails:
        """409 says what changed since the look, who decided before, or that it is too late."""
        async with database.transaction() as tx:
            place = (campaign, slug(division))
            await refused(waves.approve(tx, approver(key), *place, look=said.look, now=clock()))
            return await shown(tx.connection, *place, clock)

    @router.post(f"{PATH}/reject", responses=ANSWERS, operation_id="reject_wave", summary="Have a wave not go out")
    async def reject(campaign: Campaign, division: Division, key: key_of, said: Verdict) -> WaveDetails:
        """Nobody is told; it can be approved after all."""
        async with database.transaction() as tx:
            place = (campaign, slug(division))
            await refused(waves.reject(tx, approver(key), *place, look=said.look, reason=said.reason, now=clock()))
            return await shown(tx.connection, *place, clock)

    @router.post(f"{PATH}/stop", responses=ANSWERS, operation_id="stop_wave", summary="End a wave that goes out")
    async def stop(campaign: Campaign, division: Division, key: key_of, said: Verdict) -> WaveDetails:
        """What is unsent never goes out; who was told is told once that it ended, with the reason."""
        async with database.transaction() as tx:
            place = (campaign, slug(division))
            await refused(waves.stop(tx, approver(key), *place, reason=said.reason, now=clock()))
            return await shown(tx.connection, *place, clock)

    @router.post(f"{PATH}/pause", responses=ANSWERS, operation_id="pause_wave", summary="Hold back what is unsent")
    async def pause(campaign: Campaign, division: Division, key: key_of) -> WaveDetails:
        """Until it is resumed; what changes meanwhile is kept up to date."""
        async with database.transaction() as tx:
            place = (campaign, slug(division))
            await refused(waves.pause(tx, approver(key), *place, now=clock()))
            return await shown(tx.connection, *place, clock)

    @router.post(f"{PATH}/resume", responses=ANSWERS, operation_id="resume_wave", summary="Go on with a paused wave")
    async def resume(campaign: Campaign, division: Division, key: key_of) -> WaveDetails:
        """What was held back goes out while it helps."""
        async with database.transaction() as tx:
            place = (campaign, slug(division))
            await refused(waves.resume(tx, approver(key), *place, now=clock()))
            return await shown(tx.connection, *place, clock)

    return router


def choosing_router(database: Database, clock: Clock) -> APIRouter:
    """Leaving out and adding people, and the division's own paragraph; each answers with the wave as it is then."""
    router = APIRouter()
    key_of = Annotated[ApiKey, Depends(require_scope(SCOPE, database.connection, clock))]

    @router.post(f"{PATH}/leave-out", responses=ANSWERS, operation_id="leave_out", summary="Leave somebody out")
    async def leave_out(campaign: Campaign, division: Division, key: key_of, said: Choice) -> WaveDetails:
        """Who was told already is told once that it ended, with the reason."""
        async with database.transaction() as tx:
            place = (campaign, slug(division))
            await refused(waves.leave_out(tx, approver(key), *place, said.official, reason=said.reason, now=clock()))
            return await shown(tx.connection, *place, clock)

    @router.post(f"{PATH}/add", responses=ANSWERS, operation_id="add_official", summary="Add somebody by hand")
    async def add(campaign: Campaign, division: Division, key: key_of, said: Choice) -> WaveDetails:
        """Somebody in office in the division who is not asked by themselves."""
        async with database.transaction() as tx:
            place = (campaign, slug(division))
            await refused(
                waves.add(tx, approver(key), *place, said.official, reason=said.reason, asks=said.asks, now=clock())
            )
            return await shown(tx.connection, *place, clock)

    @router.delete(
        f"{PATH}/choices/{{official:path}}", responses=ANSWERS, operation_id="undo_choice", summary="Take a choice back"
    )
    async def undo(campaign: Campaign, division: Division, official: str, key: key_of) -> WaveDetails:
        """As if nobody had left them out or added them."""
        async with database.transaction() as tx:
            place = (campaign, slug(division))
            await refused(waves.undo_choice(tx, approver(key), *place, official, now=clock()))
            return await shown(tx.connection, *place, clock)

    @router.put(f"{PATH}/paragraph", responses=ANSWERS, operation_id="write_paragraph", summary="Write its paragraph")
    async def write(campaign: Campaign, division: Division, key: key_of, said: Paragraph) -> WaveDetails:
        """It stands in all calls of the division."""
        async with database.transaction() as tx:
            place = (campaign, slug(division))
            await refused(waves.write_paragraph(tx, approver(key), *place, said.text, clock()))
            return await shown(tx.connection, *place, clock)

    return router


async def refused(act: Awaitable[object]) -> None:
    """Do it, or answer with the problem that stands against it."""
    try:
        await act
    except NoSuchWave as error:
        raise Refused(404, NOT_THERE) from error
    except NotYours as error:
        raise Refused(403, str(error)) from error
    except Changed as error:
        changed = [FieldError(field="look", message=each) for each in error.changes]
        raise Refused(409, str(error), errors=changed) from error
    except Refusal as error:
        raise Refused(409, str(error)) from error


async def shown(connection: Connection, campaign: str, division: str, clock: Clock) -> WaveDetails:
    """The wave as it is. Raises Refused: 404, there is none."""
    found = await waves.show_wave(connection, campaign, division, clock())
    if found is None:
        raise Refused(404, NOT_THERE)
    return found


def approver(key: ApiKey) -> Approver:
    """Who decides by this key."""
    return Approver(key.actor)


def slug(division: str) -> str:
    """The division that a part of an address stands for."""
    return "" if division == NO_DIVISION else division
