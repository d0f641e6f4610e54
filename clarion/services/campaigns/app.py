"""Builds the service of campaigns from the settings."""

from fastapi import APIRouter

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Database, load_queries
from clarion.runtime.process import Service
from clarion.runtime.settings import Settings
from clarion.runtime.timers import Timers, purging, upkeep
from clarion.runtime.web.staff import StaffOnly
from clarion.services.campaigns.approving.notices import Notices
from clarion.services.campaigns.fanout import Review, fan_outs
from clarion.services.campaigns.handlers import subscriptions
from clarion.services.campaigns.positions.agenda_pages import agenda_pages
from clarion.services.campaigns.positions.pages import positions_pages
from clarion.services.campaigns.positions.web import positions_router
from clarion.services.campaigns.rules.hearing_pages import hearings_router
from clarion.services.campaigns.rules.holiday_pages import holidays_router
from clarion.services.campaigns.rules.pages import rules_router
from clarion.services.campaigns.seeing import look
from clarion.services.campaigns.starting.web import starting_router
from clarion.services.campaigns.web import campaigns_router

NAME = "campaigns"


async def build(settings: Settings, clock: Clock = system_clock) -> Service:
    """The service, with its pool open.

    Raises:
        MissingSetting: the database or the public address is not named.
    """
    settings.need("database_url", "public_url")
    database = await Database.connect(str(settings.database_url), NAME, clock=clock)
    purge = load_queries("clarion.services.campaigns").purge_calls
    jobs = [*upkeep(settings), purging("calls", purge, days=settings.history_days)]
    return Service(
        name=NAME,
        database=database,
        subscriptions=subscriptions(clock),
        workers=[
            *fan_outs(database, clock),
            Review(database, clock),
            Notices(database, str(settings.public_url), clock),
            Timers(database, jobs),
        ],
        router=routes(database, settings, clock),
        look=look,
    )


def routes(database: Database, settings: Settings, clock: Clock) -> APIRouter:
    """What the service answers: its part of the API, and its pages for staff."""
    router = APIRouter()
    router.include_router(starting_router(database, clock))
    router.include_router(campaigns_router(database, clock))
    router.include_router(positions_router(database, clock))
    staff = StaffOnly(database.connection, settings, clock)
    for pages in (rules_router, holidays_router, hearings_router, positions_pages, agenda_pages):
        router.include_router(pages(database, staff))
    return router
