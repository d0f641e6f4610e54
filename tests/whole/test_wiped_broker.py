"""A broker that lost everything comes back: the same state, and nobody gets a second mail."""

import asyncio
import io
import json
import shutil
import signal
from pathlib import Path

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.embedded import KafkaServer
from clarion.runtime.settings import Settings
from clarion.services.legislation.publication import publish_file
from clarion.services.running import prepare
from clarion.services.sample import sample_notice
from tests.conftest import Until
from tests.whole.quiet import is_quiet
from tests.whole.test_kills import check_everyone_is_told, publish
from tests.whole.world import world

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


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_after_kafka_lost_its_data_everything_is_published_again_and_nobody_told_twice(
    settings: Settings, tmp_path: Path, until: Until
) -> None:
    async with world(settings, tmp_path, OFFICIALS, own="kafka") as here:
        assert isinstance(here.server, KafkaServer)
        expected = here.expectation()
        here.start_services()
        await until(here.is_ready, 40)
        await publish(here.settings, tmp_path)
        await publish_bill(here.settings)

        async def told() -> bool:
            heard = await here.value("SELECT count(*) FROM campaigns.calls WHERE outcome IS NOT NULL")
            return heard == len(expected.officials) and await is_quiet(here.settings)

        await until(told, 60)
        before = await here.rows(STATE)
        assert [row[3] for row in before if row[0] == "bill"] == ["In committee"]
        here.end_services(signal.SIGTERM)
        await here.server.stop()
        await asyncio.to_thread(shutil.rmtree, tmp_path / "kafka")
        await here.server.start()
        here.settings = here.settings.model_copy(update={"kafka_bootstrap": here.server.bootstrap})

        preparation = await prepare(here.settings)
        assert preparation.replay is not None
        assert preparation.replay.entities["directory"] > OFFICIALS
        assert sum(preparation.replay.messages.values()) > 0
        assert (await prepare(here.settings)).replay is None
        here.start_services()
        await until(here.is_ready, 40)

        async def read_again() -> bool:
            return await is_quiet(here.settings)

        await until(read_again, 60)
        assert await here.rows(STATE) == before
        await check_everyone_is_told(here)
        assert here.catcher.store.count() == len(expected.addresses)
