"""`/keys`: administrators make API keys, see who uses them, and revoke them. All of it works without scripts."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.responses import HTMLResponse, RedirectResponse

from clarion.runtime.database import Database
from clarion.runtime.staff.rights import Act
from clarion.runtime.web.keys import SCOPES, find_key, list_keys
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.schemas.commands import KeyLine
from clarion.services.keys.operations import Wish, expiry, make, revoke

PACKAGE = "clarion.services.keys"
PLACE = "/keys"
NOTHING_GIVEN = {"name": "", "scopes": [], "source": "", "expires": ""}
NO_STORE = {"cache-control": "no-store"}
OUTCOMES = {"revoked": "It is revoked: from now on it opens nothing.", "before": "It had been revoked before."}


def keys_router(database: Database, staff: StaffOnly) -> APIRouter:
    """The pages, for those who may manage keys."""
    router = APIRouter(prefix=PLACE, include_in_schema=False)
    desk = Desk(database)
    manager = Depends(staff.may(Act.MANAGE_KEYS))

    @router.get("")
    async def show_keys(visit: Annotated[Visit, manager], outcome: str = "") -> HTMLResponse:
        return await desk.page(visit, said=OUTCOMES.get(outcome))

    @router.post("")
    async def create_key(
        visit: Annotated[Visit, manager],
        name: Annotated[str, Form(max_length=1_000)] = "",
        scope: Annotated[list[str], Form(max_length=50)] = [],  # noqa: B006 - FastAPI copies it
        source: Annotated[str, Form(max_length=1_000)] = "",
        expires: Annotated[str, Form(max_length=100)] = "",
    ) -> HTMLResponse:
        return await desk.create(visit, {"name": name, "scopes": scope, "source": source, "expires": expires})

    @router.get("/{key_id}/revoke")
    async def ask_to_revoke(visit: Annotated[Visit, manager], key_id: str) -> HTMLResponse:
        return await desk.ask(visit, key_id)

    @router.post("/{key_id}/revoke")
    async def revoke_key(visit: Annotated[Visit, manager], key_id: str) -> RedirectResponse:
        return await desk.revoke(visit, key_id)

    return router


class Desk:
    """What the pages do."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock
        self._pages = Pages(PACKAGE)

    async def page(self, visit: Visit, *, status: int = 200, **told: Any) -> HTMLResponse:
        """All keys, and the form for another; `told` is what has just happened, or what a form held."""
        async with self._database.connection() as connection:
            keys = [KeyLine.model_validate(row) for row in await list_keys(connection, self._clock())]
        shown = {"said": None, "wrong": None, "given": NOTHING_GIVEN, **told}
        return self._pages.render(
            "keys.html", status=status, headers=NO_STORE, visit=visit, place=PLACE, keys=keys, scopes=SCOPES, **shown
        )

    async def create(self, visit: Visit, given: dict[str, Any]) -> HTMLResponse:
        """Make a key and show it, this once; what cannot be one is said beside what was given."""
        now = self._clock()
        try:
            expires_at = expiry(given["expires"].strip(), now) if given["expires"].strip() else None
            wish = Wish(given["name"], given["scopes"], given["source"], expires_at)
            async with self._database.transaction() as tx:
                made = await make(tx.connection, visit.actor, wish, now)
        except ValueError as error:
            return await self.page(visit, status=422, wrong=str(error), given=given)
        return self._pages.render("made.html", status=201, headers=NO_STORE, visit=visit, place=PLACE, made=made)

    async def ask(self, visit: Visit, key_id: str) -> HTMLResponse:
        """Say what revoking means, and ask."""
        async with self._database.connection() as connection:
            found = await find_key(connection, key_id)
        if found is None:
            raise Refused(404, "There is no key with this id.")
        return self._pages.render("revoke.html", headers=NO_STORE, visit=visit, place=PLACE, key=found)

    async def revoke(self, visit: Visit, key_id: str) -> RedirectResponse:
        """Make the key useless from now on."""
        async with self._database.transaction() as tx:
            revocation = await revoke(tx.connection, visit.actor, key_id, self._clock())
        if revocation is None:
            raise Refused(404, "There is no key with this id.")
        return RedirectResponse(f"{PLACE}?outcome={'before' if revocation.before else 'revoked'}", 303)
