"""Every move of a message is one of the table's and is kept, with its time and reason."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, get_args
from uuid import UUID

from clarion.runtime.database import Transaction
from clarion.schemas.messages import Recipient, Withdrawal
from clarion.services.notifications import operations
from clarion.services.notifications.domain.messages import Claimed, thread_of
from clarion.services.notifications.domain.outcomes import Verdict
from clarion.services.notifications.domain.states import MOVES, WAITING, State, allowed, ending_as, waiting_as
from clarion.services.notifications.operations import Ready
from clarion.services.notifications.repository import Settled, Workers
from clarion.services.notifications.resending import Resend, send_again
from tests.services.notifications.conftest import IN_TIME, House, batch, mailbox_of, official

MATTER = "campaign:c1"
NOW = datetime.now(UTC)
LATE = IN_TIME + timedelta(days=1)
WORKER = UUID(int=7)
STATES: tuple[State, ...] = get_args(State)
DOUBTED: set[State] = {"claimed", "sending", "sent", "uncertain", "unknown"}
SURE = set(STATES) - {"uncertain", "unknown"}
STANDS = list(enumerate([(state, 0) for state in STATES if state in SURE] + [(state, 1) for state in sorted(DOUBTED)]))
"""A message in every state in which it can be, sure or in doubt, by number."""
STAND = """
UPDATE ledger SET state = $2, doubts = $3, claim = 1, worker_id = $4, reason = 'as given',
    moves = moves || ROW($2, state_at, 'as given')::move
WHERE mailbox = $1
"""
Act = Callable[[Transaction], Awaitable[object]]


def held(numbers: Sequence[int]) -> list[Claimed]:
    """The messages as their worker holds them."""
    return [
        Claimed(
            thread_id=thread_of(MATTER, mailbox_of(number)),
            revision=1,
            matter=MATTER,
            mailbox=mailbox_of(number),
            lane=2,
            content_id=1,
            subscription="calls",
            recipient=Recipient(mailbox=mailbox_of(number), officials=[f"o{number}"]),
            not_after=IN_TIME,
            queued_at=NOW,
            claim=1,
            attempts=0,
            doubts=doubts,
        )
        for number, (_, doubts) in STANDS
        if number in numbers
    ]


ALL = range(len(STANDS))


def settling(before: State, after: State) -> Act:
    """Their worker says what became of them."""

    async def settle(tx: Transaction) -> None:
        verdict = Verdict(after, 1, 1, reason=None if after == "sent" else "as judged", reply="550 no")
        await operations.settle(tx, WORKER, [Settled(one, before, verdict) for one in held(ALL)], NOW)

    return settle


def marking(at: datetime, named: str | None = None) -> Act:
    """Their worker begins to send them."""

    async def mark(tx: Transaction) -> None:
        wanted = [Ready(one, [named] if named else one.recipient.officials) for one in held(ALL)]
        await operations.mark(tx, WORKER, wanted, at)

    return mark


async def burying(tx: Transaction) -> None:
    await tx.connection.execute("UPDATE workers SET lease_until = now() - interval '1 second'")
    await operations.bury(tx, NOW, timedelta())


async def claiming(tx: Transaction) -> None:
    await operations.claim(tx, WORKER, 100, LATE)


async def withdrawing(tx: Transaction) -> None:
    mailboxes = [mailbox_of(number) for number in ALL]
    await operations.withdraw(tx, Withdrawal(matter=MATTER, revision=2, mailboxes=mailboxes), LATE)


async def superseding(tx: Transaction) -> None:
    await operations.register(tx, [batch(ALL, revision=2)], LATE)


async def leaving(tx: Transaction) -> None:
    for number in ALL:
        await operations.leave(tx, mailbox_of(number), "calls", NOW)


async def handing_back(tx: Transaction) -> None:
    await Workers(tx.connection).hand_back(WORKER, NOW)


async def expiring(tx: Transaction) -> None:
    await operations.expire(tx, LATE, 100)


async def sending_again(tx: Transaction) -> None:
    await send_again(tx, Resend(MATTER, in_doubt=True), "asked again", NOW)


UNBEGUN: set[State] = {*WAITING, "claimed"}
HELD: set[State] = {"claimed", "sending"}
NEWS: set[State] = {"uncertain"}
STATEMENTS: dict[str, tuple[Act, set[State]]] = {
    "claim": (claiming, {*WAITING}),
    "mark": (marking(NOW), HELD),
    "mark too late": (marking(LATE), HELD),
    "mark for who left": (marking(NOW, "nobody"), HELD),
    "hand back": (handing_back, {"claimed"}),
    "bury": (burying, HELD),
    "expire": (expiring, {*WAITING}),
    "supersede": (superseding, UNBEGUN),
    "withdraw": (withdrawing, UNBEGUN),
    "leave": (leaving, UNBEGUN),
    "send again": (sending_again, {"failed", "suppressed", "expired", "unknown"}),
    **{
        f"settle {before} as {after}": (
            settling(before, after),
            {before} | ({"uncertain"} if after == "sent" else set()),
        )
        for before in sorted(HELD)
        for after in sorted(MOVES[before])
    },
}


class Undone(Exception):
    """Takes back what a statement did."""


async def stand(house: House) -> None:
    """A message in every state."""
    await house.call(ALL)
    await house.execute("DROP TRIGGER moves ON ledger")
    await house.execute("INSERT INTO workers (id, lease_until) VALUES ($1, now() + interval '1 hour')", WORKER)
    for number, (state, doubts) in STANDS:
        worker = WORKER if state in {"claimed", "sending", "uncertain"} else None
        await house.execute(STAND, mailbox_of(number), state, doubts, worker)


async def after(house: House, act: Act) -> list[Any]:
    """How the messages stand after it, which is then undone."""
    rows: list[Any] = []
    with contextlib.suppress(Undone):
        async with house.database.transaction() as tx:
            await act(tx)
            rows = await tx.connection.fetch("SELECT * FROM ledger WHERE revision = 1")
            raise Undone
    by_mailbox = {row["mailbox"]: row for row in rows}
    return [by_mailbox[mailbox_of(number)] for number in ALL]


async def test_each_statement_makes_allowed_moves_alone_and_keeps_each_with_its_time_and_reason(house: House) -> None:
    await stand(house)
    for name, (act, touched) in STATEMENTS.items():
        moved = set()
        for (_, (before, doubts)), row in zip(STANDS, await after(house, act), strict=True):
            what = f"{name}: {before} with {doubts} doubts became {row['state']}"
            assert row["state"] == before or allowed(before, row["state"]), what
            assert len(row["moves"]) <= 3, what
            last = row["moves"][-1]
            assert (last["state"], last["at"]) == (row["state"], row["state_at"]), what
            assert (last["reason"] or "").startswith(row["reason"] or ""), what
            if len(row["moves"]) == 3:
                moved.add(before)
                assert row["reason"] != "as given", what
        assert moved == touched, name


async def test_every_state_is_reached_and_left_by_the_statements(house: House) -> None:
    await stand(house)
    made = {
        (before, row["state"])
        for act, _ in STATEMENTS.values()
        for (_, (before, _)), row in zip(STANDS, await after(house, act), strict=True)
        if len(row["moves"]) == 3 and row["state"] != before
    }
    missing = {(before, to) for before, moves in MOVES.items() for to in moves} - made
    # Nothing suppresses what only waits: its mark does.
    assert missing == {("queued", "suppressed"), ("deferred", "suppressed")}


async def test_what_was_in_doubt_waits_and_ends_in_the_database_as_in_the_domain(house: House) -> None:
    for state, doubts in product(STATES, (0, 1, 2)):
        (row,) = await house.rows("SELECT waiting_as($1, $2), ending_as($1, $2)", state, doubts)
        assert tuple(row) == (waiting_as(state, doubts), ending_as(state, doubts))


async def test_the_refusals_of_a_message_keep_the_relays_words(house: House) -> None:
    await stand(house)
    rows = await after(house, settling("sending", "deferred"))
    assert {row["moves"][-1]["reason"] for row in rows if row["state"] == "deferred" and len(row["moves"]) == 3} == {
        "as judged: 550 no"
    }


async def test_a_message_that_is_taken_and_given_back_for_days_keeps_its_first_and_last_moves(house: House) -> None:
    await house.know(official(1))
    await house.ask(batch([1]), at=NOW - timedelta(days=3))
    await house.execute("INSERT INTO workers (id, lease_until) VALUES ($1, now() + interval '1 hour')", WORKER)
    for _ in range(50):
        async with house.database.transaction() as tx:
            assert await operations.claim(tx, WORKER, 1, NOW)
            await Workers(tx.connection).hand_back(WORKER, NOW)
    (row,) = await house.rows()
    assert len(row["moves"]) == 60
    assert row["claim"] == 50
    assert row["moves"][0]["at"] == NOW - timedelta(days=3)
    assert [move["state"] for move in row["moves"][-2:]] == ["claimed", "queued"]
