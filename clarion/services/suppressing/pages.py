"""`/suppressions` for staff: look an address up, have nothing more sent to it, let it in again."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.responses import HTMLResponse

from clarion.runtime.database import Database, open_database
from clarion.runtime.settings import Settings
from clarion.runtime.staff.rights import Act, where
from clarion.runtime.web.links import BadLink, SignedLinks
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.services.suppressing import operations

PLACE = "/suppressions"
NO_STORE = {"cache-control": "no-store"}
UNDO_PURPOSE = "suppression-undo"
UNDO_SECONDS = 3_600.0
SHOWN = 200
WORDS = {
    "hard-bounce": "mail came back",
    "complaint": "reported as spam",
    "hand": "by hand",
    "import": "imported",
    "erased": "erased",
}

Given = Annotated[str, Form(max_length=2_000)]


def suppressions_router(database: Database, staff: StaffOnly, settings: Settings) -> APIRouter:
    """The pages, for those who may manage suppressions; managers for the people of their divisions."""
    router = APIRouter(prefix=PLACE, include_in_schema=False)
    desk = Desk(database, settings)
    manager = Depends(staff.may(Act.MANAGE_SUPPRESSIONS))

    @router.get("")
    async def show_suppressions(visit: Annotated[Visit, manager]) -> HTMLResponse:
        return await desk.page(visit)

    # The address is sent in a form: in a page's own address it would stand in logs.
    @router.post("")
    async def look_up(visit: Annotated[Visit, manager], address: Given = "") -> HTMLResponse:
        return await desk.look_up(visit, address)

    @router.post("/add")
    async def suppress(visit: Annotated[Visit, manager], mailbox: Given = "", reason: Given = "") -> HTMLResponse:
        return await desk.add(visit, mailbox, reason)

    @router.post("/remove")
    async def let_in(visit: Annotated[Visit, manager], mailbox: Given = "") -> HTMLResponse:
        return await desk.remove(visit, mailbox)

    @router.post("/undo")
    async def take_back(visit: Annotated[Visit, manager], undo: Given = "") -> HTMLResponse:
        return await desk.undo(visit, undo)

    return router


class Desk:
    """What the pages do."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._directory = database
        self._settings = settings
        self._clock = database.clock
        self._links = SignedLinks(settings.secret_key, database.clock)
        self._pages = Pages("clarion.services.suppressing")

    async def page(self, visit: Visit, *, status: int = 200, **told: Any) -> HTMLResponse:
        """The form, and the newest suppressions for those who may see all; `told` is what was found or done."""
        rows: list[dict[str, Any]] = []
        if where(visit.staff, Act.MANAGE_SUPPRESSIONS) is None:
            async with self._notifications() as opened, opened.connection() as connection:
                rows = await operations.newest(connection, SHOWN)
        shown = {"wrong": None, "said": None, "undo": None, "found": None, "address": "", **told}
        return self._pages.render(
            "suppressions.html",
            status=status,
            headers=NO_STORE,
            visit=visit,
            place=PLACE,
            rows=rows,
            words=WORDS,
            **shown,
        )

    async def look_up(self, visit: Visit, address: str) -> HTMLResponse:
        """Whether an address is suppressed, and why."""
        try:
            async with self._notifications() as opened, opened.connection() as connection:
                mailbox = await operations.mailbox_of(connection, address.strip())
                row = await operations.find(connection, mailbox)
        except ValueError as error:
            return await self.page(visit, status=422, address=address, wrong=str(error))
        await self._allow(visit, mailbox)
        return await self.page(visit, address=address, found={"mailbox": mailbox, "row": row})

    async def add(self, visit: Visit, mailbox: str, reason: str) -> HTMLResponse:
        """Have nothing more sent."""
        await self._allow(visit, mailbox)
        why = " ".join(reason.replace("\x00", "").split()) or "by hand"
        async with self._notifications() as opened, opened.transaction() as tx:
            done = await operations.suppress(tx, visit.actor, mailbox, why, self._clock())
        said = "Nothing more is sent to this address." if done else "It was suppressed already."
        return await self.page(visit, said=said, undo=self._undo("remove", mailbox) if done else None)

    async def remove(self, visit: Visit, mailbox: str) -> HTMLResponse:
        """Have mail sent again."""
        await self._allow(visit, mailbox)
        try:
            async with self._notifications() as opened, opened.transaction() as tx:
                removed = await operations.let_in(tx, visit.actor, mailbox, self._clock())
        except operations.Erased as error:
            raise Refused(409, str(error)) from error
        if removed is None:
            return await self.page(visit, said="It was not suppressed.")
        said = "This address gets mail again; mail that ended meanwhile is not sent."
        kept = {**removed, "since": removed["since"].isoformat()}
        return await self.page(visit, said=said, undo=self._undo("put back", mailbox, kept))

    async def undo(self, visit: Visit, token: str) -> HTMLResponse:
        """Take back what was just done."""
        try:
            what, mailbox, kept = self._links.read(UNDO_PURPOSE, token, UNDO_SECONDS)
        except (BadLink, ValueError, TypeError) as error:
            raise Refused(403, "That was too long ago to be undone here: look the address up.") from error
        if what == "remove":
            return await self.remove(visit, mailbox)
        await self._allow(visit, mailbox)
        row = {**kept, "since": datetime.fromisoformat(kept["since"])}
        async with self._notifications() as opened, opened.transaction() as tx:
            await operations.put_back(tx, visit.actor, row, self._clock())
        return await self.page(
            visit, said="It is suppressed again, as it was before.", undo=self._undo("remove", mailbox)
        )

    def _undo(self, what: str, mailbox: str, kept: dict[str, Any] | None = None) -> str:
        return self._links.sign(UNDO_PURPOSE, [what, mailbox, kept])

    def _notifications(self) -> Any:
        return open_database(self._settings, "notifications", self._clock, size=1)

    async def _allow(self, visit: Visit, mailbox: str) -> None:
        """Raises Refused (403) for a manager, unless somebody of their divisions reads the mailbox."""
        own = where(visit.staff, Act.MANAGE_SUPPRESSIONS)
        if not operations.MAILBOX.fullmatch(mailbox):
            raise Refused(422, "Look an address up first.")
        if own is None:
            return
        async with self._directory.connection() as connection:
            divisions = await operations.divisions_of(connection, mailbox)
        if not divisions & own:
            raise Refused(403, "Nobody of your divisions is known to read this address. Nothing was changed.")
