"""From a hearing and a position to a campaign, and to nothing else."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from campaigns_world import ASKED, HOUSING, IMPORTS, NOW, World, committee, legislator, make_alert, official
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clarion.schemas.deliveries import Delivery
from clarion.schemas.directory import NEEDED_TO_LAUNCH
from clarion.services.campaigns.domain.model import Status, may_move
from clarion.services.campaigns.reports import campaign_summary, list_campaigns


async def test_a_hearing_with_a_position_calls_those_whose_voice_counts(world: World) -> None:
    await world.launch()
    campaign = await world.campaign()
    assert (campaign["status"], campaign["problem"]) == ("launched", None)
    assert (campaign["divisions"], campaign["cities"], campaign["officials"]) == (2, 3, 5)
    assert await world.called() == ASKED
    assert {one for each in (await world.recipients()).values() for one in each["officials"]} == ASKED


async def test_no_position_on_the_agenda_makes_no_campaign(world: World) -> None:
    await world.import_all()
    await world.adopt(bill="SB 80")
    await world.adopt(session="20252026")
    await world.adopt(jurisdiction="ocd-jurisdiction/country:us/state:nv/government")
    await world.adopt(stance="watch")
    await world.hear()
    assert await world.fetch("SELECT * FROM campaigns") == []


async def test_bills_match_however_they_are_written(world: World) -> None:
    await world.import_all()
    await world.adopt(bill="sb 079")
    await world.hear()
    assert (await world.campaign())["status"] == "launched"


async def test_a_position_that_is_not_automatic_waits_for_approval(world: World) -> None:
    await world.launch(launch="approval")
    campaign = await world.campaign()
    assert (campaign["status"], campaign["problem"]) == ("drafted", "waits for approval")
    assert campaign["officials"] == len(ASKED)
    assert await world.called() == set()


async def test_one_position_that_asks_for_approval_holds_the_whole_agenda(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.adopt(bill="AB 5", launch="approval")
    await world.hear(agenda=[{"bill": "SB 79"}, {"bill": "AB 5"}])
    assert (await world.campaign())["status"] == "drafted"
    await world.adopt(bill="AB 5", launch="auto")
    assert (await world.campaign())["status"] == "launched"


@pytest.mark.parametrize("missing", NEEDED_TO_LAUNCH)
async def test_nothing_is_launched_on_half_a_directory(world: World, missing: str) -> None:
    for kind in NEEDED_TO_LAUNCH:
        records = world.import_records(kind)
        await world.project(*(records[:-1] if kind == missing else records))
    await world.adopt()
    await world.hear()
    campaign = await world.campaign()
    assert campaign["status"] == "waiting"
    assert f"{missing} were never imported completely" in campaign["problem"]
    await world.project(world.marker(missing))
    assert (await world.campaign())["status"] == "launched"


async def test_an_open_dead_letter_of_the_newest_import_holds_the_launch_until_it_is_resolved(world: World) -> None:
    await world.import_all()
    broken = world.record(
        "directory.entities.v1", "official.changed", "official:x", b'{"id": "x"}', ce_importid="i-officials"
    )
    await world.project(broken)
    await world.adopt()
    await world.hear()
    assert "officials: 1 events of the last import are dead letters" in (await world.campaign())["problem"]
    async with world.database.connection() as connection:
        await connection.execute("UPDATE dead_letters SET state = 'discarded'")
    await world.review()
    assert (await world.campaign())["status"] == "launched"


async def test_a_dead_letter_of_an_earlier_import_holds_nothing(world: World) -> None:
    await world.import_all()
    await world.project(world.record("directory.entities.v1", "city.changed", "city:x", b"{}", ce_importid="older"))
    await world.adopt()
    await world.hear()
    assert (await world.campaign())["status"] == "launched"


async def test_an_unknown_committee_is_said_and_looked_at_again_after_an_import(world: World) -> None:
    await world.import_all(committees=IMPORTS["committees"][1:])
    await world.adopt()
    await world.hear()
    campaign = await world.campaign()
    assert campaign["status"] == "waiting"
    assert campaign["problem"].startswith('unknown committee "Housing" (upper): import it with clarion directory')
    await world.project(world.entity(IMPORTS["committees"][0]), world.marker("committees", "i2", NOW + timedelta(1)))
    await world.fan_out()
    assert await world.called() == ASKED


async def test_a_name_that_fits_two_committees_names_both(world: World) -> None:
    twin = committee("ocd-organization/twin", "Land Use", "upper", other_names=["Senate Committee on Housing"])
    await world.import_all(committees=[*IMPORTS["committees"], twin])
    await world.adopt()
    await world.hear()
    campaign = await world.campaign()
    assert campaign["status"] == "waiting"
    assert HOUSING in campaign["problem"]
    assert twin.id in campaign["problem"]


@pytest.mark.parametrize(
    ("name", "chamber"),
    [
        ("HOUSING", "upper"),
        ("Senate Committee on Housing", None),
        ("senate housing  committee", "upper"),
        ("Housing", "Senate"),
    ],
)
async def test_a_committee_is_found_however_it_is_named(world: World, name: str, chamber: str | None) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear(committee={"name": name, "chamber": chamber})
    assert (await world.campaign())["committee"] == HOUSING


async def test_an_ampersand_is_and(world: World) -> None:
    await world.import_all()
    await world.adopt(bill="AB 5")
    await world.hear(
        agenda=[{"bill": "AB 5"}], committee={"name": "Housing and Community Development", "chamber": "lower"}
    )
    await world.fan_out()
    assert await world.called() == {"e-mayor"}


async def test_the_id_decides_where_the_name_fits_another(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear(committee={"name": "Housing", "chamber": "upper", "id": "ocd-organization/assembly-housing"})
    assert (await world.campaign())["committee"] == "ocd-organization/assembly-housing"


async def test_a_hearing_in_the_past_is_closed_with_the_reason(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear(starts_at="2027-03-21T13:30:00-07:00")
    await world.fan_out()
    campaign = await world.campaign()
    assert campaign["status"] == "closed"
    assert campaign["problem"] == "the hearing was Sunday, March 21, 2027, 1:30 pm PDT"
    assert await world.called() == set()


async def test_a_campaign_closes_when_its_hearing_begins_and_calls_nobody_any_more(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear()
    world.now = datetime(2027, 4, 21, 20, 30, tzinfo=UTC)
    await world.fan_out()
    await world.review()
    assert (await world.campaign())["status"] == "closed"
    assert await world.called() == set()


async def test_a_directory_where_nobody_is_asked_waits_and_says_so(world: World) -> None:
    await world.import_all(officials=[official("clerk", "alder", "City Clerk")])
    await world.adopt()
    await world.hear()
    campaign = await world.campaign()
    assert campaign["status"] == "waiting"
    assert campaign["problem"].startswith("nobody to ask")


async def test_adopting_the_same_again_changes_nothing_and_another_stance_is_a_new_version(world: World) -> None:
    first = await world.adopt()
    again = await world.adopt()
    other = await world.adopt(stance="support")
    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert again.adopted.id == first.adopted.id
    assert other.adopted.version == 2


async def test_each_change_is_told_once_with_its_revision(world: World) -> None:
    await world.import_all(committees=[])
    await world.adopt()
    await world.hear()
    await world.review()
    await world.project(*world.import_records("committees")[:-1], world.marker("committees", "i2", NOW + timedelta(1)))
    told = [(each["revision"], each["status"]) for each in await world.published("campaigns.lifecycle.v1")]
    assert told == [(1, "waiting"), (2, "launched")]


async def test_a_position_and_a_hearing_that_arrive_at_once_see_one_another(world: World) -> None:
    await world.import_all()
    for number in range(12):
        agenda = [{"bill": f"SB {number}"}]
        await asyncio.gather(world.adopt(bill=f"SB {number}"), world.hear(hearing_id=f"h-{number}", agenda=agenda))
    rows = await world.fetch("SELECT status FROM campaigns")
    assert [row["status"] for row in rows] == ["launched"] * 12


async def test_an_older_revision_of_a_hearing_changes_nothing(world: World) -> None:
    await world.import_all()
    await world.adopt(launch="approval")
    await world.hear(revision=2, starts_at="2027-04-22T13:30:00-07:00")
    before = await world.campaign()
    await world.hear()
    assert await world.campaign() == before
    assert before["held"].startswith("Thursday, April 22")


@pytest.mark.parametrize("launch", ["approval", "auto"])
async def test_a_decision_that_comes_out_the_same_is_not_told_again(world: World, launch: str) -> None:
    await world.import_all(committees=IMPORTS["committees"][: 1 if launch == "approval" else 0])
    await world.adopt(launch=launch)
    await world.hear()
    await world.project(world.marker("cities", "i2", NOW + timedelta(1)))
    await world.project(world.marker("officials", "i2", NOW + timedelta(1)))
    assert [each["revision"] for each in await world.published("campaigns.lifecycle.v1")] == [1]


async def test_redelivery_of_anything_changes_nothing(world: World) -> None:
    imports = [record for kind in NEEDED_TO_LAUNCH for record in world.import_records(kind)]
    alert = world.alert_record(make_alert())
    await world.project(*imports)
    await world.adopt()
    await world.consume("legislation.alerts.v1", [alert])
    await world.fan_out()
    before = await world.fetch("SELECT * FROM outbox"), await world.fetch("SELECT * FROM campaigns")
    await world.project(*imports)
    await world.project(*imports[3:9])
    await world.consume("legislation.alerts.v1", [alert, alert])
    await world.hear()
    await world.adopt()
    await world.fan_out()
    await world.review()
    assert before == (await world.fetch("SELECT * FROM outbox"), await world.fetch("SELECT * FROM campaigns"))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.permutations(NEEDED_TO_LAUNCH),
    alert_at=st.integers(0, 40),
    position_at=st.integers(0, 40),
    step=st.integers(1, 9),
)
async def test_the_order_of_position_alert_and_imports_does_not_matter(
    world: World, kinds: list[str], alert_at: int, position_at: int, step: int
) -> None:
    await world.empty()
    records = [record for kind in kinds for record in world.import_records(kind)]
    for start in range(0, 41, step):
        if alert_at in range(start, start + step):
            await world.hear()
        if position_at in range(start, start + step):
            await world.adopt()
        await world.project(*records[start : start + step])
        await world.fan_out()
    assert await world.called() == ASKED
    assert len(await world.recipients()) == len(ASKED)


async def test_an_unknown_zone_is_a_dead_letter_and_the_next_hearing_is_handled(world: World) -> None:
    await world.import_all()
    await world.adopt()
    bad, good = make_alert(zone="Mars/Olympus"), make_alert(hearing_id="h-2")
    await world.consume("legislation.alerts.v1", [world.alert_record(bad), world.alert_record(good)])
    assert await world.dead_letters() == ["unknown zone 'Mars/Olympus': name one of the IANA time zone database"]
    assert (await world.campaign())["hearing"] == "h-2"


async def test_the_projection_keeps_the_newest_revision_and_forgets_who_is_gone(world: World) -> None:
    await world.project(world.entity(legislator("l1", "New", "upper:1", revision=3)))
    await world.project(
        world.entity(legislator("l1", "Old", "upper:1", revision=2)), world.entity(IMPORTS["districts"][0])
    )
    assert [row["name"] for row in await world.fetch("SELECT name FROM legislators")] == ["New"]
    await world.project(world.tombstone("legislator", "l1"), world.tombstone("district", "upper:7"))
    assert await world.fetch("SELECT id FROM legislators") == []
    assert await world.fetch("SELECT city FROM city_districts") == []


async def test_what_stands_behind_a_tombstone_in_the_same_batch_counts(world: World) -> None:
    old = world.entity(legislator("l1", "Old", "upper:1", revision=9))
    await world.project(old, world.tombstone("legislator", "l1"), world.entity(legislator("l1", "New", "upper:1")))
    assert [row["name"] for row in await world.fetch("SELECT name FROM legislators")] == ["New"]


async def test_the_newest_outcome_of_a_mailbox_counts_for_its_officials(world: World) -> None:
    await world.launch()
    campaign = await world.campaign()
    box = (await world.recipient("a-mayor"))["mailbox"]

    def delivery(state: str, at: datetime, **changes: object) -> Delivery:
        fields = {"matter": f"campaign:{campaign['id']}", "revision": 1, "mailbox": box, "state": state, "at": at}
        return Delivery.model_validate(fields | changes)

    await world.deliver(
        delivery("sent", NOW + timedelta(seconds=9)), delivery("failed", NOW), delivery("x", NOW, matter="r:1")
    )
    await world.deliver(delivery("failed", NOW + timedelta(seconds=1)))
    async with world.database.connection() as connection:
        summary = await campaign_summary(connection, campaign["id"])
        [listed] = await list_campaigns(connection)
    assert summary is not None
    assert summary["outcomes"] == {"pending": 4, "sent": 1}
    assert (listed["asked"], listed["reached"], listed["failed"]) == (5, 1, 0)
    assert [(each["division"], each["asked"], each["reached"]) for each in summary["waves"]] == [
        ("East Bay", 2, 1),
        ("Peninsula", 2, 0),
        ("no division", 1, 0),
    ]
    await world.deliver(delivery("bounced", NOW + timedelta(seconds=60)))
    async with world.database.connection() as connection:
        summary = await campaign_summary(connection, campaign["id"])
        [listed] = await list_campaigns(connection)
    assert summary is not None
    assert summary["outcomes"] == {"pending": 4, "bounced": 1}
    assert (listed["asked"], listed["reached"], listed["failed"], listed["other"]) == (5, 0, 1, 0)


@pytest.mark.parametrize("after", list(Status))
@pytest.mark.parametrize("before", [Status.LAUNCHED, Status.CLOSED])
def test_what_was_launched_is_never_a_draft_again(before: Status, after: Status) -> None:
    assert may_move(before, after, launched=True) is (after in {Status.LAUNCHED, Status.CLOSED})


@pytest.mark.parametrize("after", list(Status))
@pytest.mark.parametrize("before", [None, Status.WAITING, Status.DRAFTED, Status.CLOSED])
def test_before_its_launch_a_campaign_may_go_anywhere(before: Status | None, after: Status) -> None:
    assert may_move(before, after, launched=False)
