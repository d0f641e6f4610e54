"""CLI in: `clarion contracts`."""

import sys
from typing import Annotated, Any

import typer

from clarion.runtime import documents
from clarion.runtime.output import fail, print_rows
from clarion.runtime.settings import load_settings
from clarion.schemas.asyncapi import described
from clarion.schemas.documents import ADDRESS
from clarion.schemas.topics import TOPICS

Json = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
contracts = typer.Typer(
    help="The documents that describe topics, events and the HTTP API.", no_args_is_help=True, rich_markup_mode=None
)


@contracts.command("list")
def list_command(as_json: Json = False) -> None:
    """All topics and their events, with the address of each JSON Schema on a site.

    Example: clarion contracts list
    """
    rows: list[dict[str, Any]] = [
        {
            "name": f"{topic.name}/{event_type}",
            "about": described(model),
            "address": f"{load_settings().public_url or ''}{ADDRESS}/{topic.name}/{event_type}.json",
        }
        for topic in TOPICS
        for event_type, model in topic.types.items()
    ]
    print_rows(rows, as_json=as_json, empty="No topics.")


@contracts.command("asyncapi")
def asyncapi() -> None:
    """All topics as an AsyncAPI 3.0 document.

    Example: clarion contracts asyncapi > clarion-asyncapi.json
    """
    show("asyncapi")


@contracts.command("openapi")
def openapi() -> None:
    """The HTTP API as an OpenAPI 3.1 document.

    Example: clarion contracts openapi > clarion-openapi.json
    """
    show("openapi")


@contracts.command("schema")
def schema(
    name: Annotated[str, typer.Argument(help="topic and event type; the type alone where it is one's own")],
) -> None:
    """The JSON Schema of an event's data.

    Example: clarion contracts schema hearing.scheduled
    """
    found = [each for each in documents.schema_names() if name in (each, each.partition("/")[2])]
    if len(found) != 1:
        fail(f"{name!r} is {'more than one' if found else 'none'}: {', '.join(found or documents.schema_names())}")
    show(found[0])


def show(name: str) -> None:
    """Print a document as it is kept."""
    sys.stdout.write(documents.document(name).decode())
