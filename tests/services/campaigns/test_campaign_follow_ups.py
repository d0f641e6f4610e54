"""What follows: the next campaign on a bill that goes on, and the end of what is open on one that does not."""

import itertools
from typing import Any

import pytest
from campaigns_world import SEVEN, World, committee, make_alert
from starting_world import make_draft, start
from test_campaign_bills import make_progress, record

from clarion.services.campaigns.starting.drafting import carry_over
from clarion.services.campaigns.starting.progress import QUERIES

NEXT = {"name": "Local Government", "chamber": "upper"}
LATER = "2027-05-12T09:30:00-07:00"
MAYOR = "a-mayor@alder.example"


async def tell(world: World, revision: int, **changes: Any) -> None:
    fields = {"committee": None, "amended_on": None} | changes
    await world.consume("legislation.alerts.v1", [record(world, make_progress(revision, **fields))])
    await world.fan_out()


async def over(world: World, **launch: Any) -> str:
    """A campaign whose hearing was held."""
    await world.launch(**launch)
    await world.fan_out()
    world.later(days=25)
    await world.review()
    campaign = await world.campaign()
    assert campaign["status"] == "closed"
    return str(campaign["id"])


async def follow_ups(world: World) -> list[dict[str, Any]]:
    rows = await world.fetch("SELECT * FROM follow_ups ORDER BY drafted_at, id")
    return [dict(row) for row in rows]


async def next_hearing(world: World, **changes: Any) -> dict[str, Any]:
    fields = {"hearing_id": "h-2", "starts_at": LATER} | changes
    await world.hear(make_alert(**fields))
    await world.fan_out()
    [row] = await world.fetch("SELECT * FROM campaigns WHERE hearing = $1", fields["hearing_id"])
    return dict(row)


async def test_a_bill_that_goes_to_another_committee_drafts_the_next_campaign(world: World) -> None:
    last = await over(world)
    await tell(world, 1, committee=NEXT, amended_on="2027-04-22")
    [draft] = await follow_ups(world)
    assert (draft["state"], draft["follows"], draft["bill"]) == ("waiting", last, "SB 79")
    assert draft["committee"]["name"] == "Local Government"
    [listed] = [row async for row in listing(world)]
    assert (listed["id"], listed["committee"]) == (draft["id"], "Local Government")


async def listing(world: World) -> Any:
    async with world.database.connection() as connection:
        async for row in QUERIES.list_follow_ups(connection, id=None):
            yield row


async def test_the_draft_becomes_the_campaign_once_the_hearing_is_set(world: World) -> None:
    last = await over(world)
    await tell(world, 1, committee=NEXT, amended_on="2027-04-22")
    [draft] = await follow_ups(world)
    campaign = await next_hearing(world)
    assert (campaign["id"], campaign["status"]) == (draft["id"], "launched")
    [row] = await world.fetch("SELECT follows FROM followed WHERE campaign = $1", campaign["id"])
    assert row["follows"] == last
    assert [(each["state"], each["campaign"]) for each in await follow_ups(world)] == [("set", campaign["id"])]
    [told] = await world.told_to(MAYOR, f"campaign:{campaign['id']}")
    assert told.body["content"]["bills"][0]["version"].startswith(
        "SB 79 was amended on Thursday, April 22, 2027, after cities were last asked about it."
    )


async def test_a_hearing_that_is_set_before_the_bill_is_told_of_follows_as_well(world: World) -> None:
    last = await over(world)
    campaign = await next_hearing(world)
    await tell(world, 1, committee=NEXT)
    assert await follow_ups(world) == []
    [row] = await world.fetch("SELECT follows FROM followed WHERE campaign = $1", campaign["id"])
    assert row["follows"] == last


async def test_a_later_hearing_is_not_what_an_earlier_one_follows(world: World) -> None:
    await world.launch()
    campaign = await next_hearing(world)
    await tell(world, 1, status="Amended and re-referred")
    followed = await world.fetch("SELECT campaign FROM followed")
    assert [row["campaign"] for row in followed] == [campaign["id"]]
    rows = await world.fetch("SELECT message FROM campaigns WHERE hearing = 'h-1'")
    assert rows[0]["message"]["content"]["bills"][0]["version"] is None


async def test_another_committee_wants_a_letter_of_its_own(world: World) -> None:
    await over(world)
    upper = committee("ocd-organization/local", "Local Government", "upper", (SEVEN, "chair"))
    await world.project(world.entity(upper))
    campaign = await next_hearing(world, committee=NEXT)
    [told] = await world.told_to(MAYOR, f"campaign:{campaign['id']}")
    assert told.body["content"]["bills"][0]["version"] == (
        "SB 79 was elsewhere when cities were last asked (Housing): a letter of its own is wanted here."
    )


async def test_what_was_chosen_and_written_is_carried_over(world: World) -> None:
    last = await over(world, launch="auto")
    async with world.database.connection() as connection:
        await connection.execute(
            "INSERT INTO choices VALUES ($1, 'a-mayor', false, '{}', 'on leave', 'staff:m', $2),"
            " ($1, 'a-clerk', true, '{letter}', 'knows the street', 'staff:m', $2)",
            last,
            world.now,
        )
        await connection.execute(
            "INSERT INTO approvals (campaign, division, state, revision, paragraph)"
            " VALUES ($1, 'east-bay', 'approved', 1, 'Our valley floods.')",
            last,
        )
    await tell(world, 1, committee=NEXT)
    campaign = await next_hearing(world)
    called = {
        row["official"] for row in await world.fetch("SELECT official FROM calls WHERE campaign = $1", campaign["id"])
    }
    assert "a-mayor" not in called
    assert "a-clerk" in called
    told = await world.told(f"campaign:{campaign['id']}")
    assert {each[-1].body["content"]["paragraph"] for each in told.values() if each[-1].body["wave"] == "east-bay"} == {
        "Our valley floods."
    }


async def test_who_was_reached_last_time_is_known(world: World) -> None:
    last = await over(world)
    async with world.database.connection() as connection:
        await connection.execute("UPDATE calls SET reached_revision = 1, outcome_at = $1", world.now)
    campaign = await next_hearing(world)
    async with world.database.connection() as connection:
        rows = [row async for row in QUERIES.reached_before(connection, campaign=campaign["id"])]
    assert {row["campaign"] for row in rows} == {last}
    assert {row["official"] for row in rows} == {"a-mayor", "a-chief", "b-member", "b-manager", "d-mayor"}


@pytest.mark.parametrize("order", [*itertools.permutations([1, 2, 3]), (1, 1, 2, 2, 3, 3, 1)])
async def test_the_newest_state_of_the_bill_decides_whatever_the_order(world: World, order: tuple[int, ...]) -> None:
    await over(world)
    states = {
        1: {"committee": {"name": "Housing", "chamber": "upper"}},
        2: {"committee": NEXT},
        3: {"committee": {"name": "Appropriations", "chamber": "upper"}, "amended_on": "2027-04-23"},
    }
    for revision in order:
        await tell(world, revision, **states[revision])
    [draft] = [each for each in await follow_ups(world) if each["state"] == "waiting"]
    assert (draft["committee"]["name"], str(draft["amended_on"])) == ("Appropriations", "2027-04-23")


async def test_a_bill_that_stays_as_it_is_drafts_nothing(world: World) -> None:
    await over(world)
    await tell(world, 1, committee={"name": "Senate Committee on Housing"}, status="In committee")
    assert await follow_ups(world) == []


async def test_an_amendment_before_the_hearing_is_drafted_once_that_is_over(world: World) -> None:
    await world.launch()
    await tell(world, 1, amended_on="2027-04-05")
    assert await follow_ups(world) == []
    world.later(days=25)
    await world.review()
    [draft] = await follow_ups(world)
    assert (draft["state"], draft["committee"]) == ("waiting", None)


async def test_a_bill_that_left_the_agenda_and_went_elsewhere_is_followed_there(world: World) -> None:
    await world.launch()
    await world.hear(make_alert(revision=2, agenda=[]))
    await world.fan_out()
    await tell(world, 1, committee=NEXT)
    [draft] = await follow_ups(world)
    assert draft["state"] == "waiting"
    assert (await next_hearing(world))["id"] == draft["id"]


async def test_a_floor_vote_carries_over_and_leaves_the_draft_for_the_hearing(world: World) -> None:
    last = await over(world)
    await tell(world, 1, committee=NEXT)
    vote = make_draft(kind="floor-vote", decider="Senate floor", bills=["SB 79"], own=[])
    campaign = (await start(world, vote)).id
    assert [each["state"] for each in await follow_ups(world)] == ["waiting"]
    rows = await world.fetch("SELECT follows FROM followed WHERE campaign = $1", campaign)
    assert [row["follows"] for row in rows] == [last]


async def test_a_bill_nobody_was_called_about_drafts_nothing(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await tell(world, 1, committee=NEXT)
    assert await follow_ups(world) == []


async def test_a_withdrawn_stance_drops_the_draft_with_the_next_word_of_the_bill(world: World) -> None:
    await over(world)
    await tell(world, 1, committee=NEXT)
    await world.adopt(stance="watch")
    assert [row async for row in listing(world)] == []
    await tell(world, 2, committee=NEXT, amended_on="2027-04-23")
    assert [(each["state"], each["dropped_reason"]) for each in await follow_ups(world)] == [
        ("dropped", "no position on it asks anything any more")
    ]


@pytest.mark.parametrize("status", ["Chaptered", "Vetoed by Governor", "Died in committee", "Enrolled"])
async def test_a_bill_that_has_come_to_its_end_closes_what_is_open_and_tells_who_was_told_once(
    world: World, status: str
) -> None:
    await world.launch()
    for revision in (1, 2):
        await tell(world, revision, status=status)
    await tell(world, 2, status=status)
    campaign = await world.campaign()
    assert campaign["status"] == "closed"
    assert f"({status})" in campaign["problem"]
    told = await world.told_to(MAYOR)
    assert [each.recipient is None for each in told] == [False, True]
    assert f"({status})" in told[-1].body["reason"]


async def test_one_dead_bill_of_two_leaves_the_other(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.adopt(bill="AB 5")
    await world.hear(agenda=[{"bill": "SB 79"}, {"bill": "AB 5"}])
    await world.fan_out()
    await tell(world, 1, status="Died in committee")
    campaign = await world.campaign()
    assert (campaign["status"], campaign["bills"]) == ("launched", ["AB 5"])
    first, second = await world.told_to(MAYOR)
    assert first.asks == {("letter", "SB 79"), ("letter", "AB 5")}
    assert second.asks == {("letter", "AB 5")}


async def test_words_that_nobody_knows_change_nothing(world: World) -> None:
    await world.launch()
    before = await world.campaign()
    await tell(world, 1, status="Failed passage in committee. Reconsideration granted.")
    assert await world.campaign() == before
    assert len(await world.told_to(MAYOR)) == 1


async def test_an_end_that_was_a_mistake_calls_again(world: World) -> None:
    await world.launch()
    await tell(world, 1, status="Died")
    await tell(world, 2, status="In committee")
    assert (await world.campaign())["status"] == "launched"
    assert [each.recipient is None for each in await world.told_to(MAYOR)] == [False, True, False]


async def test_a_dead_bill_that_is_set_for_hearing_makes_no_campaign(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await tell(world, 1, status="Died")
    await world.hear()
    assert await world.fetch("SELECT * FROM campaigns") == []


async def test_death_before_the_commit_leaves_all_as_it_was(world: World) -> None:
    await over(world)
    await tell(world, 1, committee=NEXT)
    before = await follow_ups(world)
    with pytest.raises(ConnectionError):
        await _begin_and_die(world)
    assert await follow_ups(world) == before
    assert (await next_hearing(world))["id"] == before[0]["id"]


async def _begin_and_die(world: World) -> None:
    async with world.database.transaction() as tx:
        await carry_over(tx, "x", make_alert_occasion(), "auto", world.now)
        raise ConnectionError


def make_alert_occasion() -> Any:
    from clarion.services.campaigns.domain.occasions import Occasion  # noqa: PLC0415

    return Occasion.of(make_alert(hearing_id="h-2", starts_at=LATER))
