"""HTTP in: the API and the public pages of registering."""

from fastapi import APIRouter

from clarion.runtime.database import Database
from clarion.runtime.web.links import SignedLinks
from clarion.services.registrations.api import registrations_router, webinars_router
from clarion.services.registrations.desk import Desk
from clarion.services.registrations.pages import event_router, status_router


def build_router(database: Database, desk: Desk, links: SignedLinks) -> APIRouter:
    """The routes of this service."""
    router = APIRouter()
    router.include_router(webinars_router(database, desk))
    router.include_router(registrations_router(database, desk))
    router.include_router(event_router(database, desk, links))
    router.include_router(status_router(database, desk, links))
    return router
