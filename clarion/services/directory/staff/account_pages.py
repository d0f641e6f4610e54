"""`/staff`: the accounts, for administrators. All of it works without scripts, and on a phone."""

from collections.abc import Awaitable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.staff.accounts import find_account, list_accounts
from clarion.runtime.staff.rights import Act, Role
from clarion.runtime.staff.sessions import list_sessions
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.services.directory.staff.admission import ROLES, Unfit, Wish
from clarion.services.directory.staff.operations import (
    Hand,
    LastAdministrator,
    UnknownAccount,
    add_staff,
    change_staff,
    known_divisions,
    remove_staff,
    restore_staff,
    sign_out_staff,
)
from clarion.services.directory.staff.tellings import Site

PACKAGE = "clarion.services.directory"
NO_STORE = {"cache-control": "no-store"}
PLACE = "/staff"
DIVISION = "division-"
MANAGER, DEPUTY = "manager", "deputy"
DONE = {
    "added": "has an account now",
    "changed": "is changed",
    "restored": "is back",
    "signed-out": "is signed out everywhere",
}
NO_ERRORS: Mapping[str, str] = {}


class AccountPages:
    """The pages, each a method."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._site = Site(settings.public_url or "")
        self._clock = clock
        self._pages = Pages(PACKAGE)

    async def show(self, visit: Visit, removed: str, done: str, who: str) -> HTMLResponse:
        """All accounts; what was just done is said, and a removal can be undone."""
        async with self._database.transaction() as tx:
            accounts = await list_accounts(tx.connection, removed=True)
            divisions = await known_divisions(tx)
        named = {account.staff.id: account.staff for account in accounts}
        return self._pages.render(
            "staff/accounts.html",
            headers=NO_STORE,
            visit=visit,
            accounts=[account for account in accounts if account.removed_at is None],
            gone=[account for account in accounts if account.removed_at is not None],
            divisions=divisions,
            removed=named.get(removed),
            said=f"{named[who].name} {DONE[done]}." if who in named and done in DONE else None,
        )

    async def show_form(
        self,
        visit: Visit,
        staff_id: str | None,
        wish: Wish | None = None,
        errors: Mapping[str, str] = NO_ERRORS,
        status: int = 200,
    ) -> HTMLResponse:
        """The form of an account, of a new one without an id."""
        async with self._database.transaction() as tx:
            account = await find_account(tx.connection, staff_id) if staff_id else None
            sessions = await list_sessions(tx.connection, staff_id, self._clock()) if staff_id else []
            divisions = await known_divisions(tx)
        if staff_id and (account is None or account.removed_at is not None):
            raise Refused(404, "There is no such account, or it was removed.")
        given = wish or (Wish.of(account.staff) if account else Wish("", "", str(Role.VIEWER)))
        return self._pages.render(
            "staff/account.html",
            status=status,
            headers=NO_STORE,
            visit=visit,
            account=account,
            sessions=len(sessions),
            given=given,
            errors=errors,
            roles=ROLES,
            divisions=divisions,
        )

    async def add(self, visit: Visit, wish: Wish) -> Response:
        """Make an account."""
        try:
            async with self._database.transaction() as tx:
                staff = await add_staff(tx, self._hand(visit), wish)
        except Unfit as error:
            return await self.show_form(visit, None, wish, error.errors, 422)
        return RedirectResponse(f"{PLACE}?done=added&who={staff.id}", 303)

    async def change(self, visit: Visit, staff_id: str, wish: Wish) -> Response:
        """Change an account."""
        try:
            async with self._database.transaction() as tx:
                await change_staff(tx, self._hand(visit), staff_id, wish)
        except Unfit as error:
            return await self.show_form(visit, staff_id, wish, error.errors, 422)
        except LastAdministrator as error:
            return await self.show_form(visit, staff_id, wish, {"role": str(error)}, 409)
        return RedirectResponse(f"{PLACE}?done=changed&who={staff_id}", 303)

    async def remove(self, visit: Visit, staff_id: str) -> Response:
        """End an account; the next page offers to undo it."""
        try:
            async with self._database.transaction() as tx:
                await remove_staff(tx, self._hand(visit), staff_id)
        except LastAdministrator as error:
            return await self.show_form(visit, staff_id, None, {"role": str(error)}, 409)
        return RedirectResponse(f"{PLACE}?removed={staff_id}", 303)

    async def restore(self, visit: Visit, staff_id: str) -> Response:
        """Undo a removal."""
        async with self._database.transaction() as tx:
            await restore_staff(tx, self._hand(visit), staff_id)
        return RedirectResponse(f"{PLACE}?done=restored&who={staff_id}", 303)

    async def sign_out(self, visit: Visit, staff_id: str) -> Response:
        """End all sessions of somebody."""
        async with self._database.transaction() as tx:
            await sign_out_staff(tx, self._hand(visit), staff_id)
        return RedirectResponse(f"{PLACE}?done=signed-out&who={staff_id}", 303)

    def _hand(self, visit: Visit) -> Hand:
        return Hand(visit.actor, self._clock(), self._site)


async def wish_in(request: Request) -> Wish:
    """The account that a form describes."""
    fields = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    chosen = {name.removeprefix(DIVISION): value for name, value in fields.items() if name.startswith(DIVISION)}
    role = fields.get("role", "")
    # Whoever chooses another role need not clear each division first.
    held = chosen if role == Role.MANAGER else {}
    return Wish(
        email=fields.get("email", ""),
        name=fields.get("name", ""),
        role=role,
        divisions=[slug for slug, as_what in held.items() if as_what == MANAGER],
        deputy_in=[slug for slug, as_what in held.items() if as_what == DEPUTY],
    )


def accounts_router(pages: AccountPages, staff_only: StaffOnly) -> APIRouter:
    """The routes, all of them for who may manage staff."""
    router = APIRouter(prefix=PLACE, include_in_schema=False)
    keeper = Annotated[Visit, Depends(staff_only.may(Act.MANAGE_STAFF))]
    wished = Annotated[Wish, Depends(wish_in)]

    @router.get("")
    async def show(visit: keeper, removed: str = "", done: str = "", who: str = "") -> HTMLResponse:
        return await pages.show(visit, removed, done, who)

    @router.post("")
    async def add(visit: keeper, wish: wished) -> Response:
        return await pages.add(visit, wish)

    @router.get("/new")
    async def show_new(visit: keeper) -> HTMLResponse:
        return await pages.show_form(visit, None)

    @router.get("/{staff_id}")
    async def show_one(visit: keeper, staff_id: str) -> HTMLResponse:
        return await pages.show_form(visit, staff_id)

    @router.post("/{staff_id}")
    async def change(visit: keeper, staff_id: str, wish: wished) -> Response:
        return await told(pages.change(visit, staff_id, wish))

    @router.post("/{staff_id}/remove")
    async def remove(visit: keeper, staff_id: str) -> Response:
        return await told(pages.remove(visit, staff_id))

    @router.post("/{staff_id}/restore")
    async def restore(visit: keeper, staff_id: str) -> Response:
        return await told(pages.restore(visit, staff_id))

    @router.post("/{staff_id}/sign-out")
    async def sign_out(visit: keeper, staff_id: str) -> Response:
        return await told(pages.sign_out(visit, staff_id))

    return router


async def told(work: Awaitable[Response]) -> Response:
    """The answer; an account that is not there is 404."""
    try:
        return await work
    except UnknownAccount as error:
        raise Refused(404, f"Nothing was changed: {error}.") from error
