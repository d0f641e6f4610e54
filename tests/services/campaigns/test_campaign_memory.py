"""A day with a thousand hearings takes hardly more memory than one with a few dozen."""

import gc
import json
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from approving_world import drafted
from campaigns_world import World, make_alert

from clarion.services.campaigns.approving.notices import tell_waiting
from clarion.services.campaigns.domain.batches import Written, WrittenBatch
from clarion.services.campaigns.domain.occasions import Occasion

MOST_BYTES_A_WAVE = 600


@pytest.fixture
def garbage() -> Iterator[Callable[[], int]]:
    """How much the collector has to do since it was asked last; nothing is collected before."""
    gc.disable()
    yield gc.collect
    gc.enable()


def test_a_hearing_that_was_told_of_leaves_nothing_for_the_collector(garbage: Callable[[], int]) -> None:
    alert = make_alert()
    garbage()
    assert Occasion.of(alert).own == []
    assert garbage() == 0


def test_a_batch_that_is_written_leaves_nothing_for_the_collector(garbage: Callable[[], int]) -> None:
    garbage()
    batch = WrittenBatch.of('{"revision":1}', [Written('{"mailbox":"m"', "{}")])
    assert json.loads(batch.model_dump_json()) == {
        "revision": 1, "in_common": [{}], "recipients": [{"mailbox": "m", "in_common": 0}],
    }  # fmt: skip
    assert garbage() == 0


async def peak_of_telling(world: World) -> int:
    world.later(seconds=60)
    gc.collect()
    tracemalloc.start()
    try:
        assert await tell_waiting(world.database, "https://clarion.example", world.now) > 0
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def waves(world: World) -> int:
    [row] = await world.fetch("SELECT count(*) AS waves FROM approvals WHERE state = 'waiting'")
    return int(row["waves"])


async def test_who_is_told_of_many_waves_is_told_of_them_one_after_the_other(world: World) -> None:
    await drafted(world)
    await world.hear(hearing_id="h-few")
    await peak_of_telling(world)
    await world.hear(hearing_id="h-again")
    few, before = await peak_of_telling(world), await waves(world)
    for number in range(150):
        await world.hear(hearing_id=f"h-{number}")
    many = await peak_of_telling(world)
    assert many - few < MOST_BYTES_A_WAVE * (await waves(world) - before)
