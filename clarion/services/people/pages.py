"""`/people` for staff: what is kept about an address, and erasing it; `/kept/...` for the person, by a link in a mail.

Addresses are sent in forms alone: an address in a page's own address would stand in logs and histories.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.responses import HTMLResponse, Response

from clarion.runtime.database import Database
from clarion.runtime.people import Person
from clarion.runtime.settings import Settings
from clarion.runtime.staff.rights import Act
from clarion.runtime.web.links import BadLink, SignedLinks
from clarion.runtime.web.pages import Imprint, Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.services.notifications.preferences import EXPORT_LASTS, EXPORT_PURPOSE
from clarion.services.people import operations
from clarion.services.people.operations import InUse, NotFinished, SeveralKnown

PLACE = "/people"
NO_STORE = {"cache-control": "no-store"}

Address = Annotated[str, Form(max_length=500)]
Chosen = Annotated[Sequence[str], Form(alias="official", max_length=500)]


def people_router(database: Database, staff: StaffOnly, settings: Settings) -> APIRouter:
    """The pages: for staff by their rights, and for whoever reads a mailbox."""
    router = APIRouter(include_in_schema=False)
    desk = Desk(settings, SignedLinks(settings.secret_key, database.clock))
    exporter, eraser = Depends(staff.may(Act.EXPORT_PERSON)), Depends(staff.may(Act.ERASE_PERSON))

    @router.get(PLACE)
    async def show_people(visit: Annotated[Visit, exporter]) -> HTMLResponse:
        return await desk.page(visit)

    @router.post(PLACE)
    async def look(visit: Annotated[Visit, exporter], address: Address = "", official: Chosen = ()) -> HTMLResponse:
        return await desk.look(visit, address, official)

    @router.post(f"{PLACE}/export")
    async def export_person(
        visit: Annotated[Visit, exporter], address: Address = "", official: Chosen = ()
    ) -> Response:
        return await desk.export(visit, address, official)

    @router.post(f"{PLACE}/erase")
    async def erase_person(
        visit: Annotated[Visit, eraser],
        address: Address = "",
        official: Chosen = (),
        sure: Annotated[str, Form(max_length=500)] = "",
    ) -> HTMLResponse:
        return await desk.erase(visit, address, official, sure)

    @router.get("/kept/{token}")
    async def show_own(token: str) -> HTMLResponse:
        return await desk.own(token)

    return router


class Desk:
    """What the pages do."""

    def __init__(self, settings: Settings, links: SignedLinks) -> None:
        self._settings = settings
        self._links = links
        self._pages = Pages("clarion.services.people", Imprint.of(settings))

    async def page(self, visit: Visit, *, status: int = 200, **told: Any) -> HTMLResponse:
        """The form, and who asked to be erased; `told` is what was found or done."""
        wishes = await operations.wishes(self._settings)
        shown = {"wrong": None, "readers": None, "plan": None, "done": None, "address": "", **told}
        return self._pages.render(
            "people.html",
            status=status,
            headers=NO_STORE,
            visit=visit,
            place=PLACE,
            wishes=wishes,
            may_erase=visit.may(Act.ERASE_PERSON),
            **shown,
        )

    async def look(self, visit: Visit, address: str, officials: Sequence[str]) -> HTMLResponse:
        """What is kept, counted, and what erasing would leave for a while."""
        try:
            plan = await operations.plan(self._settings, await self._meant(address, officials))
        except (ValueError, SeveralKnown, InUse) as error:
            return await self._wrong(visit, address, error)
        return await self.page(visit, address=address, plan=plan)

    async def export(self, visit: Visit, address: str, officials: Sequence[str]) -> Response:
        """The whole document, to be kept as a file."""
        try:
            who = await self._meant(address, officials)
        except (ValueError, SeveralKnown) as error:
            return await self._wrong(visit, address, error)
        kept = await operations.export(self._settings, who, by=visit.actor)
        headers = NO_STORE | {"content-disposition": 'attachment; filename="person.json"'}
        return Response(kept.model_dump_json(indent=1), media_type="application/json", headers=headers)

    async def erase(self, visit: Visit, address: str, officials: Sequence[str], sure: str) -> HTMLResponse:
        """Erase, if whoever asks wrote the address a second time."""
        try:
            same_again(address, sure)
            begun = await operations.unfinished(self._settings, address)
            who = begun or await self._meant(address, officials)
            done = await operations.erase(self._settings, who, visit.actor)
        except (ValueError, SeveralKnown, InUse, NotFinished) as error:
            return await self._wrong(visit, address, error)
        return await self.page(visit, done=done)

    async def own(self, token: str) -> HTMLResponse:
        """Everything that is kept about a mailbox, for whoever just got the link in it."""
        try:
            mailbox = str(self._links.read(EXPORT_PURPOSE, token, EXPORT_LASTS.total_seconds())["mailbox"])
        except (BadLink, ValueError, TypeError, KeyError) as error:
            raise Refused(404, "This link is too old or not ours: ask for a new one by the link in a mail.") from error
        who = await operations.reader_of(self._settings, mailbox)
        if who is None:
            raise Refused(404, "Nothing is kept about this address any more.")
        kept = await operations.export(self._settings, who)
        return self._pages.render(
            "kept.html", headers=NO_STORE, address=who.address, document=kept.model_dump_json(indent=1)
        )

    async def _meant(self, address: str, officials: Sequence[str]) -> Person:
        return await operations.find(self._settings, address, officials)

    async def _wrong(self, visit: Visit, address: str, error: Exception) -> HTMLResponse:
        readers = error.readers if isinstance(error, SeveralKnown) else None
        return await self.page(visit, status=422, address=address, wrong=str(error), readers=readers)


def same_again(address: str, sure: str) -> None:
    """Raises ValueError unless the address was written a second time."""
    if sure.strip().casefold() != address.strip().casefold():
        raise ValueError("Nothing was erased: write the address a second time")
