"""Audiences of whole cities are counted by heads that are kept beside the officials, and the count is exact."""

import random

import pytest
from campaigns_world import World, official

from clarion.schemas.roles import LETTER_ROLES
from clarion.services.campaigns.repository import QUERIES

HEADS = "SELECT city, role_keys, testifies, officials FROM headcounts WHERE officials <> 0 ORDER BY 1, 2, 3"
COUNTED = """SELECT city, role_keys, testifies, count(*)::integer FROM officials WHERE active
GROUP BY city, role_keys, testifies ORDER BY 1, 2, 3"""
WAVES = "SELECT division, officials FROM waves ORDER BY division"
LOOKED_AT = """SELECT coalesce(c.division, ''), count(a.official)::integer
FROM (SELECT DISTINCT division FROM campaign_cities) AS c
LEFT JOIN audience_of($1, $2, $3) AS a ON a.division IS NOT DISTINCT FROM c.division AND (a.writes OR a.speaks)
GROUP BY 1 ORDER BY 1"""
CITIES = ("alder", "birch", "dell", "elm")
ROLES = ([], ["Mayor"], ["Fire Chief"], ["Mayor", "Fire Chief"], ["City Clerk"], ["Commissioner " + "x" * 150] * 30)


async def same(world: World, query: str, other: str) -> bool:
    return [tuple(row) for row in await world.fetch(query)] == [tuple(row) for row in await world.fetch(other)]


@pytest.mark.parametrize("seed", range(3))
async def test_heads_are_counted_whatever_becomes_of_officials(world: World, seed: int) -> None:
    chance = random.Random(seed)
    for revision in range(1, 13):
        events = [
            world.tombstone("official", f"o{number}")
            if chance.random() < 0.2
            else world.entity(
                official(
                    f"o{number}",
                    chance.choice(CITIES),
                    *chance.choice(ROLES),
                    address="one@city.example",
                    testifies=chance.random() < 0.5,
                    active=chance.random() < 0.8,
                    revision=chance.choice((revision, revision, 1)),
                )
            )
            for number in chance.sample(range(60), 25)
        ]
        await world.project(*events)
        assert await same(world, HEADS, COUNTED)
    assert await world.fetch(HEADS)


async def planned_anew(world: World, *, heard: bool, roles: list[str] | None) -> tuple[list[object], list[object]]:
    """The waves as they are planned, and as they are when everybody is looked at."""
    campaign = (await world.campaign())["id"]
    async with world.database.connection() as connection:
        await connection.execute("DELETE FROM waves")
        await QUERIES.plan_waves(connection, campaign=campaign, heard=heard, letter_roles=roles)
    looked_at = await world.fetch(LOOKED_AT, campaign, heard, roles)
    return [tuple(row) for row in await world.fetch(WAVES)], [tuple(row) for row in looked_at]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("roles", [sorted(LETTER_ROLES), None])
async def test_a_wave_counts_whom_it_asks(world: World, seed: int, heard: bool, roles: list[str] | None) -> None:
    chance = random.Random(seed)
    people = [
        official(
            f"o{number}",
            chance.choice(CITIES),
            *chance.choice(ROLES),
            testifies=chance.random() < 0.5,
            active=chance.random() < 0.8,
        )
        for number in range(120)
    ]
    await world.import_all(officials=people)
    await world.adopt()
    await world.hear()
    plain, looked_at = await planned_anew(world, heard=heard, roles=roles)
    assert plain == looked_at
    assert sum(officials for _, officials in plain) > 10  # type: ignore[misc]
    await world.fetch("UPDATE campaign_cities SET whole = city = 'alder'")
    for one in chance.sample(people, 40):
        await world.fetch(
            "INSERT INTO campaign_people SELECT id, $1, $2, '[]' FROM campaigns", one.id, chance.random() < 0.7
        )
    for one in chance.sample(people, 40):
        await world.fetch(
            "INSERT INTO choices SELECT id, $1, $2, $3, 'why', 'who', now() FROM campaigns",
            one.id,
            chance.random() < 0.5,
            chance.choice(([], ["letter"], ["testimony"], ["letter", "testimony"])),
        )
    chosen, looked_at = await planned_anew(world, heard=heard, roles=roles)
    assert chosen == looked_at
    assert chosen != plain


async def test_whole_cities_are_not_looked_at_one_by_one(world: World) -> None:
    await world.import_all()
    await world.fetch("UPDATE headcounts SET officials = 1000000 WHERE city = 'alder' AND 'mayor' = ANY (role_keys)")
    await world.adopt()
    await world.hear()
    assert (await world.campaign())["officials"] == 1_000_004
