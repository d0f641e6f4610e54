"""`clarion topics` and `clarion replay` as an operator uses them after the broker lost its data."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clarion.runtime.embedded import KafkaServer
from clarion.runtime.settings import Settings
from clarion.schemas.commands import ReplayPrinted
from tests.conftest import Until
from tests.whole.quiet import is_quiet
from tests.whole.test_kills import REPORTED, check_everyone_is_told, publish
from tests.whole.test_wiped_broker import STATE
from tests.whole.world import World, world

OFFICIALS = 300


def clarion(here: World, *words: str) -> Any:
    """What a command says as JSON, in a process of its own."""
    command = [sys.executable, "-m", "clarion", *words, "--json"]
    answer = subprocess.run(command, env=here.environment(), capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


async def killed_replay(here: World, until: Until) -> None:
    """A replay that is killed once a part of it is sent."""
    process = subprocess.Popen([sys.executable, "-m", "clarion", "replay"], env=here.environment())

    async def sent_some() -> bool:
        some = await here.value("SELECT count(*) FROM clarion.replays WHERE progress <> '{}'")
        return bool(some) or process.poll() is not None

    await until(sent_some, 30)
    process.kill()
    process.wait()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_after_the_broker_lost_all_a_replay_that_was_killed_once_leaves_nobody_told_twice(
    settings: Settings, tmp_path: Path, until: Until
) -> None:
    async with world(settings, tmp_path, OFFICIALS, own="kafka") as here:
        assert isinstance(here.server, KafkaServer)
        expected = here.expectation()
        here.start_services()
        await until(here.is_ready, 40)
        await publish(here.settings, tmp_path)

        async def told() -> bool:
            return await here.value(REPORTED) == len(expected.officials) and await is_quiet(here.settings)

        await until(told, 60)
        before = await here.rows(STATE)
        here.end_services(signal.SIGTERM)
        await here.server.stop()
        await asyncio.to_thread(shutil.rmtree, tmp_path / "kafka")
        await here.server.start()
        here.settings = here.settings.model_copy(update={"kafka_bootstrap": here.server.bootstrap})

        clarion(here, "topics")
        counted = ReplayPrinted.model_validate(clarion(here, "replay", "--dry-run"))
        assert (counted.dry_run, counted.entities, counted.whole) == (True, None, ["directory.entities.v1"])
        assert {one.topic for one in counted.topics} >= {"legislation.alerts.v1", "campaigns.calls.v1"}
        await killed_replay(here, until)
        done = ReplayPrinted.model_validate(clarion(here, "replay"))
        assert done.messages == counted.messages > 0
        assert (done.entities or 0) > OFFICIALS
        here.start_services()
        await until(here.is_ready, 40)

        async def read_again() -> bool:
            return await is_quiet(here.settings)

        await until(read_again, 60)
        assert await here.rows(STATE) == before
        await check_everyone_is_told(here)
        assert here.catcher.store.count() == len(expected.addresses)
