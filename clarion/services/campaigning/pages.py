"""All pages about campaigns."""

from fastapi import APIRouter

from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.web.staff import StaffOnly
from clarion.services.campaigning.changing import changing_router
from clarion.services.campaigning.choosing import choosing_router
from clarion.services.campaigning.deciding import deciding_router
from clarion.services.campaigning.desk import Desk
from clarion.services.campaigning.outcomes import outcomes_router
from clarion.services.campaigning.overview import overview_router
from clarion.services.campaigning.starting import starting_router
from clarion.services.campaigning.waves import waves_router


def campaigning_router(database: Database, staff: StaffOnly, settings: Settings) -> APIRouter:
    """The routes, for all staff to see; what they change is asked of each division's own people."""
    desk = Desk(database, staff, settings)
    router = APIRouter()
    for made in (
        outcomes_router(desk),
        starting_router(desk),
        changing_router(desk),
        waves_router(desk),
        choosing_router(desk),
        deciding_router(desk),
        overview_router(desk),
    ):
        router.include_router(made)
    return router
