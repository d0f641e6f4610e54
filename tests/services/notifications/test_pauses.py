"""A paused wave: nothing of it begins after the pause is committed; once resumed only the newest state goes out."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from clarion.runtime.clock import system_clock
from clarion.schemas.messages import MessageBatch, Pause
from clarion.services.notifications import operations
from clarion.services.notifications.operations import Ready
from clarion.services.notifications.pauses import count_by_wave, follow_pauses, pause, pauses_of
from clarion.services.notifications.repository import Round, queries
from tests.services.notifications.conftest import House, batch, mailbox_of, official
from tests.services.notifications.test_amendments import LATER
from tests.services.notifications.test_revisions import at, claimed, desk, ending, mark, send_all, withdraw

MATTER = "campaign:c1"
BEGUN = (
    "SELECT thread_id FROM messages WHERE EXISTS (SELECT FROM unnest(moves) AS m WHERE m.state = 'sending') ORDER BY 1"
)
WAITING_FOR_LOCK = "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


async def hold(house: House, *wishes: Pause) -> None:
    async with house.database.transaction() as tx:
        await pause(tx, wishes, system_clock())


def paused(revision: int = 1, wave: str | None = None, *, yes: bool = True, matter: str = MATTER) -> Pause:
    return Pause(matter=matter, wave=wave, revision=revision, paused=yes)


def wave(name: str, numbers: Any, **changes: Any) -> MessageBatch:
    return batch(numbers, wave=name, **changes)


async def nothing_claimed(house: House) -> bool:
    return not await house.rows("SELECT FROM messages WHERE state IN ('claimed', 'sending')")


async def test_nothing_begins_once_the_pause_is_committed_and_all_goes_out_once_it_is_over(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.call(range(300))
    async with house.sending(senders=2):
        await until(lambda: mail_catcher.store.count() >= 20)
        await hold(house, paused())
        begun = await house.rows(BEGUN)
        await until(lambda: nothing_claimed(house))
        assert await house.rows(BEGUN) == begun
        assert len(begun) < 300
        assert await house.states() == {"sent": len(begun), "queued": 300 - len(begun)}
        assert mail_catcher.store.count() == len(begun)
        await hold(house, paused(2, yes=False))
        await until(lambda: mail_catcher.store.count() == 300)
    assert await house.states() == {"sent": 300}


async def test_a_mark_is_committed_before_the_pause_or_refused_by_it(house: House, until: Any) -> None:
    await house.call([1, 2])
    worker = await desk(house)
    first, second = [one for one, _ in await claimed(house, worker)]
    async with house.database.transaction() as marking:
        await operations.begin_turn(marking)
        assert await operations.mark(marking, Round(worker, 1, {}), [Ready(first)], system_clock())
        pausing = asyncio.create_task(hold(house, paused()))
        await until(lambda: someone_waits(house))
        assert not pausing.done()
    await pausing
    async with house.database.transaction() as resuming:
        await pause(resuming, [paused(2, yes=False)], system_clock())
        await pause(resuming, [paused(3)], system_clock())
        marked = asyncio.create_task(mark(house, worker, second))
        await until(lambda: someone_waits(house))
    assert await marked == 0
    assert {(row["state"], row["reason"]) for row in await house.rows()} == {("sending", None), ("queued", "paused")}


async def someone_waits(house: House) -> bool:
    return bool((await house.rows(WAITING_FOR_LOCK))[0]["n"])


async def test_only_the_paused_wave_waits(house: House, mail_catcher: Any, until: Any) -> None:
    await house.know(*(official(number) for number in range(1, 5)))
    await hold(house, paused(wave="north"), paused(matter="campaign:c9"))
    await house.ask(wave("north", [1]), wave("south", [2]), wave("", [3]), batch([4], matter="campaign:c2"))
    async with house.sending():
        await until(lambda: mail_catcher.store.count() == 3)
    states = {row["officials"][0]: row["state"] for row in await house.rows()}
    assert states == {"o1": "queued", "o2": "sent", "o3": "sent", "o4": "sent"}
    async with house.database.connection() as connection:
        counts = await count_by_wave(connection, MATTER)
    assert counts == {"": {"sent": 1}, "north": {"queued": 1}, "south": {"sent": 1}}


async def test_the_newest_revision_holds_whatever_the_order(house: House) -> None:
    await hold(house, paused(2, "north", yes=False), paused(1, "north"))
    await hold(house, paused(1, "north"))
    await hold(house, paused(3), paused(3))
    await hold(house, paused(2, yes=False))
    async with house.database.connection() as connection:
        known = await pauses_of(connection, MATTER)
    assert known == {None: paused(3), "north": paused(2, "north", yes=False)}


async def test_what_is_amended_while_paused_goes_out_once_as_it_is_then(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.know(official(1), official(2))
    await house.ask(at(1, numbers=(1, 2)))
    await hold(house, paused())
    await house.ask(at(2, LATER, numbers=(2,)))
    await withdraw(house, ending(2))
    await hold(house, paused(2, yes=False))
    await send_all(house, until)
    assert [mail.recipients for mail in mail_catcher.store.list()] == [("o2@city.example",)]
    states = {(row["officials"][0], row["revision"]): row["state"] for row in await house.rows()}
    assert states == {("o1", 1): "unneeded", ("o2", 1): "superseded", ("o2", 2): "sent"}


async def test_who_was_told_hears_that_it_ended_once_it_is_resumed(house: House, until: Any) -> None:
    await house.know(official(1))
    await house.ask(at(1, wave="north"))
    await send_all(house, until)
    await hold(house, paused(wave="north"))
    await withdraw(house, ending(2))
    worker = await desk(house)
    assert await claimed(house, worker) == []
    await hold(house, paused(2, "north", yes=False))
    assert [one.revision for one, _ in await claimed(house, worker)] == [2]


async def test_what_is_paused_too_long_expires(house: House) -> None:
    soon = system_clock() + timedelta(hours=1)
    await house.call([1], not_after=soon)
    await hold(house, paused())
    async with house.database.transaction() as tx:
        await operations.expire(tx, soon + timedelta(seconds=1), 10)
    assert await house.states() == {"expired": 1}
    assert [one["mailbox"] for one in await house.delivered()] == [mailbox_of(1)]


ASIDE = "SELECT officials[1] AS id FROM ledger WHERE due_at = 'infinity' ORDER BY 1"


async def aside(house: House, room: int = 2) -> list[str]:
    """Who is put aside once the pauses were followed."""
    await follow_pauses(house.database, system_clock, room)
    return [row["id"] for row in await house.rows(ASIDE)]


async def test_what_is_paused_is_put_aside_and_due_again_once_resumed(house: House) -> None:
    await house.ask(wave("north", range(1, 6)), wave("south", [6, 7]), batch([8], matter="campaign:c2"))
    await house.execute("UPDATE ledger SET due_at = now() + interval '1 hour' WHERE officials = '{o2}'")
    await hold(house, paused(wave="north"))
    assert await aside(house) == ["o1", "o2", "o3", "o4", "o5"]
    assert await aside(house) == ["o1", "o2", "o3", "o4", "o5"]
    await house.ask(wave("north", [9]), wave("south", [10]))
    assert await aside(house) == ["o1", "o2", "o3", "o4", "o5", "o9"]
    await hold(house, paused())
    assert len(await aside(house)) == 9
    await hold(house, paused(2, yes=False))
    assert len(await aside(house)) == 6
    await hold(house, paused(2, "north", yes=False))
    assert await aside(house) == []
    worker = await desk(house)
    assert len(await claimed(house, worker)) == 10


async def test_who_looked_before_it_was_resumed_leaves_nothing_aside(house: House, until: Any) -> None:
    await house.ask(wave("north", range(1, 6)))
    await hold(house, paused())
    async with house.database.transaction() as late:
        await queries.lock_following(late.connection)
        await queries.follow_pauses(late.connection, matter=MATTER, after=UUID(int=0), room=9, now=system_clock())
        await hold(house, paused(2, yes=False))
        following = asyncio.create_task(aside(house))
        await until(lambda: someone_waits(house))
    assert await following == []
