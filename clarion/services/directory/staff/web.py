"""HTTP in: staff sign in, and have pages of their own."""

from fastapi import APIRouter

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.web.staff import StaffOnly
from clarion.services.directory.staff.account_pages import AccountPages, accounts_router
from clarion.services.directory.staff.oidc_pages import ProviderSignIn, oidc_router, provider_of
from clarion.services.directory.staff.visits import OwnSessions, SignIn, own_router, sign_in_router


def staff_router(database: Database, staff_only: StaffOnly, settings: Settings, clock: Clock) -> APIRouter:
    """All pages by which staff come in and are kept."""
    router = APIRouter()
    provider = provider_of(settings, clock)
    if provider is not None:
        router.include_router(oidc_router(ProviderSignIn(database, staff_only, provider, settings, clock)))
    sign_in = SignIn(database, staff_only, settings, clock, provider=provider.name if provider is not None else None)
    router.include_router(sign_in_router(sign_in))
    router.include_router(own_router(OwnSessions(database, staff_only, clock), staff_only))
    router.include_router(accounts_router(AccountPages(database, settings, clock), staff_only))
    return router
