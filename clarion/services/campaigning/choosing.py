"""Whom a division's people leave out or add, with a reason and a way back, and the paragraph of their own."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query
from pydantic import BaseModel, Field, field_validator
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.database import Transaction
from clarion.runtime.staff.rights import Act
from clarion.runtime.web.problems import Refused
from clarion.services.campaigning.desk import REASON_AT_MOST, Desk, plain_line
from clarion.services.campaigning.names import officials_like
from clarion.services.campaigning.waves import PARAGRAPH_AT_MOST, WAVE, At, at_wave, wave_again
from clarion.services.campaigns.approving import operations as waves
from clarion.services.campaigns.approving.waves import NotYours, Refusal

FOUND_AT_MOST = 40
ASKS = {"letter": "what is asked in writing", "testimony": "to testify, or to be named in the room"}
SAY_WHY = "Say why they are left out: the others read it."
SAY_ALL = "Say who is to be asked, for what, and why."

Wanted = Annotated[str, Query(max_length=200)]
Paragraph = Annotated[str, Form(max_length=PARAGRAPH_AT_MOST * 2)]


class Choice(BaseModel):
    """Who is chosen, for what if they are added, and why; `wanted` is by what they were found."""

    official: str = Field("", max_length=1_000)
    asks: list[str] = Field(default_factory=lambda: ["letter"], max_length=10)
    reason: str = Field("", max_length=REASON_AT_MOST)
    wanted: str = Field("", max_length=200)

    @field_validator("official", "reason", "wanted", mode="after")
    @classmethod
    def storable(cls, value: str) -> str:
        """On one line and without what PostgreSQL cannot store."""
        return plain_line(value)

    @field_validator("asks", mode="after")
    @classmethod
    def known(cls, value: list[str]) -> list[str]:
        """Those that there are."""
        return [kind for kind in ASKS if kind in value]


def choosing_router(desk: Desk) -> APIRouter:
    """The forms of a wave's page."""
    router = APIRouter(prefix=WAVE, include_in_schema=False)
    router.include_router(adding_router(desk))
    decides = Annotated[At, Depends(at_wave(desk, Act.APPROVE_WAVE))]

    @router.post("/leave-out")
    async def leave_out(at: decides, choice: Annotated[Choice, Form()]) -> Response:
        return await chosen(desk, at, choice, "left-out") if choice.reason else await wave_again(desk, at, SAY_WHY, 422)

    @router.post("/undo")
    async def undo(at: decides, choice: Annotated[Choice, Form()]) -> Response:
        return await chosen(desk, at, choice, "undone")

    @router.post("/paragraph")
    async def write(at: decides, text: Paragraph = "") -> Response:
        return await written(desk, at, text.replace("\x00", "").replace("\r\n", "\n").strip())

    return router


def adding_router(desk: Desk) -> APIRouter:
    """The page on which somebody is looked for, and the form that adds them."""
    router = APIRouter()
    decides = Annotated[At, Depends(at_wave(desk, Act.APPROVE_WAVE))]

    @router.get("/add")
    async def look(at: decides, q: Wanted = "") -> HTMLResponse:
        return await add_page(desk, at, Choice(wanted=q))

    @router.post("/add")
    async def add(at: decides, choice: Annotated[Choice, Form()]) -> Response:
        if not (choice.official and choice.asks and choice.reason):
            return await add_page(desk, at, choice, wrong=SAY_ALL, status=422)
        return await chosen(desk, at, choice, "added")

    return router


async def chosen(desk: Desk, at: At, choice: Choice, done: str) -> Response:
    """Leave out, add or undo; then the wave's page again, with the way back."""
    try:
        async with desk.campaigns() as database, database.transaction() as tx:
            await choose(tx, at, choice, done)
    except NotYours as error:
        raise Refused(403, str(error)) from error
    except Refusal as error:
        return await wave_again(desk, at, str(error))
    return RedirectResponse(f"{at.path}?{urlencode({'done': done, 'who': choice.official})}", 303)


async def choose(tx: Transaction, at: At, choice: Choice, done: str) -> None:
    """The operation that is behind a choice."""
    wave, now = at.wave, tx.clock()
    whom = (at.approver, wave.campaign, wave.division, choice.official)
    match done:
        case "left-out":
            await waves.leave_out(tx, *whom, reason=choice.reason, now=now)
        case "added":
            await waves.add(tx, *whom, reason=choice.reason, asks=choice.asks, now=now)
        case _:
            await waves.undo_choice(tx, *whom, now=now)


async def written(desk: Desk, at: At, text: str) -> Response:
    """Keep the division's paragraph; what cannot be kept is shown again, with the reason."""
    try:
        async with desk.campaigns() as database, database.transaction() as tx:
            await waves.write_paragraph(tx, at.approver, at.wave.campaign, at.wave.division, text, desk.clock())
    except NotYours as error:
        raise Refused(403, str(error)) from error
    except Refusal as error:
        return await wave_again(desk, at, str(error), paragraph=text)
    return RedirectResponse(f"{at.path}?done=paragraph", 303)


async def add_page(desk: Desk, at: At, choice: Choice, *, wrong: str | None = None, status: int = 200) -> HTMLResponse:
    """Who of the division is found, each to be chosen."""
    found = []
    if choice.wanted:
        async with desk.directory.connection() as directory:
            found = await officials_like(directory, at.wave.division, choice.wanted, FOUND_AT_MOST)
    return desk.show(
        "add.html",
        at.visit,
        status=status,
        wave=at.wave,
        path=at.path,
        found=found,
        given=choice,
        kinds=ASKS.items(),
        wrong=wrong,
        reason_at_most=REASON_AT_MOST,
    )
