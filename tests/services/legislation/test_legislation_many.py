"""One bill on many hearings: what is done for each does not grow with their number. Calls are counted."""

import cProfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from clarion.runtime.messaging.record import Record
from clarion.schemas.legislation import HearingNotice
from clarion.services.legislation.domain.statements import Statement
from clarion.services.legislation.domain.world import World
from tests.services.legislation.conftest import NOW, Legislation, make_notice

START = datetime(2027, 4, 21, 8, tzinfo=UTC)
BATCH = 20


def calls(profile: cProfile.Profile) -> int:
    """How many functions were called."""
    return sum(int(entry.callcount) for entry in profile.getstats())


def notice(number: int) -> dict[str, object]:
    return make_notice(hearing_id=f"h-{number}", starts_at=(START + timedelta(minutes=number)).isoformat())


def work_of_world(hearings: int) -> int:
    statements = [
        Statement("/a", f"e-{number}", "hearing.scheduled", HearingNotice.model_validate(notice(number)), NOW)
        for number in range(hearings)
    ]
    ids = iter(range(hearings))
    world = World(NOW, lambda: f"id-{next(ids)}", timedelta(seconds=60))
    profile = cProfile.Profile()
    with profile:
        for statement in statements:
            world.hear(statement)
        amendments = world.amendments()
    assert sum(one.held_until is not None for one in amendments.values()) == hearings - 1
    return calls(profile)


def test_twice_as_many_hearings_with_one_bill_are_twice_the_work() -> None:
    work_of_world(10)
    assert work_of_world(200) < 2.3 * work_of_world(100)


def records(legislation: Legislation, numbers: Sequence[int]) -> list[Record]:
    return [legislation.record(notice(number), f"e-{number}") for number in numbers]


async def work_of_batch(legislation: Legislation, first: int) -> int:
    batch = records(legislation, range(first, first + BATCH))
    profile = cProfile.Profile()
    with profile:
        await legislation.hear(*batch)
    return calls(profile)


async def test_a_batch_is_no_more_work_when_many_hearings_with_its_bill_are_held_back(legislation: Legislation) -> None:
    await legislation.hear(*records(legislation, range(BATCH)))
    few = await work_of_batch(legislation, BATCH)
    await legislation.hear(*records(legislation, range(2 * BATCH, 10 * BATCH)))
    many = await work_of_batch(legislation, 10 * BATCH)
    assert many < 1.3 * few
    await legislation.wait(61)
    assert len(await legislation.alerts()) == 11 * BATCH
