"""What a thread's later revisions become: an amendment, one fresh mail, a last word, or nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from clarion.runtime.clock import system_clock
from clarion.schemas.messages import MessageBatch, Withdrawal
from clarion.services.notifications import operations
from clarion.services.notifications.domain.holds import Hold, key_of
from clarion.services.notifications.domain.messages import Claimed
from clarion.services.notifications.domain.outcomes import Verdict
from clarion.services.notifications.domain.telling import Amended, Fresh, Telling, Unneeded, tell
from clarion.services.notifications.operations import Ready
from clarion.services.notifications.repository import Ledger, Round, Settled, Workers
from tests.services.notifications.conftest import CONTENT, House, batch, mailbox_of, official, recipient
from tests.services.notifications.test_amendments import ENTRY, LATER, SEAT

IN_ORDER = "SELECT * FROM messages ORDER BY mailbox, revision"


def at(
    revision: int, when: str = CONTENT["when"], *, cancelled: bool = False, numbers: Any = (1,), **changes: Any
) -> MessageBatch:
    """The call at a revision."""
    facts = [{"key": "when", "label": "When", "text": when}]
    facts += [{"key": "status", "label": "Status", "text": "Cancelled"}] if cancelled else []
    entry = ENTRY.model_copy(update={"method": "CANCEL" if cancelled else "REQUEST"})
    content = {**CONTENT, "when": when}
    return batch(numbers, revision=revision, facts=facts, content=content, calendar=entry, **changes)


def ending(revision: int, **changes: Any) -> Withdrawal:
    return Withdrawal(matter="campaign:c1", revision=revision, mailboxes=[mailbox_of(1)], reason="gone", **changes)


async def withdraw(house: House, wish: Withdrawal) -> None:
    async with house.database.transaction() as tx:
        await operations.withdraw(tx, wish, system_clock())


async def all_over(house: House) -> bool:
    return not await house.rows(
        "SELECT FROM ledger WHERE state IN ('queued', 'claimed', 'sending', 'uncertain', 'deferred')"
    )


async def send_all(house: House, until: Any) -> None:
    async with house.sending():
        await until(lambda: all_over(house))


async def outcomes(house: House) -> list[tuple[int, str, int | None]]:
    return [(row["revision"], row["state"], row["sequence"]) for row in await house.rows(IN_ORDER)]


def subjects(mail_catcher: Any) -> list[str]:
    return [mail.subject for mail in sorted(mail_catcher.store.list(), key=lambda mail: mail.id)]


def greetings(mail_catcher: Any) -> list[str]:
    numbers = sorted(mail.id for mail in mail_catcher.store.list())
    texts = [mail_catcher.store.get(number).content.decode("ascii") for number in numbers]
    return [next(line for line in text.splitlines() if line.startswith("Dear ")) for text in texts]


async def test_a_move_is_told_once_and_what_is_no_difference_is_not(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.know(official(1))
    for wish in (at(1), at(2, LATER), at(3, LATER, not_after=None)):
        await house.ask(wish)
        await send_all(house, until)
    assert await outcomes(house) == [(1, "sent", 0), (2, "sent", 1), (3, "unneeded", None)]
    fresh, moved = subjects(mail_catcher)
    assert fresh.startswith("Letter on SB 79")
    assert moved.startswith("Moved: ")
    assert [one["state"] for one in await house.delivered()] == ["sent", "sent", "unneeded"]


async def test_moved_and_moved_back_before_anything_went_out_is_one_fresh_mail(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.know(official(1))
    for wish in (at(1), at(2, LATER), at(3)):
        await house.ask(wish)
    await send_all(house, until)
    assert await outcomes(house) == [(1, "superseded", None), (2, "superseded", None), (3, "sent", 0)]
    assert [one.partition(":")[0] for one in subjects(mail_catcher)] == ["Letter on SB 79"]


async def test_moved_back_after_being_told_is_told(house: House, mail_catcher: Any, until: Any) -> None:
    await house.know(official(1))
    for wish in (at(1), at(2, LATER), at(3)):
        await house.ask(wish)
        await send_all(house, until)
    assert [sequence for _, _, sequence in await outcomes(house)] == [0, 1, 2]
    assert CONTENT["when"] in subjects(mail_catcher)[2]


async def test_a_cancellation_reaches_only_who_was_told(house: House, mail_catcher: Any, until: Any) -> None:
    await house.know(official(1), official(2))
    await house.ask(at(1))
    await send_all(house, until)
    await house.ask(at(2, numbers=(2,)))
    await house.ask(at(3, cancelled=True, numbers=(1, 2)))
    await send_all(house, until)
    states = {(row["officials"][0], row["revision"]): row["state"] for row in await house.rows()}
    assert states == {("o1", 1): "sent", ("o1", 3): "sent", ("o2", 2): "superseded", ("o2", 3): "unneeded"}
    assert subjects(mail_catcher)[1].startswith("Cancelled: ")


async def test_who_was_never_told_hears_nothing_of_a_withdrawal_and_who_was_hears_it_once(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.know(official(1))
    await house.ask(at(1))
    await withdraw(house, ending(2))
    await send_all(house, until)
    assert await outcomes(house) == [(1, "unneeded", None)]
    await house.ask(at(3))
    await send_all(house, until)
    for _ in range(3):
        await withdraw(house, ending(4, calendar=ENTRY))
    await send_all(house, until)
    await withdraw(house, ending(5))
    await send_all(house, until)
    assert (await outcomes(house))[1:] == [(3, "sent", 0), (4, "sent", 1), (5, "unneeded", None)]
    assert subjects(mail_catcher)[1].startswith("No longer concerns you: ")
    ended = (await house.rows(IN_ORDER))[2]
    assert (ended["officials"], ended["subscription"]) == (["o1"], "calls")


async def test_a_withdrawal_helps_until_what_was_told_begins(house: House, until: Any) -> None:
    await house.know(official(1))
    begins = system_clock() + timedelta(days=9)
    await house.ask(at(1).model_copy(update={"calendar": ENTRY.model_copy(update={"starts_at": begins})}))
    await send_all(house, until)
    await withdraw(house, ending(2))
    first, last = await house.rows(IN_ORDER)
    assert first["not_after"] < last["not_after"] == begins


async def test_what_another_matter_tells_is_not_told_here(house: House, mail_catcher: Any, until: Any) -> None:
    await house.know(official(1))
    await house.ask(at(1))
    await send_all(house, until)
    elsewhere = recipient(1, told_elsewhere=["when"])
    await house.ask(at(2, LATER, recipients=[elsewhere]))
    await withdraw(house, ending(3, told_elsewhere=True))
    await send_all(house, until)
    assert [(revision, state) for revision, state, _ in await outcomes(house)] == [(1, "sent"), (2, "unneeded")]
    assert mail_catcher.store.count() == 1


async def test_what_comes_late_changes_nothing(house: House, mail_catcher: Any, until: Any) -> None:
    await house.know(official(1))
    await house.ask(at(3))
    await send_all(house, until)
    await house.ask(at(2, LATER))
    await withdraw(house, ending(2))
    await send_all(house, until)
    assert [(revision, state) for revision, state, _ in await outcomes(house)] == [(2, "superseded"), (3, "sent")]
    assert mail_catcher.store.count() == 1


async def test_a_registration_is_answered_at_the_address_it_gave(house: House, mail_catcher: Any, until: Any) -> None:
    asked = {"mailbox": mailbox_of(1), "address": "ada@alder.example", "name": "Ada Fictional"}
    shared = {"template": "registration", "lane": "registration", "subscription": None, "matter": "registration:r1"}
    for revision, status in enumerate(("Waiting list, place 7", "Confirmed"), 1):
        facts = [{"key": "status", "label": "Status", "text": status}]
        await house.ask(
            batch([], recipients=[asked], revision=revision, facts=facts, content=SEAT, calendar=ENTRY, **shared)
        )
        await send_all(house, until)
    assert await outcomes(house) == [(1, "sent", 0), (2, "sent", 1)]
    assert {mail.recipients for mail in mail_catcher.store.list()} == {("ada@alder.example",)}


async def test_who_joins_a_mailbox_that_was_told_gets_the_call_alone_and_the_next_change_with_the_others(
    house: House, mail_catcher: Any, until: Any
) -> None:
    joined = official(1, id="o2", name="Bo Nr2")
    await house.know(official(1), joined)
    both = recipient(1, officials=["o1", "o2"])
    for wish in (at(1), at(2, recipients=[both]), at(2, recipients=[both]), at(3, LATER, recipients=[both])):
        await house.ask(wish)
        await send_all(house, until)
    assert await outcomes(house) == [(1, "sent", 0), (2, "sent", 1), (3, "sent", 2)]
    assert greetings(mail_catcher) == [
        "Dear Mayor Ada Nr1,",
        "Dear Mayor Bo Nr2,",
        "Dear Mayor Ada Nr1 and Mayor Bo Nr2,",
    ]
    assert [one.partition(":")[0] for one in subjects(mail_catcher)] == ["Letter on SB 79", "Letter on SB 79", "Moved"]
    assert [row["named"] for row in await house.rows(IN_ORDER)] == [None, ["o2"], None]


async def test_who_takes_a_mailbox_over_gets_a_call_that_knows_nothing_of_their_predecessor(
    house: House, mail_catcher: Any, until: Any
) -> None:
    await house.know(official(1))
    await house.ask(at(1))
    await send_all(house, until)
    await house.know(official(1, active=False, revision=2), official(1, id="o2", name="Bo Nr2"))
    await house.ask(at(2, LATER, recipients=[recipient(1, officials=["o2"])]))
    await send_all(house, until)
    assert [one.partition(":")[0] for one in subjects(mail_catcher)] == ["Letter on SB 79", "Letter on SB 79"]


async def test_who_joins_what_was_called_off_hears_nothing_of_it(house: House, mail_catcher: Any, until: Any) -> None:
    await house.know(official(1), official(1, id="o2", name="Bo Nr2"))
    await house.ask(at(1))
    await send_all(house, until)
    await house.ask(at(2, cancelled=True, recipients=[recipient(1, officials=["o1", "o2"])]))
    await send_all(house, until)
    assert greetings(mail_catcher)[1] == "Dear Mayor Ada Nr1,"
    assert (await house.rows(IN_ORDER))[1]["named"] == ["o1"]


async def desk(house: House) -> UUID:
    worker = uuid4()
    async with house.database.transaction() as tx:
        await Workers(tx.connection).enlist(worker, timedelta(seconds=60))
    return worker


async def claimed(house: House, worker: UUID, *held: Claimed) -> list[tuple[Claimed, Telling | Unneeded]]:
    """What a worker gets beside what it has, and what it would tell."""
    async with house.database.transaction() as tx:
        holds = {key_of(one): Hold(one.claim, system_clock()) for one in held}
        found = await operations.claim(tx, worker, 10, system_clock(), holds)
        ledger = Ledger(tx.connection)
        told = await ledger.told(found)
        contents = await ledger.contents([one.content_id for one in found])
        return [(one, tell(contents[one.content_id], told.get(one.thread_id, []))) for one in found]


async def mark(house: House, worker: UUID, *found: Claimed) -> int:
    async with house.database.transaction() as tx:
        await operations.begin_turn(tx)
        ready = [Ready(one, ["o1"], 0) for one in found]
        return len(await operations.mark(tx, Round(worker, 0, {}), ready, system_clock()))


async def settle(house: House, worker: UUID, message: Claimed, verdict: Verdict) -> None:
    """What came of a mail, in a turn of its crew that begins nothing."""
    now = system_clock()
    async with house.database.transaction() as tx:
        hold = Hold(message.claim, now, now, ["o1"], 0)
        await operations.begin_turn(tx)
        await operations.settle(tx, worker, [Settled(message, verdict)], now, {key_of(message): hold})
        await operations.mark(tx, Round(worker, 0, {}), [], now)


@pytest.mark.parametrize(("state", "expected"), [("sent", Amended), ("queued", Fresh)])
async def test_a_revision_waits_for_the_one_under_way_and_is_worded_by_its_end(
    house: House, state: Any, expected: type
) -> None:
    await house.know(official(1))
    await house.ask(at(1))
    worker = await desk(house)
    ((first, _),) = await claimed(house, worker)
    assert await mark(house, worker, first) == 1
    await house.ask(at(2, LATER))
    assert await claimed(house, worker, first) == []
    await settle(house, worker, first, Verdict(state, 1, 0))
    found = {one.revision: telling for one, telling in await claimed(house, worker)}
    assert isinstance(found[2], Telling)
    assert type(found[2].wording) is expected


async def test_what_is_in_doubt_and_replaced_is_repeated_by_its_successor(house: House) -> None:
    await house.know(official(1))
    await house.ask(at(1))
    worker = await desk(house)
    ((first, _),) = await claimed(house, worker)
    await mark(house, worker, first)
    await settle(house, worker, first, Verdict("sent", 1, 0))
    await house.ask(at(2, LATER))
    ((second, _),) = await claimed(house, worker)
    await mark(house, worker, second)
    await settle(house, worker, second, Verdict("uncertain", 1, 1))
    await house.ask(at(3, LATER, not_after=None))
    ((_, telling),) = await claimed(house, worker)
    assert isinstance(telling, Telling)
    assert isinstance(telling.wording, Amended)
    assert telling.wording.changes[0].was == CONTENT["when"]
    await house.execute("UPDATE ledger SET doubts = 2 WHERE revision = 2")
    assert isinstance((await claimed(house, worker))[0][1], Unneeded)


async def test_a_successor_waits_for_the_last_word_of_a_sender_that_may_be_at_it(house: House) -> None:
    await house.know(official(1))
    await house.ask(at(1))
    worker, other = await desk(house), await desk(house)
    ((first, _),) = await claimed(house, worker)
    await mark(house, worker, first)
    await house.execute("UPDATE workers SET lease_until = now() - interval '1 second' WHERE id = $1", worker)
    async with house.database.transaction() as tx:
        await operations.bury(tx, system_clock(), timedelta(seconds=60))
    await house.ask(at(2, LATER))
    assert await claimed(house, other) == []
    await settle(house, worker, first, Verdict("sent", 1, 0))
    ((_, telling),) = await claimed(house, other)
    assert isinstance(telling, Telling)
    assert isinstance(telling.wording, Amended)


async def test_a_mark_whose_commit_was_not_heard_of_is_freed_when_it_may_not_be_made_again(house: House) -> None:
    await house.know(official(1))
    await house.ask(at(1))
    worker = await desk(house)
    ((first, _),) = await claimed(house, worker)
    await mark(house, worker, first)
    await house.ask(at(2))
    assert await mark(house, worker, first) == 0
    found = [one for one, _ in await claimed(house, worker)]
    assert await mark(house, worker, *found) == 1
    assert [(revision, state) for revision, state, _ in await outcomes(house)] == [(1, "superseded"), (2, "sending")]


async def test_a_sender_that_could_not_say_what_became_of_its_mail_leaves_it_to_its_lease(house: House) -> None:
    await house.know(official(1))
    await house.ask(at(1))
    worker = await desk(house)
    ((first, _),) = await claimed(house, worker)
    await mark(house, worker, first)
    async with house.database.transaction() as tx:
        await Workers(tx.connection).retire(worker)
    assert len(await house.rows("SELECT FROM workers")) == 1
