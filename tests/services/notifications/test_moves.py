"""Every move of a message is one of the table's and is kept, with its time and reason."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import Any, get_args
from uuid import UUID

from clarion.runtime.database import Transaction
from clarion.schemas.messages import Recipient, Withdrawal
from clarion.services.notifications import operations
from clarion.services.notifications.bounces.repository import Returns
from clarion.services.notifications.bounces.return_path import About
from clarion.services.notifications.domain.holds import Hold, Key, key_of
from clarion.services.notifications.domain.messages import Claimed, thread_of
from clarion.services.notifications.domain.outcomes import Verdict
from clarion.services.notifications.domain.states import MOVES, WAITING, State, allowed, ending_as, waiting_as
from clarion.services.notifications.operations import Ready
from clarion.services.notifications.repository import Ledger, Round, Settled, Workers
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


def numbers_in(*states: State) -> list[int]:
    """The messages that stand in these states."""
    return [number for number, (state, _) in STANDS if state in states]


def holds(*states: State) -> dict[Key, Hold]:
    """How the worker holds those that stand in these states."""
    marked_at = NOW if states == ("sending",) else None
    return {key_of(one): Hold(1, NOW, marked_at) for one in held(numbers_in(*states))}


def settling(before: State, after: State) -> Act:
    """Their worker says what became of them."""

    async def settle(tx: Transaction) -> None:
        verdict = Verdict(after, 1, 1, reason=None if after == "sent" else "as judged", reply="550 no")
        settled = [Settled(one, verdict) for one in held(numbers_in(before))]
        await operations.settle(tx, WORKER, settled, NOW, holds(before))

    return settle


def marking(at: datetime, named: str | None = None) -> Act:
    """Their worker begins to send them."""

    async def mark(tx: Transaction) -> None:
        wanted = [Ready(one, [named] if named else one.recipient.officials) for one in held(numbers_in("claimed"))]
        await operations.mark(tx, Round(WORKER, 0, holds("sending")), wanted, at, holds("claimed"))

    return mark


async def burying(tx: Transaction) -> None:
    await tx.connection.execute("UPDATE workers SET lease_until = now() - interval '1 second'")
    await operations.bury(tx, NOW, timedelta())


async def telling_late(tx: Transaction) -> None:
    await burying(tx)
    verdict = Verdict("sent", 1, 1, reply="250 ok")
    await operations.settle(tx, WORKER, [Settled(one, verdict) for one in held(ALL)], NOW)


async def claiming(tx: Transaction) -> None:
    await operations.claim(tx, WORKER, 100, LATE, holds("claimed", "sending"))


async def withdrawing(tx: Transaction) -> None:
    mailboxes = [mailbox_of(number) for number in ALL]
    await operations.withdraw(tx, Withdrawal(matter=MATTER, revision=2, mailboxes=mailboxes), LATE)


async def superseding(tx: Transaction) -> None:
    await operations.register(tx, [batch(ALL, revision=2)], LATE)


async def leaving(tx: Transaction) -> None:
    for number in ALL:
        await operations.leave(tx, mailbox_of(number), ["calls"], NOW)


async def handing_back(tx: Transaction) -> None:
    await operations.hand_back(tx, WORKER, held(numbers_in("claimed")), holds("claimed", "sending"), NOW)


async def expiring(tx: Transaction) -> None:
    await operations.expire(tx, LATE, 100)


async def sending_again(tx: Transaction) -> None:
    await send_again(tx, Resend(MATTER, in_doubt=True), "asked again", NOW)


async def coming_back(tx: Transaction) -> None:
    for one in held(ALL):
        mail = await Returns(tx.connection).mail(About(one.thread_id, one.revision))
        assert mail is not None
        await Returns(tx.connection).bounce(mail, "bounced: as reported", NOW)


UNBEGUN: set[State] = {*WAITING, "claimed"}
HELD: set[State] = {"claimed", "sending"}
STATEMENTS: dict[str, tuple[Act, set[State]]] = {
    "claim": (claiming, {*WAITING}),
    "mark": (marking(NOW), {"claimed"}),
    "mark too late": (marking(LATE), {"claimed"}),
    "mark for who left": (marking(NOW, "nobody"), {"claimed"}),
    "hand back": (handing_back, {"claimed"}),
    "bury": (burying, HELD),
    "expire": (expiring, UNBEGUN),
    "supersede": (superseding, UNBEGUN),
    "withdraw": (withdrawing, UNBEGUN),
    "leave": (leaving, UNBEGUN),
    "send again": (sending_again, {"failed", "suppressed", "expired", "bounced", "unknown"}),
    "come back": (coming_back, {"sent", "unknown"}),
    "a late word": (telling_late, {"claimed", "sending", "uncertain"}),
    **{
        f"settle {before} as {after}": (settling(before, after), {before})
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
        row_state = waiting_as("queued", doubts) if state in HELD else state
        worker = WORKER if state == "uncertain" else None
        await house.execute(STAND, mailbox_of(number), row_state, doubts, worker)
    async with house.database.transaction() as tx:
        await Workers(tx.connection).keep(WORKER, holds("claimed", "sending"))
        await Ledger(tx.connection).mark(Round(WORKER, 0, holds("sending")), {}, NOW)
    before = [row["state"] for row in await in_order(house.rows)]
    assert before == [state for _, (state, _) in STANDS]


async def in_order(fetch: Callable[[str], Awaitable[list[Any]]], table: str = "messages") -> list[Any]:
    by_mailbox = {row["mailbox"]: row for row in await fetch(f"SELECT * FROM {table} WHERE revision = 1")}
    return [by_mailbox[mailbox_of(number)] for number in ALL]


@dataclass(frozen=True)
class Step:
    """A message before and after a statement: how it stands, and its row."""

    before: State
    doubts: int
    now: State
    row: Any

    @property
    def moved(self) -> bool:
        return self.now != self.before or len(self.row["moves"]) > 2

    @property
    def path(self) -> list[tuple[State, State]]:
        """The moves that were recorded with it, and the one that was seen."""
        recorded = [move["state"] for move in self.row["moves"][1:]]
        seen = [] if self.before == self.now else [(self.before, self.now)]
        return [*pairwise(recorded), *seen]


async def after(house: House, act: Act) -> list[Step]:
    """What a statement does with the messages; it is then undone."""
    steps: list[Step] = []
    with contextlib.suppress(Undone):
        async with house.database.transaction() as tx:
            await act(tx)
            seen = await in_order(tx.connection.fetch)
            rows = await in_order(tx.connection.fetch, "ledger")
            steps = [
                Step(before, doubts, now["state"], row)
                for (_, (before, doubts)), now, row in zip(STANDS, seen, rows, strict=True)
            ]
            raise Undone
    return steps


async def test_each_statement_makes_allowed_moves_alone_and_keeps_each_with_its_time_and_reason(house: House) -> None:
    await stand(house)
    for name, (act, touched) in STATEMENTS.items():
        steps = await after(house, act)
        for step in steps:
            what = f"{name}: {step.before} with {step.doubts} doubts became {step.now}"
            assert all(allowed(before, to) for before, to in step.path), (what, step.path)
            last = step.row["moves"][-1]
            assert (last["state"], last["at"]) == (step.row["state"], step.row["state_at"]), what
            assert (last["reason"] or "").startswith(step.row["reason"] or ""), what
            if len(step.row["moves"]) > 2:
                assert step.row["reason"] != "as given", what
                assert step.row["claim"] == 2 or name in {"bury", "a late word"}, what
        assert {step.before for step in steps if step.moved} == touched, name


async def test_every_state_is_reached_and_left_by_the_statements(house: House) -> None:
    await stand(house)
    made = {pair for act, _ in STATEMENTS.values() for step in await after(house, act) for pair in step.path}
    missing = {(before, to) for before, moves in MOVES.items() for to in moves} - made
    # Nothing suppresses what only waits: its mark does.
    assert missing == {("queued", "suppressed"), ("deferred", "suppressed")}


async def test_what_was_in_doubt_waits_and_ends_in_the_database_as_in_the_domain(house: House) -> None:
    for state, doubts in product(STATES, (0, 1, 2)):
        (row,) = await house.rows("SELECT waiting_as($1, $2), ending_as($1, $2)", state, doubts)
        assert tuple(row) == (waiting_as(state, doubts), ending_as(state, doubts))


async def test_the_refusals_of_a_message_keep_the_relays_words(house: House) -> None:
    await stand(house)
    steps = await after(house, settling("sending", "deferred"))
    assert {step.row["moves"][-1]["reason"] for step in steps if step.before == "sending"} == {"as judged: 550 no"}
    assert [move["state"] for move in steps[numbers_in("sending")[0]].row["moves"]][2:] == [
        "claimed",
        "sending",
        "deferred",
    ]


async def test_a_message_that_is_taken_and_given_back_for_days_keeps_its_first_and_last_moves(house: House) -> None:
    await house.know(official(1))
    await house.ask(batch([1]), at=NOW - timedelta(days=3))
    await house.execute("INSERT INTO workers (id, lease_until) VALUES ($1, now() + interval '1 hour')", WORKER)
    for _ in range(50):
        async with house.database.transaction() as tx:
            taken = await operations.claim(tx, WORKER, 1, NOW)
            await operations.hand_back(tx, WORKER, taken, {key_of(one): Hold(one.claim, NOW) for one in taken}, NOW)
    (row,) = await house.rows()
    assert 58 <= len(row["moves"]) <= 60
    assert row["claim"] == 50
    assert row["moves"][0]["at"] == NOW - timedelta(days=3)
    assert [move["state"] for move in row["moves"][-2:]] == ["claimed", "queued"]
