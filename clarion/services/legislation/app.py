"""Builds the service from settings."""

from datetime import timedelta
from functools import partial

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Database, load_queries
from clarion.runtime.messaging import Subscription
from clarion.runtime.process import Service
from clarion.runtime.settings import Settings
from clarion.runtime.timers import Timers, purging, upkeep
from clarion.schemas.topics import LEGISLATION_UPDATES
from clarion.services.legislation.handlers import on_updates
from clarion.services.legislation.settling import Settling
from clarion.services.legislation.web import build_router

NAME = "legislation"

PART_BYTES = 250_000
"""How much of what sources say is heard in one transaction; all hearings that it may be about are loaded for it."""


async def build(settings: Settings, clock: Clock = system_clock) -> Service:
    """The service with its pool open.

    Raises:
        MissingSetting: the database is not named.
    """
    settings.need("database_url")
    settle = timedelta(seconds=settings.settle_seconds)
    purge_history = load_queries("clarion.services.legislation").purge_history
    database = await Database.connect(str(settings.database_url), NAME, clock=clock)
    return Service(
        name=NAME,
        database=database,
        subscriptions=(
            Subscription(LEGISLATION_UPDATES, partial(on_updates, clock=clock, settle=settle), part_bytes=PART_BYTES),
        ),
        workers=[
            Settling(database, clock, settle),
            Timers(database, [*upkeep(settings), purging("history", purge_history, days=settings.history_days)]),
        ],
        router=build_router(database, clock),
    )
