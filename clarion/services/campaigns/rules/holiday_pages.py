"""`/rules/holidays`: on which days the legislature is closed, where that is written down, and adding days by hand."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.database import Database, Transaction
from clarion.runtime.staff.rights import Act
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.domain.times import spoken_date
from clarion.services.campaigns.rules.calendar import calendar_of
from clarion.services.campaigns.rules.closing import (
    By,
    DayOutcome,
    Source,
    YearOutcome,
    add_holiday,
    remove_holiday,
    set_year,
)
from clarion.services.campaigns.rules.wishes import Refusal

PACKAGE = "clarion.services.campaigns.rules"
PLACE = "/rules"
YEARS_AHEAD = 3
"""This year and so many after it are shown, also those of which nothing is known."""
NOTHING_GIVEN = {"day": "", "name": "", "source": ""}
SAID = {
    "added": "It is a holiday from now on, and the deadlines ahead that change by it were decided on again.",
    "removed": "It is taken out: offices count as open on that day. Deadlines ahead that change were decided on again.",
    "whole": "The year is whole: days counted in it are no guess any more.",
    "unknown": "It is said again that not all holidays of that year are known.",
    "same": "Just that was so before: nothing changed.",
}
Text = Annotated[str, Form(max_length=1_000)]
Year = Annotated[int, Form(ge=0, le=9_999)]
Change = Callable[[Transaction, By], Awaitable[DayOutcome | YearOutcome]]


def holidays_router(database: Database, staff: StaffOnly) -> APIRouter:
    """The page and its forms, for those who may manage deadlines."""
    router = APIRouter(prefix=f"{PLACE}/holidays", include_in_schema=False)
    desk = Desk(database)
    manager = Annotated[Visit, Depends(staff.may(Act.MANAGE_RULES))]

    @router.get("")
    async def show_holidays(visit: manager, outcome: str = "", day: str = "") -> HTMLResponse:
        return await desk.page(visit, said=SAID.get(outcome), outcome=outcome, day=day)

    @router.post("")
    async def add(visit: manager, day: Text = "", name: Text = "", source: Text = "") -> Response:
        given = {"day": day, "name": name, "source": source}
        return await desk.change(visit, "added", lambda tx, by: add_holiday(tx, day, name, Source(source), by), given)

    @router.post("/remove")
    async def remove(visit: manager, day: Text = "") -> Response:
        return await desk.change(visit, "removed", lambda tx, by: remove_holiday(tx, day, by), {"day": day})

    @router.post("/year")
    async def say_whole(visit: manager, year: Year, source: Text = "", unknown: Text = "") -> Response:
        stated = None if unknown else Source(source)
        outcome = "unknown" if unknown else "whole"
        return await desk.change(visit, outcome, lambda tx, by: set_year(tx, year, stated, by), {"year": year})

    return router


class Desk:
    """What the page does."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock
        self._pages = Pages(PACKAGE)
        self._pages.environment.filters |= {"spoken_date": spoken_date}

    async def page(self, visit: Visit, *, status: int = 200, **told: Any) -> HTMLResponse:
        """The holidays from this year on; `told` is what a form held, or what happened."""
        async with self._database.connection() as connection:
            calendar = await calendar_of(connection, CALIFORNIA)
        first = self._clock().year
        last = max([first + YEARS_AHEAD, *calendar.years, *(day.year for day in calendar.days)])
        years = [
            (year, calendar.years.get(year), [line for day, line in calendar.days.items() if day.year == year])
            for year in range(first, last + 1)
        ]
        shown: dict[str, Any] = {"said": None, "wrong": None, "outcome": "", "day": "", **told}
        shown["given"] = NOTHING_GIVEN | told.get("given", {})
        undone = next((line for line in calendar.days.values() if line.day.isoformat() == shown["day"]), None)
        return self._pages.render(
            "holidays.html", status=status, visit=visit, place=PLACE, years=years, undone=undone, **shown
        )

    async def change(self, visit: Visit, done: str, act: Change, given: dict[str, Any]) -> Response:
        """Do it; what cannot be is said beside what was given."""
        try:
            async with self._database.transaction() as tx:
                outcome = await act(tx, By(visit.actor, self._clock()))
        except Refusal as refusal:
            return await self.page(visit, status=422, wrong=str(refusal), given=given)
        query = {"outcome": done if outcome.changed else "same"} | {k: v for k, v in given.items() if k == "day"}
        return RedirectResponse(f"{PLACE}/holidays?{urlencode(query)}", 303)
