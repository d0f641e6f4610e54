"""What a watch notices: work that ended or fell silent, positions that do not move, servers that are away."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from clarion.runtime.beats import beat
from clarion.runtime.database import Connection, Database, Transaction
from clarion.runtime.messaging import Received, Subscription
from clarion.runtime.messaging.topics import ensure_topics, wait_for_groups
from clarion.runtime.process import Running, Service, run_services
from clarion.runtime.readings import Reading
from clarion.runtime.settings import Settings
from clarion.runtime.watch import Watch
from clarion.services.health import health_app
from tests.conftest import Until
from tests.runtime.messaging.conftest import ECHO, Bench, said

PATIENCE = 1.5


@dataclass
class Labourer:
    """A worker that beats until it is told to hang or to end."""

    name: str = "labourer"
    hangs: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set() and not self.hangs.is_set():
            beat("hands")
            await asyncio.sleep(0.01)
        await stopping.wait()


@dataclass
class Here:
    """A process under a watch that looks when the test says so."""

    watch: Watch
    app: FastAPI

    async def ask(self, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://clarion.example") as client:
            return await client.get(path)

    async def why(self, path: str = "/healthz") -> str:
        """What is wrong, in one text."""
        await self.watch.look()
        return (await self.ask(path)).text

    async def well(self, path: str = "/healthz") -> bool:
        await self.watch.look()
        return (await self.ask(path)).status_code == 200


@asynccontextmanager
async def process(service: Service, settings: Settings, patience: float = PATIENCE) -> AsyncIterator[Here]:
    """The service at work."""
    await ensure_topics(settings, [ECHO])
    await wait_for_groups(settings)
    stopping, ready, running = asyncio.Event(), asyncio.Event(), Running(patience=patience)
    task = asyncio.create_task(
        run_services([service], settings, stopping=stopping, ready=ready.set, running=running, drain_seconds=0.2)
    )
    async with asyncio.timeout(20):
        await ready.wait()
    watch = Watch(running, settings, [service])
    try:
        yield Here(watch, health_app(watch))
    finally:
        stopping.set()
        await task
        # Once stopped it looks no more, but takes itself off the list and closes its connections.
        await watch.run(stopping)


async def heard(_tx: Transaction, _events: Sequence[Received[Any]]) -> None:
    """Nothing is to be done."""


async def test_a_process_that_works_is_alive_and_ready(settings: Settings, listener: Database) -> None:
    service = Service("listener", listener, [Subscription(ECHO, heard)], [Labourer()])
    async with process(service, settings, patience=60) as here:
        assert (await here.ask("/readyz")).status_code == 503, "nobody has looked yet"
        assert await here.well("/healthz"), await here.why()
        assert await here.well("/readyz"), await here.why("/readyz")
        assert (await here.ask("/readyz")).json()["services"][0]["assigned"] == {ECHO.name: 1}


async def test_a_worker_that_hangs_is_noticed_and_named(settings: Settings, listener: Database, until: Until) -> None:
    labourer = Labourer()
    async with process(Service("listener", listener, workers=[labourer]), settings) as here:
        assert await here.well()
        labourer.hangs.set()
        await until(lambda: not_well(here))
        assert "listener.labourer (hands) has been silent" in await here.why()


async def not_well(here: Here) -> bool:
    return not await here.well()


async def test_a_worker_that_ended_is_noticed(settings: Settings, listener: Database, until: Until) -> None:
    async with process(Service("listener", listener, workers=[Labourer()]), settings, patience=60) as here:
        (task,) = [one for one in asyncio.all_tasks() if one.get_name() == "listener.labourer"]
        task.cancel()
        await until(task.done)
        assert "listener.labourer has ended" in await here.why()


async def test_a_handler_that_never_comes_back_is_noticed(
    settings: Settings, listener: Database, bench: Bench, until: Until
) -> None:
    released = asyncio.Event()

    async def hang(_tx: Transaction, _events: Sequence[Received[Any]]) -> None:
        await released.wait()

    service = Service("listener", listener, [Subscription(ECHO, hang)])
    async with process(service, settings) as here:
        await bench.put(ECHO, said(1))
        await until(lambda: not_well(here))
        why = await here.why()
        released.set()
        assert "the consumer of echo.said.v1 has been stuck" in why


async def test_a_position_that_does_not_move_while_there_is_something_to_read_is_noticed(
    settings: Settings, listener: Database, bench: Bench, until: Until
) -> None:
    async def fail_for_ever(_tx: Transaction, _events: Sequence[Received[Any]]) -> None:
        # What counts as the database's doing: the batch is given back each time.
        raise TimeoutError

    service = Service("listener", listener, [Subscription(ECHO, fail_for_ever)])
    async with process(service, settings, patience=2.0) as here:
        assert await here.well()
        await bench.put(ECHO, said(1))
        await until(lambda: not_well(here), 30)
        assert "has not moved" in await here.why()
        assert here.watch.standings["listener", ECHO.name].lag == 1


async def test_who_waits_for_the_database_is_not_restarted_but_takes_no_part(
    settings: Settings, listener: Database, until: Until
) -> None:
    labourer = Labourer()
    async with process(Service("listener", listener, workers=[labourer]), settings) as here:
        labourer.hangs.set()
        here.watch.settings = settings.model_copy(update={"database_url": "postgresql://clarion@127.0.0.1:1/away"})
        await here.watch._hang_up()
        gone_at = time.monotonic()
        while time.monotonic() < gone_at + 2 * PATIENCE:
            assert await here.well(), "its silence is the database's"
        assert "the database does not answer" in await here.why("/readyz")
        here.watch.settings = settings
        await until(lambda: not_well(here))


async def test_who_lacks_migrations_takes_no_part(settings: Settings) -> None:
    directory = await Database.connect(str(settings.database_url), "directory")
    async with process(Service("directory", directory), settings, patience=60) as here:
        connection = await asyncpg.connect(settings.database_url)
        await connection.execute("DELETE FROM clarion.migrations WHERE schema = 'directory'")
        await connection.close()
        assert await here.well("/healthz")
        assert "run clarion migrate" in await here.why("/readyz")


async def test_each_process_says_how_it_is_doing_until_it_ends(settings: Settings, listener: Database) -> None:
    async with process(Service("listener", listener, workers=[Labourer()]), settings, patience=60) as here:
        await here.watch.look()
        connection = await asyncpg.connect(settings.database_url)
        row = await connection.fetchrow("SELECT services, report::text FROM clarion.processes")
        assert row
        assert row["services"] == ["listener"]
        assert "listener.labourer" in row["report"]
    assert await connection.fetchval("SELECT count(*) FROM clarion.processes") == 0
    await connection.close()


async def test_figures_that_cannot_be_read_do_not_make_a_process_unwell(settings: Settings, listener: Database) -> None:
    async def look(_connection: Connection) -> list[Reading]:
        raise LookupError

    async with process(Service("listener", listener, look=look), settings, patience=60) as here:
        assert await here.well("/readyz")
        figures = (await here.ask("/metrics")).text
    assert 'clarion_outbox_waiting_messages{service="listener"} 0.0' in figures
