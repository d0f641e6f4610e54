"""`clarion suppressions` on a database of its own."""

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clarion.runtime.database import mailbox_key
from clarion.runtime.database.pool import connect
from clarion.schemas.mailboxes import mailbox
from clarion.services.suppressions import suppressions


@pytest.fixture
def clarion(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", database_url)

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, suppressions, list(words))

    return run


async def mailboxes(url: str, email: str) -> list[str]:
    """The mailbox of an address as each service that keeps people knows it."""
    found = []
    for service in ("directory", "registrations"):
        connection = await connect(url, service)
        found.append(mailbox(email, await mailbox_key(connection)))
        await connection.close()
    return found


async def test_an_address_is_suppressed_as_every_service_knows_it_and_can_be_let_in_again(
    clarion: Any, database_url: str
) -> None:
    assert (await clarion("list")).output.strip() == "Nobody is suppressed."
    added = await clarion("add", "Ada@city.example", "--reason", "asked by phone", "--json")
    assert added.exit_code == 0, added.output
    [suppressed] = [one["mailbox"] for one in json.loads(added.output)]
    assert await mailboxes(database_url, "ada@city.example") == [suppressed] * 2
    assert "suppressed already" in (await clarion("add", "ada@CITY.example")).output
    listed = json.loads((await clarion("list", "--json")).output)
    assert [(one["kind"], one["reason"], one["officials"]) for one in listed] == [("hand", "asked by phone", [])]
    assert all(one["since"].endswith("+00:00") for one in listed)
    removed = await clarion("remove", "ada@city.example", "--json")
    assert [one["mailbox"] for one in json.loads(removed.output)] == [suppressed]
    assert json.loads((await clarion("list", "--json")).output) == []
    assert (await clarion("add", suppressed)).exit_code == 0
    assert (await clarion("remove", suppressed)).exit_code == 0


async def test_wrong_use_is_told(clarion: Any) -> None:
    wrong = await clarion("add", "not an address")
    assert (wrong.exit_code, "not an address" in wrong.output) == (2, True)
    missing = await clarion("remove", "ada@city.example")
    assert (missing.exit_code, "is not suppressed" in missing.output) == (1, True)
