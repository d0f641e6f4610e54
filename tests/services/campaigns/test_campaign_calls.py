"""What a call says, to whom, and until when."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from campaigns_world import ASKED, IMPORTS, World, district, legislator, mailbox, official

from clarion.schemas.topics import bucket
from clarion.services.campaigns import fanout
from clarion.services.campaigns.domain.times import spoken_start, spoken_time

ZONE = "America/Los_Angeles"


def texts(recipient: dict[str, Any]) -> list[str]:
    return [reason["text"] for reason in recipient["reasons"]]


def asked(recipient: dict[str, Any]) -> set[tuple[str, str]]:
    return {(ask["kind"], ask["bill"]) for ask in recipient["asks"]}


async def test_a_message_carries_facts_content_and_the_manager_of_its_division(world: World) -> None:
    await world.launch(points="Three points.", letter="Dear Chair,")
    campaign = await world.campaign()
    batch = (await world.recipient("a-mayor"))["batch"]
    assert (batch["matter"], batch["revision"]) == (f"campaign:{campaign['id']}", 1)
    assert (batch["template"], batch["lane"], batch["subscription"]) == ("call", "call", "calls")
    assert batch["reply_to"]["name"] == "Manager of East Bay"
    assert {fact["key"]: fact["text"] for fact in batch["facts"]} == {
        "when": "Wednesday, April 21, 2027, 1:30 pm PDT",
        "where": "1021 O Street, Room 1200",
        "committee": "Senate Committee on Housing",
        "letters_due": "Wednesday, April 14, 2027, 12:00 pm PDT",
        "bill:SB79": "SB 79: oppose; vote no on SB 79",
    }
    assert batch["content"]["division"] == "East Bay"
    assert batch["content"]["bills"][0]["letter"] == "Dear Chair,"
    assert batch["not_after"] == "2027-04-14T19:00:00Z"


async def test_messages_are_keyed_by_campaign_and_bucket(world: World) -> None:
    await world.launch()
    campaign = await world.campaign()
    rows = await world.fetch("SELECT key FROM outbox WHERE topic = 'campaigns.calls.v1' ORDER BY id")
    for row, batch in zip(rows, await world.batches(), strict=True):
        buckets = {bucket(recipient["mailbox"]) for recipient in batch["recipients"]}
        assert row["key"].decode() == f"{campaign['id']}/{buckets.pop()}"
        assert not buckets


async def test_the_chair_is_named_first_then_the_larger_share(world: World) -> None:
    await world.launch()
    assert texts(await world.recipient("b-member")) == [
        "Senator Jesse Example (chair), who represents Birch (SD 7), sits on the committee that hears SB 79.",
        "Senator Sam Sample, who represents Birch (SD 11), sits on the committee that hears SB 79.",
    ]


async def test_every_reason_is_kept_as_data(world: World) -> None:
    await world.launch()
    [row] = await world.fetch("SELECT reasons, bills FROM campaign_cities WHERE city = 'birch'")
    assert row["bills"] == ["SB 79"]
    assert [(each["kind"], each["legislator"], each["district"], each["share"]) for each in row["reasons"]] == [
        ("committee", "l7", "upper:7", 0.004),
        ("committee", "l11", "upper:11", 0.99),
    ]


async def test_a_mail_names_at_most_three_reasons(world: World) -> None:
    members = [legislator(f"m{number}", f"Pat Number{number}", f"upper:{number}") for number in range(5)]
    housing = IMPORTS["committees"][0].model_copy(update={"members": []})
    seats = [
        {"legislator": one.id, "name": one.name, "role": "member", "chamber": "upper", "district": one.district}
        for one in members
    ]
    housing = type(housing).model_validate(housing.model_dump() | {"members": seats})
    await world.import_all(
        committees=[housing],
        districts=[district(one.district, alder=number / 10) for number, one in enumerate(members)],
    )
    await world.adopt()
    await world.hear()
    await world.fan_out()
    told = texts(await world.recipient("a-mayor"))
    assert [text.split(",")[0] for text in told] == [
        "Senator Pat Number4",
        "Senator Pat Number3",
        "Senator Pat Number2",
    ]


async def test_the_authors_own_district_is_asked_about_that_bill_alone(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.adopt(bill="AB 5", ask="vote no on AB 5")
    await world.hear(
        agenda=[{"bill": "SB 79", "author": "Nobody"}, {"bill": "AB 5", "author": "Assembly Member MÚSTER"}]
    )
    await world.fan_out()
    found = await world.recipient("e-mayor")
    assert texts(found) == ["Assembly Member Ana Muster, who represents Elm (AD 3), is the author of AB 5."]
    assert asked(found) == {("letter", "AB 5")}
    assert asked(await world.recipient("a-mayor")) == {("letter", "SB 79"), ("letter", "AB 5")}


async def test_an_author_who_fits_two_is_no_reason(world: World) -> None:
    twin = legislator("l4", "Ulla Muster", "lower:4", family_name="Muster")
    await world.import_all(legislators=[*IMPORTS["legislators"], twin])
    await world.adopt(bill="AB 5")
    await world.hear(agenda=[{"bill": "AB 5", "author": "Muster"}])
    await world.fan_out()
    assert "e-mayor" not in await world.called()


async def test_a_statewide_position_calls_every_member_city(world: World) -> None:
    await world.launch(statewide=True)
    assert await world.called() == ASKED | {"e-mayor"}
    assert texts(await world.recipient("e-mayor")) == ["SB 79 concerns every city in the state."]


async def test_cities_that_are_no_members_are_called_only_if_the_position_says_so(world: World) -> None:
    await world.import_all()
    await world.adopt(include_non_members=True)
    await world.adopt(bill="AB 5")
    await world.hear(agenda=[{"bill": "AB 5"}, {"bill": "SB 79"}])
    await world.fan_out()
    assert await world.called() == ASKED | {"c-mayor"}
    found = await world.recipient("c-mayor")
    assert asked(found) == {("letter", "SB 79")}
    assert texts(found) == ["Senator Sam Sample, who represents Cedar (SD 11), sits on the committee that hears SB 79."]


async def test_a_city_without_a_division_is_called_in_a_wave_of_its_own_without_reply_to(world: World) -> None:
    await world.launch()
    batch = (await world.recipient("d-mayor"))["batch"]
    assert batch["reply_to"] is None
    assert batch["content"]["division"] is None
    assert [dict(row) for row in await world.fetch("SELECT division, officials FROM waves ORDER BY division")] == [
        {"division": "", "officials": 1},
        {"division": "east-bay", "officials": 2},
        {"division": "peninsula", "officials": 2},
    ]


async def test_letters_are_asked_of_who_signs_them_and_testimony_of_who_is_willing(world: World) -> None:
    await world.launch()
    assert asked(await world.recipient("a-mayor")) == {("letter", "SB 79")}
    assert asked(await world.recipient("a-chief")) == {("testimony", "SB 79")}
    assert asked(await world.recipient("b-manager")) == {("letter", "SB 79"), ("testimony", "SB 79")}
    assert "a-clerk" not in await world.called()


async def test_after_the_letters_deadline_who_would_write_is_asked_to_call_and_nobody_to_write(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear(letters_due_at="2027-03-31T12:00:00-07:00")
    await world.fan_out()
    assert await world.called() == ASKED
    assert asked(await world.recipient("a-mayor")) == {("phone", "SB 79")}
    found = await world.recipient("b-manager")
    assert asked(found) == {("phone", "SB 79"), ("testimony", "SB 79")}
    assert found["batch"]["not_after"] == "2027-04-21T20:30:00Z"
    assert found["batch"]["content"]["letters_open"] is False
    assert found["batch"]["content"]["letters_due"].startswith(
        "It was Wednesday, March 31, 2027, 12:00 pm PDT: too late"
    )


async def test_a_deadline_ahead_ends_the_calls_for_letters_and_not_those_for_testimony(world: World) -> None:
    people = [
        official("mayor", "alder", "Mayor", mailbox=f"{24:032x}"),
        official("chief", "alder", "Fire Chief", mailbox=f"{48:032x}", testifies=True),
        official("manager", "alder", "City Manager", mailbox=f"{72:032x}", testifies=True),
    ]
    await world.import_all(officials=people)
    await world.adopt()
    await world.hear(letters_due_at="2027-04-14T12:00:00-07:00")
    await world.fan_out()
    ends = {who: (await world.recipient(who))["batch"]["not_after"] for who in ("mayor", "chief", "manager")}
    assert ends == {
        "mayor": "2027-04-14T19:00:00Z",
        "chief": "2027-04-21T20:30:00Z",
        "manager": "2027-04-14T19:00:00Z",
    }


async def test_a_deadline_that_passes_before_the_fan_out_asks_no_letters_any_more(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear(letters_due_at="2027-04-14T12:00:00-07:00")
    world.now = datetime(2027, 4, 15, tzinfo=UTC)
    await world.fan_out()
    assert {kind for each in (await world.recipients()).values() for kind, _ in asked(each)} == {"phone", "testimony"}


async def test_a_hearing_upon_adjournment_is_open_to_the_end_of_its_day(world: World) -> None:
    await world.import_all()
    await world.adopt()
    await world.hear(starts_at="2027-04-21", time_note="upon adjournment of session")
    await world.fan_out()
    batch = (await world.recipient("a-chief"))["batch"]
    assert batch["content"]["when"] == "Wednesday, April 21, 2027, upon adjournment of session (PDT)"
    assert batch["not_after"] == "2027-04-22T07:00:00Z"


async def test_officials_of_one_mailbox_travel_in_one_recipient_of_the_first_division(world: World) -> None:
    shared = "both@towns.example"
    people = [
        official("p", "birch", "Council Member", address=shared),
        official("a", "alder", "City Clerk", address=shared, testifies=True),
        official("c", "alder", "City Clerk", address=shared),
    ]
    await world.import_all(officials=people)
    await world.adopt()
    await world.hear()
    await world.fan_out()
    recipients = await world.recipients()
    assert list(recipients) == [mailbox(shared)]
    found = recipients[mailbox(shared)]
    assert found["officials"] == ["a", "p"]
    assert found["batch"]["content"]["division"] == "East Bay"
    assert asked(found) == {("letter", "SB 79"), ("testimony", "SB 79")}
    assert [text.split(",")[0] for text in texts(found)] == ["Senator Jesse Example (chair)", "Senator Sam Sample"]


@pytest.mark.parametrize("role", ["MAYOR", "Mayor Pro Tem", "vice-mayor", "Councilmember", "Interim City Manager"])
async def test_role_words_are_compared_without_case_and_dashes(world: World, role: str) -> None:
    await world.import_all(officials=[official("x", "alder", role)])
    await world.adopt()
    await world.hear()
    await world.fan_out()
    assert await world.called() == {"x"}


async def test_a_fan_out_that_dies_in_the_middle_is_taken_up_again_and_nobody_is_called_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [official(f"o{number}", "alder", "Mayor") for number in range(200)]
    await world.import_all(officials=people)
    await world.adopt()
    await world.hear()
    monkeypatch.setattr(fanout, "OFFICIALS_PER_TRANSACTION", 20)
    assert await fanout.fan_out(world.database, world.clock)
    some = await world.called()
    assert 0 < len(some) < 200
    await world.fan_out_and_die()
    assert await world.called() == some
    await world.fan_out()
    assert await world.called() == {f"o{number}" for number in range(200)}
    assert len(await world.recipients()) == 200
    await world.fan_out()
    assert len(await world.recipients()) == 200


async def test_two_workers_at_once_call_nobody_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.import_all(officials=[official(f"o{number}", "alder", "Mayor") for number in range(300)])
    await world.adopt()
    await world.hear()
    monkeypatch.setattr(fanout, "OFFICIALS_PER_TRANSACTION", 20)
    await asyncio.gather(world.fan_out(), world.fan_out(), world.fan_out())
    await world.fan_out()
    assert len(await world.recipients()) == 300


async def test_the_worker_is_woken_by_a_launch(world: World, until: Any) -> None:
    stopping = asyncio.Event()
    worker = asyncio.create_task(fanout.FanOut(world.database, world.clock).run(stopping))
    await world.launch()

    async def all_called() -> bool:
        return await world.called() == ASKED

    await until(all_called)
    stopping.set()
    await worker


async def test_a_message_holds_at_most_250_recipients(world: World) -> None:
    people = [official(f"o{number}", "alder", "Mayor", mailbox=f"{number * 24:08x}{'0' * 24}") for number in range(600)]
    await world.import_all(officials=people)
    await world.adopt()
    await world.hear()
    await world.fan_out()
    sizes = [len(batch["recipients"]) for batch in await world.batches()]
    assert sizes == [250, 250, 100]


async def test_texts_that_fit_no_message_are_said_instead_of_launched(world: World) -> None:
    await world.import_all()
    bills = [f"SB {number}" for number in range(1, 32)]
    for bill in bills:
        await world.adopt(bill=bill, letter="x" * 19_900)
    await world.hear(agenda=[{"bill": bill} for bill in bills])
    campaign = await world.campaign()
    assert campaign["status"] == "waiting"
    assert "shorten them" in campaign["problem"]


async def test_the_database_deals_mailboxes_into_the_same_buckets(world: World) -> None:
    await world.import_all(officials=[official(f"o{number}", "alder", "Mayor") for number in range(500)])
    rows = await world.fetch("SELECT mailbox, bucket FROM officials")
    assert {(row["mailbox"], row["bucket"]) for row in rows} == {
        (row["mailbox"], bucket(row["mailbox"])) for row in rows
    }


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime(2027, 3, 14, 9, 59, tzinfo=UTC), "Sunday, March 14, 2027, 1:59 am PST"),
        (datetime(2027, 3, 14, 10, 0, tzinfo=UTC), "Sunday, March 14, 2027, 3:00 am PDT"),
        (datetime(2027, 11, 7, 8, 30, tzinfo=UTC), "Sunday, November 7, 2027, 1:30 am PDT"),
        (datetime(2027, 11, 7, 9, 30, tzinfo=UTC), "Sunday, November 7, 2027, 1:30 am PST"),
        (datetime(2027, 1, 1, 20, 0, tzinfo=UTC), "Friday, January 1, 2027, 12:00 pm PST"),
    ],
)
def test_times_are_said_in_the_zone_of_the_hearing(moment: datetime, said: str) -> None:
    assert spoken_time(moment, ZONE) == said
    assert spoken_start(moment, ZONE, "or later") == f"{said} (or later)"
