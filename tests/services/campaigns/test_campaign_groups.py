"""Groups and memberships as the directory tells them, by which audiences are drawn."""

from datetime import date

from clarion.schemas.directory import Group, Membership
from tests.services.campaigns.campaigns_world import World, city, official

KEPT = "SELECT member_kind, member, group_id, role_key, since, until FROM memberships ORDER BY 1, 2, 3, 4"
CHAIR = Membership(group="latino-caucus", role="Vice-Chair", since=date(2026, 1, 1), until=date(2027, 12, 31))
MEMBER = Membership(group="city-clerks")


async def kept(world: World) -> list[tuple[object, ...]]:
    async with world.database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(KEPT)]


async def test_memberships_are_kept_with_role_and_days_and_replaced_by_the_next_revision(world):
    await world.project(world.entity(official("a", "alder", "Mayor", memberships=[CHAIR, MEMBER])))
    await world.project(world.entity(city("alder", "north", memberships=[Membership(group="coastal-cities")])))
    assert await kept(world) == [
        ("city", "alder", "coastal-cities", "member", None, None),
        ("official", "a", "city-clerks", "member", None, None),
        ("official", "a", "latino-caucus", "vice chair", date(2026, 1, 1), date(2027, 12, 31)),
    ]
    await world.project(world.entity(official("a", "alder", "Mayor", revision=2, memberships=[MEMBER])))
    await world.project(world.entity(official("a", "alder", "Mayor", revision=1, memberships=[CHAIR, MEMBER])))
    assert [row[1:4] for row in await kept(world)] == [
        ("alder", "coastal-cities", "member"),
        ("a", "city-clerks", "member"),
    ]


async def test_who_is_erased_is_in_no_group(world):
    await world.project(world.entity(official("a", "alder", "Mayor", memberships=[MEMBER])))
    await world.project(world.tombstone("official", "a"))
    assert await kept(world) == []


async def test_a_group_is_kept_in_its_newest_revision(world):
    await world.project(world.entity(Group(id="g", revision=2, name="New", kind="task-force", open_to="everyone")))
    await world.project(world.entity(Group(id="g", revision=1, name="Old")))
    async with world.database.connection() as connection:
        assert tuple(await connection.fetchrow("SELECT id, name, kind, open_to, active FROM groups")) == (
            "g",
            "New",
            "task-force",
            "everyone",
            True,
        )
    await world.project(world.tombstone("group", "g"))
    async with world.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM groups") == 0
