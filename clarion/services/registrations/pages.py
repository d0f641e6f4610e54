"""The public pages: an event with its form, and where a registration stands. Both work without scripts."""

import hmac
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.database import Connection, Database
from clarion.runtime.ids import new_secret
from clarion.runtime.web.forms import check_link_form
from clarion.runtime.web.links import BadLink, SignedLinks
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import SessionCookie
from clarion.services.registrations import reports, repository
from clarion.services.registrations.api import event_of, read_limited
from clarion.services.registrations.desk import Desk
from clarion.services.registrations.domain.admission import ACTIVE, Registration, Status
from clarion.services.registrations.domain.forms import Unfit, read_form
from clarion.services.registrations.domain.words import spoken_moment, spoken_reason, spoken_span
from clarion.services.registrations.operations import ask_to_cancel, request_seat
from clarion.services.registrations.repository import Event

PACKAGE = "clarion.services.registrations"
FORM_PURPOSE = "registration-form"
CANCEL_PURPOSE = "registration-cancel"
FORM_SECONDS = 24 * 3600.0
COOKIE = "clarion_form"
COOKIE_BYTES = 16
TOKEN_AT_MOST = 100
NO_STORE = {"cache-control": "no-store"}
ANSWER = "answer-"
MOST_FIELDS = 100


def event_router(database: Database, desk: Desk, links: SignedLinks) -> APIRouter:
    """`/webinars/{slug}`: an event and its form."""
    router = APIRouter(include_in_schema=False)
    pages = Pages(PACKAGE, desk.imprint)
    cookie = SessionCookie(desk.public_url, COOKIE)

    def event_page(
        request: Request, event: Event, given: Mapping[str, str], errors: Mapping[str, str], status: int = 200
    ) -> HTMLResponse:
        secret = cookie.read(request) or new_secret(COOKIE_BYTES)
        form_token = links.sign(FORM_PURPOSE, [event.id, secret])
        context = event_context(event, desk) | {"given": given, "errors": errors, "form_token": form_token}
        page = pages.render("webinar.html", status=status, headers=NO_STORE, **context)
        cookie.put(page, secret, FORM_SECONDS)
        return page

    @router.get("/webinars/{slug}")
    async def show_event(slug: str, request: Request) -> HTMLResponse:
        async with database.connection() as connection:
            event = await event_of(connection, slug)
        return event_page(request, event, {}, {})

    @router.post("/webinars/{slug}")
    async def register(slug: str, request: Request) -> Response:
        fields = await read_fields(request)
        async with database.transaction() as tx:
            event = await event_of(tx.connection, slug)
            if not is_our_form(links, cookie.read(request), fields.get("form_token", ""), event):
                errors = {"form": "This form was open for too long. Nothing was sent yet: send it again."}
                return event_page(request, event, fields, errors, 403)
            answers = {key.removeprefix(ANSWER): text for key, text in fields.items() if key.startswith(ANSWER)}
            try:
                form = read_form(event.webinar.questions, fields.get("name", ""), fields.get("email", ""), answers)
            except Unfit as error:
                return event_page(request, event, fields, error.errors, 422)
            made = await request_seat(tx, desk, event, form)
        return RedirectResponse(f"/registrations/{made.token}", 303)

    return router


def status_router(database: Database, desk: Desk, links: SignedLinks) -> APIRouter:
    """`/registrations/{token}`: where a registration stands, and giving it up."""
    router = APIRouter(include_in_schema=False)
    pages = Pages(PACKAGE, desk.imprint)

    @router.get("/registrations/{token}")
    async def show_registration(token: str) -> HTMLResponse:
        async with database.connection() as connection:
            registration = await registration_of(connection, token)
            context = await registration_context(connection, registration, desk)
        context |= {"token": token, "form_token": links.sign(CANCEL_PURPOSE, token)}
        return pages.render("registration.html", headers=NO_STORE, **context)

    # POST, since mail scanners follow GET links and would give up people's seats.
    @router.post("/registrations/{token}/cancel")
    async def cancel(token: str, request: Request) -> Response:
        fields = await read_fields(request)
        check_link_form(links, CANCEL_PURPOSE, fields.get("form_token", ""), token)
        async with database.transaction() as tx:
            registration = await registration_of(tx.connection, token)
            if registration.status in ACTIVE or registration.status is Status.PENDING:
                await ask_to_cancel(tx, desk, registration)
        return RedirectResponse(f"/registrations/{token}", 303)

    return router


async def read_fields(request: Request) -> dict[str, str]:
    """The fields of a form, in UTF-8; Refused with 413 if it is larger than anyone needs to register."""
    await read_limited(request)
    form: FormData = await request.form(max_files=0, max_fields=MOST_FIELDS)
    return {key: value for key, value in form.items() if isinstance(value, str)}


def is_our_form(links: SignedLinks, kept: str, form_token: str, event: Event) -> bool:
    """Whether the form came from our page in this browser, within a day."""
    try:
        event_id, secret = links.read(FORM_PURPOSE, form_token, FORM_SECONDS)
    except (BadLink, ValueError, TypeError):
        return False
    return str(event_id) == event.id and hmac.compare_digest(str(secret).encode(), kept.encode())


async def registration_of(connection: Connection, token: str) -> Registration:
    """The registration of a status page; Refused with 404 if there is none."""
    is_token = token.isascii() and "\x00" not in token and len(token) <= TOKEN_AT_MOST
    found = await repository.find_by_token(connection, token) if is_token else None
    if found is None:
        raise Refused(404, "This link is not one of ours: open it from the mail again.")
    return found


def event_context(event: Event, desk: Desk) -> dict[str, Any]:
    """What both pages state of an event."""
    webinar = event.webinar
    return {
        "webinar": webinar,
        "event": event,
        "when": spoken_span(webinar.starts_at, webinar.ends_at, webinar.zone),
        "closes": spoken_moment(webinar.closes_at, webinar.zone),
        "is_closed": desk.clock() > webinar.closes_at,
        "free": max(webinar.capacity - event.confirmed, 0),
    }


async def registration_context(connection: Connection, registration: Registration, desk: Desk) -> dict[str, Any]:
    """Where a registration stands; a repeated request tells what it repeats, without what could change it."""
    event = await repository.get_webinar(connection, registration.event_id)
    holds, place = await reports.current(connection, registration)
    is_waiting_to_cancel = holds.status in ACTIVE and await repository.is_cancel_asked(connection, holds.id)
    is_repeat = registration.same_as is not None
    return event_context(event, desk) | {
        "standing": str(reports.public_status(holds.status)),
        "place": place,
        "reason": spoken_reason(holds.reason, event.webinar, event.said),
        "is_repeat": is_repeat,
        "can_cancel": holds.status in ACTIVE and not is_repeat and not is_waiting_to_cancel,
        "cancel_asked": is_waiting_to_cancel and not is_repeat,
        "is_settled": holds.status is not Status.PENDING and not is_waiting_to_cancel,
    }
