"""`/operators`: an overview, and the dead letters with what may be done about each. All of it works without scripts."""

import hmac
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.ids import new_secret
from clarion.runtime.messaging import DeadLetters, UnknownLetter
from clarion.runtime.process import Service
from clarion.runtime.watch import Watch
from clarion.runtime.web.links import BadLink, SignedLinks
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import StaffOnly
from clarion.services.operators.guard import Door, Operator, is_local
from clarion.services.operators.overview import letters, overview, spoken_seconds

PACKAGE = "clarion.services.operators"
FORM_PURPOSE = "operators-form"
FORM_SECONDS = 12 * 3600.0
COOKIE = "clarion_operator"
COOKIE_BYTES = 16
NO_STORE = {"cache-control": "no-store"}
STAFF_KEEPER = "directory"
"""The service that keeps who acts for the association."""
STATES = {"open": "waiting for somebody", "discarded": "put aside", "retried": "handled in the end"}
REFRESH_SECONDS = (10, 60)

FormToken = Annotated[str, Form(max_length=500)]


def operators_router(watch: Watch, clock: Clock = system_clock, *, everywhere: bool = False) -> APIRouter:
    """The pages over the services that the watch knows: for staff who may operate, and for who is on this machine.

    `everywhere` is for an app that is not behind the public address, such as the health port's.
    """
    keeper = next((service.database for service in watch.services if service.name == STAFF_KEEPER), None)
    staff = StaffOnly(keeper.connection, watch.settings, clock) if keeper is not None else None
    door = Door(staff, here=everywhere or is_local(watch.settings.public_url or ""))
    desk = Desk(watch, SignedLinks(watch.settings.secret_key, clock), clock, door)
    router = APIRouter(prefix="/operators", include_in_schema=False, dependencies=[Depends(desk.let_in)])
    router.add_api_route("", desk.show, methods=["GET"])
    router.add_api_route("/dead-letters", desk.list_letters, methods=["GET"])
    router.add_api_route("/dead-letters/{letter}", desk.show_letter, methods=["GET"])
    router.add_api_route("/dead-letters/{letter}/retry", desk.retry, methods=["POST"])
    router.add_api_route("/dead-letters/{letter}/discard", desk.ask_to_discard, methods=["GET"])
    router.add_api_route("/dead-letters/{letter}/discard", desk.discard, methods=["POST"])
    router.add_api_route("/dead-letters/{letter}/take-back", desk.take_back, methods=["POST"])
    return router


class Desk:
    """The pages, each a method."""

    def __init__(self, watch: Watch, links: SignedLinks, clock: Clock, door: Door) -> None:
        self._watch = watch
        self._door = door
        self._links = links
        self._clock = clock
        self._pages = Pages(PACKAGE)
        self._pages.environment.filters["spoken"] = spoken_seconds

    async def let_in(self, request: Request) -> None:
        """Who looks, for all that is done with this request. Raises Refused."""
        request.state.operator = await self._door(request)

    async def show(self, request: Request, every: Annotated[int, Query(ge=0)] = 0) -> HTMLResponse:
        """The overview; `every` is how often the page is to look again by itself, in seconds."""
        refresh = every if every in REFRESH_SECONDS else 0
        return self._page(request, "operators.html", refresh=refresh, **await overview(self._watch, self._clock))

    async def list_letters(self, request: Request, state: str = "open") -> HTMLResponse:
        """The newest letters of one state."""
        if state not in STATES:
            raise Refused(404, f"There are no such letters; there are those that are {', '.join(STATES)}.")
        found = await letters(self._watch.services, state, 200)
        return self._page(request, "letters.html", state=state, states=STATES, letters=found)

    async def show_letter(self, request: Request, letter: str, outcome: str = "") -> HTMLResponse:
        """One letter with its content and cause."""
        service, number = self._found(letter)
        kept = await self._kept(service, number)
        return self._page(request, "letter.html", id=letter, letter=readable(kept), outcome=outcome)

    async def retry(self, request: Request, letter: str, form_token: FormToken = "") -> RedirectResponse:
        """Hand the record to its handler again."""
        self._check(request, form_token)
        service, number = self._found(letter)
        try:
            retried = await DeadLetters(service.database).retry(
                number, service.subscriptions, by=operator_of(request).actor
            )
        except UnknownLetter as error:
            raise Refused(404, str(error)) from error
        return back_to(letter, "retried" if retried.state == "retried" else "failed-again")

    async def ask_to_discard(self, request: Request, letter: str) -> HTMLResponse:
        """Say what discarding means, and ask."""
        service, number = self._found(letter)
        kept = await self._kept(service, number)
        return self._page(request, "discard.html", id=letter, letter=readable(kept))

    async def discard(
        self,
        request: Request,
        letter: str,
        form_token: FormToken = "",
        why: Annotated[str, Form(max_length=500)] = "",
    ) -> RedirectResponse:
        """Put the letter aside."""
        self._check(request, form_token)
        service, number = self._found(letter)
        said = why.replace("\x00", "").strip() or None
        done = await DeadLetters(service.database).discard(number, by=operator_of(request).actor, why=said)
        return back_to(letter, "discarded" if done else "not-open")

    async def take_back(self, request: Request, letter: str, form_token: FormToken = "") -> RedirectResponse:
        """Open a discarded letter again."""
        self._check(request, form_token)
        service, number = self._found(letter)
        done = await DeadLetters(service.database).take_back(number, by=operator_of(request).actor)
        return back_to(letter, "taken-back" if done else "not-discarded")

    def _page(self, request: Request, template: str, **context: Any) -> HTMLResponse:
        visit = operator_of(request).visit
        if visit is not None:
            staffed: dict[str, Any] = {
                "layout": "staff.html",
                "visit": visit,
                "place": "/operators",
                "form_token": visit.form_token,
            }
            return self._pages.render(template, headers=NO_STORE, **staffed, **context)
        secret = request.cookies.get(COOKIE) or new_secret(COOKIE_BYTES)
        token = self._links.sign(FORM_PURPOSE, secret)
        page = self._pages.render(template, headers=NO_STORE, layout="base.html", form_token=token, **context)
        page.set_cookie(COOKIE, secret, path="/operators", httponly=True, samesite="strict")
        return page

    def _check(self, request: Request, form_token: str) -> None:
        """Raises Refused (403) unless the form is ours, of this browser, and not too old; staff's the door has seen."""
        if operator_of(request).visit is not None:
            return
        secret = request.cookies.get(COOKIE, "")
        try:
            signed = str(self._links.read(FORM_PURPOSE, form_token, FORM_SECONDS))
        except BadLink:
            signed = ""
        if not secret or not hmac.compare_digest(signed.encode(), secret.encode()):
            raise Refused(403, "This form was open for too long or is not ours: open the page again.")

    def _found(self, letter: str) -> tuple[Service, int]:
        name, _, number = letter.rpartition("-")
        for service in self._watch.services:
            if service.name == name and number.isascii() and number.isdigit() and len(number) < 19:
                return service, int(number)
        raise Refused(404, f"There is no dead letter {letter!r}.")

    async def _kept(self, service: Service, number: int) -> dict[str, Any]:
        try:
            return await DeadLetters(service.database).get(number)
        except UnknownLetter as error:
            raise Refused(404, str(error)) from error


def operator_of(request: Request) -> Operator:
    """Who was let in."""
    operator: Operator = request.state.operator
    return operator


def back_to(letter: str, outcome: str) -> RedirectResponse:
    """To the letter's page, with what came of it."""
    return RedirectResponse(f"/operators/dead-letters/{letter}?outcome={outcome}", 303)


def readable(kept: dict[str, Any]) -> dict[str, Any]:
    """A letter with its content as text."""
    return {
        name: value.decode("utf-8", errors="backslashreplace") if isinstance(value, bytes) else value
        for name, value in kept.items()
    }
