"""HTTP in: where integrations post updates and ask what became of them."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from pydantic_core import from_json

from clarion.runtime.clock import Clock
from clarion.runtime.database import Connection, Database
from clarion.runtime.ids import new_id
from clarion.runtime.staff.audit import record
from clarion.runtime.web.fields import FieldError
from clarion.runtime.web.keys import ApiKey, count_other_sources, require_scope
from clarion.runtime.web.problems import Refused, documented
from clarion.schemas.cloudevents import BATCH, JSON, STRUCTURED
from clarion.services.legislation import repository
from clarion.services.legislation.documentation import ACCEPTED, REQUEST_BODY
from clarion.services.legislation.domain.statements import Outcome
from clarion.services.legislation.intake import InvalidUpdate, read_batch
from clarion.services.legislation.operations import take_in
from clarion.services.legislation.update import Update

SCOPE = "updates"


class UpdatesAccepted(BaseModel):
    """The ids of the updates, in the order they were posted; `note` says if they were taken for another source."""

    ids: list[str]
    note: str | None = None


class UpdateStatus(BaseModel):
    """What became of an update; `note` says why, or what had to be decided to read it."""

    id: str
    type: str
    outcome: Outcome
    note: str | None
    hearing_id: str | None
    received_at: datetime
    stated_at: datetime


def build_router(database: Database, clock: Clock) -> APIRouter:
    """The routes of this service."""
    router = APIRouter(prefix="/api/v1/legislation/updates", tags=["legislation"])
    key_for_updates = require_scope(SCOPE, database.connection, clock)

    @router.post(
        "",
        status_code=202,
        response_model_exclude_none=True,
        responses=documented(401, 403, 413, 415, 422, 503) | ACCEPTED,
        openapi_extra={"requestBody": REQUEST_BODY},
        summary="Post updates about hearings and bills",
    )
    async def post_updates(request: Request, key: Annotated[ApiKey, Depends(key_for_updates)]) -> UpdatesAccepted:
        """One event or an array, as CloudEvents 1.0 (structured, batch or binary) or as `{"type", "data", "id"?}`.

        All are taken or none. The source is that of the key, whatever the event says, which `note` tells then; the
        same id posted again by the same source changes nothing. An event without an id is a new statement of the
        source.
        """
        updates = await read_request(request, key.source)
        now = clock()
        others = [update for update in updates if update.named is not None]
        async with database.transaction() as tx:
            taken = await take_in(tx, updates, now)
            if others:
                await count_other_sources(tx.connection, key, len(others), now)
            details = {"published": taken.published, "seen_before": taken.seen_before, "other_source": len(others)}
            await record(tx.connection, key.actor, "updates.posted", f"key:{key.id}", at=now, details=details)
        return UpdatesAccepted(ids=[update.id for update in updates], note=taken_for(key.source, len(others)))

    @router.get("/{event_id:path}", responses=documented(401, 403, 404, 503), summary="What became of an update")
    async def get_update(event_id: str, key: Annotated[ApiKey, Depends(key_for_updates)]) -> UpdateStatus:
        """Its outcome: received, and then what became of it. Only for updates of the key's own source.

        alerted: readers are told; waiting: it withdraws something that may yet appear elsewhere; unchanged: there is
        nothing to tell; outdated: the source has said something newer; recorded: kept, as a cancellation before its
        hearing is known; rejected: `note` says why.
        """
        async with database.connection() as connection:
            return await read_status(connection, key.source, event_id)

    return router


def taken_for(source: str, count: int) -> str | None:
    """What is told of events that name another source than the key's."""
    if not count:
        return None
    return f"{count} name another source than this key's, {source}, and were taken for {source}: a key speaks for one."


async def read_status(connection: Connection, source: str, event_id: str) -> UpdateStatus:
    """The status of an update; Refused with 404 if this source posted none of that id."""
    row = None if "\x00" in event_id else await repository.find_update(connection, source, event_id)
    if row is None:
        raise Refused(404, "This key's source has posted no update with this id.")
    hearing_id = row["hearing_id"]
    return UpdateStatus(
        id=row["event_id"],
        type=row["type"].removesuffix("-part") if row["parts"] > 1 else row["type"],
        outcome=row["outcome"],
        note=row["note"],
        hearing_id=str(hearing_id) if hearing_id else None,
        received_at=row["received_at"],
        stated_at=row["stated_at"],
    )


async def read_request(request: Request, source: str) -> list[Update]:
    """The updates in a request; Refused with 413, 415 or 422 if any of it is not valid."""
    media_type = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if media_type not in (JSON, STRUCTURED, BATCH):
        raise Refused(415, f"Send {JSON}, {STRUCTURED} or {BATCH}, not {media_type or 'an empty content type'}.")
    try:
        document = from_json(await request.body(), allow_inf_nan=False)
    except ValueError as error:
        wrong = FieldError(field="(body)", message=str(error))
        raise Refused(422, "The body is not JSON.", errors=[wrong]) from error
    if media_type == JSON and "ce-type" in request.headers:
        document = binary_event(request, document)
    try:
        strict = media_type in (STRUCTURED, BATCH)
        return read_batch(document, identify=lambda *_: new_id(), source=source, strict=strict)
    except InvalidUpdate as error:
        raise Refused(422, "Nothing was taken: some of it is not valid.", errors=error.errors) from error


def binary_event(request: Request, document: Any) -> dict[str, Any]:
    """A CloudEvent in binary mode: attributes in `ce-` headers, percent-encoded, and its data as the body.

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
    """
    headers = request.headers.items()
    attributes = {name.removeprefix("ce-"): unquote(value) for name, value in headers if name.startswith("ce-")}
    return {"specversion": "", **attributes, "data": document}
