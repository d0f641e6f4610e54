"""The ledger forgets what is over for long, whole threads at a time, and nothing that may still be amended."""

from datetime import timedelta
from typing import Any

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Transaction
from clarion.services.notifications.upkeep import purges
from tests.services.notifications.conftest import House, batch

DAYS = 400
LONG_AGO = timedelta(days=DAYS + 1)


async def purge(house: House, *, days: int = DAYS) -> int:
    """Everything that is too old; how many rows went."""
    gone = 0
    for job in purges(days, days):
        while rows := await one_step(house, job):
            gone += rows
    return gone


async def one_step(house: House, job: Any) -> int:
    async with house.database.transaction() as tx:
        assert isinstance(tx, Transaction)
        rows: int = await job.step(tx)
        return rows


async def aged(house: House, matter: str, by: timedelta, *, state: str | None = "sent") -> None:
    """As if all of a matter had happened so long ago, and ended."""
    await house.execute("ALTER TABLE ledger DISABLE TRIGGER moves")
    await house.execute(
        "UPDATE ledger SET state_at = state_at - $2::interval, queued_at = queued_at - $2, not_after = not_after - $2,"
        " state = coalesce($3, state) WHERE matter = $1",
        matter,
        by,
        state,
    )
    await house.execute(
        "UPDATE contents SET saved_at = saved_at - $2::interval, not_after = not_after - $2, begins_at = begins_at - $2"
        " WHERE matter = $1",
        matter,
        by,
    )


async def matters(house: House, table: str) -> set[str]:
    return {row["matter"] for row in await house.rows(f"SELECT DISTINCT matter FROM {table}")}


async def test_a_matter_that_is_over_for_long_goes_with_all_it_needed(house: House) -> None:
    await house.call(range(5), not_after=None)
    await house.ask(batch(range(3), revision=2, not_after=None))
    await house.ask(batch(range(2), matter="campaign:c2"))
    await house.execute(
        "INSERT INTO pauses (matter, wave, revision, paused, changed_at) VALUES ('campaign:c1', NULL, 1, true, now())"
    )
    await aged(house, "campaign:c1", LONG_AGO)
    assert await purge(house) == 5 + 3 + 5 + 2 + 1 + 1
    for table in ("ledger", "threads", "contents", "commons"):
        assert await matters(house, table) == {"campaign:c2"}
    assert await matters(house, "pauses") == set()
    assert await purge(house) == 0


async def test_a_thread_that_was_told_anything_lately_keeps_its_whole_story(house: House) -> None:
    await house.call(range(4), not_after=None)
    await aged(house, "campaign:c1", LONG_AGO)
    await house.execute("UPDATE ledger SET state_at = now() WHERE officials = '{o1}'")
    await purge(house)
    assert [row["officials"] for row in await house.rows("SELECT officials FROM ledger")] == [["o1"]]
    assert await matters(house, "contents") == {"campaign:c1"}


async def test_a_matter_that_may_still_be_amended_stays_however_old_its_mail_is(house: House) -> None:
    await house.call(range(2), not_after=None)
    await aged(house, "campaign:c1", LONG_AGO)
    await house.execute("UPDATE contents SET begins_at = now() + interval '1 day'")
    assert await purge(house) == 0
    await house.execute("UPDATE contents SET begins_at = NULL, not_after = now() + interval '1 day'")
    assert await purge(house) == 0
    await house.execute("UPDATE contents SET not_after = NULL")
    await house.ask(batch([9], revision=2, not_after=None))
    assert await purge(house) == 0, "somebody asked for it again"


@pytest.mark.parametrize("state", ["queued", "deferred", "uncertain"])
async def test_what_is_not_at_its_end_stays(house: House, state: str) -> None:
    await house.call(range(2), not_after=None)
    await aged(house, "campaign:c1", LONG_AGO, state=state)
    assert await purge(house) == 0


async def test_who_was_told_is_told_the_difference_also_long_after(house: House) -> None:
    """The story of a hearing a year and a half ahead is there when it moves."""
    await house.call(range(1), not_after=system_clock() + timedelta(days=600))
    await house.execute("ALTER TABLE ledger DISABLE TRIGGER moves")
    await house.execute("UPDATE ledger SET state = 'sent', state_at = now() - interval '500 days'")
    await house.execute("UPDATE contents SET saved_at = now() - interval '500 days'")
    assert await purge(house) == 0
    await house.ask(batch(range(1), revision=2))
    assert [row["revision"] for row in await house.rows("SELECT revision FROM ledger ORDER BY 1")] == [1, 2]


async def test_what_comes_again_after_the_inbox_forgot_it_is_known_by_the_ledger(house: House) -> None:
    await house.call(range(3))
    await aged(house, "campaign:c1", timedelta(days=60))
    await house.execute("DELETE FROM inbox")
    await purge(house)
    await house.ask(batch(range(3)))
    assert await house.states() == {"sent": 3}


async def test_a_request_from_before_the_purge_comes_too_late_to_be_sent(house: House) -> None:
    await house.call(range(3), not_after=system_clock() - timedelta(days=DAYS))
    await aged(house, "campaign:c1", LONG_AGO)
    await purge(house)
    assert await house.states() == {}
    await house.ask(batch(range(3), not_after=system_clock() - timedelta(days=DAYS)))
    async with house.sending():
        pass
    assert await house.rows("SELECT FROM ledger WHERE state IN ('sending', 'sent', 'unknown')") == []
