"""What tests of positions share."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from campaigns_world import World, make_position
from test_campaign_agenda import ACTOR

from clarion.runtime.database import Connection
from clarion.runtime.database.pool import connect
from clarion.services.campaigns.domain.model import Position
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.positions import story
from clarion.services.campaigns.positions.operations import (
    Adoption,
    adopt,
    withdraw,
)
from clarion.services.campaigns.positions.repository import Place, Wanted
from clarion.services.campaigns.positions.subjects import subject_key

SB_79 = Place(CALIFORNIA, "20272028", "SB79")
WITH_TWO = [{"bill": "SB 79", "title": None, "author": None}, {"bill": "SB 80", "title": None, "author": None}]
RULES = {"subject": "regulation", "session": "", "bill": "Packaging rules", "ask": "Say what it costs"}
MEASURE = {"subject": "measure", "session": "", "bill": "Proposition 5", "ask": "", "launch": "approval"}


def on(subject: dict[str, str], **changes: Any) -> Position:
    """A position on something that is no bill."""
    key = subject_key(subject["subject"], subject["bill"])  # type: ignore[arg-type]
    return replace(make_position(), **{**subject, "bill_key": key, **changes})


async def adopted(world: World, position: Position, **how: Any) -> Adoption:
    async with world.database.transaction() as tx:
        return await adopt(tx, ACTOR, position, world.clock, **how)


async def withdrawn(world: World, place: Place = SB_79, reason: str = "Amended as cities asked") -> Adoption:
    async with world.database.transaction() as tx:
        return await withdraw(tx, ACTOR, place, reason, world.clock)


@contextlib.asynccontextmanager
async def keeper(world: World) -> AsyncIterator[Connection]:
    """As the service that keeps accounts."""
    connection = await connect(world.database.url, "directory")
    yield connection
    await connection.close()


async def told_story(world: World, name: str = "SB 79") -> dict[str, Any]:
    async with world.database.connection() as connection:
        found = await story.story_named(connection, name, None, None, world.now)
    assert found
    return found


async def listed(world: World, **wanted: Any) -> list[str]:
    async with world.database.connection() as connection:
        return [each["bill"] for each in await story.listed(connection, Wanted(**wanted))]
