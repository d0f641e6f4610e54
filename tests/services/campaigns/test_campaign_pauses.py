"""A campaign or a wave of it is paused and resumed: who was not asked waits, who was is kept up to date meanwhile."""

from typing import Any

import pytest
from campaigns_world import ASKED, World

from clarion.schemas.messages import Pause
from clarion.services.campaigns.pausing import NotToBePaused, pause, pauses_of, resume

ROOM = {"name": "Room 4202"}


async def paused(world: World, division: str | None = None) -> list[Pause]:
    async with world.database.transaction() as tx:
        return await pause(tx, (await world.campaign())["id"], division, world.now)


async def resumed(world: World, division: str | None = None) -> list[Pause]:
    async with world.database.transaction() as tx:
        return await resume(tx, (await world.campaign())["id"], division, world.now)


async def told(world: World) -> list[tuple[str | None, int, bool]]:
    """The pauses that were sent to the ledger."""
    return [(one["wave"], one["revision"], one["paused"]) for one in await world.batches() if "paused" in one]


async def batches(world: World) -> list[dict[str, Any]]:
    return [one for one in await world.batches() if "paused" not in one]


async def test_each_pause_and_resumption_is_told_once_with_its_revision(world: World) -> None:
    await world.launch()
    for _ in range(2):
        assert [one.revision for one in await paused(world, "peninsula")] == [1]
    for _ in range(2):
        assert [(one.revision, one.paused) for one in await resumed(world, "peninsula")] == [(2, False)]
    await paused(world, "peninsula")
    assert await told(world) == [("peninsula", 1, True), ("peninsula", 2, False), ("peninsula", 3, True)]
    rows = await world.fetch("SELECT key FROM outbox ORDER BY id DESC LIMIT 3")
    assert {bytes(row["key"]).decode() for row in rows} == {f"{(await world.campaign())['id']}/pauses"}


async def test_resuming_the_whole_resumes_its_waves_too(world: World) -> None:
    await world.launch()
    await paused(world)
    await paused(world, "peninsula")
    with pytest.raises(NotToBePaused, match="the whole campaign is paused"):
        await resumed(world, "peninsula")
    await resumed(world)
    async with world.database.connection() as connection:
        known = await pauses_of(connection, (await world.campaign())["id"])
    assert {one: each.paused for one, each in known.items()} == {None: False, "peninsula": False}
    assert await resumed(world, "east-bay") == []


async def test_what_is_no_wave_cannot_be_paused(world: World) -> None:
    await world.launch()
    with pytest.raises(NotToBePaused, match="no division 'nowhere' in it; there are: east-bay, peninsula"):
        await paused(world, "nowhere")
    async with world.database.transaction() as tx:
        with pytest.raises(NotToBePaused, match="no campaign none"):
            await pause(tx, "none", None, world.now)


async def test_a_batch_names_its_wave(world: World) -> None:
    await world.launch()
    assert {one["wave"] for one in await batches(world)} == {"east-bay", "peninsula", ""}


async def test_who_was_not_asked_waits_while_the_wave_is_paused_and_gets_the_newest_state_then(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear()
    await paused(world)
    await world.fan_out()
    assert await batches(world) == []
    await world.hear(revision=2, location=ROOM)
    await world.fan_out()
    await resumed(world)
    await world.fan_out()
    assert {one["revision"] for one in await batches(world)} == {2}
    assert await world.called() == ASKED


async def test_who_was_asked_is_amended_while_the_wave_is_paused(world: World) -> None:
    await world.launch()
    await paused(world)
    await world.hear(revision=2, location=ROOM)
    await world.fan_out()
    assert {one["revision"] for one in await batches(world)} == {1, 2}
