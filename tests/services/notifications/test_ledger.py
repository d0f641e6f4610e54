"""What a request becomes in the ledger, and who may take a row from it."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from clarion.runtime.clock import system_clock
from clarion.schemas.directory import City
from clarion.schemas.messages import Withdrawal
from clarion.services.notifications import handlers, operations
from clarion.services.notifications.domain.holds import Hold, Key, key_of
from clarion.services.notifications.domain.messages import Claimed
from clarion.services.notifications.operations import Ready
from clarion.services.notifications.repository import Projection, Round, Workers
from tests.services.notifications.conftest import House, batch, mailbox_of, official, recipient


async def enlisted(house: House, seconds: float = 60) -> Any:
    worker = uuid4()
    async with house.database.transaction() as tx:
        await Workers(tx.connection).enlist(worker, timedelta(seconds=seconds))
    return worker


def holding(claimed: list[Claimed]) -> dict[Key, Hold]:
    return {key_of(one): Hold(one.claim, system_clock()) for one in claimed}


async def claim(house: House, worker: Any, room: int = 100, held: list[Claimed] | None = None) -> list[Claimed]:
    async with house.database.transaction() as tx:
        return await operations.claim(tx, worker, room, system_clock(), holding(held or []))


async def mark(house: House, worker: Any, claimed: list[Claimed]) -> int:
    async with house.database.transaction() as tx:
        wanted = [Ready(one, one.recipient.officials) for one in claimed]
        return len(await operations.mark(tx, Round(worker, 0, {}), wanted, system_clock(), holding(claimed)))


async def test_250_recipients_become_250_threads_and_rows_in_a_handful_of_statements(house: House) -> None:
    statements: list[str] = []
    async with house.database.transaction() as tx:
        with tx.connection.query_logger(lambda record: statements.append(record.query)):
            await operations.register(tx, [batch(range(250))], system_clock())
    assert await house.states() == {"queued": 250}
    assert len(await house.rows("SELECT FROM threads")) == 250
    assert len(await house.rows("SELECT FROM contents")) == 1
    # The driver looks at each type once in a process.
    assert len([one for one in statements if "typeinfo" not in one and "'jit'" not in one]) <= 7


async def test_a_request_that_comes_again_changes_nothing(house: House) -> None:
    asked = batch(range(5))
    await house.ask(asked)
    before = await house.rows()
    await house.ask(asked, asked)
    assert await house.rows() == before
    assert len(await house.rows("SELECT FROM contents")) == 1


async def test_the_content_of_each_wave_is_kept_once(house: House) -> None:
    await house.ask(batch([1]), batch([2]), batch([3], reply_to={"name": "Someone else"}))
    assert len(await house.rows("SELECT FROM contents")) == 2


async def test_who_is_asked_for_twice_at_one_moment_gets_one_mail_to_all(house: House, until: Any) -> None:
    async def waits() -> bool:
        return bool(await house.rows("SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"))

    second = recipient(1, officials=["o2"])
    async with house.database.transaction() as tx:
        await operations.register(tx, [batch([1])], system_clock())
        asking = asyncio.create_task(house.ask(batch([], recipients=[recipient(0), second, recipient(2)])))
        await until(waits)
    await asking
    assert [row["officials"] for row in await house.rows()] == [["o0"], ["o1", "o2"], ["o2"]]
    assert len(await house.rows("SELECT FROM threads")) == 3


async def test_a_revision_may_bring_new_mailboxes_beside_those_that_are_known(house: House) -> None:
    await house.ask(batch([1, 2]))
    await house.ask(batch([2, 3, 4], revision=2))
    rows = await house.rows()
    assert [(row["officials"], row["revision"], row["state"]) for row in rows] == [
        (["o1"], 1, "queued"),
        (["o2"], 1, "superseded"),
        (["o2"], 2, "queued"),
        (["o3"], 2, "queued"),
        (["o4"], 2, "queued"),
    ]


async def test_two_waves_that_name_one_mailbox_become_one_mail_to_all_of_it(house: House) -> None:
    second = recipient(1, officials=["o2"], asks=[{"kind": "testimony", "bill": "SB 79"}])
    await house.ask(batch([1]), batch([], recipients=[second]), batch([1]), batch([], recipients=[second]))
    (row,) = await house.rows()
    assert row["officials"] == ["o1", "o2"]
    assert len(row["parts"]) == 2


async def test_a_newer_revision_ends_an_unsent_older_one(house: House) -> None:
    await house.ask(batch([1, 2]))
    await house.ask(batch([1], revision=2))
    assert [(row["revision"], row["state"]) for row in await house.rows()] == [
        (1, "superseded"),
        (2, "queued"),
        (1, "queued"),
    ]
    assert [(one["revision"], one["state"]) for one in await house.delivered()] == [(1, "superseded")]


async def test_a_revision_that_comes_after_its_successor_is_never_sent(house: House) -> None:
    await house.ask(batch([1], revision=2))
    await house.ask(batch([1], revision=1))
    assert [(row["revision"], row["state"]) for row in await house.rows()] == [(1, "superseded"), (2, "queued")]


async def test_a_withdrawal_ends_what_is_unsent(house: House) -> None:
    await house.ask(batch([1, 2]))
    async with house.database.transaction() as tx:
        wish = Withdrawal(matter="campaign:c1", revision=1, mailboxes=[mailbox_of(1), mailbox_of(7)], reason="put over")
        await operations.withdraw(tx, wish, system_clock())
    assert [(row["state"], row["reason"]) for row in await house.rows()] == [("unneeded", "put over"), ("queued", None)]
    assert [one["state"] for one in await house.delivered()] == ["unneeded"]


async def test_outcomes_of_one_transaction_are_told_in_one_message(house: House) -> None:
    await house.ask(batch(range(40), not_after=datetime.now(UTC) - timedelta(seconds=1)))
    async with house.database.transaction() as tx:
        assert await operations.expire(tx, system_clock(), 1_000) == 40
    told = await house.delivered()
    assert {one["state"] for one in told} == {"expired"}
    assert {one["key"] for one in told} == {str(int(told[0]["mailbox"][:8], 16) % 24)}
    assert len({one["mailbox"] for one in told}) == 40


async def test_no_row_is_claimed_by_two_workers_or_by_one_without_a_lease(house: House) -> None:
    await house.call(range(10))
    first, second, late = await enlisted(house), await enlisted(house), await enlisted(house, seconds=-1)
    assert len(await claim(house, first, 6)) == 6
    assert len(await claim(house, second, 10)) == 4
    assert await claim(house, late) == []
    assert await claim(house, uuid4()) == []


async def test_urgent_lanes_are_claimed_first_and_none_starves(house: House) -> None:
    await house.ask(batch(range(100), lane="bulk", matter="news"))
    await house.ask(batch(range(100), lane="sign-in", matter="sign-in"))
    claimed = await claim(house, await enlisted(house), 90)
    lanes = [one.lane for one in claimed]
    assert (lanes.count(0), lanes.count(3)) == (80, 10)


async def test_a_row_is_not_claimed_while_another_of_its_thread_may_be_on_its_way(house: House) -> None:
    await house.call([1])
    worker = await enlisted(house)
    (first,) = await claim(house, worker)
    assert await mark(house, worker, [first]) == 1
    await house.ask(batch([1], revision=2))
    assert await claim(house, worker, held=[first]) == []
    assert await claim(house, await enlisted(house)) == []


@pytest.mark.parametrize(
    ("event", "state", "reason"),
    [
        ("UPDATE threads SET revision = 2", "superseded", "revision 2 replaces it"),
        ("INSERT INTO unsubscribed SELECT mailbox, 'calls', now() FROM ledger", "unneeded", "unsubscribed"),
        ("INSERT INTO suppressions SELECT mailbox, 'bounced', now() FROM ledger", "suppressed", "bounced"),
        ("UPDATE officials SET active = false", "queued", "its officials changed"),
        (f"UPDATE officials SET mailbox = '{mailbox_of(9)}'", "queued", "its officials changed"),
        ("DELETE FROM officials", "queued", "its officials changed"),
    ],
)
async def test_whatever_forbids_a_mail_is_seen_by_its_mark(house: House, event: str, state: str, reason: str) -> None:
    await house.call([1])
    worker = await enlisted(house)
    claimed = await claim(house, worker)
    await house.execute(event)
    assert await mark(house, worker, claimed) == 0
    (row,) = await house.rows()
    assert (row["state"], row["reason"], row["worker_id"]) == (state, reason, None)


async def test_who_unsubscribes_between_claim_and_mark_gets_nothing(house: House) -> None:
    await house.call([1, 2])
    worker = await enlisted(house)
    claimed = await claim(house, worker)
    async with house.database.transaction() as tx:
        await operations.leave(tx, mailbox_of(1), ["calls"], system_clock())
    assert await mark(house, worker, claimed) == 1
    assert [row["state"] for row in await house.rows()] == ["unneeded", "sending"]


async def test_a_revision_whose_successor_came_between_claim_and_mark_is_not_sent(house: House) -> None:
    await house.call([1])
    worker = await enlisted(house)
    claimed = await claim(house, worker)
    await house.ask(batch([1], revision=2))
    assert await mark(house, worker, claimed) == 0
    assert [row["state"] for row in await house.rows()] == ["superseded", "queued"]


async def test_a_mark_whose_commit_was_not_heard_of_may_be_made_again(house: House) -> None:
    await house.call([1])
    worker = await enlisted(house)
    claimed = await claim(house, worker)
    assert await mark(house, worker, claimed) == 1
    assert await mark(house, worker, claimed) == 1


async def test_a_dead_worker_frees_what_it_claimed_and_leaves_what_it_sent_in_doubt(house: House) -> None:
    await house.call([1, 2])
    worker = await enlisted(house)
    claimed = await claim(house, worker)
    await mark(house, worker, [one for one in claimed if one.mailbox == mailbox_of(1)])
    await house.execute("UPDATE workers SET lease_until = now() - interval '1 second'")
    async with house.database.transaction() as tx:
        await operations.bury(tx, system_clock(), timedelta())
    assert [(row["state"], row["doubts"]) for row in await house.rows()] == [("uncertain", 1), ("queued", 0)]
    again = await enlisted(house)
    claimed = await claim(house, again)
    assert await mark(house, again, claimed) == 2
    await house.execute("UPDATE workers SET lease_until = now() - interval '1 second'")
    async with house.database.transaction() as tx:
        await operations.bury(tx, system_clock(), timedelta())
    assert [(row["state"], row["doubts"]) for row in await house.rows()] == [("unknown", 2), ("uncertain", 1)]


async def test_a_lease_that_is_renewed_is_not_buried_and_a_buried_one_is_not_renewed(house: House) -> None:
    worker = await enlisted(house, seconds=-1)
    async with house.database.transaction() as tx:
        assert await Workers(tx.connection).renew(worker, timedelta(seconds=60))
        await operations.bury(tx, system_clock(), timedelta())
        assert await Workers(tx.connection).renew(worker, timedelta(seconds=-1))
    async with house.database.transaction() as tx:
        await operations.bury(tx, system_clock(), timedelta())
        assert not await Workers(tx.connection).renew(worker, timedelta(seconds=60))


async def test_the_tables_moves_are_held_in_these_tests(house: House) -> None:
    await house.call([1])
    with pytest.raises(asyncpg.RaiseError, match="from queued to sent"):
        await house.pretend("sent")


def event(key: str, data: Any) -> Any:
    return SimpleNamespace(key=key, data=data)


async def test_the_directory_is_projected_by_revision_and_tombstones_erase(house: House) -> None:
    newer, older = official(1, revision=5, name="New Name"), official(1, revision=4)
    async with house.database.transaction() as tx:
        city = City(id="city:1", revision=1, name="Alder")
        events = [event("city:city:1", city), event("official:o1", newer), event("official:o1", older)]
        await handlers.on_entities(tx, events)
        await handlers.on_entities(tx, [event("official:o1", older)])
        known = await Projection(tx.connection).officials(["o1", "o2"])
        assert [(one.name, one.city) for one in known.values()] == [("New Name", "Alder")]
        await handlers.on_entities(tx, [event("official:o1", newer), event("official:o1", None)])
        assert await Projection(tx.connection).officials(["o1"]) == {}


async def test_thousands_of_officials_are_projected_in_two_statements(house: House) -> None:
    statements: list[str] = []
    async with house.database.transaction() as tx:
        with tx.connection.query_logger(lambda record: statements.append(record.query)):
            await handlers.on_entities(tx, [event(f"official:o{n}", official(n)) for n in range(2_000)])
    assert len(statements) == 1


class Tray:
    """A transaction that only takes rejections."""

    def __init__(self) -> None:
        self.rejected: list[str] = []

    def reject(self, _received: Any, reason: str) -> None:
        self.rejected.append(reason)


def test_a_request_of_which_no_mail_can_be_made_is_a_dead_letter_and_the_next_is_taken() -> None:
    tray = Tray()
    nowhere = {"uid": "c1@clarion", "summary": "S", "starts_at": "2027-04-21T13:30:00", "zone": "Mars/Olympus"}
    wishes = [
        batch([1], template="poem"),
        batch([1], template="withdrawal"),
        batch([1], content={}),
        batch([1], calendar=nowhere),
        Withdrawal.model_validate({"matter": "m", "revision": 2, "mailboxes": [], "calendar": nowhere}),
        batch([1]),
    ]
    good = [wish for wish in wishes if handlers.sendable(tray, event("k", wish))]  # type: ignore[arg-type]
    assert good == wishes[-1:]
    poem, withdrawal, content, calendar, ending = tray.rejected
    assert poem.startswith("unknown template 'poem'")
    assert withdrawal.startswith("unknown template 'withdrawal'")
    assert "committee" in content
    assert calendar == ending == "calendar: unknown time zone 'Mars/Olympus'"


async def test_batches_that_come_at_once_each_keep_what_is_their_own(house: House) -> None:
    await house.ask(batch([1], matter="campaign:known"))
    asked = {"campaign:a": [1, 2, 3], "campaign:b": [2], "campaign:known": [1, 4], "campaign:c": [5, 3]}
    empty = batch([], matter="campaign:empty")
    batches = [
        batch([], recipients=[recipient(n, name=f"o{n}") for n in numbers], matter=matter, revision=2, wave=matter)
        for matter, numbers in asked.items()
    ]
    await house.ask(batches[0], empty, *batches[1:])
    rows = await house.rows("SELECT * FROM ledger WHERE revision = 2")
    kept = {(row["matter"], row["wave"], row["mailbox"], *row["officials"]) for row in rows}
    assert kept == {(one, one, mailbox_of(n), f"o{n}") for one, numbers in asked.items() for n in numbers}
    assert all([row["parts"][0]["name"]] == row["officials"] for row in rows)
    contents = await house.rows(
        "SELECT l.matter = c.matter AS own FROM ledger AS l JOIN contents AS c ON c.id = content_id"
    )
    assert all(row["own"] for row in contents)
