"""A cancellation waits for the hearing or its bills to appear elsewhere, like any withdrawal."""

from datetime import timedelta
from typing import Any

import pytest

from tests.services.legislation.conftest import CALIFORNIA

pytestmark = pytest.mark.timeout(60)

NAME = "ca-2027-04-21-s-housing"


async def cancel(legislation: Any, event_id: str, hearing_id: str = NAME) -> None:
    body = {"hearing_id": hearing_id, "jurisdiction": CALIFORNIA}
    await legislation.hear(legislation.record(body, event_id, kind="hearing.cancelled"))


async def outcome(legislation: Any, event_id: str) -> str:
    return str((await legislation.outcomes())[event_id][0])


def told(alert: dict[str, Any]) -> tuple[int, str, list[str]]:
    return alert["revision"], alert["status"], alert["changed"]


async def test_a_cancellation_is_told_once_the_hearing_appeared_nowhere(legislation: Any, notice: Any) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await cancel(legislation, "e-2")
    await legislation.wait(40)
    await cancel(legislation, "e-3")
    await legislation.wait(19)
    assert await legislation.types() == ["scheduled"]
    assert (await outcome(legislation, "e-2"), await outcome(legislation, "e-3")) == ("waiting", "unchanged")
    await legislation.wait(1)
    assert await legislation.types() == ["scheduled", "cancelled"]
    await legislation.wait(300)
    assert [told(one) for one in await legislation.alerts()][1:] == [(2, "cancelled", ["cancelled"])]
    assert await outcome(legislation, "e-2") == "alerted"
    assert await legislation.fetch("SELECT hearing_id FROM withdrawals") == []


async def test_a_cancelled_hearing_announced_again_in_time_was_never_cancelled(legislation: Any, notice: Any) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await cancel(legislation, "e-2")
    await legislation.wait(59)
    await legislation.hear(legislation.record(notice(), "e-3"))
    await legislation.wait(300)
    assert await legislation.types() == ["scheduled"]
    assert (await outcome(legislation, "e-2"), await outcome(legislation, "e-3")) == ("unchanged", "unchanged")


async def test_a_cancelled_hearing_announced_for_another_time_is_moved(legislation: Any, notice: Any) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await cancel(legislation, "e-2")
    await legislation.wait(30)
    await legislation.hear(legislation.record(notice(starts_at="2027-04-22T09:00:00"), "e-3"))
    await legislation.wait(300)
    assert await legislation.types() == ["scheduled", "moved"]
    assert told((await legislation.alerts())[-1]) == (2, "scheduled", ["time"])


@pytest.mark.parametrize("is_in_one_batch", [True, False])
async def test_a_new_hearing_with_its_committee_and_bills_is_the_cancelled_one_moved(
    legislation: Any, notice: Any, is_in_one_batch: bool
) -> None:
    await legislation.hear(legislation.record(notice(agenda=[{"bill": "SB 79"}, {"bill": "AB 1"}]), "e-1"))
    new = notice(hearing_id="new", starts_at="2027-04-22T09:00:00", agenda=[{"bill": "AB 1"}, {"bill": "SB 79"}])
    ended = {"hearing_id": NAME, "jurisdiction": CALIFORNIA}
    records = [legislation.record(ended, "e-2", kind="hearing.cancelled"), legislation.record(new, "e-3")]
    for batch in [records] if is_in_one_batch else [[one] for one in records]:
        await legislation.hear(*batch)
    await legislation.wait(300)
    assert await legislation.types() == ["scheduled", "moved"]
    [first, second] = await legislation.alerts()
    assert first["hearing_id"] == second["hearing_id"]
    assert (second["aliases"], second["changed"], second["counterparts"]) == ([NAME, "new"], ["time"], [])
    assert await outcome(legislation, "e-2") == "alerted"
    assert (await legislation.outcomes())["e-3"] == ("alerted", f"the same hearing as {NAME}")


@pytest.mark.parametrize("change", [{"committee": {"name": "Health"}}, {"agenda": [{"bill": "SB 80"}]}])
async def test_a_new_hearing_of_another_committee_or_of_other_bills_is_not_the_cancelled_one(
    legislation: Any, notice: Any, change: dict[str, Any]
) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await cancel(legislation, "e-2")
    await legislation.hear(legislation.record(notice(hearing_id="new", **change), "e-3"))
    await legislation.wait(300)
    alerts = await legislation.alerts()
    assert len({one["hearing_id"] for one in alerts}) == 2
    assert sorted(await legislation.types()) == ["cancelled", "scheduled", "scheduled"]


async def test_bills_of_a_cancelled_hearing_that_appear_at_a_living_one_are_told_at_both(
    legislation: Any, notice: Any
) -> None:
    later = {"committee": {"name": "Health"}, "starts_at": "2027-04-28T09:00:00"}
    await legislation.hear(
        legislation.record(notice(agenda=[{"bill": "SB 79"}, {"bill": "AB 1"}]), "e-1"),
        legislation.record(notice(hearing_id="b", agenda=[{"bill": "AB 2"}], **later), "e-2"),
    )
    await cancel(legislation, "e-3")
    await legislation.wait(20)
    gains = [{"bill": "AB 2"}, {"bill": "SB 79"}]
    await legislation.hear(legislation.record(notice(hearing_id="b", agenda=gains, **later), "e-4"))
    at = {one["aliases"][0]: one for one in (await legislation.alerts())[2:]}
    assert {name: told(one) for name, one in at.items()} == dict.fromkeys([NAME, "b"], (2, "scheduled", ["agenda"]))
    [went], [came] = at[NAME]["counterparts"], at["b"]["counterparts"]
    assert (went["direction"], went["bill_key"], went["hearing_id"]) == ("went_to", "SB79", at["b"]["hearing_id"])
    assert (came["direction"], came["bill_key"], came["hearing_id"]) == ("came_from", "SB79", at[NAME]["hearing_id"])
    await legislation.wait(40)
    last = (await legislation.alerts())[-1]
    assert (told(last), [item["bill_key"] for item in last["agenda"]]) == ((3, "cancelled", ["cancelled"]), ["AB1"])


async def test_a_cancelled_hearing_whose_bills_all_went_elsewhere_waits_no_longer(
    legislation: Any, notice: Any
) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await cancel(legislation, "e-2")
    other = notice(hearing_id="b", committee={"name": "Health"}, starts_at="2027-04-28T09:00:00")
    await legislation.hear(legislation.record(other, "e-3"))
    alerts = (await legislation.alerts())[1:]
    assert sorted((one["status"], one["counterparts"][0]["direction"]) for one in alerts) == [
        ("cancelled", "went_to"),
        ("scheduled", "came_from"),
    ]
    assert await outcome(legislation, "e-2") == "alerted"


async def test_with_no_time_to_settle_a_cancellation_is_told_at_once(legislation: Any, notice: Any) -> None:
    legislation.settle = timedelta(0)
    await legislation.hear(legislation.record(notice(), "e-1"))
    await cancel(legislation, "e-2")
    assert await legislation.types() == ["scheduled", "cancelled"]
    assert await outcome(legislation, "e-2") == "alerted"
