"""A season of thousands of updates goes through the running services: what stands in the end is what was said last."""

import io
from pathlib import Path

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.settings import Settings
from clarion.services.legislation.publication import validate
from clarion.services.running import prepare
from clarion.services.seasons.season import Season
from clarion.services.seasons.stream import take_in

HEARINGS, LINES, SEED = 500, 2_500, 20272028
GROWN_MEGABYTES = 120


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_after_thousands_of_updates_out_of_order_everything_stands_as_the_last_facts_alone_would_give(
    settings: Settings, tmp_path: Path
) -> None:
    await prepare(settings)
    taken = await take_in(settings, Season(HEARINGS, LINES, SEED, system_clock()), tmp_path / "season.jsonl")
    assert (taken.hearings, taken.lines, taken.differing) == (HEARINGS, LINES, 0)
    assert taken.grown_memory_mb < GROWN_MEGABYTES


def test_a_season_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    now = system_clock()
    lines = list(Season(40, 300, 1, now))
    assert len(lines) == 300
    assert lines == list(Season(40, 300, 1, now))
    assert lines != list(Season(40, 300, 2, now))


def test_every_line_of_a_season_is_what_an_integration_may_publish() -> None:
    lines = "\n".join(Season(40, 300, 1, system_clock()))
    found = validate(io.BytesIO(lines.encode()), None, lambda _: None)
    assert (found.valid, found.errors) == (300, [])
