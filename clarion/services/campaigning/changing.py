"""`/campaigns/change/...`: a campaign that somebody started is moved or called off, and that is taken back.

Each asks once more, with how many mails tell of it, and is refused with what changed where something did meanwhile.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form
from pydantic import BaseModel, Field, ValidationError, field_validator
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.staff.rights import Act
from clarion.runtime.web.fields import field_errors
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import Visit
from clarion.services.campaigning.actions import counted
from clarion.services.campaigning.desk import LOOK_AT_MOST, PLACE, Desk, campaign_path, plain_line
from clarion.services.campaigning.forms import by_field, moment
from clarion.services.campaigning.outcomes import UNKNOWN_CAMPAIGN
from clarion.services.campaigns.domain.decision import CANCELLED
from clarion.services.campaigns.domain.occasions import MATTERS, Occasion
from clarion.services.campaigns.domain.times import spoken_start, spoken_time
from clarion.services.campaigns.starting import changing
from clarion.services.campaigns.starting.changing import Changer, Wish
from clarion.services.campaigns.starting.drafts import Change
from clarion.services.campaigns.starting.errors import NotToBeStarted, NotYours, Overtaken, Unfit, Unknown
from clarion.services.campaigns.starting.views import Foreseen

Name = Literal["move", "cancel", "take-back"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that can be done: the heading that asks again, the words of its button and of the way back."""

    name: Name
    title: str
    button: str
    back: str


STEPS = {
    step.name: step
    for step in (
        Step("move", "Move it?", "Move it", "Change it"),
        Step("cancel", "Call it off?", "Call it off", "Back"),
        Step("take-back", "Have it as it was before?", "Have it as it was", "Back"),
    )
}
DONE = {
    "move": "It is moved. Whoever was told is told what is new.",
    "cancel": "It is called off. Whoever was told is told so, once.",
    "take-back": "It is as it was before. Whoever was told of the change is told so.",
}
"""What is said afterwards."""


class Moving(BaseModel):
    """The form of a move, with days and times apart; what is empty stays as it is."""

    decided_on: str = Field("", max_length=40)
    decided_time: str = Field("", max_length=40)
    due_on: str = Field("", max_length=40)
    due_time: str = Field("", max_length=40)
    where: str = Field("", max_length=1_000)
    look: str = Field("", max_length=LOOK_AT_MOST)

    @field_validator("*", mode="after")
    @classmethod
    def storable(cls, value: str) -> str:
        """On one line and without what PostgreSQL cannot store."""
        return plain_line(value)

    def change(self) -> Change:
        """The same as the operation takes it.

        Raises:
            Unfit: a day or a time is none.
        """
        values = {
            "decided_at": moment(self.decided_on, self.decided_time) or None,
            "due_at": moment(self.due_on, self.due_time) or None,
            "where": self.where or None,
        }
        try:
            return Change.model_validate(values)
        except ValidationError as error:
            raise Unfit(field_errors(error.errors(include_url=False), values)) from error


Look = Annotated[str, Form(max_length=LOOK_AT_MOST)]
Filled = Annotated[Moving, Form()]


@dataclass(frozen=True, slots=True)
class At:
    """Somebody at a campaign."""

    visit: Visit
    campaign: str

    @property
    def changer(self) -> Changer:
        """Who changes it, as operations take it."""
        return Changer(self.visit.actor, self.visit.staff)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done: the step, what it asks of the operation, the look at which it was counted, and the form."""

    step: Step
    wish: Wish
    look: str = ""
    given: Moving | None = None


def at_campaign(desk: Desk) -> Callable[..., Coroutine[Any, Any, At]]:
    """A FastAPI dependency: somebody who may start campaigns somewhere, at the campaign of the path."""
    may = Annotated[Visit, Depends(desk.staff.may(Act.START_CAMPAIGN))]

    async def at(visit: may, campaign: str) -> At:
        return At(visit, campaign)

    return at


def changing_router(desk: Desk) -> APIRouter:
    """The pages and forms, for whoever may start campaigns."""
    router = APIRouter(prefix=f"{PLACE}/change/{{campaign}}", include_in_schema=False)
    starts = Annotated[At, Depends(at_campaign(desk))]

    @router.get("/move")
    async def ask_where_to(at: starts) -> HTMLResponse:
        return await move_page(desk, at, Moving())

    @router.post("/move/count")
    async def count_move(at: starts, given: Filled) -> Response:
        return await moving(desk, at, given, confirm_page)

    @router.post("/move/form")
    async def change_move(at: starts, given: Filled) -> HTMLResponse:
        return await move_page(desk, at, given)

    @router.post("/move")
    async def move(at: starts, given: Filled) -> Response:
        return await moving(desk, at, given, done)

    router.include_router(step_router(desk, STEPS["cancel"], "cancel"))
    router.include_router(step_router(desk, STEPS["take-back"], "take-back"))
    return router


def step_router(desk: Desk, step: Step, wish: Wish) -> APIRouter:
    """The page that asks once more, and the form behind it."""
    router = APIRouter()
    starts = Annotated[At, Depends(at_campaign(desk))]

    @router.get(f"/{step.name}")
    async def ask_again(at: starts) -> HTMLResponse:
        return await confirm_page(desk, at, Wanted(step, wish))

    @router.post(f"/{step.name}")
    async def decide(at: starts, look: Look = "") -> Response:
        return await done(desk, at, Wanted(step, wish, look))

    return router


async def moving(desk: Desk, at: At, given: Moving, act: Callable[[Desk, At, Wanted], Awaitable[Response]]) -> Response:
    """Count a move or make it; what is wrong with it is said at the form again."""
    try:
        return await act(desk, at, Wanted(STEPS["move"], given.change(), given.look, given))
    except Unfit as error:
        return await move_page(desk, at, given, error)


async def move_page(desk: Desk, at: At, given: Moving, wrong: Unfit | None = None) -> HTMLResponse:
    """The form, beside how it is now."""
    try:
        async with desk.campaigns() as database, database.connection() as connection:
            occasion = await changing.started_occasion(connection, at.campaign)
    except NotToBeStarted as error:
        raise refused(error) from error
    if occasion.status == CANCELLED:
        raise Refused(409, "It is called off: have it as it was before, then move it.")
    return desk.show(
        "move.html",
        at.visit,
        status=422 if wrong else 200,
        campaign=at.campaign,
        given=given,
        errors=by_field(wrong.errors) if wrong else {},
        **as_it_is(occasion),
    )


def as_it_is(occasion: Occasion) -> dict[str, Any]:
    """How the times of an occasion stand, for the form that changes them."""
    due = occasion.letters_due_at
    return {
        "when": spoken_start(occasion.starts_at, occasion.zone, occasion.time_note),
        "due": spoken_time(due, occasion.zone) if due else None,
        "where": occasion.location.name,
        "labels": MATTERS[occasion.kind],
        "zone_city": occasion.zone.rpartition("/")[2].replace("_", " "),
    }


async def confirm_page(desk: Desk, at: At, wanted: Wanted, changes: Sequence[str] = ()) -> HTMLResponse:
    """What a change will do, and the button that does it; after `changes`, to the campaign as it is now.

    Raises:
        Unfit: the new time is none.
    """
    try:
        async with desk.campaigns() as database, database.connection() as connection:
            found = await changing.foresee(connection, at.campaign, wanted.wish, at.changer, desk.clock())
    except Unfit as error:
        raise (error if wanted.given else refused(error)) from error
    except NotToBeStarted as error:
        raise refused(error) from error
    return desk.show(
        "change.html",
        at.visit,
        status=409 if changes else 200,
        step=wanted.step,
        found=found,
        happens=happens(wanted.step, found),
        fields=wanted.given.model_dump(exclude={"look"}) if wanted.given else {},
        changes=changes,
    )


async def done(desk: Desk, at: At, wanted: Wanted) -> Response:
    """Do it; if the campaign is another than was counted, count again and ask once more.

    Raises:
        Unfit: the new time is none.
    """
    try:
        async with desk.campaigns() as database, database.transaction() as tx:
            await changing.change(tx, at.campaign, wanted.wish, at.changer, desk.clock(), look=wanted.look or None)
    except Overtaken as error:
        return await confirm_page(desk, at, wanted, error.changes)
    except Unfit as error:
        raise (error if wanted.given else refused(error)) from error
    except NotToBeStarted as error:
        raise refused(error) from error
    return RedirectResponse(f"{campaign_path(at.campaign)}?done={wanted.step.name}", 303)


def refused(error: NotToBeStarted) -> Refused:
    """Why it cannot be done, as a page says it."""
    said = "; ".join(one.message for one in error.errors) if isinstance(error, Unfit) else str(error)
    match error:
        case Unknown():
            return Refused(404, UNKNOWN_CAMPAIGN)
        case NotYours():
            status = 403
        case _:
            status = 409
    return Refused(status, f"{said[:1].upper()}{said[1:]}. Nothing was changed.")


def happens(step: Step, found: Foreseen) -> str:
    """What will happen to how many, before it does."""
    told = counted(found.amended, "mail")
    match step.name, found.amended:
        case _, 0:
            first = "Nobody was told anything of it that changes, so no mail of amendment goes out."
        case "cancel", _:
            first = f"{told} {'goes' if found.amended == 1 else 'go'} out: whoever was told is told that it is off."
        case _:
            first = f"{told} of amendment {'goes' if found.amended == 1 else 'go'} out, to whoever was told before."
    if not found.unsent:
        return first
    later = counted(found.unsent, "mail")
    if step.name == "cancel":
        return f"{first} {later} to people who were not told yet never {'goes' if found.unsent == 1 else 'go'} out."
    return f"{first} {later} to people who were not told yet {'says' if found.unsent == 1 else 'say'} it as it is then."
