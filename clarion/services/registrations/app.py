"""Builds the service of registrations from the settings."""

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Database, load_queries
from clarion.runtime.process import Service
from clarion.runtime.settings import Settings
from clarion.runtime.timers import Timers, purging, upkeep
from clarion.runtime.web.links import SignedLinks
from clarion.runtime.web.pages import Imprint
from clarion.services.registrations.desk import open_desk
from clarion.services.registrations.handlers import subscriptions
from clarion.services.registrations.seeing import look_at
from clarion.services.registrations.tellings import Teller
from clarion.services.registrations.web import build_router

NAME = "registrations"


async def build(settings: Settings, clock: Clock = system_clock) -> Service:
    """The service, with its pool open.

    Raises:
        MissingSetting: database, secret or public address are not named.
    """
    settings.need("database_url", "secret_key", "public_url")
    purge = load_queries("clarion.services.registrations").purge_registrations
    database = await Database.connect(str(settings.database_url), NAME, clock=clock)
    desk = await open_desk(database, str(settings.public_url), clock, Imprint.of(settings))
    return Service(
        name=NAME,
        database=database,
        subscriptions=subscriptions(desk),
        workers=[
            Teller(database, desk),
            Timers(database, [*upkeep(settings), purging("registrations", purge, days=settings.history_days)]),
        ],
        router=build_router(database, desk, SignedLinks(settings.secret_key, clock)),
        look=look_at(clock),
    )
