"""An event walks from one service's transaction to another's handler."""

import asyncio

from clarion.runtime.database import Database
from clarion.runtime.messaging import Subscription
from clarion.runtime.process import Running, Service, run_services
from clarion.runtime.settings import Settings
from tests.conftest import Until
from tests.runtime.messaging.conftest import ECHO, Bench, Ear, say


async def test_what_one_service_commits_another_handles(
    settings: Settings, echo: Database, bench: Bench, ear: Ear, until: Until
) -> None:
    stopping, ready = asyncio.Event(), asyncio.Event()
    listener = await Database.connect(settings.database_url or "", "listener")
    services = [
        Service("echo", await Database.connect(settings.database_url or "", "echo")),
        Service("listener", listener, [Subscription(ECHO, ear)]),
    ]
    running = Running()
    task = asyncio.create_task(run_services(services, settings, stopping=stopping, ready=ready.set, running=running))
    async with asyncio.timeout(30):
        await ready.wait()
    await say(echo, 1, 2, 3)
    await until(lambda: ear.batches)

    async def all_heard() -> bool:
        return await bench.heard() == [1, 2, 3]

    await until(all_heard)
    assert all(one.ready for one in running.health())
    stopping.set()
    await task
    assert await bench.committed(ECHO) == 3
