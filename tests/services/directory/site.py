"""The directory's pages over a test's own database, and who looks at them."""

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.runtime.web import pages, problems
from clarion.runtime.web.fencing import FILES
from clarion.runtime.web.links import SignedLinks
from clarion.runtime.web.staff import StaffOnly
from clarion.services.directory.cards import write_cards
from clarion.services.directory.domain.report import ImportReport
from clarion.services.directory.files import Rows
from clarion.services.directory.operations import import_kind
from clarion.services.directory.pages.desk import Desk
from clarion.services.directory.pages.routes import pages_router
from tests.conftest import TEMPLATE, cloned

SITE = "http://clarion.example"
SECRET = "a secret for tests"

CITIES = (
    "ocd_id,name,division,county,population,member\n"
    "ocd-division/country:us/state:ca/place:napa,Napa,north-bay,Napa,79246,yes\n"
    "ocd-division/country:us/state:ca/place:pi~on_hills,Piñon Hills,desert,San Bernardino,7272,no\n"
    "ocd-division/country:us/state:ca/place:sonoma,Sonoma,north-bay,Sonoma,10739,yes\n"
)
DIVISIONS = (
    "slug,name,manager_name,manager_email\n"
    "north-bay,North Bay,Rory Sample,rory@league.example\n"
    "desert,Desert Mountain,Dana Sample,dana@league.example\n"
)
OFFICIALS = (
    "id,name,city,roles,email,testifies,elected\n"
    "o-1,María O'Brien-García,Napa,mayor,maria@napa.ca.example,yes,yes\n"
    "o-2,Lee Chen,Napa,city clerk,clerk@napa.ca.example,no,no\n"
    "o-3,Pat Moss,Napa,council member,clerk@napa.ca.example,no,yes\n"
    "o-4,Ángel Ruiz,Piñon Hills,planner,angel@pinon-hills.ca.example,no,no\n"
)


def links() -> SignedLinks:
    """As the site signs them."""
    return SignedLinks([SECRET])


@asynccontextmanager
async def directory_of(postgres_url: str) -> AsyncIterator[Database]:
    """A directory of two divisions, three cities and four officials, with their cards."""
    async with cloned(postgres_url, TEMPLATE) as url:
        database = await Database.connect(url, "directory", max_size=4)
        for kind, text in (("divisions", DIVISIONS), ("cities", CITIES), ("officials", OFFICIALS)):
            await bring(database, kind, text)
        yield database
        await database.close()


async def bring(database: Database, kind: Any, text: str) -> ImportReport:
    """Import a kind from a text, and write the cards."""
    rows = Rows(f"{kind}.csv", list(csv.DictReader(io.StringIO(text))))
    report = await import_kind(database, kind, [rows], clock=system_clock)
    await cards(database)
    return report


async def cards(database: Database) -> None:
    """All that is due."""
    while await write_cards(database):
        pass


def site_of(database: Database, clock: Clock = system_clock) -> FastAPI:
    """The pages alone."""
    settings = Settings(_env_file=None, database_url=database.url, public_url=SITE)
    desk = Desk(database, StaffOnly(database.connection, settings, clock), links(), SITE, clock)
    app = FastAPI()
    problems.install(app, larger=FILES)
    pages.install(app)
    app.include_router(pages_router(desk))
    return app


@asynccontextmanager
async def visitor(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that says it wants pages."""
    transport = httpx.ASGITransport(site_of(database))
    async with httpx.AsyncClient(transport=transport, base_url=SITE, headers={"accept": "text/html"}) as client:
        yield client
