"""`clarion webinars` and `clarion registrations`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.services.registrations.commands import registrations as registrations_group
from clarion.services.registrations.commands import webinars
from clarion.services.registrations.sample import create_sample_webinar, sample_webinar
from tests.services.registrations.conftest import make_webinar, opened

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def _environment(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLARION_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("CLARION_PUBLIC_URL", "http://clarion.example")
    monkeypatch.setenv("CLARION_DATA_DIR", str(tmp_path))


def webinar(*arguments: str, code: int = 0) -> Any:
    return called(RUNNER.invoke(webinars, [*arguments, "--json"]), code)


def registration(*arguments: str, code: int = 0) -> Any:
    return called(RUNNER.invoke(registrations_group, [*arguments, "--json"]), code)


def called(result: Result, code: int) -> Any:
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if code == 0 else result.stderr


def deliver(settings: Settings) -> None:
    """What the running service does with what waits for the topic."""

    async def work() -> None:
        database = await Database.connect(str(settings.database_url), "registrations", max_size=2)
        try:
            house = await opened(database)
            house.now = system_clock()
            await house.deliver()
        finally:
            await database.close()

    asyncio.run(work())


def test_an_event_is_made_filled_moved_exported_and_cancelled_by_commands(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(make_webinar(starts_at="2099-05-06T10:00:00-07:00", ends_at="2099-05-06T11:30:00-07:00",
                                            registration_closes_at="2099-05-05T12:00:00-07:00")))  # fmt: skip
    made = webinar("create", "--file", str(file), "--capacity", "1")
    assert (made["capacity"], made["url"]) == (1, "http://clarion.example/webinars/packaging-law")
    assert "already" in webinar("create", "--file", str(file), code=1)
    for name, email in (("=1+1", "ada@city.example"), ("Bo", "bo@city.example")):
        added = registration("add", "packaging-law", email, "--name", name, "--answer", "city=@SUM(A1)")
        assert added["status"] == "pending"
    assert [row["status"] for row in registration("list", "packaging-law")] == ["pending", "pending"]
    deliver(settings)
    assert [(row["name"], row["status"], row["place"]) for row in registration("list", "packaging-law")] == [
        ("=1+1", "confirmed", None),
        ("Bo", "waitlisted", 1),
    ]
    exported = RUNNER.invoke(registrations_group, ["export", "packaging-law"]).stdout.splitlines()
    assert exported[0] == "id,name,email,status,place,reason,received_at,Your city,Your role"
    assert ",'=1+1," in exported[1]
    assert "'@SUM(A1)" in exported[1]
    assert registration("cancel", "packaging-law", "ADA@city.example")["cancellation"] == "received"
    deliver(settings)
    assert [row["status"] for row in registration("list", "packaging-law")] == ["confirmed", "cancelled"]
    moved = webinar("move", "packaging-law", "--starts-at", "2099-05-07T10:00", "--capacity", "5")
    assert moved["starts_at"].startswith("2099-05-07T10:00:00-07:00")
    assert moved["ends_at"].startswith("2099-05-07T11:30:00-07:00")
    assert moved["registration_closes_at"].startswith("2099-05-06T12:00:00-07:00")
    assert webinar("cancel", "packaging-law", "--reason", "ill")["status"] == "cancelled"
    assert "for good" in webinar("cancel", "packaging-law", code=1)
    assert webinar("show", "packaging-law")["confirmed"] == 0
    assert [row["slug"] for row in webinar("list")] == ["packaging-law"]


def test_wrong_use_says_what_is_wrong() -> None:
    assert "slug: Field required" in webinar("create", "--title", "No name", code=2)
    assert "no time in ISO 8601" in webinar("create", "--starts-at", "tomorrow", code=2)
    assert "no event called nothing" in webinar("show", "nothing", code=1)
    assert "no event called nothing" in registration("list", "nothing", code=1)


def test_the_sample_event_is_made_once_and_its_deadline_is_noon_the_day_before(settings: Settings) -> None:
    async def twice() -> list[str]:
        database = await Database.connect(str(settings.database_url), "registrations", max_size=2)
        try:
            return [(await create_sample_webinar(database, "", system_clock)).id for _ in range(2)]
        finally:
            await database.close()

    first, second = asyncio.run(twice())
    assert first == second
    now = system_clock()
    sample = sample_webinar(now)
    assert sample.closes_at > now
    assert (sample.starts_at - sample.closes_at).total_seconds() == 22 * 3600
    assert (sample.capacity, len(sample.presenters), len(sample.partners)) == (1_000, 4, 3)
