"""`/rules/hearings/{campaign}`: the letters' deadline of one hearing, where it comes from, and setting it by hand."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.database import Database
from clarion.runtime.staff.rights import Act
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.services.campaigns.domain.due import spoken_due
from clarion.services.campaigns.domain.times import spoken_time
from clarion.services.campaigns.rules.overriding import Hearing, NoCampaign, find_hearing, override_deadline
from clarion.services.campaigns.rules.wishes import Refusal, moment_of

PACKAGE = "clarion.services.campaigns.rules"
PLACE = "/rules"
KNOWN, UNKNOWN, CLEAR = "known", "unknown", "clear"
SAID = {"set": "It is set, and what follows of it was decided.", "same": "Just that held before: nothing changed."}
Text = Annotated[str, Form(max_length=1_000)]


def hearings_router(database: Database, staff: StaffOnly) -> APIRouter:
    """The pages, for those who may manage deadlines."""
    router = APIRouter(prefix=f"{PLACE}/hearings", include_in_schema=False)
    desk = Desk(database)
    manager = Depends(staff.may(Act.MANAGE_RULES))

    @router.get("/{campaign}")
    async def show_deadline(visit: Annotated[Visit, manager], campaign: str, outcome: str = "") -> HTMLResponse:
        return await desk.page(visit, campaign, said=SAID.get(outcome))

    @router.post("/{campaign}")
    async def set_deadline(
        *, visit: Annotated[Visit, manager], campaign: str, what: Text = "", at: Text = "", reason: Text = ""
    ) -> Response:
        return await desk.override(visit, campaign, {"what": what, "at": at, "reason": reason})

    return router


class Desk:
    """What the pages do."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock
        self._pages = Pages(PACKAGE)
        self._pages.environment.globals |= {"spoken_due": spoken_due}
        self._pages.environment.filters |= {"moment": spoken_time}

    async def page(self, visit: Visit, campaign: str, *, status: int = 200, **told: Any) -> HTMLResponse:
        """The deadline of a campaign's hearing as it is; `told` is what a form held, or what has just happened."""
        shown = {"said": None, "wrong": None, "given": {"what": KNOWN, "at": "", "reason": ""}, **told}
        hearing = await self._hearing(campaign)
        return self._pages.render("hearing.html", status=status, visit=visit, place=PLACE, hearing=hearing, **shown)

    async def override(self, visit: Visit, campaign: str, given: dict[str, str]) -> Response:
        """Set it by hand; what cannot be is said beside what was given."""
        await self._hearing(campaign)
        try:
            due_at = moment_of(given["at"]) if given["what"] not in {UNKNOWN, CLEAR} else None
            async with self._database.transaction() as tx:
                outcome = await override_deadline(
                    tx,
                    campaign,
                    due_at,
                    reason=given["reason"],
                    actor=visit.actor,
                    now=self._clock(),
                    withdrawn=given["what"] == CLEAR,
                )
        except Refusal as refusal:
            return await self.page(visit, campaign, status=422, wrong=str(refusal), given=given)
        query = "set" if outcome.changed else "same"
        return RedirectResponse(f"{PLACE}/hearings/{quote(campaign, safe='')}?outcome={query}", 303)

    async def _hearing(self, campaign: str) -> Hearing:
        try:
            async with self._database.connection() as connection:
                return await find_hearing(connection, campaign)
        except NoCampaign as error:
            raise Refused(404, "There is no campaign with this id.") from error
