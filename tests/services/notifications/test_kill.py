"""A sender that is killed loses nobody and doubles at most what was on its connections."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.services.notifications.conftest import House

CONNECTIONS = 6


@asynccontextmanager
async def sending_process(house: House) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.services.notifications.sending_process",
        house.database.url,
        house.relay_url,
        "1",
        str(CONNECTIONS),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("at", [10, 150, 280])
async def test_a_sender_killed_in_the_middle_misses_nobody_and_doubles_only_what_was_in_doubt(
    house: House, mail_catcher: Any, until: Callable[..., Any], at: int
) -> None:
    await house.call(range(300))
    async with sending_process(house) as process:
        await until(lambda: mail_catcher.store.count() >= at, 40)
        process.kill()
        await process.wait()

    async def all_ended() -> bool:
        return (await house.states()).keys() <= {"sent", "unknown"}

    async with sending_process(house) as process:
        await until(all_ended, 40)
        process.terminate()
        assert await process.wait() == 0
    rows = await house.rows()
    received = Counter(mail.recipients[0] for mail in mail_catcher.store.list(limit=1_000))
    doubted = {f"{row['officials'][0]}@city.example" for row in rows if row["doubts"]}
    assert len(rows) == 300
    assert len(received) == 300
    assert {address for address, times in received.items() if times > 1} <= doubted
    assert max(received.values()) <= 2
    assert len(doubted) <= CONNECTIONS


async def test_a_terminated_sender_ends_by_itself_and_leaves_nothing_claimed(
    house: House, mail_catcher: Any, until: Callable[..., Any]
) -> None:
    await house.call(range(300))
    async with sending_process(house) as process:
        await until(lambda: mail_catcher.store.count() >= 30, 40)
        process.terminate()
        assert await process.wait() == 0
    states = await house.states()
    assert states.keys() <= {"sent", "queued"}
    assert states["sent"] == mail_catcher.store.count()
