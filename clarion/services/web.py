"""One site over the services' own routers."""

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from clarion.runtime.embedded import MailStore
from clarion.runtime.process import Service
from clarion.runtime.watch import Watch
from clarion.runtime.web import fencing
from clarion.runtime.web.pages import Pages
from clarion.services.contracts.openapi import describe
from clarion.services.contracts.pages import contracts_router
from clarion.services.health import health_router
from clarion.services.mail_pages import mail_router
from clarion.services.operators.pages import operators_router

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
    if mail is not None:
        site.include_router(mail_router(mail, own))

    @site.get("/", include_in_schema=False)
    def start() -> HTMLResponse:
        return own.render(
            "start.html", parts=watch.running.health(), addresses=addresses, mail=None if mail is None else mail.count()
        )

    return site
