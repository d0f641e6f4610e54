"""The directory's composition root."""

from fastapi import APIRouter

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Database
from clarion.runtime.process import Service
from clarion.runtime.settings import Settings
from clarion.runtime.timers import Job, Timers, upkeep
from clarion.runtime.web.links import SignedLinks
from clarion.runtime.web.pages import Imprint
from clarion.runtime.web.staff import StaffOnly
from clarion.services.directory.cards import CardWriter
from clarion.services.directory.operations import tell_today
from clarion.services.directory.pages.desk import Desk, pages_of_directory
from clarion.services.directory.pages.routes import pages_router
from clarion.services.directory.staff.upkeep import acts_kept, purges
from clarion.services.directory.staff.web import staff_router
from clarion.services.directory.uploads import Importer, unconfirmed


async def build(settings: Settings, clock: Clock = system_clock) -> Service:
    """The directory service. It listens to nobody: imports and corrections put its events into the outbox.

    Raises:
        MissingSetting: database, secret or public address are not named.
    """
    settings.need("database_url", "secret_key", "public_url")
    database = await Database.connect(str(settings.database_url), "directory", clock=clock)
    staff_only = StaffOnly(database.connection, settings, clock)
    links = SignedLinks(settings.secret_key, clock)
    router = APIRouter()
    router.include_router(staff_router(database, staff_only, settings, clock))
    pages = pages_of_directory(Imprint.of(settings))
    public_url = str(settings.public_url).rstrip("/")
    router.include_router(pages_router(Desk(database, staff_only, links, public_url, clock, pages)))
    jobs = [*upkeep(settings), *purges(), acts_kept(settings.audit_days), unconfirmed(clock), Job("days", tell_today)]
    return Service(
        "directory",
        database,
        workers=[Timers(database, jobs), CardWriter(database), Importer(database, clock)],
        router=router,
    )
