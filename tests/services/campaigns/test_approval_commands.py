"""Waves are previewed and decided on from a terminal."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from approving_world import drafted
from campaigns_world import ASKED, IMPORTS, World
from typer.testing import CliRunner, Result

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database
from clarion.schemas.directory import City, Official
from clarion.services.notifications.operations import project
from clarion.services.waves import campaigns

Run = Callable[..., Result]


async def prepare(url: str) -> str:
    """A campaign that waits, at a hearing that is ahead of the real clock, known to the ledger as well."""
    database = await Database.connect(url, "campaigns", max_size=2)
    world = World(database)
    world.now = system_clock()
    await world.empty()
    campaign = await drafted(world)
    await database.close()
    ledger = await Database.connect(url, "notifications", max_size=2)
    async with ledger.transaction() as tx:
        known = [
            each for kind in ("cities", "officials") for each in IMPORTS[kind] if isinstance(each, City | Official)
        ]
        await project(tx, known, [])
    await ledger.close()
    return campaign


async def send_out(url: str) -> set[str]:
    database = await Database.connect(url, "campaigns", max_size=2)
    world = World(database)
    world.now = system_clock()
    await world.fan_out()
    called = await world.called()
    await database.close()
    return called


@pytest.fixture
def campaign(campaigns_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", campaigns_url)
    monkeypatch.setenv("CLARION_PUBLIC_URL", "https://clarion.example")
    monkeypatch.setenv("CLARION_SECRET_KEY", "s" * 40)
    monkeypatch.setenv("CLARION_MAIL_FROM", "Calls <calls@clarion.example>")
    return asyncio.run(prepare(campaigns_url))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(campaigns, list(arguments))


def test_what_waits_is_listed_previewed_and_approved(campaign: str, campaigns_url: str) -> None:
    first = run("waiting", "--json", "--limit", "2")
    assert len(json.loads(first.stdout)) == 2
    place = first.stderr.strip().removeprefix("more wait: --after ")
    [last] = json.loads(run("waiting", "--json", "--after", place).stdout)
    assert last["name"] == "No division"
    assert run("waiting", "--after", "x").exit_code == 2
    listed = json.loads(run("waiting", "--json").stdout)
    assert [(one["campaign"], one["name"], one["state"]) for one in listed] == [
        (campaign, "East Bay", "waiting"),
        (campaign, "Peninsula", "waiting"),
        (campaign, "No division", "waiting"),
    ]
    assert "East Bay" in run("preview", campaign).stdout
    shown = json.loads(run("preview", campaign, "--division", "east-bay", "--json").stdout)
    assert [(one["official"], one["name"]) for one in shown["recipients"]] == [
        ("a-chief", "Person a-chief"),
        ("a-mayor", "Person a-mayor"),
    ]
    assert shown["recipients"][0]["reasons"][0].startswith("Senator Jesse Example (chair)")
    assert "SB 79" in shown["mail"]["subject"]
    assert shown["mail"]["official"] == "a-chief"
    assert asyncio.run(send_out(campaigns_url)) == set()
    look = shown["wave"]["look"]
    approved = run("approve", campaign, "--division", "east-bay", "--look", look, "--json")
    assert json.loads(approved.stdout)["state"] == "approved"
    for division in ("peninsula", "-"):
        assert run("approve", campaign, "--division", division).exit_code == 0
    assert asyncio.run(send_out(campaigns_url)) == ASKED
    assert run("waiting").stdout.strip() == "No wave waits for approval."


def test_a_preview_for_people_has_the_reasons_and_the_mail(campaign: str) -> None:
    text = run("preview", campaign, "--division", "east-bay", "--official", "a-mayor").stdout
    assert "Who is asked, and why" in text
    assert "Subject: " in text
    assert "Person a-mayor" in text
    other = run("preview", campaign, "--division", "east-bay", "--official", "b-member")
    assert "No mail to show: b-member is not asked" in other.stdout


def test_people_are_left_out_added_and_both_undone(campaign: str) -> None:
    where = ("--division", "east-bay", "--reason", "Knows the author.")
    assert json.loads(run("leave-out", campaign, "a-chief", *where, "--json").stdout)["left_out"] == 1
    assert json.loads(run("add", campaign, "a-clerk", *where, "--ask", "letter", "--json").stdout)["added"] == 1
    assert json.loads(run("undo", campaign, "a-chief", "--division", "east-bay", "--json").stdout)["left_out"] == 0
    written = run("paragraph", campaign, "Our own words.", "--division", "east-bay", "--json")
    assert json.loads(written.stdout)["paragraph"] == "Our own words."
    assert "Our own words." in run("preview", campaign, "--division", "east-bay", "--official", "a-mayor").stdout


def test_rejecting_and_stopping_keep_their_reason(campaign: str) -> None:
    where = ("--division", "east-bay", "--reason", "Our cities are of two minds.")
    assert "Our cities are of two minds." in run("reject", campaign, *where).stdout
    assert run("approve", campaign, "--division", "east-bay").exit_code == 0
    assert json.loads(run("stop", campaign, *where, "--json").stdout)["state"] == "stopped"


def test_a_whole_campaign_is_closed_once_it_was_confirmed(campaign: str) -> None:
    unsure = CliRunner().invoke(campaigns, ["close", campaign, "--reason", "Taken up."], input="n\n")
    assert unsure.exit_code == 1
    found = json.loads(run("close", campaign, "--reason", "Taken up.", "--yes", "--json").stdout)
    assert {(one["state"], one["reason"]) for one in found} == {("rejected", "Taken up.")}
    again = run("close", campaign, "--reason", "Taken up.", "--yes")
    assert again.exit_code == 1
    assert "Nothing of campaign" in again.stderr


def test_what_is_refused_says_why_and_changes_nothing(campaign: str) -> None:
    run("approve", campaign, "--division", "east-bay")
    twice = run("approve", campaign, "--division", "east-bay")
    assert twice.exit_code == 1
    assert "It was approved by" in twice.stderr
    old = run("approve", campaign, "--division", "peninsula", "--look", "when=0123456789")
    assert old.exit_code == 1
    assert "It changed since you looked. When: now" in old.stderr
    for arguments in (("approve", "none"), ("preview", campaign)):
        wrong = run(*arguments, "--division", "nowhere")
        assert wrong.exit_code == 1
        assert "no wave of nowhere" in wrong.stderr
    assert run("preview", "none").exit_code == 1
    assert run("reject", campaign, "--division", "peninsula").exit_code == 2
