"""Random histories of a matter, with senders that die between any two steps: everyone knows the last state, told once.

A step is one transaction of the ledger or one answer of the relay. Messages come in any order and several times; a
killed sender is one that is simply not asked again, whose lease then ends.
"""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from clarion.schemas.messages import MessageBatch, Withdrawal
from clarion.services.notifications.domain.states import TOLD
from tests.conftest import TEMPLATE, cloned
from tests.services.notifications.conftest import House, mailbox_of, opened_house
from tests.services.notifications.threads_world import BILLS, PEOPLE, ROOMS, TIMES, Desk, State, World, wishes

EXAMPLES = 60

STATES = st.builds(
    State,
    when=st.sampled_from(TIMES),
    room=st.sampled_from(ROOMS),
    bills=st.sets(st.sampled_from(BILLS), min_size=1).map(frozenset),
    held=st.sampled_from([True, True, True, False]),
    concerned=st.sets(st.sampled_from(list(PEOPLE)), min_size=1).map(frozenset),
    joined=st.sets(st.sampled_from(list(PEOPLE))).map(frozenset),
)
OUTCOMES = st.sampled_from(["accepted", "accepted", "accepted", "deferred", "not tried", "lost before", "lost after"])


class Threads(RuleBasedStateMachine):
    """Requests, withdrawals and senders in any order."""

    loop: asyncio.AbstractEventLoop
    house: House

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.house)
        self.underway: list[MessageBatch | Withdrawal] = []
        self.past: list[MessageBatch | Withdrawal] = []
        self.desks: list[Desk] = []
        self.slow: list[Desk] = []
        self.run(self.world.open())

    def run(self, step: Any) -> Any:
        return self.loop.run_until_complete(step)

    def idle(self) -> list[Desk]:
        return [desk for desk in self.desks if not desk.marked]

    def sending(self) -> list[Desk]:
        return [desk for desk in self.desks if desk.marked]

    @initialize(state=STATES)
    def begin(self, state: State) -> None:
        self.changes(state)
        self.hear_all()

    def changes(self, state: State) -> None:
        before = self.world.history[-1] if self.world.history else None
        self.world.history.append(state)
        self.underway += wishes(len(self.world.history), state, before)

    @rule(state=STATES, heard=st.booleans())
    def change(self, state: State, heard: bool) -> None:
        """Something changed, of which notifications may hear at once."""
        self.changes(state)
        if heard:
            self.hear_all()

    @rule(back=st.integers(1, 2), heard=st.booleans())
    def change_back(self, back: int, heard: bool) -> None:
        """It is as it was before, or nothing that matters changed."""
        self.changes(self.world.history[-min(back, len(self.world.history))])
        if heard:
            self.hear_all()

    @rule(person=st.sampled_from(list(PEOPLE)), heard=st.booleans())
    def join_or_leave(self, person: int, heard: bool) -> None:
        """Nothing changed but that another official of a mailbox is concerned, or no longer."""
        last = self.world.history[-1]
        self.changes(replace(last, joined=last.joined ^ {person}))
        if heard:
            self.hear_all()

    @precondition(lambda self: self.underway)
    @rule(data=st.data())
    def hear(self, data: st.DataObject) -> None:
        """One of the requests under way arrives, whichever."""
        wish = data.draw(st.sampled_from(self.underway))
        self.underway.remove(wish)
        self.past.append(wish)
        self.run(self.world.hear(wish))

    def hear_all(self) -> None:
        while self.underway:
            self.past.append(self.underway.pop(0))
            self.run(self.world.hear(self.past[-1]))

    @precondition(lambda self: self.past)
    @rule(data=st.data())
    def hear_again(self, data: st.DataObject) -> None:
        self.run(self.world.hear(data.draw(st.sampled_from(self.past))))

    @precondition(lambda self: len(self.desks) < 2)
    @rule(data=st.data())
    def claim_anew(self, data: st.DataObject) -> None:
        """Another sender begins."""
        self.desks.append(self.run(self.world.enlist()))
        self.run(self.world.claim(self.desks[-1], data.draw(st.integers(1, 4))))

    @precondition(lambda self: self.idle())
    @rule(data=st.data(), claims=st.booleans())
    def turn(self, data: st.DataObject, claims: bool) -> None:
        desk = data.draw(st.sampled_from(self.idle()))
        if claims:
            self.run(self.world.claim(desk, 4))
        else:
            self.run(self.world.turn(desk))

    @precondition(lambda self: self.sending())
    @rule(data=st.data(), outcomes=st.lists(OUTCOMES, min_size=2, max_size=2), told=st.booleans())
    def send(self, data: st.DataObject, outcomes: list[str], told: bool) -> None:
        desk = data.draw(st.sampled_from(self.sending()))
        self.run(self.world.send(desk, outcomes))
        if told:
            self.run(self.world.turn(desk))

    @rule(outcomes=st.lists(OUTCOMES, min_size=2, max_size=2))
    def send_round(self, outcomes: list[str]) -> None:
        """A whole round at once, without which few mails would go out."""
        if not self.desks:
            self.desks.append(self.run(self.world.enlist()))
        desk = self.desks[0]
        if not desk.marked:
            self.run(self.world.claim(desk, 4))
            self.run(self.world.turn(desk))
        if desk.marked:
            self.run(self.world.send(desk, outcomes))
            self.run(self.world.turn(desk))

    @precondition(lambda self: self.desks)
    @rule(data=st.data(), taken=st.booleans())
    def kill(self, data: st.DataObject, taken: bool) -> None:
        """A sender dies, and the relay may have taken what it had marked; its lease ends."""
        desk = data.draw(st.sampled_from(self.desks))
        self.desks.remove(desk)
        if desk.marked and taken:
            self.run(self.world.send(desk, ["accepted"] * 2))
        self.run(self.world.bury(desk))

    @precondition(lambda self: self.sending())
    @rule(data=st.data())
    def lose_lease(self, data: st.DataObject) -> None:
        """A sender loses its lease while its mails are on their way."""
        desk = data.draw(st.sampled_from(self.sending()))
        self.desks.remove(desk)
        self.slow.append(desk)
        self.run(self.world.bury(desk))

    @precondition(lambda self: self.slow)
    @rule()
    def last_word(self) -> None:
        """It was only slow: its mails arrive after all, within the time that is left to it, and it says so."""
        while self.slow:
            desk = self.slow.pop()
            self.run(self.world.send(desk, ["accepted"] * 2))
            self.run(self.world.turn(desk))

    @rule(minutes=st.sampled_from([1, 90]))
    def wait(self, minutes: int) -> None:
        self.slow.clear()
        self.world.now += timedelta(minutes=minutes)

    def teardown(self) -> None:
        self.hear_all()
        for desk in self.desks:
            self.run(self.world.bury(desk))
        self.run(self.world.come_to_rest())
        rows = self.run(self.world.house.rows())
        assert {row["state"] for row in rows} <= {"sent", "superseded", "unneeded", "unknown"}
        for person in PEOPLE:
            mine = [row for row in rows if row["mailbox"] == mailbox_of(person)]
            for reader in self.world.history[-1].officials(person):
                self.check(person, reader, mine)

    def check(self, person: int, reader: str, rows: Sequence[Any]) -> None:
        final = self.world.history[-1]
        received = [mail for mail in self.world.received[person] if reader in mail.named]
        doubts = sum(row["doubts"] for row in rows)
        note(f"{reader}, {doubts} doubts, told {[(mail.revision, mail.says) for mail in received]}; {final}")
        said = [mail.says for mail in received]
        twice = sum(one == following for one, following in itertools.pairwise(said))
        assert twice <= doubts, "two mails for one change"
        told = [row for row in rows if row["state"] in TOLD and reader in (row["named"] or row["officials"])]
        last = max(told, key=lambda row: row["revision"], default=None)
        if last and last["doubts"] > 1:
            return  # In doubt twice: perhaps it never came, and it is not sent a third time.
        concerned = person in final.concerned
        if concerned and final.held:
            assert said, "never told"
            assert said[-1] == final.material
        elif concerned and said:
            assert said[-1] in {("cancelled",), ("not concerned",)}
        elif said and not reader.endswith("b"):
            assert said[-1] == ("not concerned",)


@contextmanager
def world_of(postgres_url: str) -> Iterator[type[Threads]]:
    """The machine on one database for all its histories."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        database = cloned(postgres_url, TEMPLATE)
        url = loop.run_until_complete(database.__aenter__())
        opened = opened_house(url, "smtp://127.0.0.1:9")
        house = loop.run_until_complete(opened.__aenter__())
        yield type("ThreadsHere", (Threads,), {"loop": loop, "house": house})
        loop.run_until_complete(opened.__aexit__(None, None, None))
        loop.run_until_complete(database.__aexit__(None, None, None))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_last_mail_of_every_thread_states_the_final_facts_and_none_comes_twice(postgres_url: str) -> None:
    with world_of(postgres_url) as machine:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
