"""A mark goes by what was known at the claim as long as nothing that could forbid a mail has changed since."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Transaction
from clarion.runtime.people import Person
from clarion.schemas.messages import Pause, Withdrawal
from clarion.services.notifications import operations, restoring
from clarion.services.notifications.domain.holds import key_of
from clarion.services.notifications.domain.messages import Claimed
from clarion.services.notifications.domain.outcomes import Verdict
from clarion.services.notifications.operations import Ready
from clarion.services.notifications.pauses import pause
from clarion.services.notifications.people import erase
from clarion.services.notifications.repository import Ledger, Round, Settled, Workers
from tests.services.notifications.conftest import House, batch, mailbox_of, official, recipient

MATTER = "campaign:c1"
BEHIND_ALL_BACKS = "UPDATE ledger SET claim = claim + 1"
Act = Callable[[Transaction], Awaitable[object]]


async def enlisted(house: House, seconds: float = 60) -> UUID:
    worker = uuid4()
    async with house.database.transaction() as tx:
        await Workers(tx.connection).enlist(worker, timedelta(seconds=seconds))
    return worker


async def claim(house: House, worker: UUID) -> list[Claimed]:
    async with house.database.transaction() as tx:
        return await operations.claim(tx, worker, 100, system_clock())


async def mark(house: House, worker: UUID, claimed: Sequence[Claimed], later: timedelta = timedelta()) -> set[str]:
    """The mailboxes whose mail may begin."""
    async with house.database.transaction() as tx:
        await operations.begin_turn(tx)
        ready = [Ready(one, one.recipient.officials) for one in claimed]
        marked = await operations.mark(tx, Round(worker, 0, {}), ready, system_clock() + later)
        return {one.mailbox for one in claimed if key_of(one) in marked}


async def settle(house: House, worker: UUID, claimed: Sequence[Claimed], verdict: Verdict) -> None:
    now = system_clock()
    async with house.database.transaction() as tx:
        await operations.begin_turn(tx)
        holds = {key_of(one): Ready(one).hold(now, now) for one in claimed}
        await operations.settle(tx, worker, [Settled(one, verdict) for one in claimed], now, holds)


async def edition(house: House) -> int:
    return int((await house.rows("SELECT edition FROM grounds"))[0]["edition"])


async def test_while_nothing_changes_a_mark_looks_at_no_message_again(house: House) -> None:
    await house.call([1, 2])
    worker = await enlisted(house)
    claimed = await claim(house, worker)
    await house.ask(batch([3, 4]))
    await house.execute(BEHIND_ALL_BACKS)
    assert await mark(house, worker, claimed) == {mailbox_of(1), mailbox_of(2)}


async def test_once_the_marks_were_stopped_all_that_was_claimed_before_is_looked_at_again(house: House) -> None:
    await house.call([1, 2])
    worker = await enlisted(house)
    claimed = await claim(house, worker)
    await house.execute(BEHIND_ALL_BACKS)
    async with house.database.transaction() as tx:
        await Ledger(tx.connection).stop_marks()
    assert await mark(house, worker, claimed) == set()


async def test_what_was_claimed_before_a_change_and_after_it_go_in_one_round(house: House) -> None:
    await house.call([1, 2])
    worker = await enlisted(house)
    before = await claim(house, worker)
    await house.call([3, 4])
    async with house.database.transaction() as tx:
        await operations.leave(tx, mailbox_of(1), ["calls"], system_clock())
    async with house.database.transaction() as tx:
        holds = {key_of(one): Ready(one).hold(system_clock(), system_clock()) for one in before}
        after = await operations.claim(tx, worker, 100, system_clock(), holds)
    assert {one.grounds for one in before} != {one.grounds for one in after}
    assert await mark(house, worker, before + after) == {mailbox_of(number) for number in (2, 3, 4)}


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("INSERT INTO unsubscribed SELECT mailbox, 'calls', now() FROM ledger", "unsubscribed"),
        ("INSERT INTO suppressions SELECT mailbox, 'bounced', now() FROM ledger", "bounced"),
    ],
)
async def test_what_forbade_a_mail_before_it_was_claimed_is_seen_too(house: House, event: str, reason: str) -> None:
    await house.call([1])
    await house.execute(event)
    worker = await enlisted(house)
    claimed = await claim(house, worker)
    assert [one.grounds for one in claimed] == [None]
    assert await mark(house, worker, claimed) == set()
    assert [row["reason"] for row in await house.rows()] == [reason]


async def test_a_mail_whose_time_passes_after_its_claim_is_not_begun(house: House) -> None:
    await house.call([1], not_after=system_clock() + timedelta(minutes=5))
    worker = await enlisted(house)
    claimed = await claim(house, worker)
    assert await mark(house, worker, claimed, later=timedelta(minutes=5)) == set()
    assert [row["state"] for row in await house.rows()] == ["expired"]


async def test_what_was_tried_before_is_looked_at_for_each_mark(house: House) -> None:
    await house.call([1])
    worker = await enlisted(house)
    first = await claim(house, worker)
    await mark(house, worker, first)
    verdict = Verdict("deferred", 1, 0, system_clock(), "greylisted", "451 later")
    await settle(house, worker, first, verdict)
    (again,) = await claim(house, worker)
    assert again.grounds is None
    assert await mark(house, worker, [again]) == {mailbox_of(1)}


def asked(**changes: Any) -> Act:
    return lambda tx: operations.register(tx, [batch([1], **changes)], system_clock())


def withdrawn(tx: Transaction) -> Awaitable[None]:
    return operations.withdraw(
        tx, Withdrawal(matter=MATTER, revision=1, mailboxes=[mailbox_of(1)], reason="x"), system_clock()
    )


async def buried(tx: Transaction) -> None:
    await Workers(tx.connection).enlist(uuid4(), timedelta(seconds=-1))
    await operations.bury(tx, system_clock(), timedelta())


ACTS: dict[str, Act] = {
    "a newer revision": asked(revision=2),
    "a further reader": asked(recipients=[recipient(1, officials=["o2"])]),
    "a withdrawal": withdrawn,
    "the end of another sender": buried,
    "time that passes": lambda tx: operations.expire(tx, system_clock() + timedelta(days=400), 100),
    "a pause": lambda tx: pause(tx, [Pause(matter=MATTER, wave=None, revision=1, paused=True)], system_clock()),
    "who leaves": lambda tx: operations.leave(tx, mailbox_of(1), ["calls"], system_clock()),
    "who is erased": lambda tx: erase(tx, Person("o1@x.example", mailbox_of(1), ("o1",)), system_clock()),
    "an official who changes": lambda tx: operations.project(tx, [official(1, revision=9, active=False)], []),
    "an official who is gone": lambda tx: operations.project(tx, [], [("official", "o1")]),
    "a mailbox that bounces": lambda tx: Ledger(tx.connection).suppress({mailbox_of(1): "x"}, system_clock(), "hand"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
async def test_whatever_could_forbid_a_mail_that_is_claimed_gives_new_grounds(house: House, act: Act) -> None:
    await house.call([1, 2])
    worker = await enlisted(house)
    claimed = await claim(house, worker)
    before = await edition(house)
    assert {one.grounds for one in claimed} == {before}
    async with house.database.transaction() as tx:
        await act(tx)
    assert await edition(house) > before


async def test_a_ledger_that_was_restored_is_settled_on_new_grounds(house: House) -> None:
    await house.call([1])
    before = await edition(house)
    await restoring.settle_unknown(house.database, system_clock(), "restored")
    assert await edition(house) > before


async def test_requests_outcomes_and_what_is_known_already_leave_the_grounds_as_they_are(house: House) -> None:
    await house.call([1])
    worker, before = await enlisted(house), await edition(house)
    claimed = await claim(house, worker)
    await house.ask(batch([2, 3]), batch([4], matter="campaign:c2"))
    await mark(house, worker, claimed)
    await settle(house, worker, claimed, Verdict("sent", 1, 0))
    async with house.database.transaction() as tx:
        await operations.expire(tx, system_clock(), 100)
        await operations.bury(tx, system_clock(), timedelta())
    assert await edition(house) == before
