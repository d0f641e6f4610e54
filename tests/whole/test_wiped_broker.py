"""A broker that lost everything comes back, twice: filled by commands, and by who prepares. Nobody is told twice."""

import asyncio
import io
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.embedded import KafkaServer
from clarion.runtime.settings import Settings
from clarion.schemas.commands import ReplayPrinted
from clarion.services.legislation.publication import publish_file
from clarion.services.running import prepare
from clarion.services.sample import sample_notice
from tests.conftest import Until
from tests.whole.quiet import is_quiet
from tests.whole.test_kills import REPORTED, check_everyone_is_told, publish
from tests.whole.world import World, world

OFFICIALS = 300
STATE = """
SELECT 'campaign', id::text, revision::text, status, problem FROM campaigns.campaigns
UNION ALL SELECT 'hearing', id::text, revision::text, '', '' FROM legislation.hearings
UNION ALL SELECT 'bill', bill_key, revision::text, state ->> 'status', '' FROM campaigns.bills
UNION ALL SELECT 'official', id::text, revision::text, '', '' FROM campaigns.officials
UNION ALL SELECT 'message', thread_id::text, revision::text, state, '' FROM notifications.ledger
ORDER BY 1, 2
"""


async def publish_bill(settings: Settings) -> None:
    """Publish what became of the sample notice's bill, twice."""
    notice = sample_notice(system_clock())
    bill = {name: notice[name] for name in ("jurisdiction", "session")} | {"bill": notice["agenda"][0]["bill"]}
    updates = [{"type": "bill.updated", "data": bill | {"status": status}} for status in ("Introduced", "In committee")]
    async with open_database(settings, "legislation") as database:
        await publish_file(database, io.BytesIO(json.dumps(updates).encode()), "/tests", system_clock, lambda _: None)


def clarion(here: World, *words: str) -> Any:
    """What a command says as JSON, in a process of its own."""
    command = [sys.executable, "-m", "clarion", *words, "--json"]
    answer = subprocess.run(command, env=here.environment(), capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


async def tell_everyone(here: World, folder: Path, until: Until) -> None:
    """Serve, publish, and wait until all is told and reported."""
    here.start_services()
    await until(here.is_ready, 40)
    await publish(here.settings, folder)
    await publish_bill(here.settings)

    async def told() -> bool:
        return await here.value(REPORTED) == len(here.expectation().officials) and await is_quiet(here.settings)

    await until(told, 60)


async def lose_everything(here: World, folder: Path) -> None:
    """The services end, and the broker that they are to find again has nothing."""
    assert isinstance(here.server, KafkaServer)
    here.end_services(signal.SIGTERM)
    await here.server.stop()
    await asyncio.to_thread(shutil.rmtree, folder / "kafka")
    await here.server.start()
    here.settings = here.settings.model_copy(update={"kafka_bootstrap": here.server.bootstrap})


async def killed_replay(here: World, until: Until) -> None:
    """A replay that is killed once a part of it is sent."""
    process = subprocess.Popen([sys.executable, "-m", "clarion", "replay"], env=here.environment())

    async def sent_some() -> bool:
        some = await here.value("SELECT count(*) FROM clarion.replays WHERE progress <> '{}'")
        return bool(some) or process.poll() is not None

    await until(sent_some, 30)
    process.kill()
    process.wait()


async def replay_by_command(here: World, until: Until) -> None:
    """As an operator does it, killed once in the middle."""
    clarion(here, "topics")
    counted = ReplayPrinted.model_validate(clarion(here, "replay", "--dry-run"))
    assert (counted.dry_run, counted.entities, counted.whole) == (True, None, ["directory.entities.v1"])
    assert {one.topic for one in counted.topics} >= {"legislation.alerts.v1", "campaigns.calls.v1"}
    await killed_replay(here, until)
    done = ReplayPrinted.model_validate(clarion(here, "replay"))
    assert done.messages == counted.messages > 0
    assert (done.entities or 0) > OFFICIALS


async def replay_by_preparing(here: World) -> None:
    """As `clarion up` does it, and once only."""
    preparation = await prepare(here.settings)
    assert preparation.replay is not None
    assert preparation.replay.entities["directory"] > OFFICIALS
    assert sum(preparation.replay.messages.values()) > 0
    assert (await prepare(here.settings)).replay is None


async def check_nothing_changed(here: World, before: list[asyncpg.Record], until: Until) -> None:
    """Once the services have read everything again, all is as it was and nobody has heard of it."""
    here.start_services()
    await until(here.is_ready, 40)

    async def read_again() -> bool:
        return await is_quiet(here.settings)

    await until(read_again, 60)
    assert await here.rows(STATE) == before
    await check_everyone_is_told(here)
    assert here.catcher.store.count() == len(here.expectation().addresses)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_after_kafka_lost_its_data_everything_is_published_again_and_nobody_told_twice(
    settings: Settings, tmp_path: Path, until: Until
) -> None:
    async with world(settings, tmp_path, OFFICIALS, own="kafka") as here:
        await tell_everyone(here, tmp_path, until)
        before = await here.rows(STATE)
        assert [row[3] for row in before if row[0] == "bill"] == ["In committee"]
        await lose_everything(here, tmp_path)
        await replay_by_command(here, until)
        await check_nothing_changed(here, before, until)
        await lose_everything(here, tmp_path)
        await replay_by_preparing(here)
        await check_nothing_changed(here, before, until)
