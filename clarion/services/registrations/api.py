"""The API: hosts make events with a key, anyone may register."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json

from clarion.runtime.database import Connection, Database
from clarion.runtime.staff.audit import record
from clarion.runtime.web.fields import FieldError, field_errors
from clarion.runtime.web.keys import BEARER, ApiKey, authenticate, require_scope
from clarion.runtime.web.problems import Refused, documented
from clarion.schemas.registrations import Webinar
from clarion.services.registrations import repository
from clarion.services.registrations.desk import Desk
from clarion.services.registrations.domain.forms import Unfit, read_form
from clarion.services.registrations.errors import SlugTaken
from clarion.services.registrations.hosting import create_webinar
from clarion.services.registrations.operations import request_seat
from clarion.services.registrations.reports import RegistrationView, WebinarView, registration_view, webinar_view
from clarion.services.registrations.repository import Event

SCOPE = "registrations"
MOST_BYTES = 64_000
SLUG_AT_MOST = 100


WEBINAR: dict[str, Any] = {
    "slug": "packaging-law",
    "title": "How the packaging law will affect local governments",
    "starts_at": "2027-05-06T10:00:00-07:00",
    "ends_at": "2027-05-06T11:30:00-07:00",
    "registration_closes_at": "2027-05-05T12:00:00-07:00",
    "capacity": 500,
    "where": "Online",
    "join_url": "https://join.league.example/1",
    "host": "League of Fictional Cities",
    "questions": [{"key": "city", "label": "Your city", "required": True}],
}
ASKED: dict[str, Any] = {
    "name": "Robin Sample",
    "email": "robin@oakville.example",
    "answers": {"city": "Oakville"},
}
STATUS_URL = {"description": "where to ask what became of it", "schema": {"type": "string", "format": "uri"}}
ACCEPTED: dict[int | str, dict[str, Any]] = {202: {"headers": {"Location": STATUS_URL}}}


class Asked(BaseModel):
    """Who asks for a seat; `answers` by the keys of the host's questions."""

    name: str
    email: str
    answers: dict[str, Any] = Field(default_factory=dict)


class RegistrationAccepted(BaseModel):
    """The request was received; `status_url` tells what becomes of it, `page_url` the same for people."""

    id: str
    status: str
    status_url: str
    page_url: str


def request_body(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description of a body that the route reads by itself."""
    content = {"schema": schema_of(model), "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model with its definitions put in place."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inlined(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return inlined(definitions[node["$ref"].rpartition("/")[2]])
            return {key: inlined(value) for key, value in node.items()}
        return [inlined(value) for value in node] if isinstance(node, list) else node

    found: dict[str, Any] = inlined(schema)
    return found


async def read_limited(request: Request) -> bytes:
    """The body; Refused with 413 if it is larger than anyone needs to register."""
    body = await request.body()
    if len(body) > MOST_BYTES:
        raise Refused(413, f"The body is larger than {MOST_BYTES:,} bytes.")
    return body


async def read_json(request: Request, model: type[BaseModel]) -> Any:
    """The body as this model; Refused with 413 or 422."""
    body = await read_limited(request)
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Refused(422, "The body is not JSON.", errors=[FieldError(field="(body)", message=str(error))]) from error
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        found = field_errors(error.errors(include_url=False), document)
        raise Refused(422, "The body is not what this address takes.", errors=found) from error


async def event_of(connection: Connection, slug: str) -> Event:
    """The event of this name; Refused with 404 if there is none."""
    is_name = len(slug) <= SLUG_AT_MOST and slug.isascii() and slug.replace("-", "").isalnum()
    event = await repository.find_webinar(connection, slug) if is_name else None
    if event is None:
        raise Refused(404, "There is no event at this address.")
    return event


def webinars_router(database: Database, desk: Desk) -> APIRouter:
    """`/api/v1/webinars`: hosts make events, everyone sees them."""
    router = APIRouter(prefix="/api/v1", tags=["registrations"])
    key_for_hosts = require_scope(SCOPE, database.connection, desk.clock)

    @router.post(
        "/webinars",
        status_code=201,
        responses=documented(401, 403, 409, 413, 422, 503),
        openapi_extra=request_body(Webinar, WEBINAR),
        summary="Make an event that people can register for",
    )
    async def post_webinar(request: Request, key: Annotated[ApiKey, Depends(key_for_hosts)]) -> WebinarView:
        """It is open from now until `registration_closes_at`, or its start where that is not given."""
        webinar = await read_json(request, Webinar)
        try:
            async with database.transaction() as tx:
                event = await create_webinar(tx, desk, webinar)
                await record(tx.connection, key.actor, "webinar.created", f"webinar:{webinar.slug}", at=desk.clock())
        except SlugTaken as error:
            raise Refused(409, f"There is an event called {webinar.slug} already.") from error
        return webinar_view(event, desk.public_url)

    @router.get("/webinars/{slug}", responses=documented(404, 503), summary="An event and its seats")
    async def get_webinar(slug: str) -> WebinarView:
        """Public; how to join is told to who has a seat."""
        async with database.connection() as connection:
            return webinar_view(await event_of(connection, slug), desk.public_url)

    return router


def registrations_router(database: Database, desk: Desk) -> APIRouter:
    """`/api/v1/webinars/{slug}/registrations` and `/api/v1/registrations`: anyone asks for a seat."""
    router = APIRouter(prefix="/api/v1", tags=["registrations"])

    @router.post(
        "/webinars/{slug}/registrations",
        status_code=202,
        responses=documented(404, 413, 422, 503) | ACCEPTED,
        openapi_extra=request_body(Asked, ASKED),
        summary="Ask for a seat",
    )
    async def post_registration(slug: str, request: Request, response: Response) -> RegistrationAccepted:
        """Public. The time it was received counts for the deadline; the answer is at `status_url`, and is mailed."""
        asked = await read_json(request, Asked)
        async with database.transaction() as tx:
            event = await event_of(tx.connection, slug)
            try:
                form = read_form(event.webinar.questions, asked.name, asked.email, asked.answers)
            except Unfit as error:
                wrong = [FieldError(field=field, message=message) for field, message in error.errors.items()]
                raise Refused(422, "The registration cannot be taken.", errors=wrong) from error
            made = await request_seat(tx, desk, event, form)
        status_url = f"{desk.public_url}/api/v1/registrations/{made.id}"
        response.headers["location"] = status_url
        page_url = f"{desk.public_url}/registrations/{made.token}"
        return RegistrationAccepted(id=made.id, status="pending", status_url=status_url, page_url=page_url)

    @router.get(
        "/registrations/{registration_id}",
        responses=documented(401, 403, 404, 503),
        openapi_extra={"security": [{}]},
        summary="Where a registration stands",
    )
    async def get_registration(
        registration_id: str, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
    ) -> RegistrationView:
        """Public by its unguessable id. One whose id an integration chose is shown to keys with this scope only."""
        async with database.connection() as connection:
            ids = [registration_id] if "\x00" not in registration_id else []
            found = (await repository.find_by_ids(connection, ids)).get(registration_id)
            if found is not None and not found.own:
                if credentials is None:
                    found = None
                else:
                    await authenticate(connection, credentials.credentials, SCOPE, desk.clock())
            if found is None:
                raise Refused(404, "There is no registration with this id.")
            return await registration_view(connection, found)

    return router
