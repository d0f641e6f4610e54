"""An amendment goes out whole and once, whatever happens between, and is shown."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from amending import MOVED, amend
from campaigns_world import NOW, World, make_alert, official

from clarion.schemas.deliveries import Delivery
from clarion.services.campaigns import fanout
from clarion.services.campaigns.reports import campaign_summary, list_campaigns


async def test_who_was_not_told_yet_gets_the_newest_state_alone(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear()
    await amend(world, starts_at=MOVED)
    assert {len(each) for each in (await world.told()).values()} == {1}
    assert {each[0].revision for each in (await world.told()).values()} == {2}


async def test_redelivery_and_older_revisions_change_nothing(world: World) -> None:
    await world.launch()
    second = world.alert_record(make_alert(revision=2, starts_at=MOVED))
    await world.consume("legislation.alerts.v1", [second])
    await world.fan_out()
    before = await world.fetch("SELECT * FROM outbox"), await world.fetch("SELECT * FROM campaigns")
    await world.consume("legislation.alerts.v1", [second, second])
    await amend(world, 2, starts_at=MOVED)
    await amend(world, 1)
    await world.review()
    await world.fan_out()
    assert before == (await world.fetch("SELECT * FROM outbox"), await world.fetch("SELECT * FROM campaigns"))


async def test_an_amendment_that_dies_in_the_middle_is_taken_up_again_and_nobody_is_told_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [official(f"o{number}", "alder", "Mayor") for number in range(200)]
    await world.import_all(officials=people)
    await world.adopt()
    await world.hear()
    monkeypatch.setattr(fanout, "OFFICIALS_PER_TRANSACTION", 20)
    assert await fanout.fan_out(world.database, world.clock)
    early = set(await world.told())
    await world.hear(revision=2, starts_at=MOVED)
    assert await fanout.fan_out(world.database, world.clock)
    await world.fan_out_and_die()
    await asyncio.gather(world.fan_out(), world.fan_out())
    await world.fan_out()
    told = await world.told()
    assert len(told) == 200
    assert {box: [each.revision for each in found] for box, found in told.items()} == {
        box: [1, 2] if box in early else [2] for box in told
    }


async def test_no_fan_out_goes_on_while_its_campaign_is_decided_on(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear()
    async with world.database.transaction() as tx:
        await tx.connection.execute("SELECT FROM campaigns FOR NO KEY UPDATE")
        assert await fanout.fan_out(world.database, world.clock) == 0
    assert await fanout.fan_out(world.database, world.clock) > 0


async def test_the_outcome_of_an_older_revision_is_not_that_of_the_newest(world: World) -> None:
    await world.launch()
    campaign = await world.campaign()
    box = (await world.recipient("a-mayor"))["mailbox"]

    async def deliver(revision: int, state: str) -> None:
        at = NOW + timedelta(seconds=revision)
        matter = f"campaign:{campaign['id']}"
        await world.deliver(Delivery(matter=matter, revision=revision, mailbox=box, state=state, at=at))

    async def outcomes() -> Any:
        async with world.database.connection() as connection:
            summary = await campaign_summary(connection, campaign["id"])
            [listed] = await list_campaigns(connection)
        assert summary
        return summary["outcomes"], listed["reached"]

    await deliver(1, "sent")
    assert await outcomes() == ({"pending": 4, "sent": 1}, 1)
    await amend(world, 2, starts_at=MOVED)
    assert await outcomes() == ({"pending": 5}, 0)
    await deliver(2, "superseded")
    await amend(world, 3)
    await deliver(3, "unneeded")
    assert await outcomes() == ({"pending": 4, "sent": 1}, 1)


async def test_what_was_told_is_shown_with_when_and_what_changed(world: World) -> None:
    await world.launch()
    world.later(hours=1)
    await amend(world, 2, starts_at=MOVED)
    campaign = await world.campaign()
    async with world.database.connection() as connection:
        summary = await campaign_summary(connection, campaign["id"])
    assert summary
    assert summary["told_revision"] == 2
    assert summary["told"] == [
        {"revision": 1, "told_at": NOW, "changed": []},
        {
            "revision": 2,
            "told_at": NOW + timedelta(hours=1),
            "changed": [
                {
                    "key": "when",
                    "label": "When",
                    "now": "Thursday, April 22, 2027, 9:30 am PDT",
                    "was": "Wednesday, April 21, 2027, 1:30 pm PDT",
                },
                {
                    "key": "letters_due",
                    "label": "Letters due",
                    "now": "Wednesday, April 21, 2027, 12:00 pm PDT",
                    "was": "Wednesday, April 14, 2027, 12:00 pm PDT",
                },
            ],
        },
    ]


async def test_texts_that_have_become_too_long_leave_what_was_told(world: World) -> None:
    bills = [f"SB {number}" for number in range(1, 32)]
    await world.launch(make_alert(agenda=[{"bill": bill} for bill in ["SB 79", *bills]]))
    for bill in bills:
        await world.adopt(bill=bill, letter="x" * 19_900)
    await world.fan_out()
    campaign = await world.campaign()
    assert "shorten them" in campaign["problem"]
    assert campaign["status"] == "launched"


async def test_each_amendment_is_announced(world: World) -> None:
    await world.launch()
    await amend(world, 2, starts_at=MOVED)
    await amend(world, 3, status="cancelled")
    rows = await world.fetch("SELECT headers FROM outbox WHERE topic = 'campaigns.lifecycle.v1' ORDER BY id")
    types = [value for row in rows for name, value in dict(row["headers"]).items() if name == "ce_type"]
    assert types == ["campaign.launched", "campaign.amended", "campaign.closed"]
