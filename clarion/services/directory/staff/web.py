"""HTTP in: staff sign in, and have pages of their own."""

from fastapi import APIRouter

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.web.staff import StaffOnly
from clarion.services.directory.staff.account_pages import AccountPages, accounts_router
from clarion.services.directory.staff.visits import OwnSessions, SignIn, own_router, sign_in_router


def staff_router(database: Database, staff_only: StaffOnly, settings: Settings, clock: Clock) -> APIRouter:
    """All pages by which staff come in and are kept."""
    router = APIRouter()
    name = None
    if settings.oidc_issuer or settings.oidc_client_id or settings.oidc_client_secret:
        # What speaks to a provider takes a quarter of a second to read: not for commands, nor where there is none.
        from clarion.services.directory.staff import oidc_pages  # noqa: PLC0415 - see above

        provider = oidc_pages.provider_of(settings, clock)
        name = provider.name
        pages = oidc_pages.ProviderSignIn(database, staff_only, provider, settings, clock)
        router.include_router(oidc_pages.oidc_router(pages))
    router.include_router(sign_in_router(SignIn(database, staff_only, settings, clock, provider=name)))
    router.include_router(own_router(OwnSessions(database, staff_only, clock), staff_only))
    router.include_router(accounts_router(AccountPages(database, settings, clock), staff_only))
    return router
