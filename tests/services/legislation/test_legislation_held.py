"""A new hearing that may be one of its committee, moved, is held back for the settle window."""

from datetime import timedelta
from typing import Any

import pytest

from tests.services.legislation.conftest import CALIFORNIA

pytestmark = pytest.mark.timeout(60)

NAME = "ca-2027-04-21-s-housing"
THURSDAY = "2027-04-22T09:00:00"


async def cancel(legislation: Any, event_id: str, hearing_id: str = NAME, source: str = "/sources/a") -> None:
    body = {"hearing_id": hearing_id, "jurisdiction": CALIFORNIA}
    await legislation.hear(legislation.record(body, event_id, kind="hearing.cancelled", source=source))


async def announce(legislation: Any, notice: Any, event_id: str, source: str = "/sources/a", **changes: Any) -> None:
    facts = {"hearing_id": "new", "starts_at": THURSDAY} | changes
    await legislation.hear(legislation.record(notice(**facts), event_id, source=source))


async def told(legislation: Any) -> list[tuple[list[str], int, str, list[str]]]:
    return [(one["aliases"], one["revision"], one["status"], one["changed"]) for one in await legislation.alerts()]


async def check_nothing_waits(legislation: Any) -> None:
    assert await legislation.fetch("SELECT hearing_id FROM held UNION ALL SELECT hearing_id FROM withdrawals") == []
    assert await legislation.fetch("SELECT event_id FROM history WHERE outcome = 'waiting'") == []


async def test_a_new_hearing_heard_before_the_cancellation_of_the_old_is_the_old_one_moved(
    legislation: Any, notice: Any
) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await announce(legislation, notice, "e-2")
    outcome, note = (await legislation.outcomes())["e-2"]
    assert (outcome, note) == (
        "waiting",
        "held back: its committee has some of the bills at another hearing, which may be this one, moved",
    )
    await legislation.wait(59)
    await cancel(legislation, "e-3")
    await legislation.wait(300)
    assert await told(legislation) == [([NAME], 1, "scheduled", []), ([NAME, "new"], 2, "scheduled", ["time"])]
    [hearing] = await legislation.fetch("SELECT id FROM hearings")
    about = await legislation.fetch("SELECT hearing_id, outcome FROM history")
    assert {(row["hearing_id"], row["outcome"]) for row in about} == {(hearing["id"], "alerted")}
    await check_nothing_waits(legislation)
    await announce(legislation, notice, "e-4", location={"name": "Room 2"})
    assert (await told(legislation))[-1] == ([NAME, "new"], 3, "scheduled", ["place"])


async def test_one_that_a_list_shows_beside_the_old_is_the_old_one_moved_when_the_old_disappears(
    legislation: Any, notice: Any
) -> None:
    def listed(event_id: str, *hearings: Any) -> Any:
        body = {"jurisdiction": CALIFORNIA, "hearings": list(hearings)}
        return legislation.record(body, event_id, kind="hearing.calendar")

    new = notice(hearing_id="new", starts_at=THURSDAY)
    await legislation.hear(listed("e-1", notice()))
    await legislation.hear(listed("e-2", notice(), new))
    await legislation.wait(30)
    await legislation.hear(listed("e-3", new))
    await legislation.wait(300)
    assert await told(legislation) == [([NAME], 1, "scheduled", []), ([NAME, "new"], 2, "scheduled", ["time"])]
    await check_nothing_waits(legislation)


async def test_where_the_old_one_stays_both_are_told_after_the_window(legislation: Any, notice: Any) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await announce(legislation, notice, "e-2")
    await legislation.wait(59)
    assert len(await told(legislation)) == 1
    await legislation.wait(1)
    assert await told(legislation) == [([NAME], 1, "scheduled", []), (["new"], 1, "scheduled", [])]
    assert (await legislation.outcomes())["e-2"][0] == "alerted"
    await check_nothing_waits(legislation)
    await cancel(legislation, "e-3")
    await legislation.wait(300)
    assert (await told(legislation))[2:] == [([NAME], 2, "cancelled", ["cancelled"])]


@pytest.mark.parametrize("change", [{"committee": {"name": "Health"}}, {"agenda": [{"bill": "SB 80"}]}])
async def test_one_of_another_committee_or_of_other_bills_is_told_at_once(
    legislation: Any, notice: Any, change: dict[str, Any]
) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await announce(legislation, notice, "e-2", **change)
    assert len(await told(legislation)) == 2


async def test_one_whose_likeness_is_over_is_told_at_once(legislation: Any, notice: Any) -> None:
    await legislation.hear(legislation.record(notice(starts_at="2027-03-24T13:30:00"), "e-1"))
    await announce(legislation, notice, "e-2")
    assert len(await told(legislation)) == 2


async def test_what_changes_while_it_is_held_back_is_told_once_and_at_its_last_state(
    legislation: Any, notice: Any
) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await announce(legislation, notice, "e-2")
    await legislation.wait(20)
    await announce(legislation, notice, "e-3", location={"name": "Room 2"})
    await legislation.wait(40)
    await legislation.wait(300)
    assert (await told(legislation))[1:] == [(["new"], 1, "scheduled", [])]
    assert (await legislation.alerts())[1]["location"]["name"] == "Room 2"
    await check_nothing_waits(legislation)


async def test_one_that_is_cancelled_while_it_is_held_back_was_never_to_be_held(legislation: Any, notice: Any) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await announce(legislation, notice, "e-2")
    await cancel(legislation, "e-3", "new")
    await legislation.wait(300)
    assert (await told(legislation))[1:] == [(["new"], 1, "cancelled", ["cancelled"])]
    await check_nothing_waits(legislation)


async def test_two_sources_that_announce_what_is_held_back_are_told_as_one(legislation: Any, notice: Any) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await announce(legislation, notice, "e-2")
    await announce(legislation, notice, "e-3", "/sources/b", hearing_id="b-77")
    await legislation.wait(30)
    await cancel(legislation, "e-4")
    await legislation.wait(300)
    assert await told(legislation) == [([NAME], 1, "scheduled", []), ([NAME, "new", "b-77"], 2, "scheduled", ["time"])]
    await check_nothing_waits(legislation)


async def test_a_source_that_knows_of_the_move_first_speaks_of_the_hearing_that_moves(
    legislation: Any, notice: Any
) -> None:
    await legislation.hear(legislation.record(notice(), "e-1"))
    await announce(legislation, notice, "e-2", "/sources/b", hearing_id="b-77")
    await legislation.wait(30)
    await announce(legislation, notice, "e-3", hearing_id=NAME)
    await legislation.wait(300)
    assert await told(legislation) == [([NAME], 1, "scheduled", []), ([NAME, "b-77"], 2, "scheduled", ["time"])]
    await check_nothing_waits(legislation)


async def test_a_bill_that_comes_to_one_held_back_is_told_at_both_hearings(legislation: Any, notice: Any) -> None:
    health = notice(hearing_id="h", committee={"name": "Health"}, agenda=[{"bill": "AB 1"}, {"bill": "AB 2"}])
    await legislation.hear(legislation.record(notice(), "e-1"), legislation.record(health, "e-2"))
    await legislation.hear(legislation.record(health | {"agenda": [{"bill": "AB 2"}]}, "e-3"))
    await announce(legislation, notice, "e-4", agenda=[{"bill": "SB 79"}, {"bill": "AB 1"}])
    last = {one["aliases"][0]: one for one in (await legislation.alerts())[2:]}
    assert {name: [each["direction"] for each in one["counterparts"]] for name, one in last.items()} == {
        "h": ["went_to"],
        "new": ["came_from"],
    }
    await legislation.wait(300)
    assert len(await told(legislation)) == 4
    await check_nothing_waits(legislation)


async def test_with_no_time_to_settle_a_new_hearing_is_told_at_once(legislation: Any, notice: Any) -> None:
    legislation.settle = timedelta(0)
    await legislation.hear(legislation.record(notice(), "e-1"))
    await announce(legislation, notice, "e-2")
    assert len(await told(legislation)) == 2
