"""What senders have in hand and under way: nothing of it is taken twice, ended meanwhile, or lost with its sender."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

from clarion.runtime.clock import system_clock
from clarion.services.notifications import operations
from clarion.services.notifications.domain.holds import Hold, Key, key_of
from clarion.services.notifications.domain.messages import Claimed
from clarion.services.notifications.domain.outcomes import Verdict
from clarion.services.notifications.operations import Ready
from clarion.services.notifications.repository import Round, Settled, Workers
from tests.services.notifications.conftest import House, batch, mailbox_of, official, recipient

DELAYS = (0, 1, 2, 4, 8, 16, 32, 64, 0, 1)
"""By how many further mailboxes a newer revision comes later to the lock of marks."""


async def enlisted(house: House) -> UUID:
    worker = uuid4()
    async with house.database.transaction() as tx:
        await Workers(tx.connection).enlist(worker, timedelta(seconds=60))
    return worker


def holding(claimed: list[Claimed]) -> dict[Key, Hold]:
    return {key_of(one): Hold(one.claim, system_clock()) for one in claimed}


async def claim(house: House, worker: UUID, room: int, held: list[Claimed]) -> list[Claimed]:
    async with house.database.transaction() as tx:
        return await operations.claim(tx, worker, room, system_clock(), holding(held))


async def mark(house: House, worker: UUID, claimed: list[Claimed]) -> set[Key]:
    """A round of these."""
    async with house.database.transaction() as tx:
        await operations.begin_turn(tx)
        ready = [Ready(one, one.recipient.officials) for one in claimed]
        return set(await operations.mark(tx, Round(worker, 0, {}), ready, system_clock(), holding(claimed)))


async def settle(house: House, worker: UUID, claimed: list[Claimed], verdict: Verdict) -> None:
    async with house.database.transaction() as tx:
        await operations.begin_turn(tx)
        settled = [Settled(one, verdict) for one in claimed]
        await operations.settle(tx, worker, settled, system_clock(), holding(claimed))


async def die(house: House, worker: UUID) -> None:
    """The lease ends, and the caretaker sees it."""
    await house.execute("UPDATE workers SET lease_until = now() - interval '1 second' WHERE id = $1", worker)
    async with house.database.transaction() as tx:
        await operations.bury(tx, system_clock(), timedelta())


async def test_workers_that_claim_at_once_never_hold_one_thread_together(house: House) -> None:
    await house.ask(batch(range(300)))
    workers = [await enlisted(house) for _ in range(4)]
    held: dict[UUID, list[Claimed]] = {worker: [] for worker in workers}
    for _ in range(12):
        found = await asyncio.gather(*(claim(house, worker, 9, held[worker]) for worker in workers))
        for worker, taken in zip(workers, found, strict=True):
            held[worker] += taken
        noted = await house.rows("SELECT count(*) AS n, count(DISTINCT thread_id) AS threads FROM in_hand")
        assert noted[0]["n"] == noted[0]["threads"] == sum(map(len, held.values()))
        # One gives back what it has, by not saying that it holds it.
        held[workers[0]] = held[workers[0]][5:]
        async with house.database.transaction() as tx:
            await Workers(tx.connection).keep(workers[0], holding(held[workers[0]]))


async def test_what_a_worker_says_no_more_that_it_holds_is_free(house: House) -> None:
    await house.ask(batch(range(4)))
    worker, other = await enlisted(house), await enlisted(house)
    first = await claim(house, worker, 4, [])
    assert await claim(house, other, 4, []) == []
    assert await claim(house, worker, 4, first[:3]) == [first[3]]
    assert await claim(house, worker, 0, first[:2]) == []
    assert {one.mailbox for one in await claim(house, other, 4, [])} == {one.mailbox for one in first[2:]}


async def test_a_claim_that_is_lost_with_its_worker_is_free_and_leaves_no_trace(house: House) -> None:
    await house.ask(batch(range(5)))
    worker, other = await enlisted(house), await enlisted(house)
    assert len(await claim(house, worker, 5, [])) == 5
    assert await house.states() == {"claimed": 5}
    await die(house, worker)
    assert await house.states() == {"queued": 5}
    assert len(await claim(house, other, 5, [])) == 5
    assert {(row["doubts"], len(row["moves"])) for row in await house.rows()} == {(0, 1)}


async def test_a_worker_that_was_buried_marks_and_settles_nothing(house: House) -> None:
    await house.call([1, 2])
    worker, other = await enlisted(house), await enlisted(house)
    claimed = await claim(house, worker, 2, [])
    await die(house, worker)
    assert await mark(house, worker, claimed) == set()
    await settle(house, worker, claimed, Verdict("failed", 0, 0, reason="it cannot be written"))
    assert await house.states() == {"queued": 2}
    assert len(await claim(house, other, 2, [])) == 2
    await mark(house, worker, claimed)
    assert await house.states() == {"claimed": 2}


async def test_of_the_late_words_of_a_buried_worker_only_that_a_mail_was_sent_counts(house: House) -> None:
    await house.call([1, 2])
    worker = await enlisted(house)
    first, second = await claim(house, worker, 2, [])
    await mark(house, worker, [first, second])
    await die(house, worker)
    await settle(house, worker, [first], Verdict("sent", 1, 0, reply="250 ok"))
    await settle(house, worker, [second], Verdict("deferred", 1, 0, reply="451 later"))
    rows = {row["thread_id"]: row for row in await house.rows()}
    assert (rows[first.thread_id]["state"], rows[second.thread_id]["state"]) == ("sent", "uncertain")
    moves = [move["state"] for move in rows[first.thread_id]["moves"]]
    assert moves == ["queued", "claimed", "sending", "uncertain", "sent"]
    await settle(house, worker, [first], Verdict("sent", 1, 0, reply="250 ok"))
    assert {row["thread_id"]: len(row["moves"]) for row in await house.rows()}[first.thread_id] == len(moves)


async def test_the_late_word_stops_the_mark_of_who_took_the_message_meanwhile(house: House) -> None:
    await house.call([1])
    worker, other = await enlisted(house), await enlisted(house)
    claimed = await claim(house, worker, 1, [])
    await mark(house, worker, claimed)
    await die(house, worker)
    again = await claim(house, other, 1, [])
    await settle(house, worker, claimed, Verdict("sent", 1, 0, reply="250 ok"))
    assert await mark(house, other, again) == set()
    assert await house.states() == {"sent": 1}


async def test_what_is_superseded_and_marked_at_once_is_never_both(house: House) -> None:
    people = range(40)
    await house.know(*(official(number) for number in people))
    await house.ask(batch(people))
    worker = await enlisted(house)
    claimed = await claim(house, worker, 40, [])
    marked: set[Key] = set()

    for start in range(0, 40, 4):
        chosen = [int(one.recipient.officials[0][1:]) for one in claimed[start : start + 4]]
        newer = batch([*chosen, *range(100 + start, 100 + start + DELAYS[start // 4])], revision=2)
        begun, _ = await asyncio.gather(mark_beside(house, worker, claimed[start : start + 4], start), house.ask(newer))
        marked |= begun
    first = {row["thread_id"]: row["state"] for row in await house.rows() if row["revision"] == 1}
    assert {key[0] for key in marked} == {thread for thread, state in first.items() if state == "sending"}
    assert {state for thread, state in first.items() if (thread, 1) not in marked} <= {"superseded"}


async def mark_beside(house: House, worker: UUID, claimed: list[Claimed], crew: int) -> set[Key]:
    async with house.database.transaction() as tx:
        await operations.begin_turn(tx)
        ready = [Ready(one, one.recipient.officials) for one in claimed]
        return set(await operations.mark(tx, Round(worker, crew, {}), ready, system_clock(), holding(claimed)))


async def test_who_unsubscribes_while_a_mail_begins_is_left_out_or_gets_it_but_not_both(house: House) -> None:
    people = range(30)
    await house.call(people)
    worker = await enlisted(house)
    claimed = await claim(house, worker, 30, [])

    async def leaves() -> None:
        for number in people:
            async with house.database.transaction() as tx:
                await operations.leave(tx, mailbox_of(number), ["calls"], system_clock())

    async def marks() -> list[set[Key]]:
        return [await mark_beside(house, worker, claimed[at : at + 3], at) for at in range(0, 30, 3)]

    _, begun = await asyncio.gather(leaves(), marks())
    states = {(row["thread_id"], row["revision"]): row["state"] for row in await house.rows()}
    assert set().union(*begun) == {key for key, state in states.items() if state == "sending"}
    assert set(states.values()) <= {"sending", "unneeded"}


async def test_who_joins_a_mailbox_while_its_mail_is_in_hand_is_named_and_while_it_is_under_way_is_not(
    house: House,
) -> None:
    await house.know(official(1), official(1, id="o2"))
    await house.ask(batch([1]))
    worker = await enlisted(house)
    claimed = await claim(house, worker, 1, [])
    second = recipient(1, officials=["o2"])
    await house.ask(batch([], recipients=[second]))
    assert await mark(house, worker, claimed) == set()
    (again,) = await claim(house, worker, 1, [])
    assert list(again.recipient.officials) == ["o1", "o2"]
    assert len(await mark(house, worker, [again])) == 1
    await house.ask(batch([], recipients=[recipient(1, officials=["o3"])]))
    (row,) = await house.rows()
    assert (row["state"], row["officials"]) == ("sending", ["o1", "o2"])
