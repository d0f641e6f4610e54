"""`clarion health`: asks a process that serves here how it is doing; what containers are checked with."""

import json
import urllib.error
import urllib.request
from typing import Annotated, Any

import typer

from clarion.runtime.output import fail, print_fields
from clarion.runtime.settings import Settings, load_settings, running_stack

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - looked for, not listened on
SECONDS = 5.0

AsJson = Annotated[bool, typer.Option("--json", help="print JSON for machines")]


def health(
    ready: Annotated[
        bool, typer.Option("--ready", help="ask whether it takes part, not only whether it lives")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask the process that serves on this machine how it is doing; exit code 0 if it is well.

    It is found at CLARION_HEALTH_PORT, or is the `clarion up` of this data dir.

    Example: clarion health --ready
    """
    address = f"{place_of(load_settings())}/{'readyz' if ready else 'healthz'}"
    try:
        answer = asked(address)
    except (OSError, ValueError) as error:
        fail(f"nobody answers at {address}: {error}")
    told = {"status": answer["status"], "why": list(reasons(answer))}
    print_fields(answer if as_json else told, as_json=as_json)
    if answer["status"] != "ok":
        raise typer.Exit(1)


def place_of(settings: Settings) -> str:
    """Where the process answers; ends the command where that is not known."""
    if settings.health_port:
        return f"http://{ANYWHERE.get(settings.health_host, settings.health_host)}:{settings.health_port}"
    stack = running_stack(settings.data_dir)
    if stack is None:
        fail("set CLARION_HEALTH_PORT for it and here, so that it is found", 2)
    return str(stack["site"])


def asked(address: str) -> dict[str, Any]:
    """What it says, well or not. Raises OSError or ValueError where nobody of ours answers."""
    # Never by way of a proxy: it is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        found = json.load(error)
    return found


def reasons(answer: dict[str, Any]) -> list[str]:
    """Why it is not well, if so."""
    own = [*answer["troubles"], *answer["waits"]]
    return own + [f"{one['name']}: {why}" for one in answer["services"] for why in [*one["troubles"], *one["waits"]]]
