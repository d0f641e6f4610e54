"""The sign-in pages: asking for a link, using it, one's own sessions, signing out. All of it works without scripts."""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.ids import new_secret
from clarion.runtime.logs import Logger
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import record
from clarion.runtime.staff.reading import Wanted, list_entries
from clarion.runtime.staff.sessions import end_session, end_sessions, form_token, is_token, list_sessions
from clarion.runtime.web.clients import subscriber
from clarion.runtime.web.forms import FormToken, is_our_form
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused
from clarion.runtime.web.staff import AT_WORK, SIGN_IN, SessionCookie, StaffOnly, Visit, client_address, own_path
from clarion.services.directory.domain.addresses import address
from clarion.services.directory.staff.sign_ins import (
    GOOD_FOR,
    WINDOW,
    Browser,
    LinkState,
    ask_for_link,
    is_too_often,
    look_at_link,
    use_link,
)
from clarion.services.directory.staff.words import spoken_browser, spoken_minutes

log = Logger(__name__)

PACKAGE = "clarion.services.directory"
NO_STORE = {"cache-control": "no-store"}
ANSWER_SECONDS = 0.3
"""Whoever asks for a link hears after this long, so that the time tells nothing of whether an address is known."""
BROWSER_SECONDS = 3600.0
ACTS_SHOWN = 20
HOME = "/staff/me"
TOO_OFTEN = f"Links were asked for too often. Try again in {spoken_minutes(WINDOW)}; the newest link that came is good."


class SignIn:
    """The pages, each a method."""

    def __init__(
        self,
        database: Database,
        staff_only: StaffOnly,
        settings: Settings,
        clock: Clock,
        *,
        provider: str | None = None,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._database = database
        self._staff_only = staff_only
        self._public_url = settings.public_url or ""
        self._clock = clock
        self._provider = provider
        self._answer_seconds = answer_seconds
        self._browser = SessionCookie(self._public_url, "clarion_browser")
        self._pages = Pages(PACKAGE)
        self._pages.environment.filters["browser"] = spoken_browser

    async def show(
        self, request: Request, next_path: Annotated[str, Query(alias="next")] = "", ended: str = ""
    ) -> Response:
        """The form that asks for a link; who is signed in goes on."""
        if await self._staff_only.find(request) is not None:
            return RedirectResponse(own_path(next_path, AT_WORK), 303, NO_STORE)
        return self._form(request, next_path, said=None, ended=bool(ended))

    async def ask(
        self,
        request: Request,
        email: Annotated[str, Form(max_length=320)] = "",
        next_path: Annotated[str, Form(alias="next", max_length=2_000)] = "",
        form_token: FormToken = "",
    ) -> Response:
        """Have a link mailed. The answer, and its time, are the same whether there is such an account or not."""
        answer_at = asyncio.get_running_loop().time() + self._answer_seconds
        browser = self._browser_of(request)
        if not self._is_ours(browser, form_token):
            return self._form(request, next_path, said="This form was open for too long. Send it again.", status=403)
        try:
            written = address(email.strip())
        except ValueError:
            return self._form(request, next_path, said="That is no mail address.", status=422)
        asked = await self._asked(request, written, browser, next_path)
        await asyncio.sleep(answer_at - asyncio.get_running_loop().time())
        if not asked:
            return self._form(request, next_path, said=TOO_OFTEN, status=429)
        return RedirectResponse(f"{SIGN_IN}/asked", 303)

    async def _asked(self, request: Request, email: str, browser: Browser, next_path: str) -> bool:
        """Whether it was not asked for too often; what is counted stays counted."""
        now = self._clock()
        async with self._database.transaction() as tx:
            if await is_too_often(tx, email, subscriber(client_address(request)), now):
                log.warning("sign_in.asked_too_often")
                return False
            going = own_path(next_path, AT_WORK)
            await ask_for_link(tx, email, browser, next_path=going, public_url=self._public_url, now=now)
            return True

    async def asked(self) -> HTMLResponse:
        """What to do now."""
        return self._pages.render("staff/asked.html", headers=NO_STORE, minutes=spoken_minutes(GOOD_FOR))

    # The link in the mail is a GET, which mail scanners follow as well: only the button on its page signs in.
    async def show_link(self, request: Request, token: str) -> HTMLResponse:
        """A button that signs in, or what to do instead."""
        browser = self._browser_of(request)
        async with self._database.connection() as connection:
            state = await look_at_link(connection, token, browser.secret, self._clock())
        return self._link_page(token, browser, state)

    async def enter(self, request: Request, token: str, form_token: FormToken = "") -> Response:
        """Sign in, and go on to where one was going."""
        browser = self._browser_of(request)
        if not self._is_ours(browser, form_token):
            log.warning("sign_in.refused", state=str(LinkState.ELSEWHERE))
            return self._link_page(token, browser, LinkState.ELSEWHERE)
        before = self._staff_only.cookie.read(request)
        async with self._database.transaction() as tx:
            entered = await use_link(tx, token, browser, ending=before, now=self._clock())
        if isinstance(entered, LinkState):
            log.warning("sign_in.refused", state=str(entered))
            return self._link_page(token, browser, entered)
        log.info("sign_in.done", staff=entered.staff_id)
        answer = RedirectResponse(own_path(entered.next_path, AT_WORK), 303, NO_STORE)
        self._staff_only.cookie.put(answer, entered.token)
        self._browser.drop(answer)
        return answer

    def _browser_of(self, request: Request) -> Browser:
        secret = self._browser.read(request)
        agent = request.headers.get("user-agent", "")
        return Browser(secret if is_token(secret) else "", client_address(request), agent)

    def _is_ours(self, browser: Browser, given: str) -> bool:
        return bool(browser.secret) and is_our_form(form_token(browser.secret), given)

    def _form(
        self, request: Request, next_path: str, *, said: str | None, ended: bool = False, status: int = 200
    ) -> HTMLResponse:
        secret = self._browser_of(request).secret or new_secret()
        page = self._pages.render(
            "staff/sign_in.html",
            status=status,
            headers=NO_STORE,
            said=said,
            ended=ended,
            next_path=own_path(next_path, ""),
            provider=self._provider,
            form_token=form_token(secret),
        )
        self._browser.put(page, secret, BROWSER_SECONDS)
        return page

    def _link_page(self, token: str, browser: Browser, state: LinkState) -> HTMLResponse:
        status = {LinkState.GOOD: 200, LinkState.ELSEWHERE: 403, LinkState.UNKNOWN: 404}.get(state, 410)
        context = {"state": str(state), "minutes": spoken_minutes(GOOD_FOR), "public_url": self._public_url}
        if state is LinkState.GOOD:
            context |= {"token": token, "form_token": form_token(browser.secret)}
        return self._pages.render("staff/link.html", status=status, headers=NO_STORE, **context)


class OwnSessions:
    """One's own page: where one is signed in, and signing out there."""

    def __init__(self, database: Database, staff_only: StaffOnly, clock: Clock) -> None:
        self._database = database
        self._cookie = staff_only.cookie
        self._clock = clock
        self._pages = Pages(PACKAGE)
        self._pages.environment.filters["browser"] = spoken_browser

    async def show(self, visit: Visit, done: str) -> HTMLResponse:
        """All own sessions that are open, and what was last done with one's account."""
        async with self._database.connection() as connection:
            sessions = await list_sessions(connection, visit.staff.id, self._clock())
            acts = await list_entries(connection, Wanted(subject=f"staff:{visit.staff.id}"), at_most=ACTS_SHOWN)
        context: dict[str, Any] = {"visit": visit, "sessions": sessions, "acts": acts, "done": done}
        return self._pages.render("staff/me.html", headers=NO_STORE, **context)

    async def sign_out(self, visit: Visit) -> Response:
        """End this session."""
        await self._end(visit, visit.session_id)
        return self._gone()

    async def sign_out_there(self, visit: Visit, session_id: str) -> Response:
        """End one of one's own sessions."""
        await self._end(visit, session_id)
        return self._gone() if session_id == visit.session_id else RedirectResponse(f"{HOME}?done=ended", 303)

    async def sign_out_everywhere(self, visit: Visit) -> Response:
        """End all of one's own sessions, this one included."""
        now = self._clock()
        async with self._database.transaction() as tx:
            ended = await end_sessions(tx.connection, visit.staff.id)
            subject, details = f"staff:{visit.staff.id}", {"ended": ended}
            await record(tx.connection, visit.actor, "sessions.ended", subject, at=now, details=details)
        return self._gone()

    async def _end(self, visit: Visit, session_id: str) -> None:
        async with self._database.transaction() as tx:
            if not await end_session(tx.connection, visit.staff.id, session_id):
                raise Refused(404, "This session has ended, or is none of yours.")
            subject, details = f"staff:{visit.staff.id}", {"session": session_id}
            await record(tx.connection, visit.actor, "session.ended", subject, at=self._clock(), details=details)

    def _gone(self) -> Response:
        answer = RedirectResponse(f"{SIGN_IN}?{urlencode({'ended': 'signed-out'})}", 303, NO_STORE)
        answer.headers["clear-site-data"] = '"cache", "storage"'
        self._cookie.drop(answer)
        return answer


def sign_in_router(pages: SignIn) -> APIRouter:
    """`/sign-in`: open to all."""
    router = APIRouter(prefix=SIGN_IN, include_in_schema=False)
    router.add_api_route("", pages.show, methods=["GET"])
    router.add_api_route("", pages.ask, methods=["POST"])
    router.add_api_route("/asked", pages.asked, methods=["GET"])
    router.add_api_route("/{token}", pages.show_link, methods=["GET"])
    router.add_api_route("/{token}", pages.enter, methods=["POST"])
    return router


def own_router(own: OwnSessions, staff_only: StaffOnly) -> APIRouter:
    """`/staff/me` and `/sign-out`: for all staff."""
    router = APIRouter(include_in_schema=False)
    anybody = Annotated[Visit, Depends(staff_only.signed_in)]

    @router.get(HOME)
    async def show(visit: anybody, done: str = "") -> HTMLResponse:
        return await own.show(visit, done)

    @router.post("/sign-out")
    async def sign_out(visit: anybody) -> Response:
        return await own.sign_out(visit)

    @router.post(f"{HOME}/sessions/{{session_id}}/end")
    async def sign_out_there(visit: anybody, session_id: str) -> Response:
        return await own.sign_out_there(visit, session_id)

    @router.post(f"{HOME}/sign-out-everywhere")
    async def sign_out_everywhere(visit: anybody) -> Response:
        return await own.sign_out_everywhere(visit)

    return router
