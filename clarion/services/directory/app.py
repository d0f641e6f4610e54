"""The directory's composition root."""

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Database
from clarion.runtime.process import Service
from clarion.runtime.settings import Settings
from clarion.runtime.timers import Timers, upkeep


async def build(settings: Settings, clock: Clock = system_clock) -> Service:
    """The directory service. It listens to nobody: imports put its events into the outbox.

    Raises:
        MissingSetting: no database is named.
    """
    settings.need("database_url")
    database = await Database.connect(str(settings.database_url), "directory", clock=clock)
    return Service("directory", database, workers=[Timers(database, upkeep(settings))])
