"""Every command and every route that changes something records who did it, or stands here with the reason why not."""

import ast
import importlib
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi.routing import iter_route_contexts

import clarion
from clarion.runtime.process import Running
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import record
from clarion.runtime.staff.reading import ACTS
from clarion.runtime.watch import Watch
from clarion.runtime.web.staff import SAFE_METHODS
from clarion.services.cli import COMMANDS
from clarion.services.running import open_services
from clarion.services.web import build_site
from tests.reach import reach_of
from tests.sources import tree_of

COMMANDS_WITHOUT: Mapping[str, str] = {
    "migrate": "before it there may be no record to write to; clarion.migrations says what was applied and when",
}
"""Commands that change something and record nothing, each with the reason."""

A_REGISTRATION = "anybody's own request, kept whole with its time as the registration that comes of it"
ROUTES_WITHOUT: Mapping[str, str] = {
    "POST /sign-in": "who asks for a link is not known yet; it is counted, and who uses the link is recorded",
    "POST /api/v1/webinars/{slug}/registrations": A_REGISTRATION,
    "POST /webinars/{slug}": A_REGISTRATION,
    "POST /registrations/{token}/cancel": A_REGISTRATION,
}
"""Routes likewise."""

AT_FIRST_HAND = frozenset({"record_act"})
"""The record itself."""


def callbacks(name: str, thing: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The commands below a name, each with its function."""
    if not isinstance(thing, typer.Typer):
        yield name, thing
        return
    for command in thing.registered_commands:
        assert command.callback is not None
        yield f"{name} {command.name or command.callback.__name__}", command.callback
    for group in thing.registered_groups:
        yield from callbacks(f"{name} {group.name}" if isinstance(group.name, str) else name, group.typer_instance)


def all_commands() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every command of the command line."""
    for name, lazily in COMMANDS.items():
        module, _, attribute = lazily.place.partition(":")
        yield from callbacks(name, getattr(importlib.import_module(module), attribute))


def unrecorded(functions: Mapping[str, Callable[..., Any]]) -> dict[str, list[str]]:
    """Those that can come to a statement which changes something, and not to the record of it."""
    silent = {}
    for name, function in functions.items():
        found = reach_of(function)
        if record not in found.functions and (writes := found.writes - AT_FIRST_HAND):
            silent[name] = sorted(writes)
    return silent


@pytest.fixture
async def routes(settings: Settings) -> AsyncIterator[dict[str, Callable[..., Any]]]:
    """All routes of the site that may change something, by method and path."""
    settings = settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:1"})
    async with open_services(settings) as services:
        site = build_site(services, Watch(Running(), settings, services))
        yield {
            f"{method} {found.path}": found.endpoint
            for found in iter_route_contexts(site.routes)
            for method in set(found.methods or ()) - SAFE_METHODS
        }


def test_every_command_that_changes_something_records_who_did_it() -> None:
    commands = dict(all_commands())
    assert {name: writes for name, writes in unrecorded(commands).items() if name not in COMMANDS_WITHOUT} == {}
    assert not set(COMMANDS_WITHOUT) - set(unrecorded(commands)), "a reason that is not needed any more"


async def test_every_route_that_changes_something_records_who_did_it(routes: dict[str, Callable[..., Any]]) -> None:
    assert len(routes) > 20
    silent = unrecorded(routes)
    assert {path: writes for path, writes in silent.items() if path not in ROUTES_WITHOUT} == {}
    assert not set(ROUTES_WITHOUT) - set(silent), "a reason that is not needed any more"


ACT = re.compile(r"[a-z-]+\.(?!html|csv|jsonl?)[a-z-]+")
NO_ACTS = {"messages.requested", "official.changed"}
"""Event types, in files that record acts as well."""


def recorded_acts() -> Iterator[str]:
    """The acts that the code names where it records something: `<noun>.<what was done to it>`."""
    for path in Path(clarion.__file__).parent.rglob("*.py"):
        text = path.read_text("utf-8")
        if "runtime.staff.audit import" in text:
            yield from filter(
                is_act, (node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant))
            )


def is_act(value: object) -> bool:
    """Whether a text is the name of an act: two words, of which the second is a thing done."""
    return isinstance(value, str) and bool(ACT.fullmatch(value))


def test_every_act_that_is_recorded_has_words_and_no_words_are_left_over() -> None:
    recorded = set(recorded_acts()) - NO_ACTS
    assert recorded - set(ACTS) == set()
    assert set(ACTS) - recorded == set()
