"""`/sign-in/oidc`: to the association's OpenID Connect provider and back. It works without scripts."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.settings import Settings, WrongSetting, variable_of
from clarion.runtime.staff.accounts import find_account_by_email
from clarion.runtime.web.links import BadLink, SignedLinks
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.staff import AT_WORK, SIGN_IN, SessionCookie, StaffOnly, client_address, own_path
from clarion.services.directory.staff.oidc import (
    Attempt,
    Client,
    NotBelieved,
    Provider,
    ProviderAway,
    new_attempt,
    wrong_issuer,
)
from clarion.services.directory.staff.sign_ins import Browser, enter

log = structlog.get_logger(__name__)

PACKAGE = "clarion.services.directory"
PATH = f"{SIGN_IN}/oidc"
PURPOSE = "oidc"
BY_PROVIDER = "OpenID Connect"
ATTEMPT_SECONDS = 600.0
NO_STORE = {"cache-control": "no-store"}
NEEDED = ("oidc_issuer", "oidc_client_id", "oidc_client_secret")


def provider_of(settings: Settings, clock: Clock) -> Provider:
    """The provider that the settings name.

    Raises:
        WrongSetting: a part of what is needed is missing, or the issuer can be none.
        MissingSetting: there is no secret to sign with.
    """
    issuer, client_id, secret = settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret
    if not (issuer and client_id and secret):
        missing = [variable_of(name) for name in NEEDED if not getattr(settings, name)]
        raise WrongSetting(f"{', '.join(missing)} not set: sign-in by OpenID Connect needs all three, or none")
    if wrong := wrong_issuer(issuer):
        raise WrongSetting(f"{variable_of('oidc_issuer')} {wrong}")
    settings.need("public_url", "secret_key")
    back = f"{(settings.public_url or '').rstrip('/')}{PATH}/callback"
    return Provider(Client(issuer, client_id, secret, back), clock)


class ProviderSignIn:
    """The way to the provider and back, each a method."""

    def __init__(
        self, database: Database, staff_only: StaffOnly, provider: Provider, settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._staff_only = staff_only
        self._provider = provider
        self._links = SignedLinks(settings.secret_key, clock)
        self._clock = clock
        self._cookie = SessionCookie(settings.public_url or "", "clarion_oidc")
        self._pages = Pages(PACKAGE)

    async def begin(self, next_path: Annotated[str, Query(alias="next", max_length=2_000)] = "") -> Response:
        """Send the browser to the provider, with what it has to bring back in a cookie."""
        attempt = new_attempt()
        try:
            address = await self._provider.address(attempt)
        except ProviderAway as error:
            return self._away(error)
        answer = RedirectResponse(address, 303, NO_STORE)
        kept = [attempt.state, attempt.nonce, attempt.verifier, own_path(next_path, AT_WORK)]
        self._cookie.put(answer, self._links.sign(PURPOSE, kept), ATTEMPT_SECONDS)
        return answer

    async def back(self, request: Request) -> Response:
        """Sign in whoever the provider vouches for, if they have an account here."""
        try:
            state, nonce, verifier, next_path = self._links.read(PURPOSE, self._cookie.read(request), ATTEMPT_SECONDS)
        except BadLink:
            return self._refused("it was not begun in this browser, or too long ago")
        try:
            email = await self._provider.verified_email(Attempt(state, nonce, verifier), dict(request.query_params))
        except ProviderAway as error:
            return self._away(error)
        except NotBelieved as error:
            return self._refused(error.reason)
        token = await self._entered(request, email)
        if token is None:
            return self._refused("there is no such account")
        answer = RedirectResponse(own_path(next_path, AT_WORK), 303, NO_STORE)
        self._staff_only.cookie.put(answer, token)
        self._cookie.drop(answer)
        return answer

    async def _entered(self, request: Request, email: str) -> str | None:
        """The token of a session for whoever has this address; None if nobody has."""
        if "\x00" in email:
            return None
        browser = Browser("", client_address(request), request.headers.get("user-agent", ""))
        before = self._staff_only.cookie.read(request)
        async with self._database.transaction() as tx:
            account = await find_account_by_email(tx.connection, email)
            if account is None or account.removed_at is not None:
                return None
            staff = account.staff
            return await enter(tx, staff.id, staff.name, browser, BY_PROVIDER, ending=before, now=self._clock())

    def _refused(self, reason: str) -> Response:
        """One answer for all: whoever tries learns nothing of why, the log does."""
        log.warning("oidc.refused", reason=reason)
        return self._told("refused", 403)

    def _away(self, error: ProviderAway) -> Response:
        log.warning("oidc.provider_away", reason=str(error))
        return self._told("away", 503)

    def _told(self, what: str, status: int) -> Response:
        answer = self._pages.render("staff/oidc.html", status=status, headers=NO_STORE, what=what)
        self._cookie.drop(answer)
        return answer


def oidc_router(pages: ProviderSignIn) -> APIRouter:
    """`/sign-in/oidc`: open to all."""
    router = APIRouter(prefix=PATH, include_in_schema=False)
    router.add_api_route("", pages.begin, methods=["GET"])
    router.add_api_route("/callback", pages.back, methods=["GET"])
    return router
