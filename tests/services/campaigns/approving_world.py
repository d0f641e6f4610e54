"""What tests of approval share: who decides, and the waves of the fictional state."""

from typing import Any

import asyncpg
from campaigns_world import World

from clarion.runtime.ids import new_id
from clarion.runtime.staff.audit import Actor
from clarion.runtime.staff.rights import Role, Staff
from clarion.services.campaigns.approving import operations as waves
from clarion.services.campaigns.approving.operations import Approver, WaveDetails

EAST_BAY = {"a-mayor", "a-chief"}
PENINSULA = {"b-member", "b-manager"}
COMMAND = Approver(Actor("command", "op", "op", "here"))


async def drafted(world: World, **changes: Any) -> str:
    """A campaign that waits for the approval of its waves."""
    await world.launch(launch="approval", **changes)
    return str((await world.campaign())["id"])


async def account(world: World, role: Role = Role.MANAGER, *, manages: str = "", deputy_in: str = "") -> Approver:
    """Somebody of staff with an account."""
    key = new_id()
    connection = await asyncpg.connect(world.database.url)
    try:
        await connection.execute(
            "INSERT INTO clarion.staff (id, email, name, role, added_at) VALUES ($1, $2, $3, $4, now())",
            key,
            f"{key}@staff.example",
            f"Staff {key[:6]}",
            str(role),
        )
        for division, what in [
            *((one, "manager") for one in manages.split()),
            *((one, "deputy") for one in deputy_in.split()),
        ]:
            await connection.execute("INSERT INTO clarion.staff_divisions VALUES ($1, $2, $3)", key, division, what)
    finally:
        await connection.close()
    staff = Staff(
        key, f"Staff {key[:6]}", f"{key}@staff.example", role, frozenset(manages.split()), frozenset(deputy_in.split())
    )
    return Approver(Actor("staff", key, staff.name, "192.0.2.7"), staff)


async def no_staff(world: World) -> None:
    connection = await asyncpg.connect(world.database.url)
    try:
        await connection.execute("DELETE FROM clarion.staff")
    finally:
        await connection.close()


async def shown(world: World, campaign: str, division: str = "east-bay") -> WaveDetails:
    async with world.database.connection() as connection:
        found = await waves.show_wave(connection, campaign, division, world.now)
    assert found is not None
    return found


async def state(world: World, campaign: str, division: str = "east-bay") -> str:
    return (await shown(world, campaign, division)).state


async def approve(
    world: World, campaign: str, division: str = "east-bay", who: Approver = COMMAND, look: str | None = None
) -> None:
    async with world.database.transaction() as tx:
        await waves.approve(tx, who, campaign, division, look=look, now=world.now)


async def reject(
    world: World, campaign: str, division: str = "east-bay", who: Approver = COMMAND, reason: str = "Not ours."
) -> None:
    async with world.database.transaction() as tx:
        await waves.reject(tx, who, campaign, division, reason=reason, now=world.now)


async def stop(
    world: World, campaign: str, division: str = "east-bay", who: Approver = COMMAND, reason: str = "A deal was made."
) -> None:
    async with world.database.transaction() as tx:
        await waves.stop(tx, who, campaign, division, reason=reason, now=world.now)


async def leave_out(world: World, campaign: str, official: str, division: str = "east-bay", **changes: Any) -> None:
    async with world.database.transaction() as tx:
        fields = {"reason": "She asked for it.", "now": world.now} | changes
        await waves.leave_out(tx, COMMAND, campaign, division, official, **fields)


async def add(world: World, campaign: str, official: str, division: str = "east-bay", **changes: Any) -> None:
    async with world.database.transaction() as tx:
        fields = {"reason": "Knows the street.", "asks": ["letter"], "now": world.now} | changes
        await waves.add(tx, COMMAND, campaign, division, official, **fields)


async def undo(world: World, campaign: str, official: str, division: str = "east-bay") -> None:
    async with world.database.transaction() as tx:
        await waves.undo_choice(tx, COMMAND, campaign, division, official, now=world.now)


async def write(world: World, campaign: str, text: str, division: str = "east-bay") -> None:
    async with world.database.transaction() as tx:
        await waves.write_paragraph(tx, COMMAND, campaign, division, text, world.now)


async def acts(world: World) -> list[tuple[str, list[str], dict[str, Any]]]:
    """What was recorded, the newest first."""
    rows = await world.fetch("SELECT act, divisions, details FROM clarion.audit ORDER BY id DESC LIMIT 20")
    return [(row["act"], row["divisions"], row["details"]) for row in rows]
