"""A letter ask that expired unsent is asked again as what still helps, once."""

import asyncio
from datetime import UTC, datetime, timedelta

from amending import CHIEF, MAYOR, amend, history
from campaigns_world import World, mailbox, official

from clarion.schemas.deliveries import Delivery

DUE = "2027-04-14T12:00:00-07:00"
PASSED = datetime(2027, 4, 14, 19, 0, 1, tzinfo=UTC)
MANAGER = "b-manager@birch.example"


async def expired(world: World, address: str, revision: int = 1, state: str = "expired") -> Delivery:
    campaign = await world.campaign()
    return Delivery(
        matter=f"campaign:{campaign['id']}",
        revision=revision,
        mailbox=mailbox(address),
        officials=["any"],
        state=state,
        at=world.now,
    )


async def launched(world: World) -> None:
    """Everyone is asked for a letter or to testify, and nothing else is to be looked at again."""
    await world.import_all()
    await world.adopt()
    await world.hear(letters_due_at=DUE)
    await world.fan_out()
    await world.quiet_directory()


async def time_goes_on(world: World) -> None:
    await world.review()
    await world.fan_out()


async def test_who_was_never_reached_is_asked_to_call_and_nobody_else_is_asked_again(world: World) -> None:
    await launched(world)
    world.now = PASSED
    await world.deliver(await expired(world, MAYOR), await expired(world, CHIEF, state="sent"))
    await time_goes_on(world)
    first, second = await world.told_to(MAYOR)
    assert (first.asks, second.asks) == ({("letter", "SB 79")}, {("phone", "SB 79")})
    assert second.revision == 2
    assert second.body["not_after"] == "2027-04-21T20:30:00Z"
    assert {address for address, told in (await world.told()).items() if len(told) > 1} == {mailbox(MAYOR)}
    assert await history(world) == [(1, []), (2, [])]


async def test_whoever_testifies_as_well_is_asked_for_both(world: World) -> None:
    await launched(world)
    world.now = PASSED
    await world.deliver(await expired(world, MANAGER))
    await time_goes_on(world)
    assert (await world.told_to(MANAGER))[-1].asks == {("phone", "SB 79"), ("testimony", "SB 79")}


async def test_the_end_of_a_message_told_twice_asks_once(world: World) -> None:
    await launched(world)
    world.now = PASSED
    await world.deliver(await expired(world, MAYOR))
    await world.deliver(await expired(world, MAYOR))
    await time_goes_on(world)
    await world.deliver(await expired(world, MAYOR))
    await time_goes_on(world)
    world.later(hours=1)
    await world.deliver(await expired(world, MAYOR))
    await time_goes_on(world)
    assert [each.revision for each in await world.told_to(MAYOR)] == [1, 2]


async def test_ends_that_come_one_after_another_ask_each_once(world: World) -> None:
    await launched(world)
    world.now = PASSED
    await world.deliver(await expired(world, MAYOR))
    await time_goes_on(world)
    await world.deliver(await expired(world, MANAGER))
    await time_goes_on(world)
    assert [each.revision for each in await world.told_to(MAYOR)] == [1, 2]
    assert [each.revision for each in await world.told_to(MANAGER)] == [1, 2]


async def test_who_was_asked_again_is_left_alone_when_others_are_told_a_later_revision(world: World) -> None:
    await launched(world)
    world.now = PASSED
    await world.deliver(await expired(world, MAYOR))
    await time_goes_on(world)
    for revision, testifies in enumerate((True, False), start=1):
        await world.project(
            world.entity(official("new", "alder", "Fire Chief", testifies=testifies, revision=revision))
        )
        await world.quiet_directory()
    assert [each.revision for each in await world.told_to("new@alder.example")] == [2, 3]
    assert [each.revision for each in await world.told_to(MAYOR)] == [1, 2]


async def test_an_end_told_before_our_clock_says_that_letters_are_closed_waits_for_it(world: World) -> None:
    await launched(world)
    world.now = PASSED - timedelta(seconds=30)
    await world.deliver(await expired(world, MAYOR))
    await time_goes_on(world)
    assert len(await world.told_to(MAYOR)) == 1
    world.now = PASSED
    await time_goes_on(world)
    assert (await world.told_to(MAYOR))[-1].asks == {("phone", "SB 79")}


async def test_a_death_in_the_midst_of_asking_again_asks_once(world: World) -> None:
    await launched(world)
    world.now = PASSED
    await world.deliver(await expired(world, MAYOR))
    await world.review()
    await world.fan_out_and_die()
    await world.fan_out()
    await time_goes_on(world)
    assert [each.revision for each in await world.told_to(MAYOR)] == [1, 2]


async def test_a_change_told_meanwhile_is_the_new_ask_and_the_old_end_asks_nothing_more(world: World) -> None:
    await launched(world)
    world.now = PASSED
    await amend(world, letters_due_at=DUE, location={"name": "Room 4202"})
    await world.deliver(await expired(world, MAYOR))
    await time_goes_on(world)
    told = await world.told_to(MAYOR)
    assert [each.revision for each in told] == [1, 2]
    assert told[-1].asks == {("phone", "SB 79")}


async def test_somebody_whose_city_moved_to_another_division_meanwhile_is_asked_again_all_the_same(
    world: World,
) -> None:
    await launched(world)
    world.now = PASSED
    await world.project(world.entity(official("a-mayor", "alder", "Mayor", testifies=True, revision=2)))
    await world.quiet_directory()
    assert len(await world.told_to(MAYOR)) == 1
    await world.deliver(await expired(world, MAYOR))
    await time_goes_on(world)
    assert (await world.told_to(MAYOR))[-1].asks == {("phone", "SB 79"), ("testimony", "SB 79")}


async def test_nothing_is_asked_again_once_the_hearing_began_or_was_cancelled(world: World) -> None:
    await launched(world)
    world.now = PASSED
    await amend(world, letters_due_at=DUE, status="cancelled")
    told = len(await world.told_to(MAYOR))
    await world.deliver(await expired(world, MAYOR), await expired(world, CHIEF, revision=2))
    await time_goes_on(world)
    assert len(await world.told_to(MAYOR)) == told


async def test_who_left_in_the_meantime_is_not_asked_again(world: World) -> None:
    await launched(world)
    await world.project(world.entity(official("a-mayor", "alder", "Mayor", active=False, revision=2)))
    await world.quiet_directory()
    world.now = PASSED
    await world.deliver(await expired(world, MAYOR))
    await time_goes_on(world)
    assert len(await world.told_to(MAYOR)) == 1


async def test_other_ends_and_other_matters_ask_nothing_again(world: World) -> None:
    await launched(world)
    world.now = PASSED
    await world.deliver(await expired(world, MAYOR, state="failed"), await expired(world, MANAGER, state="suppressed"))
    await time_goes_on(world)
    assert {len(told) for told in (await world.told()).values()} == {1}


async def test_ends_reviews_and_fan_outs_at_the_same_time_ask_each_once(world: World) -> None:
    people = [official(f"p{number}", "alder", "Council Member") for number in range(60)]
    await world.import_all(officials=people)
    await world.adopt()
    await world.hear(letters_due_at=DUE)
    await world.fan_out()
    await world.quiet_directory()
    world.now = PASSED
    ends = [await expired(world, f"p{number}@alder.example") for number in range(60)]

    async def tell() -> None:
        for start in range(0, 60, 5):
            await world.deliver(*ends[start : start + 5], *ends[:start:7])

    async def work() -> None:
        for _ in range(20):
            await time_goes_on(world)

    await asyncio.gather(tell(), tell(), work(), work())
    await time_goes_on(world)
    told = (await world.told()).values()
    assert len(told) == 60
    assert {len(messages) for messages in told} == {2}
    assert {kind for messages in told for kind, _ in messages[-1].asks} == {"phone"}
