"""What staff correct: on an official's page, and the list of all that was said, with taking it back."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.database import Transaction
from clarion.runtime.staff.audit import Actor
from clarion.runtime.staff.rights import Act, where
from clarion.runtime.web.staff import Visit
from clarion.services.directory import corrections
from clarion.services.directory.domain.corrections import Correction, Unfit, Wish
from clarion.services.directory.pages.browse import Page, official_context, waiting_corrections
from clarion.services.directory.pages.desk import Desk, Paging, path_of, refusals, skipped

PLACE = "/directory/corrections"
PAGE_SIZE = 50

Field = Annotated[str, Form(max_length=1_000)]
Settle = Callable[[Transaction, str, Actor], Awaitable[Correction]]


def correcting_router(desk: Desk) -> APIRouter:
    """The pages; a division's manager corrects what is of that division."""
    router = APIRouter(prefix=PLACE, include_in_schema=False)
    router.include_router(settling_router(desk))
    corrects = Annotated[Visit, Depends(desk.staff.may(Act.CORRECT_OFFICIAL))]

    @router.get("")
    async def show_corrections(visit: corrects, page: Page = 1) -> HTMLResponse:
        divisions = where(visit.staff, Act.CORRECT_OFFICIAL)
        named = None if divisions is None else sorted(divisions)
        before = skipped(page, PAGE_SIZE)
        async with desk.database.connection() as connection:
            listed = await corrections.list_corrections(
                connection, divisions=named, skipped=before, at_most=PAGE_SIZE + 1
            )
            waiting = await waiting_corrections(connection, visit)
        paging = Paging(page, PAGE_SIZE, before + len(listed))
        return desk.show("corrections.html", visit, listed=listed[:PAGE_SIZE], paging=paging, waiting=waiting)

    @router.post("")
    async def correct(visit: corrects, official: Field, wish: Annotated[Wish, Form()], value: Field = "") -> Response:
        official = official.replace("\x00", "")
        try:
            with refusals():
                async with desk.database.transaction() as tx:
                    known = await corrections.find_official(tx.connection, official)
                    visit.allow(Act.CORRECT_OFFICIAL, known["division"])
                    await corrections.correct(tx, official, wish, value, visit.actor)
        except Unfit as error:
            async with desk.database.connection() as connection:
                context = await official_context(connection, visit, official)
            given = {"wish": wish, "value": value, "error": str(error)}
            return desk.show("official.html", visit, status=422, given=given, **context)
        return RedirectResponse(f"{path_of('official', official)}#corrections", 303)

    return router


def settling_router(desk: Desk) -> APIRouter:
    """What becomes of one correction."""
    router = APIRouter()
    corrects = Annotated[Visit, Depends(desk.staff.may(Act.CORRECT_OFFICIAL))]

    async def settle(visit: Visit, correction_id: str, how: Settle) -> Response:
        with refusals():
            async with desk.database.transaction() as tx:
                said = await corrections.find_correction(tx.connection, correction_id.replace("\x00", ""))
                visit.allow(Act.CORRECT_OFFICIAL, said["division"])
                await how(tx, correction_id, visit.actor)
        return RedirectResponse(f"{path_of('official', said['official'])}#corrections", 303)

    @router.post("/{correction_id}/undo")
    async def undo(correction_id: str, visit: corrects) -> Response:
        return await settle(visit, correction_id, corrections.undo)

    @router.post("/{correction_id}/accept")
    async def accept(correction_id: str, visit: corrects) -> Response:
        return await settle(visit, correction_id, corrections.accept)

    @router.post("/{correction_id}/refuse")
    async def refuse(correction_id: str, visit: corrects) -> Response:
        return await settle(visit, correction_id, corrections.refuse)

    return router
