"""`/healthz`, `/readyz` and `/metrics`: what orchestrators and Prometheus ask of a process."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header
from fastapi.responses import JSONResponse, Response
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel

from clarion.runtime.exposition import expose
from clarion.runtime.process import Health
from clarion.runtime.watch import Watch
from clarion.runtime.web import pages, problems


class ServiceHealth(BaseModel):
    """One service of this process: `assigned` counts partitions by topic.

    `troubles` are what a restart may mend, `waits` what keeps it from taking part.
    """

    name: str
    alive: bool
    ready: bool
    assigned: dict[str, int]
    troubles: list[str]
    waits: list[str]


class ProcessHealth(BaseModel):
    """The whole process; `troubles` and `waits` are those beyond its services."""

    status: str
    services: list[ServiceHealth]
    troubles: list[str]
    waits: list[str]


def of_service(health: Health) -> ServiceHealth:
    """A service's part of the answer."""
    return ServiceHealth(
        name=health.service,
        alive=health.alive,
        ready=health.ready,
        assigned=health.assigned,
        troubles=list(health.troubles),
        waits=list(health.waits),
    )


def report(watch: Watch, *, ready: bool) -> JSONResponse:
    """How the process is doing: 200 if it is alive (and takes part, if that is asked), else 503."""
    services = [of_service(one) for one in watch.running.health()]
    troubles, waits = list(watch.troubles()), list(watch.waits())
    well = not troubles and all(one.alive for one in services)
    if ready:
        well = well and not waits and all(one.ready for one in services)
    body = ProcessHealth(status="ok" if well else "failing", services=services, troubles=troubles, waits=waits)
    return JSONResponse(body.model_dump(), 200 if well else 503)


def health_router(watch: Watch) -> APIRouter:
    """The addresses that orchestrators and Prometheus ask."""
    router = APIRouter(tags=["operation"])
    registry = expose(watch)
    failing: dict[int | str, dict[str, object]] = {503: {"model": ProcessHealth, "description": "a service is not"}}

    @router.get(
        "/healthz", summary="Whether consumers and workers progress", response_model=ProcessHealth, responses=failing
    )
    async def healthz() -> JSONResponse:
        return report(watch, ready=False)

    @router.get("/readyz", summary="Whether all services take part", response_model=ProcessHealth, responses=failing)
    async def readyz() -> JSONResponse:
        return report(watch, ready=True)

    figures: dict[int | str, dict[str, object]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}

    @router.get("/metrics", summary="Figures for Prometheus", response_class=Response, responses=figures)
    async def metrics(accept: Annotated[str, Header()] = "") -> Response:
        encode, content_type = choose_encoder(accept)
        return Response(encode(registry), media_type=content_type)

    return router


def health_app(watch: Watch, further: Sequence[APIRouter] = ()) -> FastAPI:
    """The addresses alone, with `further` ones that are for this machine only."""
    app = FastAPI(title="Clarion", openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(app)
    pages.install(app)
    for router in (health_router(watch), *further):
        app.include_router(router)
    return app
