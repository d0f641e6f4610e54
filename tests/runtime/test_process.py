"""Starting, watching and stopping services."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from clarion.runtime.beats import Life
from clarion.runtime.database import Database, migrate
from clarion.runtime.process import Running, Service, run_services
from clarion.runtime.settings import Settings
from clarion.runtime.supervision import Stage, supervise
from tests.conftest import Until


class Restless:
    """A worker that fails twice and then works."""

    name = "restless"

    def __init__(self) -> None:
        self.starts = 0
        self.ended = False

    async def run(self, stopping: asyncio.Event) -> None:
        self.starts += 1
        if self.starts < 3:
            raise LookupError
        await stopping.wait()
        self.ended = True


class Deaf:
    """A worker that does not stop by itself."""

    name = "deaf"

    def __init__(self) -> None:
        self.cancelled = False

    async def run(self, _stopping: asyncio.Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled = True


@pytest.fixture
async def database(database_url: str, tmp_path: Path) -> Database:
    """Of a service called probe; run_services closes it."""
    await migrate(database_url, ["probe"], folders={"probe": tmp_path})
    return await Database.connect(database_url, "probe")


@asynccontextmanager
async def running(services: list[Service], settings: Settings, **options: object) -> AsyncIterator[Running]:
    stopping, ready, board = asyncio.Event(), asyncio.Event(), Running()
    task = asyncio.create_task(
        run_services(services, settings, stopping=stopping, ready=ready.set, running=board, **options)  # type: ignore[arg-type]
    )
    async with asyncio.timeout(20):
        await ready.wait()
    yield board
    stopping.set()
    async with asyncio.timeout(20):
        await task


async def test_a_worker_that_raises_is_started_again(settings: Settings, database: Database, until: Until) -> None:
    worker = Restless()
    async with running([Service("probe", database, workers=[worker])], settings):
        await until(lambda: worker.starts == 3)
    assert worker.ended


async def test_a_worker_that_does_not_stop_is_cancelled_after_the_drain_time(
    settings: Settings, database: Database
) -> None:
    worker = Deaf()
    async with running([Service("probe", database, workers=[worker])], settings, drain_seconds=0.1):
        pass
    assert worker.cancelled


async def test_what_a_service_opened_is_closed_last_opened_first(settings: Settings, database: Database) -> None:
    closed: list[str] = []

    async def close_first() -> None:
        closed.append("first")

    async def close_second() -> None:
        closed.append("second")

    async with running([Service("probe", database, opened=[close_first, close_second])], settings) as board:
        (health,) = board.health()
        assert health.ready
        assert closed == []
    assert closed == ["second", "first"]


async def test_services_start_before_kafka_is_there(settings: Settings, database: Database) -> None:
    nowhere = settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    async with running([Service("probe", database)], nowhere, drain_seconds=0.5) as board:
        assert not board.health()[0].relay_leads


async def test_a_supervised_task_that_returns_is_started_again_until_the_end(until: Until) -> None:
    starts: list[int] = []

    async def run(_stopping: asyncio.Event) -> None:
        starts.append(1)

    stage = Stage()
    stage.start("returns", run)
    await until(lambda: len(starts) == 2)
    await stage.end(1)
    stopping = asyncio.Event()
    stopping.set()
    await supervise(Life("never"), run, stopping)
    assert len(starts) == 2
