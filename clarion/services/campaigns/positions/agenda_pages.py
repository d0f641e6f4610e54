"""`/agenda`: the priorities of the dated Action Agenda, and changing them. It works without scripts."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.database import Database
from clarion.runtime.staff.rights import Act
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.services.campaigns.positions import story
from clarion.services.campaigns.positions.agenda import (
    ChangedMeanwhile,
    end_priority,
    list_agenda,
    set_priority,
    show_priority,
)
from clarion.services.campaigns.positions.forms import PriorityForm, filled_in_priority
from clarion.services.campaigns.positions.pages import NO_STORE, pages_of_positions
from clarion.services.campaigns.positions.priorities import Unfit, today_at
from clarion.services.campaigns.positions.repository import Wanted

PLACE = "/agenda"
OUTCOMES = {
    "set": "It stands on the agenda.",
    "same": "It stood so before: nothing was changed.",
    "ended": "It holds until the end of today. What refers to it stays.",
}


def agenda_pages(database: Database, staff: StaffOnly) -> APIRouter:
    """The pages: to read for all staff, to change for those who may manage positions."""
    router = APIRouter(prefix=PLACE, include_in_schema=False)
    desk = AgendaDesk(database)
    reader, manager = Depends(staff.may(Act.SEE_CAMPAIGNS)), Depends(staff.may(Act.MANAGE_POSITIONS))

    @router.get("")
    async def show_agenda(visit: Annotated[Visit, reader], ended: str = "") -> HTMLResponse:
        return await desk.page(visit, ended=bool(ended))

    @router.get("/new")
    async def new_priority(visit: Annotated[Visit, manager]) -> HTMLResponse:
        return desk.form(visit, PriorityForm(from_day=str(today_at(database.clock()))))

    @router.post("")
    async def put_on_agenda(visit: Annotated[Visit, manager], form: Annotated[PriorityForm, Form()]) -> Response:
        return await desk.put(visit, form, None)

    @router.get("/{slug}")
    async def show_one(visit: Annotated[Visit, reader], slug: str, outcome: str = "") -> HTMLResponse:
        return await desk.show(visit, slug, outcome)

    @router.get("/{slug}/edit")
    async def edit_priority(visit: Annotated[Visit, manager], slug: str) -> HTMLResponse:
        return await desk.edit(visit, slug)

    @router.post("/{slug}/edit")
    async def change_priority(
        visit: Annotated[Visit, manager], slug: str, form: Annotated[PriorityForm, Form()]
    ) -> Response:
        return await desk.put(visit, form, slug)

    @router.post("/{slug}/end")
    async def end_today(visit: Annotated[Visit, manager], slug: str) -> Response:
        return await desk.end(visit, slug)

    return router


class AgendaDesk:
    """What the pages do."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock
        self._pages = pages_of_positions()

    async def page(self, visit: Visit, *, ended: bool) -> HTMLResponse:
        """The agenda."""
        async with self._database.connection() as connection:
            rows = await list_agenda(connection, today_at(self._clock()), ended=ended)
        return self._render("agenda.html", visit, rows=rows, ended=ended)

    async def show(self, visit: Visit, slug: str, outcome: str) -> HTMLResponse:
        """A priority, its versions, and the positions that refer to it."""
        found = await self._found(slug)
        async with self._database.connection() as connection:
            positions = await story.listed(connection, Wanted(priority=slug))
        return self._render("priority.html", visit, found=found, positions=positions, said_done=OUTCOMES.get(outcome))

    async def edit(self, visit: Visit, slug: str) -> HTMLResponse:
        """The form for another version."""
        return self.form(visit, filled_in_priority(await self._found(slug)), slug=slug)

    def form(
        self,
        visit: Visit,
        form: PriorityForm,
        *,
        slug: str | None = None,
        wrong: str | None = None,
        status: int = 200,
    ) -> HTMLResponse:
        """The form with what was written so far."""
        return self._render("priority_form.html", visit, status=status, form=form, slug=slug, wrong=wrong)

    async def put(self, visit: Visit, form: PriorityForm, slug: str | None) -> Response:
        """Put a priority on the agenda, or change one; what cannot be is said above what was written."""
        if slug is not None:
            await self._found(slug)
            form = form.model_copy(update={"slug": slug})
        try:
            priority = form.priority()
            async with self._database.transaction() as tx:
                setting = await set_priority(tx, visit.actor, priority, based_on=form.based_on)
        except Unfit as error:
            return self.form(visit, form, slug=slug, wrong=str(error), status=422)
        except ChangedMeanwhile as error:
            return self.form(visit, form, slug=slug, wrong=str(error), status=409)
        return _shown(priority.slug, "set" if setting.is_new else "same")

    async def end(self, visit: Visit, slug: str) -> Response:
        """Have a priority hold until the end of today."""
        await self._found(slug)
        try:
            async with self._database.transaction() as tx:
                setting = await end_priority(tx, visit.actor, slug, today_at(self._clock()))
        except Unfit as error:
            raise Refused(409, f"{error}. Nothing was changed: edit its days.") from error
        return _shown(slug, "ended" if setting.is_new else "same")

    async def _found(self, slug: str) -> dict[str, Any]:
        """Raises Refused (404)."""
        async with self._database.connection() as connection:
            found = None if "\x00" in slug else await show_priority(connection, slug, today_at(self._clock()))
        if found is None:
            raise Refused(404, "There is no priority of this name on the agenda.")
        return found

    def _render(self, template: str, visit: Visit, *, status: int = 200, **shown: Any) -> HTMLResponse:
        words: Mapping[str, Any] = {"visit": visit, "place": PLACE, "manages": visit.may(Act.MANAGE_POSITIONS)}
        return self._pages.render(template, status=status, headers=NO_STORE, **words, **shown)


def _shown(slug: str, outcome: str) -> RedirectResponse:
    return RedirectResponse(f"{PLACE}/{quote(slug, safe='')}?outcome={outcome}", 303)
