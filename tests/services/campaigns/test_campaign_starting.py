"""Campaigns that somebody starts: who is asked and why, what is told, and what is refused."""

import asyncio
from typing import Any

import pytest
from campaigns_world import World, mailbox
from starting_world import ENDS, OWN, asked, associate, cancel, count, make_draft, manager, move, start, texts
from test_campaign_bills import make_progress, record

from clarion.runtime.people import Person
from clarion.services.campaigns.people import erase
from clarion.services.campaigns.reports import campaign_summary
from clarion.services.campaigns.starting.errors import NotToBeStarted, NotYours, Taken, Unfit, Unknown

LETTERS = {"a-mayor", "b-member", "b-manager", "d-mayor", "e-mayor"}


async def test_statewide_asks_those_who_speak_for_every_member_city(world: World) -> None:
    await associate(world)
    assert await asked(world, {"statewide": True}) == LETTERS


@pytest.mark.parametrize(
    ("audience", "people"),
    [
        ({"divisions": ["East Bay"]}, {"a-mayor", "e-mayor"}),
        ({"cities": ["elm", "Dell"]}, {"e-mayor", "d-mayor"}),
        ({"districts": ["SD 7"]}, {"a-mayor", "b-member", "b-manager", "d-mayor"}),
        ({"districts": ["SD 7"], "divisions": ["peninsula"]}, {"b-member", "b-manager"}),
        ({"committees": ["Senate Housing"]}, {"a-mayor", "b-member", "b-manager", "d-mayor"}),
        ({"committees": ["Senate Housing"], "roles": ["mayor"]}, {"a-mayor"}),
        ({"statewide": True, "members": "others"}, {"c-mayor"}),
        ({"statewide": True, "members": "all"}, LETTERS | {"c-mayor"}),
        ({"groups": ["Coastal Cities Group"]}, {"b-member", "b-manager"}),
        ({"groups": ["city-clerks"]}, {"a-clerk", "b-clerk", "e-mayor"}),
        ({"groups": ["city-clerks:vice chair"]}, {"a-clerk"}),
        ({"groups": ["city-clerks", "coastal-cities"]}, {"a-clerk", "b-clerk", "e-mayor", "b-member", "b-manager"}),
        ({"groups": ["city-clerks"], "divisions": ["east-bay"]}, {"a-clerk", "e-mayor"}),
        ({"groups": ["city-clerks"], "roles": ["City-Clerk"]}, {"a-clerk", "b-clerk"}),
        ({"officials": ["c-mayor", "a-chief"]}, {"c-mayor", "a-chief"}),
        ({"divisions": ["east-bay"], "officials": ["b-clerk"]}, {"a-mayor", "e-mayor", "b-clerk"}),
    ],
)
async def test_kinds_are_joined_by_and_names_by_or(world: World, audience: dict[str, Any], people: set[str]) -> None:
    await associate(world)
    counted = await count(world, make_draft(audience))
    assert await asked(world, audience) == people
    assert counted.officials == len(people)


async def test_volunteers_are_asked_whatever_their_office(world: World) -> None:
    await associate(world)
    found = await asked(world, {"cities": ["alder"]}, kind="volunteer", decider="The board")
    assert found == {"a-mayor", "a-clerk", "a-chief"}


async def test_everybody_is_told_why(world: World) -> None:
    await associate(world)
    audience = {"groups": ["city-clerks", "coastal-cities"], "divisions": ["east-bay", "peninsula"]}
    await asked(world, audience | {"officials": ["d-mayor"]})
    assert texts((await world.recipient("a-clerk"))["reasons"]) == [
        "You are vice chair of the City Clerks Department.",
        "Alder is in the East Bay division, which is asked about SB 54 packaging regulations.",
    ]
    assert texts((await world.recipient("b-member"))["reasons"]) == [
        "Birch is a member of the Coastal Cities Group.",
        "Birch is in the Peninsula division, which is asked about SB 54 packaging regulations.",
    ]
    assert texts((await world.recipient("d-mayor"))["reasons"]) == ["You were chosen for this by name."]
    async with world.database.connection() as connection:
        shown = await campaign_summary(connection, (await world.campaign())["id"])
    assert [(each["kind"], each["legislator"], each["role"], each["cities"]) for each in shown["reasons"]] == [
        ("group", "Coastal Cities Group", "member", 1),
        ("division", "East Bay", None, 2),
        ("division", "Peninsula", None, 1),
        ("group", "City Clerks Department", "member", 2),
        ("group", "City Clerks Department", "vice chair", 1),
        ("hand", None, None, 1),
    ]
    [kept] = await world.fetch("SELECT reasons FROM campaign_people WHERE official = 'a-clerk'")
    assert kept["reasons"][0]["group"] == "city-clerks"
    assert kept["reasons"][0]["role"] == "vice chair"


async def test_districts_and_committees_are_reasons(world: World) -> None:
    await associate(world)
    await asked(world, {"districts": ["upper:7"], "committees": ["Senate Committee on Housing"]})
    assert texts((await world.recipient("a-mayor"))["reasons"]) == [
        "Senator Jesse Example (chair), who represents Alder (SD 7), sits on the Senate Committee on Housing.",
        "Alder lies in Senate District 7, which is asked about SB 54 packaging regulations.",
    ]


async def test_a_comment_period_asks_for_comment_letters_to_the_agency(world: World) -> None:
    await associate(world)
    await asked(world, {"cities": ["elm"]})
    [told] = await world.told_to("e-mayor@elm.example")
    content = told.body["content"]
    assert told.asks == {("comment-letter", OWN["subject"])}
    assert (content["kind"], content["decider"], content["committee"]) == ("comment-period", "CalRecycle", "CalRecycle")
    assert content["letters_due"] == content["when"] == "Monday, June 14, 2027, 5:00 pm PDT"
    assert content["bills"][0]["stance"] == "request"
    assert told.facts == {
        "when": "Monday, June 14, 2027, 5:00 pm PDT",
        "committee": "CalRecycle",
        "bill:SB54PACKAGINGREGULATIONS": "SB 54 packaging regulations: ask that producers pay",
    }
    assert told.body["not_after"] == "2027-06-15T00:00:00Z"


async def test_the_governors_desk_ends_on_the_twelfth_day(world: World) -> None:
    await associate(world)
    await world.adopt(ask="sign SB 79", stance="support")
    draft = make_draft(
        kind="governor", bills=["sb79"], own=[], decided_at=None, decider=None, presented_on="2027-05-03"
    )
    await start(world, draft)
    await world.fan_out()
    [told] = await world.told_to("e-mayor@elm.example")
    assert (told.body["content"]["committee"], told.asks) == ("Governor", {("letter", "SB 79")})
    assert told.facts["when"].startswith("Monday, May 17, 2027")


async def test_the_governor_has_thirty_days_at_the_sessions_end(world: World) -> None:
    await associate(world)
    await world.adopt(ask="sign SB 79", stance="support")
    presented = {"presented_on": "2027-09-13", "session_ended_on": "2027-09-10"}
    draft = make_draft(kind="governor", bills=["SB 79"], own=[], decided_at=None, decider=None, **presented)
    assert "Sunday, October 10" in (await count(world, draft)).title


async def test_a_draft_that_comes_twice_is_one_campaign(world: World) -> None:
    await associate(world)
    draft = make_draft(id="ours-1")
    first, second = await start(world, draft), await start(world, draft)
    assert (first.id, second.created) == (second.id, False)
    world.later(days=400)
    assert (await start(world, draft)).id == first.id
    with pytest.raises(Taken):
        await start(world, make_draft(id="ours-1", launch="approval"))


async def test_counting_keeps_nothing(world: World) -> None:
    await associate(world)
    found = await count(world, make_draft({"divisions": ["east-bay", "peninsula"], "members": "all"}))
    assert [(each.slug, each.cities, each.officials, each.mailboxes) for each in found.divisions] == [
        ("east-bay", 2, 2, 2),
        ("peninsula", 2, 3, 3),
    ]
    assert (found.cities, found.officials, found.mailboxes, found.cities_without_anyone) == (4, 5, 5, 0)
    for table in ("campaigns", "hearings", "outbox", "campaign_cities"):
        assert await world.fetch(f"SELECT * FROM {table}") == []


async def test_cities_in_which_nobody_is_asked_are_named(world: World) -> None:
    await associate(world)
    found = await count(world, make_draft({"cities": ["alder", "elm"], "roles": ["fire chief"]}))
    assert (found.officials, found.cities_without_anyone, found.without_anyone) == (1, 1, ["Elm"])


async def test_a_new_end_is_told_to_who_was_told_and_recomputes_nothing_else(world: World) -> None:
    await associate(world)
    campaign = (await start(world, make_draft({"cities": ["elm"]}))).id
    await world.fan_out()
    await move(world, campaign, decided_at="2027-06-21")
    first, second = await world.told_to("e-mayor@elm.example")
    assert second.revision == 2
    assert second.facts["when"] == "Monday, June 21, 2027, until the end of the day (PDT)"
    assert first.body["calendar"]["uid"] == second.body["calendar"]["uid"]
    with pytest.raises(Unfit, match="nothing would be new"):
        await move(world, campaign, decided_at="2027-06-21")
    with pytest.raises(Unfit, match="nobody's voice counts"):
        await move(world, campaign, decided_at="2027-01-01")


async def test_who_was_told_is_told_that_it_is_off_and_nobody_else(world: World) -> None:
    await associate(world)
    campaign = (await start(world, make_draft({"cities": ["elm"]}))).id
    await world.fan_out()
    await cancel(world, campaign)
    _, second = await world.told_to("e-mayor@elm.example")
    assert second.facts["status"] == "Cancelled"
    assert second.body["calendar"]["method"] == "CANCEL"
    assert (await world.campaign())["problem"] == "the comment period is cancelled"
    with pytest.raises(NotToBeStarted, match="cancelled before"):
        await cancel(world, campaign)


async def test_a_hearing_is_moved_by_its_source_alone(world: World) -> None:
    await world.launch()
    campaign = (await world.campaign())["id"]
    with pytest.raises(NotToBeStarted, match="source"):
        await cancel(world, campaign)
    with pytest.raises(Unknown):
        await cancel(world, "none")


async def test_an_earlier_due_that_passes_asks_to_call(world: World) -> None:
    await associate(world)
    draft = make_draft({"cities": ["elm"]}, due_at="2027-03-01T12:00:00")
    assert "people are asked to call instead" in (await count(world, draft)).warnings[0]
    await start(world, draft)
    await world.fan_out()
    [told] = await world.told_to("e-mayor@elm.example")
    assert told.asks == {("phone", OWN["subject"])}
    assert told.body["content"]["letters_due"].endswith("too late for the rulemaking; call instead")


async def test_a_manager_starts_in_the_own_divisions_alone(world: World) -> None:
    await associate(world)
    own = manager("east-bay")
    programme = {"kind": "programme", "decider": None}
    await start(world, make_draft({"divisions": ["east-bay"]}, **programme), own)
    assert (await world.campaign())["title"].startswith("SB 54 packaging regulations: East Bay division")
    for audience in (
        {"divisions": ["peninsula"]},
        {"statewide": True},
        {"groups": ["city-clerks"]},
        {"cities": ["alder"]},
        {"divisions": ["east-bay", "peninsula"]},
        {"divisions": ["east-bay"], "officials": ["b-clerk"]},
        {"officials": ["b-clerk"]},
    ):
        with pytest.raises(NotYours):
            await start(world, make_draft(audience), own)
    assert (await start(world, make_draft({"officials": ["a-chief"]}), own)).created


async def test_what_another_division_started_is_not_moved(world: World) -> None:
    await associate(world)
    campaign = (await start(world, make_draft({"divisions": ["east-bay"]}))).id
    with pytest.raises(NotYours):
        await move(world, campaign, manager("peninsula"), decided_at="2027-06-21")
    await move(world, campaign, manager("east-bay"), decided_at="2027-06-21")


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"audience": {}}, "audience", "nobody is asked"),
        ({"audience": {"divisions": ["East Bey"]}}, "audience.divisions[0]", "East Bay (east-bay)"),
        ({"audience": {"cities": ["Oak"]}}, "audience.cities[0]", "no city 'Oak'; known: Alder"),
        ({"audience": {"committees": ["Senate Howsing"]}}, "audience.committees[0]", "Senate Housing"),
        ({"audience": {"committees": ["Housing", "Fish"]}}, "audience.committees[1]", "no committee 'Fish'"),
        ({"audience": {"groups": ["clerks"]}}, "audience.groups[0]", "city-clerks"),
        ({"audience": {"groups": ["city-clerks:chair"]}}, "audience.groups[0]", "vice chair"),
        ({"audience": {"statewide": True, "roles": ["mayer"]}}, "audience.roles[0]", "mayor"),
        ({"audience": {"districts": ["SD 77"]}}, "audience.districts[0]", "SD 7"),
        ({"audience": {"officials": ["a-major"]}}, "audience.officials[0]", "a-mayor"),
        ({"audience": {"cities": ["cedar"]}}, "audience", "nobody to ask"),
        ({"audience": {"cities": ["elm"], "divisions": ["peninsula"]}}, "audience", "nobody to ask"),
        ({"decided_at": "2027-01-01"}, "decided_at", "nobody's voice counts"),
        ({"decided_at": "2077-01-01"}, "decided_at", "three years"),
        ({"decided_at": None}, "decided_at", "say until when"),
        ({"due_at": "2027-07-01T00:00:00Z"}, "due_at", "later than the end"),
        ({"decider": None}, "decider", "say who decides"),
        ({"own": []}, "own", "nothing is asked"),
        ({"own": [OWN, OWN]}, "own", "twice"),
        ({"own": [OWN | {"why": " "}]}, "own[0]", "say what is asked, and why"),
        ({"bills": ["SB 1"]}, "bills[0]", "no position on 'SB 1'"),
        ({"zone": "Mars"}, "zone", "unknown zone"),
        ({"kind": "programme"}, "audience.divisions", "one division's"),
    ],
)
async def test_what_is_wrong_is_named_with_its_field(
    world: World, changes: dict[str, Any], field: str, words: str
) -> None:
    await associate(world)
    audience = changes.pop("audience", None)
    draft = make_draft(**changes).model_copy(
        update={} if audience is None else {"audience": type(make_draft().audience)(**audience)}
    )
    with pytest.raises(Unfit) as refused:
        await start(world, draft)
    assert refused.value.errors[0].field == field
    assert words in refused.value.errors[0].message
    assert await world.fetch("SELECT * FROM campaigns") == []


async def test_a_group_that_vanishes_between_count_and_start_is_refused(world: World) -> None:
    await associate(world)
    draft = make_draft({"groups": ["city-clerks"]})
    assert (await count(world, draft)).officials == 3
    await world.project(world.tombstone("group", "city-clerks"))
    with pytest.raises(Unfit, match="no group 'city-clerks'"):
        await start(world, draft)


async def test_who_joins_a_group_is_called_and_who_leaves_is_told_so(world: World) -> None:
    await associate(world)
    await asked(world, {"groups": ["city-clerks"]})
    await world.project(world.tombstone("group", "city-clerks"))
    await world.quiet_directory()
    assert (await world.campaign())["problem"].startswith("nobody to ask")
    told = await world.told_to("b-clerk@birch.example")
    assert told[-1].recipient is None


async def test_a_member_whose_district_has_no_city_is_told_of_before_the_start(world: World) -> None:
    await associate(world)
    await world.project(world.tombstone("district", "upper:11"))
    found = await count(world, make_draft({"committees": ["Senate Housing"]}))
    assert found.warnings == ["Sam Sample (upper:11) has no city here: nobody is asked for them"]


async def test_one_mailbox_is_counted_once(world: World) -> None:
    await associate(world)
    found = await count(world, make_draft({"cities": ["elm"], "officials": ["e-mayor"]}))
    assert (found.officials, found.mailboxes) == (1, 1)


async def test_two_who_start_one_draft_at_once_start_one_campaign(world: World) -> None:
    await associate(world)
    draft = make_draft({"cities": ["elm"]}, id="both")
    first, second = await asyncio.gather(start(world, draft), start(world, draft))
    assert first.id == second.id
    assert {first.created, second.created} == {True, False}
    assert len(await world.fetch("SELECT id FROM campaigns")) == 1


async def test_half_a_directory_is_said_before_the_start_and_waited_for_after_it(world: World) -> None:
    await associate(world)
    async with world.database.connection() as connection:
        await connection.execute("DELETE FROM import_markers WHERE kind = 'officials'")
    draft = make_draft({"cities": ["elm"]})
    assert "officials were never imported completely" in (await count(world, draft)).warnings[0]
    await start(world, draft)
    assert (await world.campaign())["status"] == "waiting"
    await world.project(world.marker("officials", "again"))
    await world.fan_out()
    assert await world.called() == {"e-mayor"}


async def test_who_is_erased_is_named_in_no_audience(world: World) -> None:
    await associate(world)
    await start(world, make_draft({"officials": ["e-mayor", "a-chief"]}))
    async with world.database.transaction() as tx:
        box = mailbox("e-mayor@elm.example")
        who = Person(address="e-mayor@elm.example", mailbox=box, officials=("e-mayor",), alone=True)
        await erase(tx, who)
    [row] = await world.fetch("SELECT alert FROM hearings")
    assert row["alert"]["audience"]["officials"] == ["a-chief"]
    assert "e-mayor" not in str(await world.fetch("SELECT * FROM drafts"))


async def test_a_bill_that_has_come_to_its_end_is_asked_about_by_nobody(world: World) -> None:
    await associate(world)
    await world.adopt()
    await world.consume("legislation.alerts.v1", [record(world, make_progress(1, status="Chaptered"))])
    draft = make_draft(kind="floor-vote", decider="Senate floor", bills=["SB 79"], own=[])
    with pytest.raises(Unfit, match="come to an end"):
        await count(world, draft)


async def test_the_governors_desk_is_open_while_the_legislature_is_done(world: World) -> None:
    await associate(world)
    await world.adopt()
    await world.consume("legislation.alerts.v1", [record(world, make_progress(1, status="Enrolled"))])
    desk = {"decided_at": None, "decider": None, "presented_on": "2027-05-03"}
    await start(world, make_draft(kind="governor", bills=["SB 79"], own=[], **desk))
    assert (await world.campaign())["status"] == "launched"
    await world.consume("legislation.alerts.v1", [record(world, make_progress(2, status="Vetoed by Governor"))])
    assert (await world.campaign())["status"] == "closed"


async def test_approval_is_waited_for_unless_it_is_said_otherwise(world: World) -> None:
    await associate(world)
    await start(world, make_draft(launch="approval", decided_at=ENDS))
    await world.fan_out()
    assert (await world.campaign())["status"] == "drafted"
    assert await world.called() == set()
