"""`/audit`: what was done, for those whom it concerns."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.responses import HTMLResponse

from clarion.runtime.database import Database
from clarion.runtime.staff.reading import Wanted, list_entries
from clarion.runtime.staff.rights import Act, where
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import StaffOnly, Visit
from clarion.services.audit.words import read_moment, spoken_details

PACKAGE = "clarion.services.audit"
PLACE = "/audit"
ON_A_PAGE = 100
KINDS = {"staff": "staff", "command": "commands", "key": "API keys", "person": "readers of mail", "system": "Clarion"}
NO_STORE = {"cache-control": "no-store"}

Filter = Annotated[str, Query(max_length=200)]


def audit_router(database: Database, staff: StaffOnly) -> APIRouter:
    """The page, for those who may read the record: all of it, or what concerns their divisions and their own acts."""
    router = APIRouter(prefix=PLACE, include_in_schema=False)
    pages = Pages(PACKAGE)
    pages.environment.filters["spoken"] = spoken_details
    reader = Depends(staff.may(Act.SEE_AUDIT))

    @router.get("")
    async def show_audit(
        visit: Annotated[Visit, reader],
        *,
        who: Filter = "",
        kind: Filter = "",
        act: Filter = "",
        subject: Filter = "",
        since: Filter = "",
        before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    ) -> HTMLResponse:
        asked = {"who": who, "kind": kind, "act": act, "subject": subject, "since": since}
        given = {name: value.strip() for name, value in asked.items()}
        wanted = wanted_of(given, before)
        async with database.connection() as connection:
            found = await list_entries(connection, wanted, reader=visit.staff, at_most=ON_A_PAGE + 1)
        entries = found[:ON_A_PAGE]
        older = None if len(found) <= ON_A_PAGE else f"{PLACE}?{urlencode({**given, 'before': entries[-1].id})}"
        own = where(visit.staff, Act.SEE_AUDIT)
        return pages.render(
            "audit.html",
            headers=NO_STORE,
            visit=visit,
            place=PLACE,
            entries=entries,
            given=given,
            kinds=KINDS,
            older=older,
            own=own,
        )

    return router


def wanted_of(given: dict[str, str], before: int | None) -> Wanted:
    """The filters of the page.

    Raises:
        Refused: 422, the time is none, or there is a character that no entry has.
    """
    if any("\x00" in value for value in given.values()):
        raise Refused(422, "There is a NUL character in what is looked for.")
    try:
        since = read_moment(given["since"])
    except ValueError as error:
        raise Refused(422, f"{given['since']!r} is no time such as 2027-04-01 or 2027-04-01T09:30.") from error
    return Wanted(
        given["who"] or None, given["act"] or None, given["subject"] or None, since, before, given["kind"] or None
    )
