"""A launched campaign follows the directory: who joins is called, who left or moved on is not told any more."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from campaigns_world import ASKED, IMPORTS, NOW, World, city, committee, district, official

from clarion.services.campaigns.fanout import Review

MAYOR = "a-mayor@alder.example"
ROOM = {"name": "Room 4202"}


async def change(world: World, *entities: Any) -> None:
    await world.project(*(world.entity(each) for each in entities))
    await world.quiet_directory()


def changed(official_id: str, **changes: Any) -> Any:
    [found] = [each for each in IMPORTS["officials"] if each.id == official_id]
    return type(found).model_validate(found.model_dump() | {"revision": 2} | changes)


async def revisions(world: World, address: str) -> list[tuple[int, str]]:
    told = await world.told_to(address)
    return [(each.revision, "withdrawn" if each.recipient is None else "asked") for each in told]


async def standing(world: World) -> set[str]:
    return {row["official"] for row in await world.fetch("SELECT official FROM calls WHERE ended_at IS NULL")}


async def test_who_joins_gets_the_call_at_the_revision_in_force_and_nobody_else_anything(world: World) -> None:
    await world.launch()
    await world.hear(revision=2, location=ROOM)
    await world.fan_out()
    before = len(await world.batches())
    await change(world, official("new", "alder", "Mayor"))
    assert await revisions(world, "new@alder.example") == [(2, "asked")]
    assert len(await world.batches()) == before + 1
    campaign = await world.campaign()
    assert (campaign["told_revision"], campaign["officials"]) == (2, len(ASKED) + 1)


async def test_the_directory_is_looked_at_once_it_is_quiet(world: World) -> None:
    await world.launch()
    await world.quiet_directory()
    await world.project(world.entity(official("one", "alder", "Mayor")))
    await world.review()
    assert "one" not in await world.called()
    world.later(seconds=1.5)
    await world.project(world.entity(official("two", "alder", "Mayor")))
    world.later(seconds=1)
    await world.review()
    await world.fan_out()
    assert "one" not in await world.called()
    await world.quiet_directory()
    assert await world.called() == ASKED | {"one", "two"}


async def test_a_directory_that_is_never_quiet_is_looked_at_all_the_same(world: World) -> None:
    await world.launch()
    await world.quiet_directory()
    for number in range(31):
        await world.project(world.entity(official(f"o{number}", "alder", "Mayor")))
        world.later(seconds=1)
        await world.review()
    await world.fan_out()
    assert "o0" in await world.called()


async def test_who_becomes_someone_to_ask_is_called(world: World) -> None:
    await world.launch()
    await change(world, changed("a-clerk", roles=["City Manager"]))
    assert await revisions(world, "a-clerk@alder.example") == [(1, "asked")]


async def test_who_is_no_one_to_ask_any_more_is_withdrawn(world: World) -> None:
    await world.launch()
    await change(world, changed("a-mayor", roles=["City Clerk"]))
    assert await revisions(world, MAYOR) == [(1, "asked"), (2, "withdrawn")]
    assert (await world.told_to(MAYOR))[-1].body["reason"] == "It no longer concerns your city or your office."
    assert await revisions(world, "a-chief@alder.example") == [(1, "asked")]
    assert await standing(world) == ASKED - {"a-mayor"}
    await change(world, changed("a-mayor", revision=3))
    assert await revisions(world, MAYOR) == [(1, "asked"), (2, "withdrawn"), (3, "asked")]


async def test_who_left_is_told_nothing_more_and_who_comes_back_is(world: World) -> None:
    await world.launch()
    await change(world, changed("a-mayor", active=False))
    await world.hear(revision=2, location=ROOM)
    await world.fan_out()
    assert await revisions(world, MAYOR) == [(1, "asked")]
    assert await standing(world) == ASKED - {"a-mayor"}
    await change(world, changed("a-mayor", revision=3))
    assert await revisions(world, MAYOR) == [(1, "asked"), (2, "asked")]


async def test_who_comes_back_at_once_is_asked_at_a_new_revision(world: World) -> None:
    await world.launch()
    await change(world, changed("a-mayor", active=False))
    await change(world, changed("a-mayor", revision=3))
    assert await revisions(world, MAYOR) == [(1, "asked"), (2, "asked")]


async def test_who_is_erased_is_told_nothing_more(world: World) -> None:
    await world.launch()
    await world.project(world.tombstone("official", "a-mayor"))
    await world.quiet_directory()
    assert await revisions(world, MAYOR) == [(1, "asked")]
    assert await standing(world) == ASKED - {"a-mayor"}


async def test_a_changed_mailbox_gets_a_fresh_call_and_the_old_one_is_withdrawn(world: World) -> None:
    await world.launch()
    moved = official("a-mayor", "alder", "Mayor", address="new@alder.example", revision=2)
    await change(world, moved)
    assert await revisions(world, MAYOR) == [(1, "asked"), (2, "withdrawn")]
    assert await revisions(world, "new@alder.example") == [(2, "asked")]
    assert await standing(world) == ASKED
    await world.hear(revision=2, location=ROOM)
    await world.fan_out()
    assert await revisions(world, "new@alder.example") == [(2, "asked"), (3, "asked")]
    assert await revisions(world, MAYOR) == [(1, "asked"), (2, "withdrawn")]


async def test_a_mailbox_that_someone_else_still_reads_is_not_withdrawn(world: World) -> None:
    shared = "both@alder.example"
    people = [official("one", "alder", "Mayor", address=shared), official("two", "alder", "Mayor", address=shared)]
    await world.import_all(officials=people)
    await world.adopt()
    await world.hear()
    await world.fan_out()
    await change(world, official("one", "alder", "Mayor", address="one@alder.example", revision=2))
    assert await revisions(world, shared) == [(1, "asked")]
    assert await revisions(world, "one@alder.example") == [(1, "asked")]
    await world.hear(revision=2, location=ROOM)
    await world.fan_out()
    last = (await world.told_to(shared))[-1]
    assert last.recipient
    assert (last.revision, last.recipient["officials"]) == (2, ["two"])


async def test_who_joins_a_mailbox_that_was_told_is_named_at_a_new_revision(world: World) -> None:
    await world.launch()
    await change(world, official("new", "alder", "Mayor", address=MAYOR))
    last = (await world.told_to(MAYOR))[-1]
    assert last.recipient
    assert (last.revision, last.recipient["officials"]) == (2, ["a-mayor", "new"])
    assert await revisions(world, "a-chief@alder.example") == [(1, "asked")]


async def test_a_city_that_gets_into_the_district_is_called_and_one_that_gets_out_is_withdrawn(world: World) -> None:
    await world.launch()
    seven = district("upper:7", birch=0.004, dell=1.0, elm=0.5).model_copy(update={"revision": 2})
    await world.project(*world.import_records("districts", [seven])[:-1])
    await world.project(world.marker("districts", "i2", NOW + timedelta(1)))
    await world.quiet_directory()
    assert await revisions(world, "e-mayor@elm.example") == [(2, "asked")]
    assert await revisions(world, MAYOR) == [(1, "asked"), (2, "withdrawn")]
    assert await revisions(world, "b-member@birch.example") == [(1, "asked")]
    assert await standing(world) == {"b-member", "b-manager", "d-mayor", "e-mayor"}


async def test_a_city_that_becomes_a_member_is_called(world: World) -> None:
    await world.launch()
    await change(world, city("cedar", "peninsula", revision=2))
    assert await revisions(world, "c-mayor@cedar.example") == [(1, "asked")]


async def test_a_city_that_changes_its_division_is_not_told_again(world: World) -> None:
    await world.launch()
    await change(world, city("alder", "peninsula", revision=2))
    assert await revisions(world, MAYOR) == [(1, "asked")]
    rows = await world.fetch("SELECT DISTINCT division FROM calls WHERE city = 'alder'")
    assert [row["division"] for row in rows] == ["peninsula"]
    await world.hear(revision=2, location=ROOM)
    await world.fan_out()
    assert (await world.told_to(MAYOR))[-1].body["content"]["division"] == "Peninsula"


async def test_a_new_member_of_the_committee_calls_the_district(world: World) -> None:
    await world.launch()
    eleven, seven, three = IMPORTS["legislators"][1], IMPORTS["legislators"][0], IMPORTS["legislators"][2]
    housing = committee(
        "ocd-organization/housing",
        "Housing",
        "upper",
        (eleven, "member"),
        (seven, "chair"),
        (three, "member"),
        phone="916-555-0100",
        revision=2,
    )
    await change(world, housing)
    assert await revisions(world, "e-mayor@elm.example") == [(1, "asked")]
    assert await revisions(world, MAYOR) == [(1, "asked")]


async def test_half_a_directory_changes_nobody_and_is_looked_at_when_it_is_whole(world: World) -> None:
    await world.launch()
    broken = world.record("directory.entities.v1", "official.changed", "official:x", b"{}", ce_importid="i-officials")
    await world.project(broken)
    await change(world, official("new", "alder", "Mayor"), changed("a-mayor", roles=["City Clerk"]))
    assert await world.called() == await standing(world) == ASKED
    assert "the directory is not whole" in (await world.campaign())["problem"]
    async with world.database.connection() as connection:
        await connection.execute("UPDATE dead_letters SET state = 'discarded'")
    await world.review()
    await world.fan_out()
    assert (await world.campaign())["problem"] is None
    assert await standing(world) == ASKED - {"a-mayor"} | {"new"}


async def test_a_move_is_told_on_half_a_directory_too(world: World) -> None:
    await world.launch()
    broken = world.record("directory.entities.v1", "official.changed", "official:x", b"{}", ce_importid="i-officials")
    await world.project(broken)
    await world.hear(revision=2, location=ROOM)
    await world.fan_out()
    assert await revisions(world, MAYOR) == [(1, "asked"), (2, "asked")]


async def test_a_closed_campaign_does_not_follow_the_directory(world: World) -> None:
    await world.launch()
    world.now += timedelta(days=30)
    await world.review()
    await change(world, official("new", "alder", "Mayor"))
    assert "new" not in await world.called()


async def test_the_same_directory_again_tells_nobody(world: World) -> None:
    await world.launch()
    before = await world.fetch("SELECT * FROM outbox"), await world.fetch("SELECT * FROM campaigns")
    await world.import_all()
    await world.quiet_directory()
    assert before == (await world.fetch("SELECT * FROM outbox"), await world.fetch("SELECT * FROM campaigns"))


async def test_many_campaigns_follow_a_few_at_a_time(world: World) -> None:
    await world.import_all()
    await world.adopt()
    for number in range(25):
        await world.hear(hearing_id=f"h-{number}")
    await world.fan_out()
    await change(world, official("new", "alder", "Mayor"))
    rows = await world.fetch("SELECT count(*) FROM calls WHERE official = 'new'")
    assert rows[0][0] == 25


async def test_the_worker_follows_the_directory_by_itself(world: World, until: Any) -> None:
    await world.launch()
    await world.project(world.entity(official("new", "alder", "Mayor")))
    world.later(seconds=3)
    stopping = asyncio.Event()
    worker = asyncio.create_task(Review(world.database, world.clock).run(stopping))

    async def joined() -> bool:
        return bool((await world.campaign())["officials"] == len(ASKED) + 1)

    await until(joined)
    stopping.set()
    await worker


@pytest.mark.parametrize("letters_due_at", [None, "2027-04-14T12:00:00-07:00"])
async def test_who_becomes_willing_to_testify_is_kept_and_asked_with_the_next_change(
    world: World, letters_due_at: str | None
) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear(letters_due_at=letters_due_at)
    await world.fan_out()
    await change(world, changed("a-mayor", testifies=True))
    [row] = await world.fetch("SELECT letter, testimony FROM calls WHERE official = 'a-mayor'")
    assert (row["letter"], row["testimony"]) == (True, True)
    await world.hear(revision=2, location=ROOM, letters_due_at=letters_due_at)
    await world.fan_out()
    assert (await world.told_to(MAYOR))[-1].asks == {("letter", "SB 79"), ("testimony", "SB 79")}
