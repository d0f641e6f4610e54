"""Any imports in any order: the directory is what a model in memory says, and nothing that follows is forgotten."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from clarion.runtime.database import Database
from clarion.services.directory import repository
from clarion.services.directory.files import Rows
from clarion.services.directory.operations import import_kind, tell_the_day
from tests.services.directory.conftest import clock

IN_ONE_DATABASE = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
TABLES = "TRUNCATE entities, imports, outbox CASCADE"
BROKEN = "x" * 1_001


async def empty(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(TABLES)


async def bring(database: Database, kind: Any, rows: Sequence[dict[str, str]], **options: bool) -> Any:
    return await import_kind(database, kind, [Rows("rows", rows)], clock=clock, **options)


IDS = some.sampled_from("abcdefghijklm")
LINES = some.lists(some.tuples(IDS, some.sampled_from(["One", "Two", BROKEN])), max_size=14)
STEPS = some.lists(some.tuples(LINES, some.booleans(), some.booleans(), some.booleans()), min_size=1, max_size=6)


class Model:
    """Divisions as a dict: id to name and whether they are there."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[str, bool]] = {}

    def bring(self, lines: Sequence[tuple[str, str]], *, full: bool, large: bool, dry: bool) -> dict[str, int]:
        named = dict.fromkeys(identity for identity, _ in lines)
        taken: dict[str, str] = {}
        for identity, name in lines:
            if name != BROKEN:
                taken.setdefault(identity, name)
        if not taken:
            return {"added": 0, "changed": 0, "unchanged": 0, "left": 0}
        active = [identity for identity, (_, there) in self.known.items() if there]
        gone = [identity for identity in active if identity not in named] if full else []
        refused = len(gone) * 10 > len(active) and not large
        after = dict(self.known) | {identity: (name, True) for identity, name in taken.items()}
        counts = {
            "added": sum(identity not in self.known for identity in taken),
            "changed": sum(identity in self.known and self.known[identity] != after[identity] for identity in taken),
            "unchanged": sum(self.known.get(identity) == after[identity] for identity in taken),
            "left": len(gone),
        }
        if not refused and not dry:
            self.known = after | {identity: (self.known[identity][0], False) for identity in gone}
        return counts


@IN_ONE_DATABASE
@given(steps=STEPS)
async def test_imports_do_what_the_model_does(database: Database, steps: Any) -> None:
    await empty(database)
    model = Model()
    for lines, full, large, dry in steps:
        rows = [{"slug": identity, "name": name} for identity, name in lines]
        report = await bring(database, "divisions", rows, full=full, allow_large=large, dry_run=dry)
        expected = model.bring(lines, full=full, large=large, dry=dry)
        assert {name: getattr(report, name) for name in expected} == expected
        async with database.connection() as connection:
            found = await connection.fetch("SELECT id, state ->> 'name', active FROM entities")
        assert {row[0]: (row[1], row[2]) for row in found} == model.known


PEOPLE, CITIES, GROUPS = ("1", "2", "3"), ("place:a", "place:b"), ("g", "h")
A_DAY = some.integers(-3, 3).map(lambda days: (date(2026, 11, 30) + timedelta(days)).isoformat()) | some.just("")
SOME_GROUPS = some.lists(some.sampled_from(GROUPS), unique=True).map(";".join)
OFFICIAL = some.fixed_dictionaries({"id": some.sampled_from(PEOPLE), "groups": SOME_GROUPS})
GROUP = some.fixed_dictionaries(
    {
        "slug": some.sampled_from(GROUPS),
        "officials": some.lists(some.sampled_from(PEOPLE), unique=True).map(";".join),
        "cities": some.lists(some.sampled_from(CITIES), unique=True).map(";".join),
    }
)
MEMBERSHIP = some.fixed_dictionaries(
    {
        "group": some.sampled_from(GROUPS),
        "role": some.sampled_from(["member", "chair"]),
        "since": A_DAY,
        "until": A_DAY,
        "member": some.sampled_from(PEOPLE + CITIES),
    }
)
CITY = some.fixed_dictionaries({"ocd_id": some.sampled_from(CITIES), "member_since": A_DAY, "member_until": A_DAY})
MOVES = some.lists(
    some.one_of(
        some.tuples(some.just("officials"), some.lists(OFFICIAL, min_size=1, max_size=3)),
        some.tuples(some.just("groups"), some.lists(GROUP, min_size=1, max_size=2)),
        some.tuples(some.just("memberships"), some.lists(MEMBERSHIP, min_size=1, max_size=4)),
        some.tuples(some.just("cities"), some.lists(CITY, min_size=1, max_size=2)),
    ),
    min_size=2,
    max_size=7,
)


def filled(kind: str, row: dict[str, str]) -> dict[str, str]:
    match kind:
        case "officials":
            return row | {"name": "Ada Fern", "city": "place:a", "email": "ada@alder.example"}
        case "memberships":
            return row | {"city" if row["member"] in CITIES else "official": row["member"]}
        case _:
            return row | {"name": "Name"}


@pytest.mark.slow
@IN_ONE_DATABASE
@given(moves=MOVES, full=some.booleans())
async def test_whatever_was_imported_in_whatever_order_nothing_that_follows_is_left_undone(
    database: Database, moves: Any, full: bool
) -> None:
    await empty(database)
    await bring(database, "cities", [{"ocd_id": city, "name": "Name"} for city in CITIES])
    for kind, rows in moves:
        await bring(database, kind, [filled(kind, row) for row in rows], full=full, allow_large=True)
    assert await undone(database, date(2026, 11, 30)) == 0
    for days in range(5):
        day = date(2026, 11, 30) + timedelta(days)
        async with database.transaction() as tx:
            await tell_the_day(tx, day)
        assert await undone(database, day) == 0


async def undone(database: Database, day: date) -> int:
    """How many entities would change if all of them were worked out anew."""
    async with database.transaction() as tx:
        await repository.prepare_staging(tx)
        await tx.connection.execute(
            "INSERT INTO concerned SELECT kind, id FROM entities WHERE kind IN ('city', 'official')"
        )
        return await repository.refresh_derived(tx, day, None, clock())
