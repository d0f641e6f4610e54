"""The site's OpenAPI description: the routes' own, with what holds for all of them."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from clarion.runtime.web.problems import ProblemDetails, documented
from clarion.schemas.topics import LEGISLATION_UPDATES

VERSION = "1.0.0"
DESCRIPTION = """\
What integrations post and read over HTTP. The same events travel on Kafka: `/api/asyncapi.json`; their JSON Schemas and
words for people are at `/schemas`.

Who asks is known by an API key, sent as `Authorization: Bearer ...`; `clarion keys create` makes one for scopes.
Without one, an operation that needs it answers 401, with one that lacks the scope 403. Every error is a problem
(RFC 9457, `application/problem+json`) whose `errors` name the fields. What changes state has happened once it is
answered with a 2xx, or not at all. 503 means that the database is away: try again after `Retry-After` seconds.

Within `/api/v1` changes only add: ignore fields you do not know.
"""
TAGS = [
    {"name": "legislation", "description": "Updates about hearings and bills, and what became of them."},
    {"name": "campaigns", "description": "What came of hearings on our positions, and whom it reached."},
    {"name": "registrations", "description": "Webinars and other events: making them, and asking for seats."},
    {"name": "contracts", "description": "The documents that describe all this."},
    {"name": "operation", "description": "For those who run it."},
]
LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def describe(site: FastAPI) -> None:
    """Make the site describe itself this way, once and for all its routes."""

    def openapi() -> dict[str, Any]:
        if site.openapi_schema is None:
            site.openapi_schema = description(site)
        return site.openapi_schema

    site.openapi = openapi  # type: ignore[method-assign]


def description(site: FastAPI) -> dict[str, Any]:
    """The description of the routes that the site has."""
    found = get_openapi(
        title="Clarion",
        version=VERSION,
        description=DESCRIPTION,
        tags=TAGS,
        license_info=LICENSE,
        servers=[{"url": "/"}],
        routes=site.routes,
    )
    for path in found["paths"].values():
        for method in METHODS:
            if method in path:
                leave_out_automatic_refusals(path[method]["responses"])
                path[method]["responses"] |= {str(status): words for status, words in documented(429).items()}
    components = found.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        components.pop(unused, None)
    components |= definitions([*LEGISLATION_UPDATES.types.values(), ProblemDetails])
    found["components"]["schemas"] = dict(sorted(components.items()))
    return found


def leave_out_automatic_refusals(responses: dict[str, Any]) -> None:
    """Take out the 422 that FastAPI adds wherever there is a parameter: a text in a path is never refused by it."""
    content = responses.get("422", {}).get("content", {})
    if "application/json" in content:
        del responses["422"]


def definitions(models: list[type[BaseModel]]) -> dict[str, Any]:
    """The schemas of models and of the parts they share, by their names."""
    wanted = dict.fromkeys(models)
    _, found = models_json_schema(
        [(model, "validation") for model in wanted], ref_template="#/components/schemas/{model}"
    )
    defined: dict[str, Any] = found["$defs"]
    return defined
