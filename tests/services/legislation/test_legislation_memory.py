"""A day with a thousand hearings takes no more memory than one with a few dozen."""

import gc
import tracemalloc
from datetime import UTC, datetime, timedelta

from clarion.runtime.messaging.record import Record
from tests.services.legislation.conftest import Legislation, make_notice

BILLS = 30
TITLE = "Housing development near transit, and other matters of that kind"
START = datetime(2027, 4, 21, 8, tzinfo=UTC)
MOST_GROWTH = 1.25


def day(legislation: Legislation, name: str, hearings: int) -> list[Record]:
    return [
        legislation.record(
            make_notice(
                hearing_id=f"{name}-{number}",
                starts_at=(START + timedelta(minutes=number)).isoformat(),
                agenda=[
                    {"bill": f"{name} {number * BILLS + place}", "title": TITLE, "author": "Muster"}
                    for place in range(BILLS)
                ],
            ),
            f"{name}-{number}",
        )
        for number in range(hearings)
    ]


async def peak_of(legislation: Legislation, name: str, hearings: int) -> int:
    records = day(legislation, name, hearings)
    gc.collect()
    tracemalloc.start()
    try:
        await legislation.hear(*records)
        await legislation.wait(61)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_the_memory_of_hearings_does_not_grow_with_their_number(legislation: Legislation) -> None:
    await peak_of(legislation, "HR", 10)
    few = await peak_of(legislation, "AB", 65)
    many = await peak_of(legislation, "SB", 195)
    assert many < few * MOST_GROWTH
    [row] = await legislation.fetch("SELECT count(*) AS hearings FROM hearings")
    assert row["hearings"] == 270
