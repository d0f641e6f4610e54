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

from clarion.runtime.database import Database, migrate
from clarion.runtime.embedded import KafkaServer, PostgresServer
from clarion.runtime.messaging.topics import ensure_topics
from clarion.runtime.settings import Settings
from tests.conftest import REPOSITORY, Until
from tests.runtime.messaging.conftest import ECHO, say

EVENTS = 3_000
PER_TRANSACTION = 100


@dataclass
class House:
    """Servers of this test's own, and settings that lead to them."""

    postgres: PostgresServer
    kafka: KafkaServer
    settings: Settings

    async def count(self, query: str) -> int:
        connection = await asyncpg.connect(self.postgres.url)
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()

    async def heard(self) -> int:
        return await self.count("SELECT count(*) FROM listener.heard")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    postgres = PostgresServer(tmp_path / "postgres", fsync=False)
    kafka = KafkaServer(tmp_path / "kafka", keep_records_for_ever=True)
    await postgres.start()
    await kafka.start()
    nowhere = tmp_path / "no-migrations"
    await migrate(postgres.url, ["echo", "listener"], folders={"echo": nowhere, "listener": nowhere})
    settings = Settings(
        _env_file=None, database_url=postgres.url, kafka_bootstrap=kafka.bootstrap, kafka_instance="echo-process"
    )
    await ensure_topics(settings, [ECHO])
    listener = await Database.connect(postgres.url, "listener")
    async with listener.connection() as connection:
        await connection.execute("CREATE TABLE heard (number integer)")
    await listener.close()
    yield House(postgres, kafka, settings)
    await kafka.stop()
    await postgres.remove()


@asynccontextmanager
async def echo_process(house: House) -> AsyncIterator[asyncio.subprocess.Process]:
    """The services in a process of their own."""
    environment = os.environ | {
        "CLARION_DATABASE_URL": house.postgres.url,
        "CLARION_KAFKA_BOOTSTRAP": house.kafka.bootstrap,
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
    echo = await Database.connect(house.postgres.url, "echo")
    start = 0
    while start < EVENTS:
        try:
            await say(echo, *range(start, start + PER_TRANSACTION), key=lambda number: f"k{number % 5}")
            start += PER_TRANSACTION
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
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
async def test_killing_the_process_loses_and_doubles_nothing(house: House, until: Until) -> None:
    speaking = asyncio.create_task(speak(house))
    for kills in range(1, 4):
        async with echo_process(house) as process:

            async def some(share: int = kills) -> bool:
                return await house.heard() >= EVENTS * share // 5

            await until(some, seconds=60)
            process.kill()
            await process.wait()
    await speaking
    async with echo_process(house):
        await check(house, until)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("victim", ["kafka", "postgres"])
async def test_killing_a_server_loses_and_doubles_nothing(victim: str, house: House, until: Until) -> None:
    server: KafkaServer | PostgresServer = getattr(house, victim)
    async with echo_process(house):
        speaking = asyncio.create_task(speak(house))
        for kills in range(1, 4):

            async def some(share: int = kills) -> bool:
                return await house.heard() >= EVENTS * share // 5

            await until(some, seconds=60)
            os.kill(server.pid, signal.SIGKILL)
            await server.wait_stopped()
            await server.start()
        await speaking
        await check(house, until)
