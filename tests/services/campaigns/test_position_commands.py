"""`clarion positions` and `clarion agenda` print what their schemas say, and say what is wrong."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from campaigns_world import NOW, World, make_alert
from typer.testing import CliRunner, Result

from clarion.runtime.database import Database
from clarion.runtime.database.pool import connect
from clarion.runtime.staff.accounts import remove_account, save_account
from clarion.runtime.staff.rights import Staff
from clarion.schemas.commands import PRINTED
from clarion.services.campaigns.positions.agenda_commands import agenda
from clarion.services.campaigns.positions.commands import positions
from tests.staff import somebody

WHAT = ("--bill", "SB 79", "--session", "20272028")
ADOPT = ("adopt", *WHAT, "--stance", "oppose", "--ask", "vote no", "--why", "Zoning.")
WITHDRAW = ("withdraw", *WHAT, "--reason", "Amended as cities asked")
PRIORITY = ("set", "housing", "--title", "Housing", "--text", "Money, not mandates.", "--from", "2027-01-01")
ANA = replace(somebody("state", name="Ana Muster"), id="ana", email="ana@league.example")
Run = Callable[..., Result]


async def prepare(url: str, staff: Staff) -> None:
    database = await Database.connect(url, "campaigns", max_size=2)
    world = World(database)
    await world.empty()
    await world.import_all()
    await world.hear(make_alert(starts_at="2099-04-22T13:30:00-07:00"))
    await database.close()
    connection = await connect(url, "directory")
    await save_account(connection, staff, NOW)
    await connection.close()


async def remove(url: str, staff: Staff) -> None:
    connection = await connect(url, "directory")
    await remove_account(connection, staff.id, NOW)
    await connection.close()


@pytest.fixture
def run(campaigns_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", campaigns_url)
    asyncio.run(prepare(campaigns_url, ANA))
    return lambda group, *arguments: CliRunner().invoke(group, list(arguments))


def printed(run: Run, group: Any, *arguments: str) -> Any:
    """What a command prints as JSON, once it was read as its schema says."""
    answer = run(group, *arguments, "--json")
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    name = f"{'agenda' if group is agenda else 'positions'}.{arguments[0]}"
    for each in found if isinstance(found, list) else [found]:
        PRINTED[name].model_validate(each)
    return found


def test_what_the_commands_print_is_as_their_schemas_say(run: Run) -> None:
    printed(run, agenda, *PRIORITY)
    printed(run, agenda, "end", "housing", "--on", "2098-12-31")
    person = ("--representative", "Bo Reed", "--representative-email", "bo@advocates.example")
    body = ("--adopted-by", "Board of Directors", "--adopted-on", "2027-03-01", "--priority", "housing")
    adopted = printed(run, positions, *ADOPT, *person, *body)
    assert (adopted["priority"], adopted["representative"]["name"], adopted["adopted_on"]) == (
        "housing",
        "Bo Reed",
        "2027-03-01",
    )
    printed(run, positions, *ADOPT, "--launch", "auto")
    printed(run, positions, "adopt", "--regulation", "Packaging", "--stance", "oppose", "--ask", "Cut it", "--why", "W")
    printed(run, positions, "adopt", "--measure", "Proposition 5", "--stance", "support", "--why", "Roads.")
    withdrawn = printed(run, positions, *WITHDRAW)
    assert (withdrawn["stance"], withdrawn["version"], withdrawn["changed"]) == ("withdrawn", 3, True)
    assert printed(run, positions, *WITHDRAW)["changed"] is False
    story = printed(run, positions, "show", "sb 079")
    assert [each["version"] for each in story["versions"]] == [3, 2, 1]
    assert [each["status"] for each in story["hearings"]] == ["closed"]
    assert {each["bill"] for each in printed(run, positions, "list")} == {"Packaging", "Proposition 5"}
    assert len(printed(run, positions, "list", "--withdrawn")) == 3
    assert printed(run, agenda, "list")[0]["positions"] == 0
    printed(run, agenda, "show", "housing")


def test_the_story_is_told_for_people(run: Run) -> None:
    run(positions, *ADOPT, "--launch", "auto")
    run(positions, *WITHDRAW)
    text = run(positions, "show", "SB 79").stdout
    for words in ("withdrawn because", "Amended as cities asked", "stance: withdrawn, was oppose", "Hearings ahead"):
        assert words in text
    assert "withdrawn before, nothing changed" in run(positions, *WITHDRAW).stdout


def test_a_representative_named_by_the_address_of_an_account_is_that_account(run: Run, campaigns_url: str) -> None:
    adopted = printed(run, positions, *ADOPT, "--representative", "ANA@league.example")
    assert adopted["representative"] == {
        "account": "ana",
        "name": "Ana Muster",
        "email": "ana@league.example",
        "phone": None,
    }
    asyncio.run(remove(campaigns_url, ANA))
    answer = run(positions, *ADOPT, "--stance", "watch", "--representative", "ana@league.example")
    assert (answer.exit_code, "no staff account ana@league.example" in answer.stderr) == (2, True)


def test_of_two_sessions_the_one_to_withdraw_is_to_be_named(run: Run) -> None:
    run(positions, *ADOPT)
    run(positions, *ADOPT, "--session", "20252026")
    which = ("withdraw", "--bill", "SB 79", "--reason", "Over")
    answer = run(positions, *which)
    assert (answer.exit_code, "say which: there are positions on SB 79 in 20252026, 20272028" in answer.stderr) == (
        2,
        True,
    )
    assert printed(run, positions, *which, "--session", "20252026")["session"] == "20252026"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("adopt", "--stance", "oppose", "--why", "W"), 2, "--bill, --regulation and --measure"),
        ((*ADOPT, "--measure", "Proposition 5"), 2, "--bill, --regulation and --measure"),
        ((*ADOPT, "--adopted-on", "soon"), 2, "--adopted-on 'soon' is no day"),
        ((*ADOPT, "--group", "nobodys"), 2, "--group the directory has no nobodys"),
        ((*ADOPT, "--priority", "nothing"), 2, "--priority no priority 'nothing'"),
        ((*ADOPT, "--representative-phone", "555-0100"), 2, "--representative give the address"),
        (
            ("adopt", "--measure", "P 5", "--stance", "support", "--why", "W", "--ask", "vote yes"),
            2,
            "public resources",
        ),
        (("withdraw", "--bill", "SB 1", "--reason", "R"), 1, "clarion positions list"),
        (("withdraw", *WHAT, "--reason", " "), 1, "clarion positions list"),
    ],
)
def test_wrong_use_is_said_and_adopts_nothing(run: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    answer = run(positions, *arguments)
    assert (answer.exit_code, said in answer.stderr) == (code, True), answer.output
    assert json.loads(run(positions, "list", "--withdrawn", "--json").stdout) == []
