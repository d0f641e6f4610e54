"""Amendments on the real database: what is told, when, and what becomes of each update."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from clarion.services.legislation.settling import Settling
from tests.services.legislation.conftest import CALIFORNIA, NOW

pytestmark = pytest.mark.timeout(60)


def ended(hearing_id: str = "ca-2027-04-21-s-housing", **more: Any) -> dict[str, Any]:
    return {"hearing_id": hearing_id, "jurisdiction": CALIFORNIA} | more


def calendar(*notices: Any, **more: Any) -> dict[str, Any]:
    return {"jurisdiction": CALIFORNIA, "hearings": list(notices)} | more


def agenda(*bills: str) -> list[dict[str, str]]:
    return [{"bill": bill} for bill in bills]


def told(alert: dict[str, Any]) -> tuple[int, str, list[str]]:
    return alert["revision"], alert["status"], alert["changed"]


async def test_a_hearing_is_moved_amended_cancelled_and_reinstated(legislation: Any, notice: Any) -> None:
    later = notice(starts_at="2027-04-22T09:00:00")
    elsewhere = later | {"location": {"name": "Room 2"}, "time_note": "or upon adjournment"}
    for number, (kind, body) in enumerate(
        [
            ("hearing.scheduled", notice()),
            ("hearing.rescheduled", later),
            ("hearing.scheduled", elsewhere),
            ("hearing.cancelled", ended(reason="no quorum")),
            ("hearing.cancelled", ended()),
            ("hearing.rescheduled", notice()),
        ]
    ):
        await legislation.hear(legislation.record(body, f"e-{number}", kind=kind))
        await legislation.wait(60)
    assert await legislation.types() == ["scheduled", "moved", "amended", "cancelled", "amended"]
    assert [told(one) for one in await legislation.alerts()] == [
        (1, "scheduled", []),
        (2, "scheduled", ["time"]),
        (3, "scheduled", ["note", "place"]),
        (4, "cancelled", ["cancelled"]),
        (5, "scheduled", ["reinstated", "time", "note", "place"]),
    ]
    outcomes = await legislation.outcomes()
    assert [outcomes[f"e-{number}"][0] for number in range(6)] == ["alerted"] * 4 + ["unchanged", "alerted"]
    [hearing] = await legislation.fetch("SELECT revision, status, state FROM hearings")
    assert (hearing["revision"], hearing["status"]) == (5, "scheduled")
    assert hearing["state"]["location"]["name"] == notice()["location"]["name"]
    assert await legislation.reasons() == []


async def test_a_move_before_its_scheduling_is_its_scheduling(legislation: Any, notice: Any) -> None:
    moved = notice(starts_at="2027-04-22T09:00:00")
    await legislation.hear(legislation.record(moved, "e-2", kind="hearing.rescheduled", time=NOW))
    await legislation.hear(legislation.record(notice(), "e-1", time=NOW - timedelta(days=1)))
    [alert] = await legislation.alerts()
    assert (alert["revision"], alert["starts_at"]) == (1, "2027-04-22T09:00:00-07:00")
    assert (await legislation.outcomes())["e-1"][0] == "outdated"
    assert await legislation.types() == ["scheduled"]


async def test_a_cancellation_of_an_unknown_hearing_is_kept_against_what_was_said_before_it(
    legislation: Any, notice: Any
) -> None:
    await legislation.hear(legislation.record(ended(), "e-2", kind="hearing.cancelled", time=NOW))
    assert await legislation.outcomes() == {"e-2": ("recorded", "no such hearing is known yet: kept")}
    assert await legislation.alerts() == []
    await legislation.hear(legislation.record(notice(), "e-1", time=NOW - timedelta(days=1)))
    assert [told(one) for one in await legislation.alerts()] == [(1, "cancelled", ["cancelled"])]
    assert (await legislation.outcomes())["e-1"][0] == "outdated"
    await legislation.hear(legislation.record(notice(), "e-3", time=NOW + timedelta(seconds=1)))
    assert [told(one) for one in await legislation.alerts()][1:] == [(2, "scheduled", ["reinstated"])]


async def test_the_same_sequence_with_other_content_is_a_dead_letter(legislation: Any, notice: Any) -> None:
    await legislation.hear(legislation.record(notice(sequence=3), "e-1"))
    await legislation.hear(
        legislation.record(notice(sequence=3, title="a field that nobody knows"), "e-2"),
        legislation.record(notice(sequence=3, location={"name": "Room 2"}), "e-3"),
        legislation.record(ended(sequence=3), "e-4", kind="hearing.cancelled"),
        legislation.record(notice(sequence=2, location={"name": "Room 2"}), "e-5", time=NOW + timedelta(seconds=9)),
        legislation.record(notice(sequence=3, agenda=agenda("SB 80")), "e-6", source="/sources/b"),
    )
    outcomes = {event: outcome for event, (outcome, _) in (await legislation.outcomes()).items()}
    assert outcomes == {
        "e-1": "alerted",
        "e-2": "unchanged",
        "e-3": "rejected",
        "e-4": "rejected",
        "e-5": "outdated",
        "e-6": "alerted",
    }
    reason = "ca-2027-04-21-s-housing: this source has said something else with the sequence 3"
    assert await legislation.reasons() == [reason, reason]


async def test_a_time_far_ahead_does_not_hold_against_what_comes_later(legislation: Any, notice: Any) -> None:
    await legislation.hear(
        legislation.record(notice(location={"name": "Room 1"}), "e-1", time=NOW + timedelta(days=300))
    )
    legislation.now += timedelta(seconds=1)
    await legislation.hear(legislation.record(notice(location={"name": "Room 2"}), "e-2"))
    assert [one["location"]["name"] for one in await legislation.alerts()] == ["Room 1", "Room 2"]


async def test_titles_alone_are_no_alert_and_travel_with_the_next(legislation: Any, notice: Any) -> None:
    renamed = notice(
        agenda=[{"bill": "SB 79", "title": "New title", "author": "Okafor"}], notice_url="https://n.example/2"
    )
    await legislation.hear(legislation.record(notice(), "e-1"))
    await legislation.hear(legislation.record(renamed, "e-2"))
    assert len(await legislation.alerts()) == 1
    assert (await legislation.outcomes())["e-2"][0] == "unchanged"
    moved = renamed | {"starts_at": "2027-04-22T09:00:00"}
    await legislation.hear(legislation.record(moved, "e-3", source="/sources/b"))
    alert = (await legislation.alerts())[-1]
    assert (alert["agenda"][0]["title"], alert["notice_url"]) == ("New title", "https://n.example/2")
    assert alert["changed"] == ["time"]


async def test_of_two_sources_the_latest_change_holds_and_repeating_is_none(legislation: Any, notice: Any) -> None:
    other = notice(location={"name": "Room 2"})
    said = [("a", notice()), ("b", notice()), ("b", other), ("a", notice()), ("b", other), ("a", notice(agenda=[]))]
    for number, (source, body) in enumerate(said):
        at = NOW + timedelta(seconds=number)
        await legislation.hear(legislation.record(body, f"e-{number}", source=f"/{source}", time=at))
    await legislation.wait(60)
    alerts = await legislation.alerts()
    assert [one["changed"] for one in alerts] == [[], ["place"], ["place"], ["agenda"]]
    assert [one["location"]["name"] for one in alerts[1:]] == ["Room 2"] + ["1021 O Street, Room 1200"] * 2


async def test_two_sources_with_different_ids_mean_one_hearing(legislation: Any, notice: Any) -> None:
    theirs = notice(hearing_id="b-77", starts_at="2027-04-21T20:30:00Z", agenda=agenda("SB 79", "AB 1"))
    await legislation.hear(legislation.record(notice(), "e-1"))
    await legislation.hear(legislation.record(theirs, "e-2", source="/sources/b"))
    await legislation.hear(legislation.record(ended("b-77"), "e-3", source="/sources/b", kind="hearing.cancelled"))
    await legislation.wait(60)
    alerts = await legislation.alerts()
    assert [told(one)[1:] for one in alerts] == [
        ("scheduled", []),
        ("scheduled", ["agenda"]),
        ("cancelled", ["cancelled"]),
    ]
    assert alerts[-1]["aliases"] == ["ca-2027-04-21-s-housing", "b-77"]
    assert len({one["hearing_id"] for one in alerts}) == 1
    assert (await legislation.outcomes())["e-2"][1] == "the same hearing as ca-2027-04-21-s-housing"


@pytest.mark.parametrize(
    "change",
    [
        {"starts_at": "2027-04-21T13:31:00"},
        {"committee": {"name": "Housing", "chamber": "lower"}},
        {"agenda": [{"bill": "SB 80"}]},
        {"agenda": []},
        {"session": "20252026"},
    ],
)
async def test_an_id_that_is_another_hearing_is_one_of_its_own(
    legislation: Any, notice: Any, change: dict[str, Any]
) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await legislation.hear(legislation.record(notice(hearing_id="b-77", **change), "e-2", source="/sources/b"))
    await legislation.wait(60)
    assert len({one["hearing_id"] for one in await legislation.alerts()}) == 2


async def test_a_bill_taken_off_waits_and_is_told_once_it_appeared_nowhere(legislation: Any, notice: Any) -> None:
    await legislation.hear(legislation.record(notice(agenda=agenda("SB 79", "AB 1")), "e-1"))
    await legislation.hear(legislation.record(notice(agenda=agenda("AB 1")), "e-2"))
    await legislation.wait(59)
    assert len(await legislation.alerts()) == 1
    assert (await legislation.outcomes())["e-2"][0] == "waiting"
    await legislation.wait(1)
    await legislation.wait(60)
    alert = (await legislation.alerts())[-1]
    assert told(alert) == (2, "scheduled", ["agenda"])
    assert [item["bill_key"] for item in alert["agenda"]] == ["AB1"]
    assert (await legislation.outcomes())["e-2"][0] == "alerted"
    assert await legislation.fetch("SELECT hearing_id FROM withdrawals") == []


async def test_a_bill_that_returns_in_time_was_never_gone_and_other_changes_do_not_wait(
    legislation: Any, notice: Any
) -> None:
    both = notice(agenda=agenda("SB 79", "AB 1"))
    less = notice(agenda=agenda("AB 1"), location={"name": "Room 2"})
    await legislation.hear(legislation.record(both, "e-1"))
    await legislation.hear(legislation.record(less, "e-2"))
    [_, alert] = await legislation.alerts()
    assert (alert["changed"], sorted(item["bill_key"] for item in alert["agenda"])) == (["place"], ["AB1", "SB79"])
    await legislation.wait(30)
    await legislation.hear(legislation.record(both | {"location": {"name": "Room 2"}}, "e-3"))
    await legislation.wait(300)
    assert len(await legislation.alerts()) == 2
    assert await legislation.fetch("SELECT hearing_id FROM withdrawals") == []


async def test_a_bill_that_goes_to_another_hearing_is_told_at_both_in_one_transaction(
    legislation: Any, notice: Any
) -> None:
    first = notice(hearing_id="a", agenda=agenda("SB 79", "AB 1"))
    second = notice(
        hearing_id="b", committee={"name": "Health"}, starts_at="2027-04-28T09:00:00", agenda=agenda("AB 2")
    )
    await legislation.hear(legislation.record(first, "e-1"), legislation.record(second, "e-2"))
    await legislation.hear(legislation.record(first | {"agenda": agenda("AB 1")}, "e-3"))
    await legislation.wait(30)
    assert len(await legislation.alerts()) == 2
    await legislation.hear(legislation.record(second | {"agenda": agenda("AB 2", "SB 79")}, "e-4"))
    alerts = {one["aliases"][0]: one for one in (await legislation.alerts())[2:]}
    assert {name: told(one) for name, one in alerts.items()} == dict.fromkeys("ab", (2, "scheduled", ["agenda"]))
    [went], [came] = alerts["a"]["counterparts"], alerts["b"]["counterparts"]
    assert (went["direction"], went["bill_key"], went["hearing_id"]) == ("went_to", "SB79", alerts["b"]["hearing_id"])
    assert (went["starts_at"], went["committee"]["name"]) == ("2027-04-28T09:00:00-07:00", "Health")
    assert (came["direction"], came["bill_key"], came["hearing_id"]) == ("came_from", "SB79", alerts["a"]["hearing_id"])
    assert (came["starts_at"], came["committee"]["name"]) == ("2027-04-21T13:30:00-07:00", "Housing")
    stamps = await legislation.fetch("SELECT DISTINCT xmin::text FROM hearings")
    assert len(stamps) == 1
    await legislation.wait(300)
    assert len(await legislation.alerts()) == 4
    assert {outcome for outcome, _ in (await legislation.outcomes()).values()} == {"alerted"}


async def test_a_list_tells_what_is_new_changed_and_gone(legislation: Any, notice: Any) -> None:
    def listed(name: str, **more: Any) -> dict[str, Any]:
        own = {"committee": {"name": f"Committee {name}"}, "agenda": agenda(f"SB {ord(name)}")}
        return dict(notice(hearing_id=name, **own, **more))

    first = calendar(listed("a"), listed("b"), listed("c"))
    second = calendar(listed("b", location={"name": "Room 2"}), listed("c"), listed("d"))
    await legislation.hear(legislation.record(first, "e-1", kind="hearing.calendar"))
    await legislation.hear(legislation.record(second, "e-2", kind="hearing.calendar"))
    seen = [(one["aliases"][0], *told(one)) for one in (await legislation.alerts())[3:]]
    assert sorted(seen) == [("b", 2, "scheduled", ["place"]), ("d", 1, "scheduled", [])]
    assert (await legislation.outcomes())["e-2"] == ("alerted", "3 hearings, 1 no longer listed")
    await legislation.wait(60)
    assert told((await legislation.alerts())[-1]) == (2, "cancelled", ["cancelled"])
    await legislation.hear(legislation.record(first, "e-3", kind="hearing.calendar"))
    again = [(one["aliases"][0], *told(one)) for one in (await legislation.alerts())[6:]]
    assert sorted(again) == [("a", 3, "scheduled", ["reinstated"]), ("b", 3, "scheduled", ["place"])]


async def test_a_hearing_back_on_the_list_in_time_was_never_gone(legislation: Any, notice: Any) -> None:
    for number, body in enumerate((calendar(notice()), calendar(), calendar(notice()))):
        await legislation.hear(legislation.record(body, f"e-{number}", kind="hearing.calendar"))
        await legislation.wait(40)
    await legislation.wait(300)
    assert len(await legislation.alerts()) == 1
    assert [one for one, _ in (await legislation.outcomes()).values()] == ["alerted", "unchanged", "unchanged"]


async def test_a_list_waits_until_the_last_of_its_hearings_has_settled(legislation: Any, notice: Any) -> None:
    both = [notice(hearing_id=name, committee={"name": name}, agenda=agenda(f"SB {name}")) for name in ("1", "2")]
    await legislation.hear(legislation.record(calendar(*both), "e-1", kind="hearing.calendar"))
    await legislation.hear(legislation.record(calendar(), "e-2", kind="hearing.calendar"))
    assert (await legislation.outcomes())["e-2"][0] == "waiting"
    await legislation.wait(20)
    await legislation.hear(legislation.record(calendar(both[0]), "e-3", kind="hearing.calendar"))
    assert (await legislation.outcomes())["e-2"][0] == "waiting"
    await legislation.hear(legislation.record(calendar(*both), "e-4", kind="hearing.calendar"))
    assert (await legislation.outcomes())["e-2"] == ("unchanged", "0 hearings, 2 no longer listed")


@pytest.mark.parametrize("returns", [True, False])
async def test_a_list_that_one_of_its_hearings_left_for_good_has_alerted(
    legislation: Any, notice: Any, *, returns: bool
) -> None:
    both = [notice(hearing_id=name, committee={"name": name}, agenda=agenda(f"SB {name}")) for name in ("1", "2")]
    await legislation.hear(legislation.record(calendar(*both), "e-1", kind="hearing.calendar"))
    await legislation.hear(legislation.record(calendar(), "e-2", kind="hearing.calendar"))
    if returns:
        await legislation.hear(legislation.record(calendar(both[0]), "e-3", kind="hearing.calendar"))
    await legislation.wait(60)
    assert (await legislation.outcomes())["e-2"][0] == "alerted"
    assert await legislation.fetch("SELECT FROM history WHERE outcome = 'waiting'") == []


async def test_a_hearing_that_is_over_is_gone_from_the_list_and_not_cancelled(legislation: Any, notice: Any) -> None:
    await legislation.hear(legislation.record(calendar(notice()), "e-1", kind="hearing.calendar"))
    legislation.now += timedelta(days=30)
    await legislation.hear(legislation.record(calendar(), "e-2", kind="hearing.calendar"))
    await legislation.wait(60)
    assert [told(one) for one in await legislation.alerts()] == [(1, "scheduled", [])]


async def test_an_older_list_and_that_of_another_source_or_committee_take_nothing_away(
    legislation: Any, notice: Any
) -> None:
    housing = {"committee": notice()["committee"]}
    await legislation.hear(legislation.record(calendar(notice(), **housing), "e-1", kind="hearing.calendar", time=NOW))
    others = [
        legislation.record(calendar(**housing), "e-2", kind="hearing.calendar", time=NOW - timedelta(seconds=1)),
        legislation.record(calendar(**housing), "e-3", kind="hearing.calendar", source="/sources/b"),
        legislation.record(calendar(committee={"name": "Health"}), "e-4", kind="hearing.calendar"),
    ]
    await legislation.hear(*others)
    await legislation.wait(60)
    assert len(await legislation.alerts()) == 1
    outcomes = await legislation.outcomes()
    assert [outcomes[event][0] for event in ("e-2", "e-3", "e-4")] == ["outdated", "unchanged", "unchanged"]


async def test_a_hearing_gone_and_one_new_with_its_committee_and_bills_is_moved(legislation: Any, notice: Any) -> None:
    old = notice(hearing_id="at-13:30", agenda=agenda("SB 79", "AB 1"))
    new = notice(hearing_id="at-9:00", starts_at="2027-04-22T09:00:00", agenda=agenda("AB 1", "SB 79"))
    await legislation.hear(legislation.record(calendar(old), "e-1", kind="hearing.calendar"))
    await legislation.hear(legislation.record(calendar(new), "e-2", kind="hearing.calendar"))
    await legislation.hear(legislation.record(ended("at-13:30"), "e-3", kind="hearing.cancelled"))
    await legislation.wait(300)
    assert await legislation.types() == ["scheduled", "moved"]
    [first, second] = await legislation.alerts()
    assert first["hearing_id"] == second["hearing_id"]
    assert (second["aliases"], second["changed"]) == (["at-13:30", "at-9:00"], ["time"])
    await legislation.hear(legislation.record(ended("at-9:00"), "e-4", kind="hearing.cancelled"))
    await legislation.wait(60)
    assert await legislation.types() == ["scheduled", "moved", "cancelled"]


async def test_a_hearing_gone_is_found_again_by_another_update_while_it_waits(legislation: Any, notice: Any) -> None:
    new = notice(hearing_id="new", starts_at="2027-04-22T09:00:00")
    await legislation.hear(legislation.record(calendar(notice()), "e-1", kind="hearing.calendar"))
    await legislation.hear(legislation.record(calendar(), "e-2", kind="hearing.calendar"))
    await legislation.wait(50)
    await legislation.hear(legislation.record(new, "e-3"))
    await legislation.wait(50)
    assert await legislation.types() == ["scheduled", "moved"]
    later = notice(hearing_id="later", starts_at="2027-04-29T09:00:00")
    await legislation.hear(legislation.record(ended("new"), "e-4", kind="hearing.cancelled"))
    await legislation.wait(60)
    await legislation.hear(legislation.record(later, "e-5"))
    assert len({one["hearing_id"] for one in await legislation.alerts()}) == 2


async def test_a_hearing_gone_whose_bills_all_went_elsewhere_is_cancelled_at_once(
    legislation: Any, notice: Any
) -> None:
    other = notice(hearing_id="b", committee={"name": "Health"}, starts_at="2027-04-28T09:00:00")
    await legislation.hear(legislation.record(calendar(notice()), "e-1", kind="hearing.calendar"))
    await legislation.hear(legislation.record(calendar(other), "e-2", kind="hearing.calendar"))
    alerts = (await legislation.alerts())[1:]
    assert sorted((one["status"], one["counterparts"][0]["direction"]) for one in alerts) == [
        ("cancelled", "went_to"),
        ("scheduled", "came_from"),
    ]


async def test_several_changes_in_one_batch_are_told_as_one(legislation: Any, notice: Any) -> None:
    await legislation.hear(
        *(
            legislation.record(
                notice(location={"name": f"Room {number}"}), f"e-{number}", time=NOW + timedelta(seconds=number)
            )
            for number in range(9)
        )
    )
    [alert] = await legislation.alerts()
    assert (alert["revision"], alert["location"]["name"]) == (1, "Room 8")
    there_and_back = [notice(), notice(location={"name": "Room 8"})]
    await legislation.hear(*(legislation.record(body, f"b-{place}") for place, body in enumerate(there_and_back)))
    assert len(await legislation.alerts()) == 1


async def test_replicas_that_settle_at_the_same_time_tell_once(legislation: Any, notice: Any) -> None:
    names = [f"h-{number}" for number in range(30)]
    listed = [notice(hearing_id=name, committee={"name": name}) for name in names]
    await legislation.hear(legislation.record(calendar(*listed), "e-1", kind="hearing.calendar"))
    await legislation.hear(legislation.record(calendar(*listed[:10]), "e-2", kind="hearing.calendar"))
    legislation.now += timedelta(seconds=60)
    back = legislation.record(calendar(*listed[:20]), "e-3", kind="hearing.calendar")
    replicas = [Settling(legislation.database, legislation.clock, legislation.settle) for _ in range(3)]
    await asyncio.gather(*(one.settle() for one in replicas), legislation.hear(back))
    last = {one["aliases"][0]: one for one in await legislation.alerts()}
    assert {name for name, one in last.items() if one["status"] == "scheduled"} == set(names[:20])
    revisions: dict[str, list[int]] = {}
    for one in await legislation.alerts():
        revisions.setdefault(one["hearing_id"], []).append(one["revision"])
    assert all(found == list(range(1, len(found) + 1)) for found in revisions.values())


async def test_with_no_time_to_settle_a_withdrawal_is_told_at_once(legislation: Any, notice: Any) -> None:
    legislation.settle = timedelta(0)
    await legislation.hear(legislation.record(notice(agenda=agenda("SB 79", "AB 1")), "e-1"))
    await legislation.hear(legislation.record(notice(agenda=agenda("AB 1")), "e-2"))
    assert (await legislation.alerts())[-1]["changed"] == ["agenda"]
    await legislation.hear(legislation.record(calendar(notice(agenda=agenda("AB 1"))), "e-3", kind="hearing.calendar"))
    await legislation.hear(legislation.record(calendar(), "e-4", kind="hearing.calendar"))
    assert (await legislation.types())[2:] == ["cancelled"]
    assert (await legislation.outcomes())["e-4"][0] == "alerted"
