"""`clarion relays` on a database of its own."""

import asyncio
import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from clarion.services.notifications.breakers import Breakers
from clarion.services.notifications.domain.breakers import Pace
from clarion.services.notifications.domain.outcomes import Accepted, Declined
from clarion.services.notifications.relay_commands import relays
from tests.services.notifications.conftest import House


@pytest.fixture
def clarion(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", house.database.url)
    monkeypatch.setenv("CLARION_SMTP_URL", "smtp://a.example?name=main smtp://b.example?name=backup")
    monkeypatch.setenv("CLARION_SMTP_LIMITS", "strict.example=20/m, relay:main=500/s")
    app = typer.Typer()
    app.command()(relays)

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, list(words))

    return run


async def test_relays_are_listed_with_their_last_word_breakers_and_limits(house: House, clarion: Any) -> None:
    breakers = Breakers(Pace())
    breakers.learn(
        [("main", "o1@city.example"), ("main", "o1@strict.example")],
        [Accepted("250 2.0.0 taken"), Declined("blocked", "RCPT: 550 5.7.1 policy")],
    )
    breakers.open("backup", "", "535 5.7.8 wrong password")
    async with house.database.transaction() as tx:
        await breakers.write(tx)
        await breakers.read(tx)
    main, backup = json.loads((await clarion("--json")).output)
    assert (main["relay"], main["state"], main["said"]) == ("main", "up", "RCPT: 550 5.7.1 policy")
    assert [(one["domain"], one["reason"], one["tries"]) for one in main["blocked"]] == [
        ("strict.example", "RCPT: 550 5.7.1 policy", 1)
    ]
    assert main["limits"] == ["strict.example=0.333333/s", "relay:main=500/s"]
    assert (backup["state"], backup["said"]) == ("refuses us", "535 5.7.8 wrong password")
    assert backup["refused_until"] is not None
    assert backup["limits"] == ["strict.example=0.333333/s"]
    shown = (await clarion()).output
    assert "strict.example: RCPT: 550 5.7.1 policy" in shown


async def test_a_relay_of_which_nothing_was_heard_is_unknown(clarion: Any) -> None:
    assert {one["state"] for one in json.loads((await clarion("--json")).output)} == {"unknown"}
