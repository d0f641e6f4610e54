"""Pages for staff alone: who visits, by the session's cookie, and what they may."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from markupsafe import Markup
from starlette.responses import Response

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Connection
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import Actor
from clarion.runtime.staff.rights import Act, Staff, may, may_somewhere
from clarion.runtime.staff.sessions import LONGEST, find_session, form_token
from clarion.runtime.web.forms import FIELD, check_token, hidden_field
from clarion.runtime.web.problems import Refused, wants_page

SIGN_IN = "/sign-in"
HEADER = "x-form-token"
PATH_AT_MOST = 1_000
PLACES = (
    ("Campaigns", "/campaigns", Act.SEE_CAMPAIGNS),
    ("Positions", "/positions", Act.SEE_CAMPAIGNS),
    ("Agenda", "/agenda", Act.SEE_CAMPAIGNS),
    ("Deadlines", "/rules", Act.MANAGE_RULES),
    ("Directory", "/directory", Act.SEE_DIRECTORY),
    ("Imports", "/directory/imports", Act.IMPORT_DIRECTORY),
    ("Templates", "/templates", Act.MANAGE_TEMPLATES),
    ("Suppressions", "/suppressions", Act.MANAGE_SUPPRESSIONS),
    ("People", "/people", Act.EXPORT_PERSON),
    ("Staff", "/staff", Act.MANAGE_STAFF),
    ("Keys", "/keys", Act.MANAGE_KEYS),
    ("Audit", "/audit", Act.SEE_AUDIT),
    ("Operators", "/operators", Act.OPERATE),
)
"""Where staff can go, each for those who may do something there."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who is signed in."""

    staff: Staff
    actor: Actor
    form_token: str
    session_id: str

    def may(self, act: Act, division: str | None = None) -> bool:
        """Whether they may do this, in a division or for the whole association."""
        return may(self.staff, act, division)

    def may_somewhere(self, act: Act) -> bool:
        """Whether there is a place where they may do this."""
        return may_somewhere(self.staff, act)

    def allow(self, act: Act, division: str | None = None) -> None:
        """Go on only if they may.

        Raises:
            Refused: 403, they may not, in plain words.
        """
        if not self.may(act, division):
            raise Refused(403, refusal(self.staff, act, division))

    def places(self) -> list[tuple[str, str]]:
        """Where they can go: name and path."""
        return [(name, path) for name, path, act in PLACES if self.may_somewhere(act)]

    def form_field(self) -> Markup:
        """The hidden field that every form of a page carries."""
        return hidden_field(self.form_token)


def check_form(visit: Visit, token: str) -> None:
    """Let through a form that one of our pages made in this very session.

    Raises:
        Refused: 403, it has no token, or that of another session.
    """
    check_token(visit.form_token, token)


def refusal(staff: Staff, act: Act, division: str | None) -> str:
    """Why somebody may not, and who may."""
    if division is not None and may_somewhere(staff, act):
        own = ", ".join(sorted(staff.divisions | staff.deputy_in))
        return f"You may {act} in your own divisions ({own}), not in {division}. Nothing was changed."
    return f"Your account ({staff.role}) may not {act}. Nothing was changed; an administrator can help."


def client_address(request: Request) -> str:
    """From where a request comes: whoever is connected, or whom a proxy of ours names."""
    return request.client.host if request.client else "unknown"


AT_WORK = "/campaigns"
"""Where somebody is after signing in who asked for no other page: what waits for them stands first there."""


def own_path(path: str, otherwise: str = "/staff/me") -> str:
    """A path of this site to go on to; whatever could lead elsewhere is not one."""
    fine = path.startswith("/") and not path.startswith("//") and len(path) <= PATH_AT_MOST
    return path if fine and path.isascii() and path.isprintable() and not set(path) & {"\\", " "} else otherwise


def sign_in_address(request: Request) -> str:
    """Where to sign in, and from there back; what a form held is lost, and is said so."""
    if request.method not in SAFE_METHODS:
        return f"{SIGN_IN}?ended=1"
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{SIGN_IN}?{urlencode({'next': own_path(request.url.path + query)})}"


async def given_token(request: Request) -> str:
    """The form's token that came with a request: in the form itself, or in the header of what a script sends."""
    if header := request.headers.get(HEADER):
        return header
    given = (await request.form()).get(FIELD, "")
    return given if isinstance(given, str) else ""


class SessionCookie:
    """The cookie that holds a session's token; on https no other site of the same domain can set it."""

    def __init__(self, public_url: str, name: str = "clarion_session") -> None:
        self.secure = urlsplit(public_url).scheme == "https"
        self.name = f"__Host-{name}" if self.secure else name

    def read(self, request: Request) -> str:
        """What the browser sent, or nothing."""
        return request.cookies.get(self.name, "")

    def put(self, response: Response, value: str, max_age_seconds: float = LONGEST.total_seconds()) -> None:
        """Have the browser keep it: not for scripts, not for forms of other sites."""
        response.set_cookie(
            self.name, value, max_age=int(max_age_seconds), path="/", httponly=True, samesite="lax", secure=self.secure
        )

    def drop(self, response: Response) -> None:
        """Have the browser forget it."""
        response.delete_cookie(self.name, path="/", httponly=True, samesite="lax", secure=self.secure)


class StaffOnly:
    """Lets staff in, by what they may: built by each service from its settings and its database.

    `connect` opens a database connection, such as `database.connection`.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractAsyncContextManager[Connection]],
        settings: Settings,
        clock: Clock = system_clock,
    ) -> None:
        self.cookie = SessionCookie(settings.public_url or "")
        self.clock = clock
        self._connect = connect

    async def find(self, request: Request) -> Visit | None:
        """Who visits, if they are signed in."""
        token = self.cookie.read(request)
        if not token:
            return None
        async with self._connect() as connection:
            found = await find_session(connection, token, self.clock())
        if found is None:
            return None
        session_id, staff = found
        actor = Actor("staff", staff.id, staff.name, client_address(request))
        return Visit(staff, actor, form_token(token), session_id)

    async def let_in(self, request: Request) -> Visit:
        """Who visits. A form is let through only if it is this session's.

        Raises:
            Refused: 303 to sign in, for a page; 401 for anything else; 403 for a form that is not ours.
        """
        visit = await self.find(request)
        if visit is None:
            if wants_page(request):
                raise Refused(303, "Sign in first.", headers={"location": sign_in_address(request)})
            raise Refused(401, "Sign in first.", headers={"www-authenticate": 'Cookie realm="clarion"'})
        if request.method not in SAFE_METHODS:
            check_form(visit, await given_token(request))
        return visit

    async def signed_in(self, request: Request) -> AsyncIterator[Visit]:
        """A FastAPI dependency: somebody of staff, whoever; raises as `let_in` does."""
        try:
            yield await self.let_in(request)
        finally:
            await request.close()

    def may(self, act: Act) -> Callable[[Request], AsyncIterator[Visit]]:
        """A FastAPI dependency: somebody who may do this in some place at least; raises as `let_in` does, and 403.

        For an act that belongs to a division, the route goes on with `visit.allow(act, division)`.
        """

        async def visit(request: Request) -> AsyncIterator[Visit]:
            try:
                found = await self.let_in(request)
                if not found.may_somewhere(act):
                    raise Refused(403, refusal(found.staff, act, None))
                yield found
            finally:
                await request.close()

        return visit
