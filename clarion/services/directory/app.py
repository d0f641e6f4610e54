"""The directory's composition root."""

from fastapi import APIRouter

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Database
from clarion.runtime.process import Service
from clarion.runtime.settings import Settings
from clarion.runtime.timers import Timers, upkeep
from clarion.runtime.web.staff import StaffOnly
from clarion.services.directory.staff.upkeep import purges
from clarion.services.directory.staff.web import staff_router


async def build(settings: Settings, clock: Clock = system_clock) -> Service:
    """The directory service. It listens to nobody: imports put its events into the outbox.

    Raises:
        MissingSetting: database or public address are not named.
    """
    settings.need("database_url", "public_url")
    database = await Database.connect(str(settings.database_url), "directory", clock=clock)
    staff_only = StaffOnly(database.connection, settings, clock)
    router = APIRouter()
    router.include_router(staff_router(database, staff_only, settings, clock))
    return Service("directory", database, workers=[Timers(database, [*upkeep(settings), *purges()])], router=router)
