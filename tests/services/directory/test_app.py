"""The directory as a process runs it."""

import asyncio
from datetime import UTC, datetime

import pytest

from clarion.runtime.settings import MissingSetting, Settings
from clarion.runtime.timers import Timers
from clarion.services.directory.app import build


async def test_the_directory_is_a_service_that_listens_to_nobody(database_url):
    settings = Settings(
        _env_file=None, database_url=database_url, public_url="http://clarion.example", secret_key=("a secret",)
    )
    service = await build(settings)
    assert (service.name, list(service.subscriptions)) == ("directory", [])
    await service.close()


async def test_without_a_database_it_does_not_start():
    with pytest.raises(MissingSetting, match="CLARION_DATABASE_URL"):
        await build(Settings(_env_file=None, database_url=None))


async def test_the_service_tells_by_itself_what_a_day_changed(database_url, bring, published, until):
    await bring("cities", "ocd_id,name,member_until\nplace:a,Alder,2026-12-31\n")
    [before, _] = await published()
    settings = Settings(
        _env_file=None, database_url=database_url, public_url="http://clarion.example", secret_key=("a secret",)
    )
    service = await build(settings, lambda: datetime(2027, 1, 1, 18, 0, tzinfo=UTC))
    stopping = asyncio.Event()
    [timers] = [worker for worker in service.workers if isinstance(worker, Timers)]
    running = asyncio.create_task(timers.run(stopping))
    events = []

    async def told():
        events.extend(await published())
        return bool(events)

    try:
        await until(told)
    finally:
        stopping.set()
        await running
        await service.close()
    [after] = [event["data"] for event in events if event["key"] == "city:place:a"]
    assert (before["data"]["member"], after["member"], after["revision"]) == (True, False, 2)
