"""`kill -9` of the process, of Kafka and of PostgreSQL: afterwards every event was handled once."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from clarion.runtime.database import Database, migrate, open_database
from clarion.runtime.embedded import KafkaServer, PostgresServer
from clarion.runtime.messaging.topics import ensure_topics
from clarion.runtime.settings import Settings
from tests.conftest import REPOSITORY, Until
from tests.runtime.messaging.conftest import ECHO, say
from tests.servers import Kind, own_server

EVENTS = 3_000
PER_TRANSACTION = 100


@dataclass
class House:
    """Settings that lead to the servers, and the server that is the house's own."""

    settings: Settings
    server: KafkaServer | PostgresServer | None

    @property
    def url(self) -> str:
        return self.settings.database_url or ""

    async def count(self, query: str) -> int:
        connection = await asyncpg.connect(self.url)
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()

    async def heard(self) -> int:
        return await self.count("SELECT count(*) FROM listener.heard")


@asynccontextmanager
async def housed(settings: Settings, folder: Path, own: Kind | None) -> AsyncIterator[House]:
    """A house on the run's servers, but for the one that is to be its own."""
    async with own_server(own, folder) as server:
        here = {"kafka_instance": "echo-process"}
        if isinstance(server, KafkaServer):
            here["kafka_bootstrap"] = server.bootstrap
        if isinstance(server, PostgresServer):
            here["database_url"] = server.url
            nowhere = folder / "no-migrations"
            await migrate(server.url, ["echo", "listener"], folders={"echo": nowhere, "listener": nowhere})
        house = House(settings.model_copy(update=here), server)
        await ensure_topics(house.settings, [ECHO])
        async with open_database(house.settings, "listener") as listener, listener.connection() as connection:
            await connection.execute("CREATE TABLE heard (number integer)")
        yield house


@asynccontextmanager
async def echo_process(house: House) -> AsyncIterator[asyncio.subprocess.Process]:
    """The services in a process of their own."""
    environment = os.environ | {
        "CLARION_DATABASE_URL": house.url,
        "CLARION_KAFKA_BOOTSTRAP": house.settings.kafka_bootstrap or "",
        "CLARION_KAFKA_PREFIX": house.settings.kafka_prefix,
        "CLARION_KAFKA_INSTANCE": "echo-process",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.runtime.messaging.echo_process", cwd=REPOSITORY, env=environment
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            await process.wait()


async def speak(house: House) -> None:
    """Enqueue all events, waiting out a database that is away."""
    echo = await Database.connect(house.url, "echo")
    start = 0
    while start < EVENTS:
        try:
            await say(echo, *range(start, start + PER_TRANSACTION), key=lambda number: f"k{number % 5}")
            start += PER_TRANSACTION
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            await asyncio.sleep(0.05)
            # The commit may have come through before the answer was lost.
            start = await house.count("SELECT count(*) FROM echo.outbox") if await is_up(house) else start
    await echo.close()


async def is_up(house: House) -> bool:
    try:
        await house.count("SELECT 1")
    except (OSError, asyncpg.PostgresError):
        return False
    return True


async def check(house: House, until: Until) -> None:
    async def all_heard() -> bool:
        return await house.heard() >= EVENTS

    await until(all_heard, seconds=60)
    assert await house.heard() == await house.count("SELECT count(DISTINCT number) FROM listener.heard") == EVENTS
    assert await house.count("SELECT count(*) FROM listener.dead_letters") == 0


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_killing_the_process_loses_and_doubles_nothing(settings: Settings, tmp_path: Path, until: Until) -> None:
    async with housed(settings, tmp_path, None) as house:
        speaking = asyncio.create_task(speak(house))
        for kills in range(1, 4):
            async with echo_process(house) as process:
                await until(lambda share=kills: has_heard(house, share), seconds=60)
                process.kill()
                await process.wait()
        await speaking
        async with echo_process(house):
            await check(house, until)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("victim", ["kafka", "postgres"])
async def test_killing_a_server_loses_and_doubles_nothing(
    victim: Kind, settings: Settings, tmp_path: Path, until: Until
) -> None:
    async with housed(settings, tmp_path, victim) as house, echo_process(house):
        assert house.server is not None
        speaking = asyncio.create_task(speak(house))
        for kills in range(1, 4):
            await until(lambda share=kills: has_heard(house, share), seconds=60)
            os.kill(house.server.pid, signal.SIGKILL)
            await house.server.wait_stopped()
            await house.server.start()
        await speaking
        await check(house, until)


async def has_heard(house: House, fifths: int) -> bool:
    """Whether so many fifths of all events were heard."""
    return await house.heard() >= EVENTS * fifths // 5
