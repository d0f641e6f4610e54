"""One round of chaos: everything that can die dies once at a random moment, and nobody is missing."""

import asyncio
import random
import signal
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest

from clarion.runtime.embedded.postgres import PostgresServer
from clarion.services.benchmarks.chaos import KINDS, Kill, Round, installed, judge, kill_server, naming_sink
from clarion.services.benchmarks.pipeline import set_up, staged
from clarion.services.notifications.domain.messages import message_name

RECIPIENTS = 2_000
CONNECTIONS = 20
THREAD = UUID(int=7)


@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_everything_killed_once_in_one_call_loses_nobody_and_doubles_only_who_was_in_doubt() -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    dice = random.Random(seed)
    kills = [Kill(kind, dice.random(), dice.uniform(0, 0.3)) for kind in KINDS]
    kills.sort(key=lambda kill: kill.share)
    async with naming_sink() as (names, url), staged(url, CONNECTIONS) as stage, installed(stage) as here:
        await set_up(stage.settings, RECIPIENTS, quiet=True)
        found = await Round(here, names, RECIPIENTS, kills, 60).run()
    assert found.messages == RECIPIENTS, (seed, kills)
    assert (found.lost, found.doubled_outside_doubt) == (0, 0), (seed, kills, found)
    assert found.doubts <= CONNECTIONS * len(kills), (seed, kills, found)


async def test_a_server_that_is_down_is_killed_only_once_it_is_back(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "pg")
    await server.start()
    await kill_server(server)
    await server.wait_stopped()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(kill_server(server), 0.1)
    await server.start()
    await kill_server(server)
    assert await server.wait_stopped() == -signal.SIGKILL


@pytest.mark.parametrize(
    ("state", "doubts", "times", "lost", "outside"),
    [
        ("sent", 0, 1, 0, 0),
        ("sent", 0, 0, 1, 0),
        ("sent", 0, 2, 0, 1),
        ("sent", 1, 2, 0, 0),
        ("sent", 1, 3, 0, 1),
        ("unknown", 2, 0, 0, 0),
        ("failed", 0, 0, 1, 0),
    ],
)
def test_a_round_is_judged_by_what_came(state: str, doubts: int, times: int, lost: int, outside: int) -> None:
    told = {"thread_id": THREAD, "revision": 1, "state": state, "doubts": doubts}
    found = judge([told], Counter({message_name(THREAD, 1): times}), 1, [])
    assert (found.lost, found.doubled_outside_doubt) == (lost, outside)


def test_a_message_that_never_reached_the_ledger_is_lost() -> None:
    assert judge([], Counter(), 1, []).lost == 1
