"""`/healthz` and `/readyz`: whether this process is alive, and whether it takes part."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from clarion.runtime.process import Health, Running


class ServiceHealth(BaseModel):
    """One service of this process: `assigned` counts partitions by topic."""

    name: str
    alive: bool
    ready: bool
    assigned: dict[str, int]


class ProcessHealth(BaseModel):
    """The whole process."""

    status: str
    services: list[ServiceHealth]


def report(snapshot: list[Health], *, well: bool) -> JSONResponse:
    """The snapshot as an answer: 200 if all is well, else 503."""
    services = [
        ServiceHealth(name=one.service, alive=one.alive, ready=one.ready, assigned=one.assigned) for one in snapshot
    ]
    body = ProcessHealth(status="ok" if well else "failing", services=services)
    return JSONResponse(body.model_dump(), 200 if well else 503)


def health_router(running: Running) -> APIRouter:
    """The two addresses that orchestrators ask."""
    router = APIRouter(tags=["operation"])
    failing: dict[int | str, dict[str, object]] = {503: {"model": ProcessHealth, "description": "a service is not"}}

    @router.get(
        "/healthz", summary="Whether consumers really progress", response_model=ProcessHealth, responses=failing
    )
    def healthz() -> JSONResponse:
        snapshot = running.health()
        return report(snapshot, well=all(one.alive for one in snapshot))

    @router.get("/readyz", summary="Whether all services take part", response_model=ProcessHealth, responses=failing)
    def readyz() -> JSONResponse:
        snapshot = running.health()
        return report(snapshot, well=all(one.ready for one in snapshot))

    return router
