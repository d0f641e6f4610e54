"""The campaigns service on a database that these tests share, emptied before each."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from campaigns_world import World

from clarion.runtime.database import Database
from tests.conftest import TEMPLATE, with_database


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def campaigns_url(postgres_url: str) -> Iterator[str]:
    name = f"campaigns_{uuid.uuid4().hex[:16]}"
    asyncio.run(execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    yield with_database(postgres_url, name)
    asyncio.run(execute(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@pytest.fixture
async def world(campaigns_url: str) -> AsyncIterator[World]:
    database = await Database.connect(campaigns_url, "campaigns", max_size=4)
    world = World(database)
    try:
        await world.empty()
        yield world
    finally:
        await database.close()
