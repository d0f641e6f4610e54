"""One site over the services' own routers."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

from clarion.runtime.embedded import MailStore
from clarion.runtime.process import Service
from clarion.runtime.settings import Settings
from clarion.runtime.watch import Watch
from clarion.runtime.web import fencing
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.staff import StaffOnly
from clarion.services.audit.pages import audit_router
from clarion.services.campaigning.pages import campaigning_router
from clarion.services.contracts.openapi import describe
from clarion.services.contracts.pages import contracts_router
from clarion.services.health import health_router
from clarion.services.keys.pages import keys_router
from clarion.services.mail_pages import mail_router
from clarion.services.operators.pages import STAFF_KEEPER, operators_router
from clarion.services.people.pages import people_router
from clarion.services.suppressing.pages import suppressions_router
from clarion.services.templating.pages import templates_router

PACKAGE = "clarion.services"


def build_site(
    services: Sequence[Service],
    watch: Watch,
    *,
    addresses: Sequence[tuple[str, str]] = (),
    mail: MailStore | None = None,
) -> FastAPI:
    """The site: start page, health, operators' and services' pages, API, and `/mail` where a catcher is embedded."""
    site = FastAPI(
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    describe(site)
    fencing.install(site, watch.settings)
    own = Pages(PACKAGE)
    for service in services:
        if service.router is not None:
            site.include_router(service.router)
    site.include_router(contracts_router())
    site.include_router(health_router(watch))
    site.include_router(operators_router(watch))
    for router in staff_routers(services, watch.settings):
        site.include_router(router)
    if mail is not None:
        site.include_router(mail_router(mail, own))

    @site.get("/", include_in_schema=False)
    def start() -> HTMLResponse:
        return own.render(
            "start.html", parts=watch.running.health(), addresses=addresses, mail=None if mail is None else mail.count()
        )

    return site


def staff_routers(services: Sequence[Service], settings: Settings) -> list[APIRouter]:
    """The pages for staff that belong to no one service, where the service that keeps staff is there."""
    databases = [service.database for service in services if service.name == STAFF_KEEPER]
    doors = [(database, StaffOnly(database.connection, settings, database.clock)) for database in databases]
    found = [router(database, staff) for database, staff in doors for router in (keys_router, audit_router)]
    across = (people_router, suppressions_router, campaigning_router, templates_router)
    return [*found, *(router(database, staff, settings) for database, staff in doors for router in across)]
