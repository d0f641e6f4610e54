"""HTTP in: the API and the public pages of registering."""

from fastapi import APIRouter

from clarion.runtime.database import Database
from clarion.runtime.web.links import SignedLinks
from clarion.services.registrations.api import api_router
from clarion.services.registrations.desk import Desk
from clarion.services.registrations.pages import pages_router


def build_router(database: Database, desk: Desk, links: SignedLinks) -> APIRouter:
    """The routes of this service."""
    router = APIRouter()
    router.include_router(api_router(database, desk))
    router.include_router(pages_router(database, desk, links))
    return router
