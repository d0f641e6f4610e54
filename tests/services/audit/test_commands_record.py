"""Commands record what they do: who at which host, what, to what, and whom it concerns, and nothing of people."""

import asyncio
import getpass
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer
from typer.testing import CliRunner, Result

from clarion.runtime.clock import system_clock
from clarion.services.campaigns.positions.commands import positions
from clarion.services.legislation.commands import publish
from clarion.services.registrations.commands import registrations, webinars
from clarion.services.sample import sample_notice
from clarion.services.suppressions import suppressions

ADDRESS = "robin@oakville.example"
EVENT = (
    "--slug",
    "law",
    "--title",
    "The law",
    "--capacity",
    "5",
    "--where",
    "Online",
    "--join-url",
    "https://x.example",
)

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command as a second terminal would."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", database_url)
    monkeypatch.setenv("CLARION_PUBLIC_URL", "http://clarion.example")
    app = typer.Typer()
    app.command("publish")(publish)
    for name, group in (
        ("positions", positions),
        ("webinars", webinars),
        ("registrations", registrations),
        ("suppressions", suppressions),
    ):
        app.add_typer(group, name=name)

    async def invoke(*arguments: str) -> Result:
        result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments))
        assert result.exit_code == 0, result.output
        return result

    return invoke


async def acts(database_url: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT *, details::text AS said FROM clarion.audit ORDER BY id")
    await connection.close()
    return [dict(row) for row in rows]


async def test_what_commands_do_is_recorded_with_who_and_where(run: Run, database_url: str, tmp_path: Path) -> None:
    notice = tmp_path / "notice.json"
    notice.write_text(json.dumps({"type": "hearing.scheduled", "data": sample_notice(system_clock())}))
    bill = ("--bill", "SB 79", "--session", "20252026", "--ask", "vote no", "--why", "Zoning.")
    for _ in range(2):
        await run("positions", "adopt", *bill, "--stance", "oppose")
        await run("publish", str(notice))
    await run("webinars", "create", *EVENT, "--starts-at", "2099-05-06T10:00", "--ends-at", "2099-05-06T11:00")
    await run("registrations", "add", "law", ADDRESS, "--name", "Robin Sample")
    await run("webinars", "move", "law", "--capacity", "6")
    await run("registrations", "export", "law")
    await run("registrations", "list", "law")
    await run("webinars", "cancel", "law", "--reason", "The presenter is ill")
    await run("suppressions", "add", ADDRESS, "--reason", "Robin asked by phone")
    await run("suppressions", "add", ADDRESS)
    await run("suppressions", "remove", ADDRESS)
    found = await acts(database_url)
    assert [(one["act"], one["subject"].partition(":")[0]) for one in found] == [
        ("position.adopted", "position"),
        ("updates.published", "source"),
        ("webinar.created", "webinar"),
        ("registration.added", "webinar"),
        ("webinar.changed", "webinar"),
        ("registrations.exported", "webinar"),
        ("webinar.cancelled", "webinar"),
        ("mailbox.suppressed", "mailbox"),
        ("mailbox.unsuppressed", "mailbox"),
    ]
    whose = {(one["actor_kind"], one["actor_name"], one["place"]) for one in found}
    assert whose == {("command", getpass.getuser(), socket.gethostname())}
    concerned = [one["act"] for one in found if one["mailbox"]]
    assert concerned == ["registration.added", "mailbox.suppressed", "mailbox.unsuppressed"]
    assert len({one["mailbox"] for one in found if one["mailbox"]}) == 1
    told = " ".join(one["said"] + one["subject"] for one in found)
    assert not [word for word in ("oakville", "Robin", "oppose", "phone", "Zoning") if word in told]
