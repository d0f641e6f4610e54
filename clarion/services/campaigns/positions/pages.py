"""`/positions`: what the association stands for, each bill's story, and changing it. It works without scripts."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, get_args
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.database import Connection, Database
from clarion.runtime.staff.accounts import list_accounts
from clarion.runtime.staff.rights import Act
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.schemas.campaigns import Stance
from clarion.services.campaigns.domain.model import Subject
from clarion.services.campaigns.domain.times import spoken_date, spoken_start, spoken_time
from clarion.services.campaigns.positions import story
from clarion.services.campaigns.positions.agenda import ChangedMeanwhile, list_agenda
from clarion.services.campaigns.positions.drafts import position_from
from clarion.services.campaigns.positions.forms import PositionForm, filled_in
from clarion.services.campaigns.positions.operations import Unadoptable, adopt, withdraw
from clarion.services.campaigns.positions.priorities import HOME, today_at
from clarion.services.campaigns.positions.repository import QUERIES, Place, Wanted, find_place
from clarion.services.campaigns.positions.words import LONG, said, said_change, to_follow_said

PACKAGE = "clarion.services.campaigns.positions"
PLACE = "/positions"
NO_STORE = {"cache-control": "no-store"}
OUTCOMES = {
    "adopted": "It is adopted.",
    "same": "It stood so before: nothing was changed.",
    "withdrawn": "It is withdrawn. Nobody is asked about it any more, and who was is told once.",
    "withdrawn-before": "It had been withdrawn before: nothing was changed.",
}
Given = Annotated[str, Query(max_length=1_000)]


def positions_pages(database: Database, staff: StaffOnly) -> APIRouter:
    """The pages: to read for all staff, to change for those who may manage positions."""
    router = APIRouter(prefix=PLACE, include_in_schema=False)
    desk = Desk(database)
    reader, manager = Depends(staff.may(Act.SEE_CAMPAIGNS)), Depends(staff.may(Act.MANAGE_POSITIONS))

    @router.get("")
    async def list_positions(
        *,
        visit: Annotated[Visit, reader],
        stance: Given = "",
        subject: Given = "",
        priority: Given = "",
        withdrawn: Given = "",
    ) -> HTMLResponse:
        return await desk.page(visit, Wanted(stance, subject, None, priority, None, bool(withdrawn)))

    @router.get("/new")
    async def new_position(visit: Annotated[Visit, manager]) -> HTMLResponse:
        return await desk.form(visit, PositionForm())

    @router.post("")
    async def adopt_position(visit: Annotated[Visit, manager], form: Annotated[PositionForm, Form()]) -> Response:
        return await desk.adopt(visit, form, None)

    @router.get("/{position_id}")
    async def show_position(visit: Annotated[Visit, reader], position_id: str, outcome: str = "") -> HTMLResponse:
        return await desk.show(visit, position_id, outcome)

    @router.get("/{position_id}/edit")
    async def edit_position(visit: Annotated[Visit, manager], position_id: str) -> HTMLResponse:
        return await desk.edit(visit, position_id)

    @router.post("/{position_id}/edit")
    async def adopt_version(
        visit: Annotated[Visit, manager], position_id: str, form: Annotated[PositionForm, Form()]
    ) -> Response:
        return await desk.adopt(visit, form, position_id)

    @router.get("/{position_id}/withdraw")
    async def ask_to_withdraw(visit: Annotated[Visit, manager], position_id: str) -> HTMLResponse:
        return await desk.ask_to_withdraw(visit, position_id)

    @router.post("/{position_id}/withdraw")
    async def withdraw_position(
        visit: Annotated[Visit, manager], position_id: str, reason: Annotated[str, Form(max_length=10_000)] = ""
    ) -> Response:
        return await desk.withdraw(visit, position_id, reason)

    return router


def pages_of_positions() -> Pages:
    """The templates, with what they call."""
    pages = Pages(PACKAGE)
    pages.environment.filters |= {"moment": moment, "start": start, "said": said, "said_change": said_change}
    pages.environment.filters["to_follow"] = to_follow_said
    pages.environment.globals["long"] = LONG
    pages.environment.filters["day"] = lambda day: spoken_date(day) if day else "open"
    return pages


def moment(at: datetime) -> str:
    """A moment as people of the association read it."""
    return spoken_time(at, HOME.key)


def start(hearing: Mapping[str, Any]) -> str:
    """When a hearing begins, in its own zone."""
    told = hearing["starts_at"]
    begins = datetime.fromisoformat(told) if "T" in told else date.fromisoformat(told)
    return spoken_start(begins, hearing["zone"], hearing["time_note"])


class Desk:
    """What the pages do."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock
        self._pages = pages_of_positions()

    async def page(self, visit: Visit, wanted: Wanted) -> HTMLResponse:
        """The positions that are wanted."""
        given = Wanted(wanted.stance or None, wanted.subject or None, None, wanted.priority or None)
        if any("\x00" in text for text in (given.stance, given.subject, given.priority) if text):
            raise Refused(422, "A filter holds a NUL.")
        async with self._database.connection() as connection:
            rows = await story.listed(
                connection, Wanted(given.stance, given.subject, None, given.priority, None, wanted.withdrawn)
            )
            agenda = await list_agenda(connection, today_at(self._clock()))
        return self._render(
            "positions.html",
            visit,
            rows=rows,
            wanted=wanted,
            agenda=agenda,
            stances=get_args(Stance),
            subjects=get_args(Subject),
        )

    async def show(self, visit: Visit, position_id: str, outcome: str) -> HTMLResponse:
        """A bill's whole story."""
        _, found = await self._found(position_id)
        return self._render("position.html", visit, found=found, said_done=OUTCOMES.get(outcome))

    async def edit(self, visit: Visit, position_id: str) -> HTMLResponse:
        """The form for another version."""
        _, found = await self._found(position_id)
        return await self.form(visit, filled_in(found), position_id=position_id, found=found)

    async def form(
        self,
        visit: Visit,
        form: PositionForm,
        *,
        position_id: str | None = None,
        found: Mapping[str, Any] | None = None,
        errors: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> HTMLResponse:
        """The form with what was written so far."""
        async with self._database.connection() as connection:
            known = await self._choices(connection)
        return self._render(
            "form.html",
            visit,
            status=status,
            form=form,
            position_id=position_id,
            found=found,
            errors=errors or {},
            stances=get_args(Stance),
            subjects=get_args(Subject),
            **known,
        )

    async def _choices(self, connection: Connection) -> dict[str, Any]:
        accounts = await list_accounts(connection)
        return {
            "agenda": await list_agenda(connection, today_at(self._clock()), ended=False),
            "accounts": [(each.staff.email, each.staff.name) for each in accounts],
            "known_groups": [(row["id"], row["name"]) async for row in QUERIES.active_groups(connection)],
            "areas": [row["policy_area"] async for row in QUERIES.policy_areas(connection)],
        }

    async def adopt(self, visit: Visit, form: PositionForm, position_id: str | None) -> Response:
        """Adopt what was written; what cannot be is said beside it."""
        found = None
        if position_id is not None:
            _, found = await self._found(position_id)
            fixed = filled_in(found)
            stays = {name: getattr(fixed, name) for name in ("subject", "name", "session", "jurisdiction")}
            form = form.model_copy(update=stays)
        try:
            async with self._database.transaction() as tx:
                position = await position_from(tx.connection, form.draft())
                adoption = await adopt(tx, visit.actor, position, self._clock, based_on=form.based_on)
        except Unadoptable as error:
            errors = {"name" if field == form.subject else field: words for field, words in error.errors.items()}
            return await self.form(visit, form, position_id=position_id, found=found, errors=errors, status=422)
        except ChangedMeanwhile as error:
            errors = {"": str(error)}
            return await self.form(visit, form, position_id=position_id, found=found, errors=errors, status=409)
        return _shown(adoption.adopted.id, "adopted" if adoption.is_new else "same")

    async def ask_to_withdraw(
        self, visit: Visit, position_id: str, *, reason: str = "", wrong: str | None = None
    ) -> HTMLResponse:
        """Say what withdrawing means, and ask."""
        _, found = await self._found(position_id)
        open_ones = [each for each in found["campaigns"] if each["status"] == "launched"]
        return self._render(
            "withdraw.html",
            visit,
            status=422 if wrong else 200,
            found=found,
            open_ones=open_ones,
            reason=reason,
            wrong=wrong,
        )

    async def withdraw(self, visit: Visit, position_id: str, reason: str) -> Response:
        """Stand for nothing there any more."""
        place, _ = await self._found(position_id)
        try:
            async with self._database.transaction() as tx:
                done = await withdraw(tx, visit.actor, place, reason, self._clock)
        except Unadoptable as error:
            return await self.ask_to_withdraw(visit, position_id, reason=reason, wrong=error.errors["reason"])
        return _shown(done.adopted.id, "withdrawn" if done.is_new else "withdrawn-before")

    async def _found(self, position_id: str) -> tuple[Place, dict[str, Any]]:
        """Raises Refused (404)."""
        async with self._database.connection() as connection:
            place = await find_place(connection, position_id)
            found = place and await story.story_at(connection, place, self._clock())
        if place is None or not found:
            raise Refused(404, "There is no position with this id.")
        return place, found

    def _render(self, template: str, visit: Visit, *, status: int = 200, **shown: Any) -> HTMLResponse:
        manages = visit.may(Act.MANAGE_POSITIONS)
        return self._pages.render(
            template, status=status, headers=NO_STORE, visit=visit, place=PLACE, manages=manages, **shown
        )


def _shown(position_id: str, outcome: str) -> RedirectResponse:
    return RedirectResponse(f"{PLACE}/{quote(position_id, safe='')}?outcome={outcome}", 303)
