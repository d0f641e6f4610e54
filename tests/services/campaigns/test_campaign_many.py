"""What one position or import makes of many hearings is done a few at a time, and told once all the same."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace

import pytest
from campaigns_world import IMPORTS, World, make_alert, make_position
from positions_world import SB_79, adopted, told_story, withdrawn

from clarion.services.campaigns.operations import AT_ONCE, review
from clarion.services.campaigns.positions.operations import adopt_position
from clarion.services.campaigns.positions.repository import QUERIES

MORE = 5


async def heard(world: World, hearings: int = AT_ONCE + MORE) -> None:
    """Hearings with the bill, the first to be held first."""
    records = [
        world.alert_record(
            make_alert(
                hearing_id=f"h-{number}", aliases=[f"h-{number}"], starts_at=f"2027-04-21T13:{number:02}:00-07:00"
            )
        )
        for number in range(hearings)
    ]
    await world.consume("legislation.alerts.v1", records)


async def launched(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await heard(world)


async def statuses(world: World) -> dict[str, int]:
    rows = await world.fetch("SELECT status, count(*) AS campaigns FROM campaigns GROUP BY status")
    return {row["status"]: row["campaigns"] for row in rows}


async def put_off(world: World) -> int:
    [row] = await world.fetch("SELECT count(*) AS hearings FROM reconsiderations")
    return int(row["hearings"])


async def revisions(world: World) -> dict[str, list[list[int]]]:
    """By hearing what its mailboxes were told, one after the other."""
    rows = await world.fetch("SELECT id, hearing FROM campaigns")
    return {
        row["hearing"]: [
            [one.revision for one in told] for told in (await world.told(f"campaign:{row['id']}")).values()
        ]
        for row in rows
    }


async def die_in_review(world: World) -> None:
    """A worker that dies before its commit."""
    with contextlib.suppress(ConnectionError):
        async with world.database.transaction() as tx:
            assert await review(tx, world.clock)
            raise ConnectionError


async def statements_of_adopting(world: World, ask: str) -> int:
    statements: list[str] = []
    async with world.database.transaction() as tx:
        with tx.connection.query_logger(lambda record: statements.append(record.query)):
            await adopt_position(tx, make_position(ask=ask), world.clock)
    return len(statements)


async def test_the_first_hearings_follow_a_position_at_once_and_the_others_soon(world: World) -> None:
    await world.import_all()
    await heard(world)
    adoption = await adopted(world, make_position())
    assert (adoption.to_follow, await statuses(world)) == (MORE, {"launched": AT_ONCE})
    rows = await world.fetch("SELECT hearing FROM campaigns")
    assert {row["hearing"] for row in rows} == {f"h-{number}" for number in range(AT_ONCE)}
    assert (await told_story(world))["to_follow"] == MORE
    await world.review()
    assert await statuses(world) == {"launched": AT_ONCE + MORE}
    assert (await told_story(world))["to_follow"] == 0


async def test_a_position_on_many_hearings_takes_no_more_statements_than_one_on_some(world: World) -> None:
    await launched(world)
    some = await statements_of_adopting(world, "vote no")
    await world.review()
    await heard(world, AT_ONCE + 4 * MORE)
    assert await statements_of_adopting(world, "please vote no") == some
    assert await put_off(world) == 4 * MORE


async def test_nobody_is_asked_about_what_was_withdrawn_before_its_campaign_was_decided_on(world: World) -> None:
    await launched(world)
    withdrawal = await withdrawn(world)
    assert (withdrawal.to_follow, await statuses(world)) == (MORE, {"closed": AT_ONCE, "launched": MORE})
    await world.fan_out()
    assert await world.called() == set()
    await world.review()
    await world.fan_out()
    assert (await world.called(), await statuses(world)) == (set(), {"closed": AT_ONCE + MORE})


@pytest.mark.parametrize("asks", [["vote no"], ["vote no", "please vote no"]])
async def test_who_was_told_is_told_once_of_what_followed_later_whoever_died(world: World, asks: Sequence[str]) -> None:
    await launched(world)
    await world.fan_out()
    for ask in asks:
        await world.adopt(ask=ask)
    await die_in_review(world)
    assert await put_off(world) == MORE
    await world.fan_out()
    await world.review()
    await world.fan_out()
    now = len(asks) + 1
    told = await revisions(world)
    first = {f"h-{number}" for number in range(AT_ONCE)}
    assert {hearing for hearing, boxes in told.items() if boxes and all(box == [1, now] for box in boxes)} >= first
    assert {hearing for hearing, boxes in told.items() if boxes and all(box == [1, 2] for box in boxes)} >= (
        told.keys() - first
    )


async def test_a_hearing_that_is_put_off_and_moves_is_told_of_once(world: World) -> None:
    await launched(world)
    await world.fan_out()
    await withdrawn(world)
    last = f"h-{AT_ONCE + MORE - 1}"
    await world.hear(make_alert(hearing_id=last, aliases=[last], revision=2, starts_at="2027-04-23T09:00:00-07:00"))
    await world.review()
    await world.fan_out()
    assert all(box == [1, 2] for box in (await revisions(world))[last])


async def test_adopting_again_undoes_a_withdrawal_that_was_not_followed_yet(world: World) -> None:
    await launched(world)
    await world.fan_out()
    await withdrawn(world)
    await world.adopt()
    await world.review()
    await world.fan_out()
    told = await revisions(world)
    assert all(box == [1] for box in told[f"h-{AT_ONCE}"])
    assert await statuses(world) == {"launched": AT_ONCE + MORE}


async def test_campaigns_that_waited_for_the_directory_are_begun_a_few_at_a_time(world: World) -> None:
    for kind in IMPORTS:
        if kind != "officials":
            await world.project(*world.import_records(kind))
    await world.adopt()
    await heard(world)
    assert await statuses(world) == {"waiting": AT_ONCE + MORE}
    await world.project(*world.import_records("officials"))
    assert (await statuses(world), await put_off(world)) == ({"launched": AT_ONCE, "waiting": MORE}, MORE)
    await world.review()
    assert (await statuses(world), await put_off(world)) == ({"launched": AT_ONCE + MORE}, 0)


async def test_the_count_of_what_follows_is_of_the_positions_own_hearings(world: World) -> None:
    await launched(world)
    await withdrawn(world)
    async with world.database.connection() as connection:
        assert await QUERIES.count_put_off(connection, **SB_79.named) == MORE
        assert await QUERIES.count_put_off(connection, **replace(SB_79, bill_key="SB80").named) == 0
