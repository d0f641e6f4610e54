"""The dated Action Agenda: priorities with their days and versions, at the command line and on a real database."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from campaigns_world import World
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from clarion.runtime.database import Database
from clarion.runtime.staff.audit import Actor
from clarion.services.campaigns.positions import agenda as operations
from clarion.services.campaigns.positions.agenda_commands import agenda
from clarion.services.campaigns.positions.priorities import Priority, Standing, Unfit, today_at

ACTOR = Actor("staff", "s1", "Sam Sample", "192.0.2.7")
HOUSING = Priority(
    slug="housing-2027",
    title="Housing that cities can plan for",
    body="Money, not mandates.",
    place=1,
    from_day=date(2027, 1, 1),
    until_day=date(2027, 12, 31),
    adopted_by="Board of Directors",
    adopted_on=date(2026, 12, 4),
)
SET = ("set", "housing-2027", "--title", "Housing", "--text", "Money, not mandates.", "--from", "2027-01-01")
Run = Callable[..., Result]


async def put(world: World, priority: Priority, **how: Any) -> operations.Setting:
    async with world.database.transaction() as tx:
        return await operations.set_priority(tx, ACTOR, priority, **how)


async def shown(world: World, slug: str = HOUSING.slug) -> dict[str, Any]:
    async with world.database.connection() as connection:
        found = await operations.show_priority(connection, slug, date(2027, 4, 1))
    assert found
    return found


async def test_every_change_is_a_version_that_says_what_changed_and_the_same_again_is_none(world: World) -> None:
    assert (await put(world, HOUSING)).is_new
    assert not (await put(world, HOUSING)).is_new
    await put(world, replace(HOUSING, place=3, until_day=None))
    found = await shown(world)
    assert [(each["version"], each["changed"]) for each in found["versions"]] == [
        (
            2,
            [
                {"field": "place", "now": 3, "was": 1},
                {"field": "until_day", "now": None, "was": date(2027, 12, 31)},
            ],
        ),
        (1, []),
    ]
    assert (found["state"], found["version"], found["text"]) == ("in force", 2, HOUSING.body)


async def test_two_who_change_one_at_once_make_two_versions_and_who_saw_the_older_one_is_refused(world: World) -> None:
    await put(world, HOUSING)
    await asyncio.gather(*(put(world, replace(HOUSING, place=place)) for place in (2, 3)))
    assert [each["version"] for each in (await shown(world))["versions"]] == [3, 2, 1]
    with pytest.raises(operations.ChangedMeanwhile, match="version 3 of it was made meanwhile"):
        await put(world, replace(HOUSING, title="Homes"), based_on=1)
    assert (await shown(world))["version"] == 3


async def test_one_that_is_over_is_left_out_of_the_list_unless_asked_for(world: World) -> None:
    await put(world, HOUSING)
    await put(world, replace(HOUSING, slug="water", place=2, until_day=None))
    await put(world, replace(HOUSING, slug="first", place=1, from_day=date(2026, 1, 1), until_day=date(2026, 12, 31)))

    async def listed(day: date, **how: bool) -> list[tuple[str, str]]:
        async with world.database.connection() as connection:
            return [(each["slug"], each["state"]) for each in await operations.list_agenda(connection, day, **how)]

    assert await listed(date(2027, 4, 1), ended=False) == [("housing-2027", "in force"), ("water", "in force")]
    assert await listed(date(2026, 6, 1)) == [("first", "in force"), ("housing-2027", "ahead"), ("water", "ahead")]
    assert await listed(date(2028, 1, 1)) == [("first", "over"), ("housing-2027", "over"), ("water", "in force")]


async def test_a_change_is_recorded_with_who_made_it(world: World) -> None:
    before = len(await world.fetch("SELECT FROM clarion.audit"))
    await put(world, HOUSING)
    await put(world, HOUSING)
    acts = await world.fetch("SELECT act, subject, actor_name FROM clarion.audit ORDER BY id")
    assert [tuple(act) for act in acts[before:]] == [("priority.set", "priority:housing-2027", "Sam Sample")]


@given(st.dates(), st.dates(), st.none() | st.dates())
def test_a_priority_holds_from_its_first_day_to_the_end_of_its_last(
    today: date, first: date, last: date | None
) -> None:
    if last is not None and last < first:
        with pytest.raises(Unfit, match="begins later"):
            replace(HOUSING, from_day=first, until_day=last)
        return
    holds = first <= today and (last is None or today <= last)
    found = replace(HOUSING, from_day=first, until_day=last).standing(today)
    assert (found is Standing.IN_FORCE) == holds


def test_its_days_are_those_of_the_association() -> None:
    assert today_at(datetime(2027, 1, 1, 7, 59, tzinfo=UTC)) == date(2026, 12, 31)
    assert today_at(datetime(2027, 1, 1, 8, tzinfo=UTC)) == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"slug": "Housing 2027"}, "slug 'Housing 2027'"),
        ({"title": " "}, "title: write 1 to 300"),
        ({"body": "a\x00b"}, "text: write 1 to 20,000"),
        ({"place": 0}, "order: write a number from 1"),
        ({"adopted_by": ""}, "adopted by: write"),
    ],
)
def test_what_no_priority_can_be_is_said(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Unfit) as refused:
        replace(HOUSING, **changes)
    assert said in str(refused.value)


async def prepare(url: str) -> None:
    database = await Database.connect(url, "campaigns", max_size=2)
    await World(database).empty()
    await database.close()


@pytest.fixture
def run(campaigns_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", campaigns_url)
    asyncio.run(prepare(campaigns_url))
    return lambda *arguments: CliRunner().invoke(agenda, list(arguments))


def test_a_priority_is_set_changed_and_ended_at_the_command_line(run: Run) -> None:
    assert "Nothing is on the agenda" in run("list").stdout
    made = json.loads(run(*SET, "--json").stdout)
    assert (made["place"], made["version"], made["changed"]) == (1, 1, True)
    changed = json.loads(run("set", "housing-2027", "--order", "4", "--until", "2027-06-30", "--json").stdout)
    assert (changed["title"], changed["place"], changed["until_day"], changed["version"]) == (
        "Housing",
        4,
        "2027-06-30",
        2,
    )
    assert json.loads(run("set", "housing-2027", "--until", "open", "--json").stdout)["until_day"] is None
    assert "nothing changed" in run("set", "housing-2027", "--until", "open").stdout
    ended = json.loads(run("end", "housing-2027", "--on", "2027-02-01", "--json").stdout)
    assert (ended["until_day"], ended["version"]) == ("2027-02-01", 4)
    assert "until: 2027-02-01, was nothing" in run("show", "housing-2027").stdout
    assert [each["slug"] for each in json.loads(run("list", "--ended", "--json").stdout)] == ["housing-2027"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("set", "new"), 2, "new is new: give its title and text"),
        (("set", "housing", "--title", "H", "--text", "T", "--from", "soon"), 2, "--from 'soon' is no day"),
        (("set", "Not So", "--title", "H", "--text", "T"), 2, "write small letters"),
        (("end", "nobody"), 1, "clarion agenda list"),
        (("show", "nobody"), 1, "clarion agenda list"),
    ],
)
def test_wrong_use_is_said_and_changes_nothing(run: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    answer = run(*arguments)
    assert (answer.exit_code, said in answer.stderr) == (code, True), answer.output
    assert json.loads(run("list", "--ended", "--json").stdout) == []
