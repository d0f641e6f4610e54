"""Errors of the API as problem details (RFC 9457), for people's browsers as a small page."""

import json
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clarion.runtime.database import is_transient
from clarion.runtime.web.fields import FieldError, field_path
from clarion.runtime.web.limits import MEGABYTE, BodyLimit
from clarion.runtime.web.pages import Pages

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
PHRASES: Mapping[int, str] = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}
UNREADABLE = "There was an error parsing the body"
"""What FastAPI says, with 400, of a body that is no text."""
SHOWN_ERRORS = 100
SHOWN_FRAMES = 12
RETRY_SECONDS = 5
OUTAGES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What a database that is away raises, among other things."""


class ProblemDetails(BaseModel):
    """The body of every error. `errors` lists at most 100 of `error_count`."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None
    error_count: int | None = None


class Refused(HTTPException):
    """A request that is answered with a problem, with what is wrong field by field."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers) if headers else None)
        self.errors = errors


class ProblemResponse(JSONResponse):
    """Problem details, in ASCII so that whatever a client sent can be told back."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """The problem as JSON."""
        return json.dumps(content, separators=(",", ":")).encode()


def problem(
    status: int,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    """A response that says what is wrong."""
    content: dict[str, Any] = {"type": "about:blank", "title": title(status), "status": status, "detail": detail}
    if errors:
        shown = [error.model_dump(exclude_none=True) for error in errors[:SHOWN_ERRORS]]
        content |= {"errors": shown, "error_count": len(errors)}
    return ProblemResponse(content, status, headers)


def title(status: int) -> str:
    """The phrase of a status code, by RFC 9110 whatever the version of Python says."""
    if status in PHRASES:
        return PHRASES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides success, for its OpenAPI description."""
    return {
        status: {
            "description": title(status),
            "headers": HEADERS.get(status, {}),
            "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE}, "example": example(status)}},
        }
        for status in statuses
    }


def example(status: int) -> dict[str, Any]:
    """A problem as it is answered."""
    detail, *field = EXAMPLES[status]
    found: dict[str, Any] = {"type": "about:blank", "title": title(status), "status": status, "detail": detail}
    if not field:
        return found
    return found | {"errors": [{"field": field[0], "message": field[1]}], "error_count": 1}


REFERENCE = "#/components/schemas/ProblemDetails"
EXAMPLES: Mapping[int, tuple[str, ...]] = {
    401: ("Send an API key as `Authorization: Bearer ...`; `clarion keys create` makes one.",),
    403: ("This API key lacks the scope 'updates'.",),
    404: ("There is nothing at this address.",),
    409: ("There is an event called packaging-law already.",),
    413: ("The body is larger than 1,000,000 bytes: send it in parts.",),
    414: ("The address is longer than 8,000 bytes.",),
    415: ("Send application/json, not text/plain.",),
    422: ("Nothing was taken: some of it is not valid.", "data.starts_at", "Field required"),
    429: ("Too many requests came from there: try again in 2 seconds.",),
    503: ("The database is away for the moment: nothing was changed. Try again.",),
}
RETRY_AFTER = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer"}}}
HEADERS: Mapping[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "how to say who asks (RFC 6750)", "schema": {"type": "string"}}},
    403: {"WWW-Authenticate": {"description": "the scope that is missing", "schema": {"type": "string"}}},
    429: RETRY_AFTER,
    503: RETRY_AFTER,
}


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer what a route, the router or a dependency raised."""
    if not isinstance(error, StarletteHTTPException):
        raise error
    if error.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        log.info("refused", status=error.status_code, method=request.method, area=area_of(request.scope))
    detail = str(error.detail)
    if detail == UNREADABLE:
        return problem(422, "The body is not JSON.")
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {**(headers or {}), "Allow": ", ".join(allowed(request))}
    if error.status_code == HTTPStatus.NOT_FOUND and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = "There is nothing at this address."
    if wants_page(request):
        context = {"title": title(error.status_code), "detail": detail}
        return PAGES.render("problem.html", status=error.status_code, headers=headers, **context)
    errors = error.errors if isinstance(error, Refused) else ()
    return problem(error.status_code, detail, errors=errors, headers=headers)


def allowed(request: Request) -> list[str]:
    """The methods of all routes with the address of a request: a router knows those of its own alone.

    They are those of the first address that fits, as written: `/campaigns/count` also fits `/campaigns/{id}`.
    """
    fitting = [
        route
        for route in iter_route_contexts(request.app.routes)
        if (pattern := getattr(route, "path_regex", None)) and pattern.match(request.scope["path"])
    ]
    return sorted({method for route in fitting if route.path == fitting[0].path for method in route.methods or ()})


async def on_invalid_request(_request: Request, error: Exception) -> Response:
    """Answer 422 with the fields that are wrong."""
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [
        FieldError(field=field_path(one["loc"][1:]) or "(body)", message=str(one["msg"]).removeprefix("Value error, "))
        for one in error.errors()
    ]
    return problem(422, "The request is not what this address takes.", errors=errors)


async def on_failure(_request: Request, _error: Exception) -> Response:
    """Answer a failure of ours without telling anything of it."""
    return problem(500, "Something failed here. It is logged; nothing was changed.")


async def on_outage(_request: Request, error: Exception) -> Response:
    """Answer 503 while the database is away; whatever else is raised is a failure of ours."""
    if not is_transient(error):
        raise error
    headers = {"retry-after": str(RETRY_SECONDS)}
    return problem(503, "The database is away for the moment: nothing was changed. Try again.", headers=headers)


def area_of(scope: Scope) -> str:
    """The first part of a path: what follows may be a signed link."""
    return str(scope["path"]).lstrip("/").partition("/")[0]


def places(error: BaseException) -> list[str]:
    """Where an error came from, innermost last. What it says stays untold: databases quote the row they refuse."""
    frames = traceback.extract_tb(error.__traceback__)[-SHOWN_FRAMES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


class LastResort:
    """ASGI middleware, innermost: what nothing else answers is a failure of ours, with the headers of all answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; a failure is logged and answered, or ends the answer that has begun."""
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except ClientDisconnect:
            return
        except Exception as error:
            if scope["type"] != "http":
                raise
            told = {"error": type(error).__name__, "at": places(error), "area": area_of(scope)}
            log.error("request failed", **told)  # noqa: TRY400 - its words may quote the row that was refused
            if started:
                raise
            answer = await on_failure(Request(scope), error)
            await answer(scope, receive, send)


PAGES = Pages()


def install(app: FastAPI, *, max_bytes: int = MEGABYTE, larger: Mapping[str, int] | None = None) -> None:
    """Make every error of the app a problem, and bodies over `max_bytes` (`larger` for files' paths) one of 413."""
    app.add_exception_handler(StarletteHTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    for outage in OUTAGES:
        app.add_exception_handler(outage, on_outage)
    app.add_exception_handler(Exception, on_failure)
    app.add_middleware(LastResort)
    app.add_middleware(BodyLimit, max_bytes=max_bytes, larger=larger)
