"""`clarion publish` on the real database."""

import asyncio
import json
import re
import resource
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from clarion.services.legislation.commands import publish

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command as a second terminal would."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", database_url)
    app = typer.Typer()
    app.command("publish")(publish)

    async def invoke(*arguments: str, stdin: str | None = None) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), stdin)

    return invoke


def lines(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def shorthand(data: Any) -> dict[str, Any]:
    return {"type": "hearing.scheduled", "data": data}


async def test_a_file_published_twice_changes_nothing(run: Run, legislation: Any, notice: Any, tmp_path: Path) -> None:
    file = tmp_path / "notices.jsonl"
    file.write_text(lines(*(shorthand(notice(hearing_id=f"h-{number}")) for number in range(3)), shorthand(notice())))
    first = await run(str(file), "--json")
    again = await run(str(file), "--json")
    assert json.loads(first.stdout) == {"published": 4, "seen_before": 0}
    assert json.loads(again.stdout) == {"published": 0, "seen_before": 4}
    rows = await legislation.fetch("SELECT topic, headers FROM outbox")
    assert len(rows) == 4
    assert {dict(row["headers"])["ce_source"] for row in rows} == {"/clarion/publish"}


async def test_what_people_see_names_the_counts_and_where_to_look(run: Run, notice: Any) -> None:
    result = await run("-", stdin=lines(shorthand(notice()), shorthand(notice())))
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(r"published +2\nseen before +0\n", result.stdout)
    assert "clarion campaigns list" in result.stdout


async def test_a_mistake_anywhere_and_nothing_is_published(run: Run, legislation: Any, notice: Any) -> None:
    content = lines(shorthand(notice()), shorthand(notice(starts_at="soon", session=None)), {"type": "x", "data": {}})
    result = await run("-", stdin=content + "{ no\n" + lines(shorthand(notice(hearing_id="h-2"))))
    assert result.exit_code == 1
    assert result.stdout == ""
    told = result.stderr.splitlines()
    assert told[0].startswith("line 2: data.session: ")
    assert told[1].startswith("line 2: data.starts_at: ")
    assert told[2].startswith("line 3: type: unknown type 'x'; known: ")
    assert told[3].startswith("line 4: (body): not JSON: ")
    assert told[4:] == ["4 mistakes: nothing was published"]
    assert await legislation.fetch("SELECT id FROM outbox") == []
    machine = await run("-", "--json", stdin=content)
    assert machine.exit_code == 1
    assert [(one["line"], one["field"]) for one in json.loads(machine.stdout)["errors"]] == [
        (2, "data.session"),
        (2, "data.starts_at"),
        (3, "type"),
    ]


async def test_a_dry_run_validates_and_publishes_nothing(run: Run, legislation: Any, notice: Any) -> None:
    result = await run("-", "--dry-run", "--json", stdin=json.dumps([shorthand(notice())], indent=2))
    assert json.loads(result.stdout) == {"valid": 1, "published": 0}
    assert await legislation.fetch("SELECT id FROM outbox") == []


async def test_a_given_source_holds(run: Run, legislation: Any, notice: Any) -> None:
    await run("-", "--source", "/sources/daily", stdin=lines(shorthand(notice())))
    [row] = await legislation.fetch("SELECT source, outcome FROM history")
    assert (row["source"], row["outcome"]) == ("/sources/daily", "received")
    assert (await run("-", "--source", " ", stdin="")).exit_code == 2


async def test_a_file_that_is_not_there_is_said_to_be(run: Run) -> None:
    result = await run("nowhere.json")
    assert (result.exit_code, result.stderr) == (1, "nowhere.json cannot be read: No such file or directory\n")


async def test_a_long_file_takes_little_memory(run: Run, notice: Any, tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    with file.open("w") as out:
        for number in range(8_000):
            out.write(lines(shorthand(notice(hearing_id=f"h-{number}", unknown="x" * 12_000))))
    assert file.stat().st_size > 96_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = await run(str(file), "--json")
    grown_megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert json.loads(result.stdout) == {"published": 8_000, "seen_before": 0}
    assert grown_megabytes < 48
