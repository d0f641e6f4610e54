"""What a process answers while it waits for database and broker: it lives, takes no part, and says why."""

from collections.abc import Callable

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from clarion.runtime.web import pages, problems
from clarion.services.health import ProcessHealth


def starting_app(why: Callable[[], str]) -> FastAPI:
    """`/healthz` and `/readyz` until those of the services take over at the same port."""
    app = FastAPI(title="Clarion", openapi_url=None, docs_url=None, redoc_url=None)

    def answer(status: str, code: int) -> JSONResponse:
        body = ProcessHealth(status=status, services=[], troubles=[], waits=[why()])
        return JSONResponse(body.model_dump(), code)

    problems.install(app)
    pages.install(app)

    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        return answer("ok", 200)

    @app.get("/readyz")
    async def readyz() -> JSONResponse:
        return answer("failing", 503)

    return app
