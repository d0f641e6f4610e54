"""What tests of amendments share."""

from typing import Any

from campaigns_world import IMPORTS, World

MOVED = "2027-04-22T09:30:00-07:00"
MAYOR = "a-mayor@alder.example"
CHIEF = "a-chief@alder.example"
ASSEMBLY = {"name": "Housing & Community Development", "chamber": "lower", "id": None}


def address(official_id: str) -> str:
    [found] = [each.email for each in IMPORTS["officials"] if each.id == official_id]
    return found


async def amend(world: World, revision: int = 2, **changes: Any) -> None:
    await world.hear(revision=revision, **changes)
    await world.fan_out()


async def standing(world: World) -> set[str]:
    return {row["official"] for row in await world.fetch("SELECT official FROM calls WHERE ended_at IS NULL")}


async def history(world: World) -> list[tuple[int, list[str]]]:
    rows = await world.fetch("SELECT revision, changed FROM told ORDER BY revision")
    return [(row["revision"], [each["key"] for each in row["changed"]]) for row in rows]
