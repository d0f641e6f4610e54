"""A large roster in little memory."""

from pathlib import Path

import psutil
import pytest

from clarion.runtime.database import Database
from clarion.services.directory.bench import measure_on, write_rosters
from clarion.services.directory.files import Rows
from clarion.services.directory.operations import import_kind
from clarion.services.directory.roster import fictional_officials
from tests.services.directory.conftest import clock

OFFICIALS = 40_000
WARM = 5_000
MOST_GROWTH_BYTES = 16_000_000
"""The rows alone would be five times that."""


@pytest.mark.slow
async def test_the_memory_of_an_import_does_not_grow_with_its_lines(database: Database) -> None:
    cities = [f"state:ca/place:c{number}" for number in range(50)]
    await import_kind(
        database, "cities", [Rows("cities", [{"ocd_id": city, "name": city} for city in cities])], clock=clock
    )
    process, seen = psutil.Process(), {}

    def look(_kind: str, count: int) -> None:
        seen[count] = process.memory_info().rss

    for name in ("first", "again"):
        seen.clear()
        roster = Rows("roster", fictional_officials(cities, OFFICIALS, seed=1))
        report = await import_kind(database, "officials", [roster], clock=clock, progress=look)
        assert (report.imported, report.rejected_count) == (OFFICIALS, 0), name
        assert max(seen.values()) - seen[WARM] < MOST_GROWTH_BYTES, name
        assert process.memory_info().rss - seen[WARM] < MOST_GROWTH_BYTES, name


async def test_the_bench_measures_three_imports_beside_the_bare_copy(database: Database, tmp_path: Path) -> None:
    first, changed = tmp_path / "first.csv", tmp_path / "changed.csv"
    write_rosters(first, changed, 1_000)
    pairs = zip(first.read_text().splitlines(), changed.read_text().splitlines(), strict=True)
    assert sum(one != other for one, other in pairs) == 10
    said = await measure_on(database, first, changed, 1_000, quiet=True)
    for name in ("bare_copy", "first_import", "unchanged", "one_in_100_changed"):
        assert said[f"{name}_rows_per_second"] > 0
        assert said[f"{name}_to_bare_copy"] <= 1
    assert said["peak_memory_mb"] >= said["memory_before_mb"] > 0
