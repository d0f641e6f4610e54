"""Who gets a seat, who waits and who is declined, on a real database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.services.registrations.conftest import CLOSES_AT, Registrations


def statuses(outcomes: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, int | None]]:
    return [(kind.removeprefix("registration."), body["place"]) for kind, body in outcomes]


async def test_seats_go_in_order_and_the_rest_wait_with_their_place(registrations: Registrations) -> None:
    event = await registrations.create()
    await registrations.hear(*(registrations.asks(event, f"p{number}") for number in range(5)))
    assert statuses(await registrations.outcomes()) == [
        ("confirmed", None),
        ("confirmed", None),
        ("confirmed", None),
        ("waitlisted", 1),
        ("waitlisted", 2),
    ]
    assert (await registrations.standing())["p4"] == ("waitlisted", 2)
    await registrations.check_counts()


async def test_a_freed_seat_goes_to_the_next_at_once_before_who_asks_later_in_the_same_batch(
    registrations: Registrations,
) -> None:
    event = await registrations.create(capacity=1)
    await registrations.hear(*(registrations.asks(event, name) for name in ("ada", "bo", "cy")))
    await registrations.forget_published()
    await registrations.hear(registrations.cancels(event, "ada"), registrations.asks(event, "di"))
    assert [kind for kind, _ in await registrations.outcomes()] == [
        "registration.cancelled",
        "registration.promoted",
        "registration.waitlisted",
    ]
    assert await registrations.standing() == {
        "ada": ("cancelled", None),
        "bo": ("confirmed", None),
        "cy": ("waitlisted", 1),
        "di": ("waitlisted", 2),
    }
    told = {notice["recipients"][0]["address"] for notice in await registrations.notices()}
    assert told == {"ada@city.example", "bo@city.example", "di@city.example"}
    await registrations.check_counts()


async def test_a_repeat_gets_the_same_answer_and_no_second_mail(registrations: Registrations) -> None:
    event = await registrations.create(capacity=1)
    await registrations.hear(registrations.asks(event, "ada"), registrations.asks(event, "bo"))
    await registrations.hear(
        registrations.asks(event, "bo"), registrations.asks(event, "ADA"), registrations.asks(event, "Bo")
    )
    outcomes = await registrations.outcomes()
    assert statuses(outcomes) == [
        ("confirmed", None),
        ("waitlisted", 1),
        ("waitlisted", 1),
        ("confirmed", None),
        ("waitlisted", 1),
    ]
    assert len({body["registration_id"] for _, body in outcomes}) == 2
    assert len(await registrations.notices()) == 2
    await registrations.check_counts()


async def test_the_same_event_delivered_twice_is_answered_once(registrations: Registrations) -> None:
    event = await registrations.create()
    record = registrations.asks(event, "ada")
    await registrations.hear(record, record)
    await registrations.hear(record)
    assert len(await registrations.outcomes()) == 1


async def test_who_cancelled_may_register_again_and_stands_behind_the_others(registrations: Registrations) -> None:
    event = await registrations.create(capacity=1)
    await registrations.hear(registrations.asks(event, "ada"), registrations.asks(event, "bo"))
    await registrations.hear(registrations.cancels(event, "ada"), registrations.asks(event, "ada"))
    assert await registrations.standing() == {"bo": ("confirmed", None), "ada": ("waitlisted", 1)}
    await registrations.check_counts()


async def test_places_move_up_without_mail_and_a_repeat_tells_the_new_place(registrations: Registrations) -> None:
    event = await registrations.create(capacity=0)
    await registrations.hear(*(registrations.asks(event, name) for name in ("ada", "bo", "cy")))
    await registrations.forget_published()
    await registrations.hear(
        registrations.cancels(event, "ada"), registrations.asks(event, "cy"), registrations.cancels(event, "bo"),
        registrations.asks(event, "cy"),
    )  # fmt: skip
    assert statuses(await registrations.outcomes()) == [
        ("cancelled", None),
        ("waitlisted", 2),
        ("cancelled", None),
        ("waitlisted", 1),
    ]
    assert {notice["recipients"][0]["address"] for notice in await registrations.notices()} == {
        "ada@city.example",
        "bo@city.example",
    }


async def test_a_capacity_of_zero_is_a_waiting_list_from_the_first(registrations: Registrations) -> None:
    event = await registrations.create(capacity=0)
    await registrations.hear(registrations.asks(event, "ada"))
    assert statuses(await registrations.outcomes()) == [("waitlisted", 1)]


async def test_more_seats_go_to_who_waits_in_order_and_fewer_take_none_back(registrations: Registrations) -> None:
    event = await registrations.create(capacity=1)
    await registrations.hear(*(registrations.asks(event, f"p{number}") for number in range(5)))
    await registrations.forget_published()
    await registrations.move(capacity=3)
    assert [(kind, body.get("status")) for kind, body in await registrations.outcomes()] == [
        ("webinar.moved", "open"),
        ("registration.promoted", "confirmed"),
        ("registration.promoted", "confirmed"),
    ]
    assert [notice["recipients"][0]["name"] for notice in await registrations.notices()] == ["P1", "P2"]
    await registrations.move(capacity=1)
    await registrations.hear(registrations.cancels(event, "p0"))
    assert await registrations.standing() == {
        "p0": ("cancelled", None),
        "p1": ("confirmed", None),
        "p2": ("confirmed", None),
        "p3": ("waitlisted", 1),
        "p4": ("waitlisted", 2),
    }
    await registrations.hear(registrations.cancels(event, "p1"), registrations.cancels(event, "p2"))
    assert (await registrations.standing())["p3"] == ("confirmed", None)
    await registrations.check_counts()


@pytest.mark.parametrize(
    ("late_by", "status"),
    [(-1, "confirmed"), (0, "confirmed"), (0.001, "declined"), (1, "declined")],
)
async def test_the_deadline_counts_to_the_second_by_the_record_of_an_integration(
    registrations: Registrations, late_by: float, status: str
) -> None:
    event = await registrations.create()
    closes = datetime.fromisoformat(CLOSES_AT).astimezone(UTC)
    registrations.now = closes + timedelta(days=1)
    claimed = (closes - timedelta(days=1)).isoformat()
    asked = registrations.asks(event, "ada", at=closes + timedelta(seconds=late_by), received_at=claimed)
    await registrations.hear(asked)
    [(kind, body)] = await registrations.outcomes()
    assert kind == f"registration.{status}"
    assert body["reason"] == (
        "Registration closed on Wednesday, May 5, 2027, 12:00 pm PDT." if status == "declined" else None
    )


async def test_a_source_that_claims_to_be_ours_without_our_row_is_not_believed(registrations: Registrations) -> None:
    event = await registrations.create()
    late = datetime.fromisoformat(CLOSES_AT) + timedelta(seconds=1)
    early = (late - timedelta(days=1)).isoformat()
    await registrations.hear(
        registrations.asks(event, "ada", at=late, received_at=early, source="/clarion/registrations")
    )
    assert statuses(await registrations.outcomes()) == [("declined", None)]


async def test_who_is_declined_twice_for_one_reason_is_mailed_once(registrations: Registrations) -> None:
    event = await registrations.create()
    late = datetime.fromisoformat(CLOSES_AT) + timedelta(seconds=1)
    await registrations.hear(registrations.asks(event, "ada", at=late))
    await registrations.hear(registrations.asks(event, "ada", at=late))
    assert statuses(await registrations.outcomes()) == [("declined", None), ("declined", None)]
    assert len(await registrations.notices()) == 1


async def test_an_event_cancelled_with_500_requests_in_kafka_declines_each_with_the_reason(
    registrations: Registrations,
) -> None:
    event = await registrations.create()
    await registrations.hear(registrations.asks(event, "early"))
    waiting = [registrations.asks(event, f"p{number}") for number in range(500)]
    await registrations.call_off(reason="the presenter is ill")
    await registrations.hear(*waiting)
    outcomes = await registrations.outcomes()
    assert [kind for kind, _ in outcomes[:3]] == [
        "registration.confirmed",
        "webinar.cancelled",
        "registration.cancelled",
    ]
    declined = [body for kind, body in outcomes if kind == "registration.declined"]
    assert len(declined) == 500
    assert {body["reason"] for body in declined} == {"The event was cancelled: the presenter is ill"}
    assert len(await registrations.notices()) == 502
    await registrations.check_counts()


async def test_requests_of_many_events_in_one_batch_do_not_mix(registrations: Registrations) -> None:
    first = await registrations.create(slug="first", capacity=1)
    second = await registrations.create(slug="second", capacity=1)
    await registrations.hear(
        registrations.asks(first, "ada"),
        registrations.asks(second, "ada"),
        registrations.asks(first, "bo"),
        registrations.cancels(second, "ada"),
        registrations.asks(second, "bo"),
    )
    rows = await registrations.fetch(
        "SELECT slug, split_part(email, '@', 1) AS who, r.status FROM registrations AS r JOIN webinars AS w "
        "ON w.id = event_id ORDER BY slug, who"
    )
    assert [tuple(row) for row in rows] == [
        ("first", "ada", "confirmed"),
        ("first", "bo", "waitlisted"),
        ("second", "ada", "cancelled"),
        ("second", "bo", "confirmed"),
    ]
    await registrations.check_counts()


async def test_a_registration_id_of_an_integration_is_kept_and_can_cancel(registrations: Registrations) -> None:
    event = await registrations.create()
    await registrations.hear(registrations.asks(event, "ada", registration_id="crm-1"))
    await registrations.hear(registrations.asks(event, "bo", registration_id="crm-1"))
    await registrations.hear(registrations.asks(event, "ada", registration_id="crm-1"))
    await registrations.hear(registrations.cancels(event, registration_id="crm-1"))
    await registrations.hear(registrations.cancels(event, registration_id="crm-1"))
    outcomes = await registrations.outcomes()
    assert {body["registration_id"] for _, body in outcomes} == {"crm-1"}
    assert [kind.rpartition(".")[2] for kind, _ in outcomes] == ["confirmed", "confirmed", "cancelled", "cancelled"]
    assert await registrations.reasons() == ["this registration_id is another registration's"]
    assert len(await registrations.notices()) == 2


async def test_moving_tells_everyone_registered_once_and_their_entry_keeps_its_uid(
    registrations: Registrations,
) -> None:
    event = await registrations.create(capacity=1)
    await registrations.hear(*(registrations.asks(event, name) for name in ("ada", "bo", "gone")))
    await registrations.hear(registrations.cancels(event, "gone"))
    before = {notice["matter"]: notice for notice in await registrations.notices()}
    await registrations.forget_published()
    await registrations.move(starts_at=datetime(2027, 5, 7, 17, tzinfo=UTC))
    await registrations.move(starts_at=datetime(2027, 5, 7, 17, tzinfo=UTC))
    notices = await registrations.notices()
    assert [notice["recipients"][0]["name"] for notice in notices] == ["Ada", "Bo"]
    assert [notice["revision"] for notice in notices] == [2, 2]
    told = notices[0]
    assert told["calendar"]["uid"] == before[told["matter"]]["calendar"]["uid"]
    assert told["calendar"]["starts_at"] == "2027-05-07T17:00:00Z"
    assert told["calendar"]["ends_at"].startswith("2027-05-07T11:30:00")
    assert told["facts"][2]["text"] == "Friday, May 7, 2027, 10:00 to 11:30 am PDT"
    assert notices[1]["calendar"] is None
    assert [kind for kind, _ in await registrations.outcomes()].count("webinar.moved") == 1


async def test_a_promotion_and_a_move_at_once_are_one_mail(registrations: Registrations) -> None:
    event = await registrations.create(capacity=1)
    await registrations.hear(*(registrations.asks(event, name) for name in ("ada", "bo", "cy")))
    await registrations.forget_published()
    await registrations.move(capacity=2, where="Room 1")
    notices = {notice["recipients"][0]["name"]: notice for notice in await registrations.notices()}
    assert len(await registrations.notices()) == 3
    assert notices["Bo"]["content"]["status"] == "confirmed"
    assert notices["Cy"]["content"]["place"] == 1
    await registrations.check_counts()


async def test_what_people_do_not_act_on_is_not_told(registrations: Registrations) -> None:
    event = await registrations.create()
    await registrations.hear(registrations.asks(event, "ada"))
    await registrations.forget_published()
    await registrations.move(registration_closes_at=datetime(2027, 5, 4, tzinfo=UTC))
    assert await registrations.notices() == []


async def test_cancelling_the_event_tells_everyone_once_and_takes_the_entries_back(
    registrations: Registrations,
) -> None:
    event = await registrations.create(capacity=1)
    await registrations.hear(*(registrations.asks(event, name) for name in ("ada", "bo")))
    await registrations.forget_published()
    await registrations.call_off()
    ada, bo = sorted(await registrations.notices(), key=lambda notice: notice["recipients"][0]["name"])
    assert ada["calendar"]["method"] == "CANCEL"
    assert bo["calendar"] is None
    assert {notice["facts"][0]["text"] for notice in (ada, bo)} == {"Cancelled"}
    assert ada["content"]["reason"] == "The event was cancelled."
    await registrations.check_counts()


async def test_a_confirmation_carries_all_that_a_person_needs(registrations: Registrations) -> None:
    event = await registrations.create()
    await registrations.hear(registrations.asks(event, "ada", registration_id="crm-1"))
    [notice] = await registrations.notices()
    [row] = await registrations.fetch("SELECT token, mailbox FROM registrations")
    url = f"http://clarion.example/registrations/{row['token']}"
    assert notice["matter"] == "registration:crm-1"
    assert (notice["template"], notice["lane"], notice["subscription"]) == ("registration", "registration", None)
    assert notice["reply_to"]["address"] == "events@league.example"
    assert [(fact["key"], fact["text"]) for fact in notice["facts"]] == [
        ("status", "Confirmed"),
        ("event", "How the packaging law will affect local governments"),
        ("when", "Thursday, May 6, 2027, 10:00 to 11:30 am PDT"),
        ("where", "Online"),
        ("join", "https://join.league.example/1"),
    ]
    content = notice["content"]
    assert (content["status_url"], content["cancel_url"]) == (url, f"{url}#cancel")
    assert content["join_url"] == "https://join.league.example/1"
    assert notice["recipients"][0]["mailbox"] == row["mailbox"]
    assert notice["not_after"] == "2027-05-06T11:30:00-07:00"
    assert notice["calendar"]["uid"] == "registration-crm-1@clarion"
    assert len(row["token"]) >= 24
