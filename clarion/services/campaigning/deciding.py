"""Approving, rejecting, pausing, resuming and stopping a wave: each asks once more, with what happens to how many."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from pydantic import BaseModel, Field, field_validator
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.database import Transaction
from clarion.runtime.web.problems import Refused
from clarion.services.campaigning.actions import ACTIONS, Action, happens
from clarion.services.campaigning.desk import LOOK_AT_MOST, REASON_AT_MOST, Desk, plain_line
from clarion.services.campaigning.waves import WAVE, At, at_wave, known_wave, wave_again
from clarion.services.campaigns.approving import operations as waves
from clarion.services.campaigns.approving.waves import Changed, NotYours, Refusal

Look = Annotated[str, Query(max_length=LOOK_AT_MOST)]


class Decision(BaseModel):
    """What a form decides: the look at which it was decided, and why."""

    look: str = Field("", max_length=LOOK_AT_MOST)
    reason: str = Field("", max_length=REASON_AT_MOST)

    @field_validator("*", mode="after")
    @classmethod
    def storable(cls, value: str) -> str:
        """On one line and without what PostgreSQL cannot store."""
        return plain_line(value)


def deciding_router(desk: Desk) -> APIRouter:
    """For each action a page that asks once more, and the form behind it."""
    router = APIRouter()
    for action in ACTIONS.values():
        router.include_router(action_router(desk, action))
    return router


def action_router(desk: Desk, action: Action) -> APIRouter:
    """The page and the form of one action."""
    router = APIRouter(include_in_schema=False)
    decides = Annotated[At, Depends(at_wave(desk, action.act))]

    @router.get(f"{WAVE}/{action.name}")
    async def ask_again(at: decides, look: Look = "") -> HTMLResponse:
        return confirm_page(desk, at, action, Decision(look=look))

    @router.post(f"{WAVE}/{action.name}")
    async def decide(at: decides, given: Annotated[Decision, Form()]) -> Response:
        if action.asks_reason and not given.reason:
            return confirm_page(desk, at, action, given, wrong="Say why: the others read it.", status=422)
        return await decided(desk, at, action, given)

    return router


async def decided(desk: Desk, at: At, action: Action, given: Decision) -> Response:
    """Do it; what stands against it is shown with the wave as it is by now."""
    try:
        async with desk.campaigns() as database, database.transaction() as tx:
            await carry_out(tx, action, at, given)
    except NotYours as error:
        raise Refused(403, str(error)) from error
    except Changed as error:
        now = At(at.visit, await known_wave(desk, at.wave.campaign, at.wave.division))
        again = given.model_copy(update={"look": now.wave.look})
        return confirm_page(desk, now, action, again, changes=error.changes, status=409)
    except Refusal as error:
        return await wave_again(desk, at, str(error))
    return RedirectResponse(f"{at.path}?done={action.name}", 303)


async def carry_out(tx: Transaction, action: Action, at: At, given: Decision) -> None:
    """The operation that is behind an action."""
    wave, now = at.wave, tx.clock()
    whose = (at.approver, wave.campaign, wave.division)
    match action.name:
        case "approve":
            await waves.approve(tx, *whose, look=given.look, reason=given.reason or None, now=now)
        case "reject":
            await waves.reject(tx, *whose, look=given.look, reason=given.reason, now=now)
        case "stop":
            await waves.stop(tx, *whose, look=given.look, reason=given.reason, now=now)
        case "pause":
            await waves.pause(tx, *whose, now=now)
        case "resume":
            await waves.resume(tx, *whose, now=now)


def confirm_page(
    desk: Desk,
    at: At,
    action: Action,
    given: Decision,
    *,
    changes: Sequence[str] = (),
    wrong: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    """What an action will do to how many, and the button that does it; after `changes`, to the wave as it is now."""
    return desk.show(
        "confirm.html",
        at.visit,
        status=status,
        action=action,
        wave=at.wave,
        path=at.path,
        happens=happens(action, at.wave),
        look=given.look or at.wave.look,
        reason=given.reason,
        changes=changes,
        wrong=wrong,
        reason_at_most=REASON_AT_MOST,
    )
