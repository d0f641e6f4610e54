"""All pages of the directory."""

from fastapi import APIRouter

from clarion.services.directory.pages.browse import browse_router
from clarion.services.directory.pages.correcting import correcting_router
from clarion.services.directory.pages.desk import Desk
from clarion.services.directory.pages.imports import imports_router
from clarion.services.directory.pages.person import person_router


def pages_router(desk: Desk) -> APIRouter:
    """The routes; those with a fixed path before those that take any."""
    router = APIRouter()
    for made in (imports_router(desk), correcting_router(desk), browse_router(desk), person_router(desk)):
        router.include_router(made)
    return router
