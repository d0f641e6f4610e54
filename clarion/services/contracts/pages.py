"""Topics and schemas over HTTP: for people as pages, for programs as documents that may be cached."""

import hashlib
import json
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel

from clarion.runtime import documents
from clarion.runtime.documents import UnknownDocument
from clarion.runtime.web.pages import Pages
from clarion.runtime.web.problems import Refused, documented
from clarion.schemas.asyncapi import described, example
from clarion.schemas.documents import ADDRESS
from clarion.schemas.topics import DAY_SECONDS, TOPICS, Topic

PACKAGE = "clarion.services.contracts"
SCHEMA_JSON = "application/schema+json"
ASYNCAPI_JSON = "application/vnd.aai.asyncapi+json"
CACHED = "public, max-age=3600"
ETAG = {"ETag": {"description": "changes with the document", "schema": {"type": "string"}}}
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "It is still the one of `If-None-Match`."}}

IfNoneMatch = Annotated[str | None, Header(description="the ETag of the copy at hand")]


class SchemaEntry(BaseModel):
    """An event's JSON Schema: its address on this site, and which topic the event travels on."""

    topic: str
    type: str
    title: str
    address: str


def contracts_router() -> APIRouter:
    """`/schemas` with its pages and documents, and `/api/asyncapi.json`."""
    router = APIRouter()
    router.include_router(documents_router())
    router.include_router(pages_router())
    return router


def documents_router() -> APIRouter:
    """The documents for programs."""
    router = APIRouter(tags=["contracts"])

    @router.get(
        "/api/asyncapi.json",
        response_class=Response,
        responses=answers(ASYNCAPI_JSON, "The topics as AsyncAPI 3.0.") | NOT_MODIFIED,
        operation_id="get_asyncapi",
        summary="The topics, their events and who sends and receives them",
    )
    def asyncapi(if_none_match: IfNoneMatch = None) -> Response:
        """AsyncAPI 3.0, with an example of each event."""
        return served("asyncapi", ASYNCAPI_JSON, if_none_match)

    @router.get(f"{ADDRESS}/index.json", operation_id="list_schemas", summary="All JSON Schemas")
    def index() -> list[SchemaEntry]:
        """One for each event type of each topic."""
        return entries()

    @router.get(
        f"{ADDRESS}/{{topic}}/{{event_type}}.json",
        response_class=Response,
        responses=answers(SCHEMA_JSON, "JSON Schema 2020-12.") | NOT_MODIFIED | documented(404),
        operation_id="get_schema",
        summary="The JSON Schema of an event's data",
    )
    def schema(topic: str, event_type: str, if_none_match: IfNoneMatch = None) -> Response:
        """Its `$id` is this address; `examples` has one that is valid."""
        return served(f"{topic}/{event_type}", SCHEMA_JSON, if_none_match)

    return router


def pages_router() -> APIRouter:
    """The same in words."""
    router = APIRouter(include_in_schema=False)
    pages = Pages(PACKAGE)

    @router.get(ADDRESS)
    def topics() -> HTMLResponse:
        return pages.render("topics.html", topics=TOPICS, address=ADDRESS)

    @router.get(f"{ADDRESS}/{{name}}")
    def one_topic(name: str) -> HTMLResponse:
        found = [topic for topic in TOPICS if topic.name == name]
        if not found:
            raise Refused(404, "There is no topic of this name: /schemas lists them.")
        return pages.render("topic.html", topic=found[0], facts=facts(found[0]), events=events(found[0]))

    return router


def answers(media_type: str, words: str) -> dict[int | str, dict[str, Any]]:
    """The description of a document as an answer."""
    return {200: {"description": words, "headers": ETAG, "content": {media_type: {"schema": {"type": "object"}}}}}


def served(name: str, media_type: str, if_none_match: str | None) -> Response:
    """A document, or that the copy at hand is still good; Refused with 404 if there is none of this name."""
    try:
        content, tag = tagged(name)
    except UnknownDocument as error:
        raise Refused(404, f"There is no JSON Schema of this name: {ADDRESS} lists them.") from error
    headers = {"etag": tag, "cache-control": CACHED}
    if if_none_match is not None and tag in [each.strip().removeprefix("W/") for each in if_none_match.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


@cache
def tagged(name: str) -> tuple[bytes, str]:
    """A document with the tag of its content. Raises UnknownDocument."""
    content = documents.document(name)
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def entries() -> list[SchemaEntry]:
    """All JSON Schemas."""
    return [
        SchemaEntry(
            topic=topic.name,
            type=name,
            title=described(model).replace("`", ""),
            address=f"{ADDRESS}/{topic.name}/{name}.json",
        )
        for topic in TOPICS
        for name, model in topic.types.items()
    ]


def facts(topic: Topic) -> list[tuple[str, str]]:
    """What is to be known of a topic, besides its events."""
    writers = [*topic.published_by, *(["integrations"] if topic.inbound else [])]
    days = topic.retention_seconds // DAY_SECONDS
    return [
        ("Key", topic.key),
        ("Written by", ", ".join(writers)),
        ("Read by", ", ".join(topic.read_by) or "anyone who follows it"),
        ("Partitions", str(topic.partitions)),
        ("Kept", "the newest record of each key, for ever" if topic.compacted else f"{days} days"),
        ("Largest record", f"{topic.max_bytes:,} bytes"),
        ("What could not be handled", f"{topic.dead.name}, for {topic.dead.retention_seconds // DAY_SECONDS} days"),
    ]


def events(topic: Topic) -> list[dict[str, Any]]:
    """The events of a topic, each with a whole example."""
    return [
        {
            "type": name,
            "about": described(model).replace("`", ""),
            "schema": f"{ADDRESS}/{topic.name}/{name}.json",
            "example": example(topic, name, documents.examples()[topic.name, name]),
            "payload": json.dumps(documents.examples()[topic.name, name], indent=1, ensure_ascii=False),
        }
        for name, model in topic.types.items()
    ]
