"""Random histories of a matter, with senders that die between any two steps: everyone knows the last state, told once.

A step is one transaction of the ledger or one answer of the relay. Messages come in any order and several times; a
killed sender is one that is simply not asked again, whose lease then ends.
"""

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from clarion.runtime.clock import system_clock
from clarion.schemas.messages import MessageBatch, Withdrawal
from clarion.services.notifications import operations
from clarion.services.notifications.crew import Crew, Written
from clarion.services.notifications.domain.messages import thread_of
from clarion.services.notifications.domain.outcomes import Accepted, Deferred, InDoubt, NotTried, Outcome
from clarion.services.notifications.domain.states import TOLD
from clarion.services.notifications.repository import Settled, Workers
from clarion.services.notifications.sender import Shift
from tests.conftest import TEMPLATE, cloned
from tests.services.notifications.conftest import CONTENT, House, batch, mailbox_of, official, opened_house, recipient

MATTER = "campaign:c1"
PEOPLE = range(2)
TIMES = ("Monday 9:00", "Tuesday 10:00", "Wednesday 11:00")
ROOMS = ("Room 1", "Room 2")
BILLS = ("SB 1", "SB 2")
LEASE = timedelta(seconds=30)
EXAMPLES = 40


@dataclass(frozen=True)
class State:
    """A matter at a revision, and whom it concerns."""

    when: str
    room: str
    bills: frozenset[str]
    held: bool
    concerned: frozenset[int]

    @property
    def facts(self) -> list[dict[str, Any]]:
        status = [] if self.held else [{"key": "status", "label": "Status", "text": "Cancelled"}]
        bills = [{"key": f"bill:{bill}", "label": bill, "text": f"{bill}: oppose"} for bill in sorted(self.bills)]
        general = [("when", "When", self.when), ("where", "Where", self.room)]
        noise = {"key": "counted", "label": "Counted", "text": str(hash(self)), "material": False}
        return [*status, *({"key": k, "label": label, "text": text} for k, label, text in general), *bills, noise]

    @property
    def material(self) -> tuple[Any, ...]:
        """What a reader would act on."""
        return ("cancelled",) if not self.held else (self.when, self.room, self.bills)


@dataclass
class Mail:
    """A mail that was received: its thread, revision, and what it says."""

    person: int
    revision: int
    text: str
    says: tuple[Any, ...]


@dataclass
class Desk:
    """A sender of which each step is asked for."""

    crew: Crew
    worker: UUID
    settled: list[Settled] = field(default_factory=list)
    marked: list[Written] = field(default_factory=list)


class Relay:
    """One connection, which does what it is told with the next mail."""

    def __init__(self, world: "World", outcome: str) -> None:
        self.world = world
        self.outcome = outcome

    async def deliver(self, _sender: str, address: str, content: bytes) -> Outcome:
        if self.outcome in {"accepted", "lost after"}:
            self.world.receive(address, content)
        match self.outcome:
            case "accepted":
                return Accepted("250 ok")
            case "deferred":
                return Deferred("451 later")
            case "not tried":
                return NotTried("lost before the content")
        return InDoubt("lost before the reply")


class World:
    """The ledger with senders as they are, and what people received."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.now = system_clock()
        self.history: list[State] = []
        self.registered: Counter[int] = Counter()
        self.received: dict[int, list[Mail]] = defaultdict(list)

    async def open(self) -> None:
        await self.house.execute("TRUNCATE ledger, threads, contents, workers, outbox, officials, cities")
        await self.house.know(*(official(number) for number in PEOPLE))

    async def hear(self, wish: MessageBatch | Withdrawal) -> None:
        async with self.house.database.transaction() as tx:
            if isinstance(wish, Withdrawal):
                await operations.withdraw(tx, wish, self.now)
            else:
                await operations.register(tx, [wish], self.now)
        named = wish.mailboxes if isinstance(wish, Withdrawal) else [one.mailbox for one in wish.recipients]
        for person in PEOPLE:
            if mailbox_of(person) in named:
                self.registered[person] = max(self.registered[person], wish.revision)

    async def enlist(self) -> Desk:
        sender = self.house.sender(connections=2, lease=LEASE)
        sender.clock = lambda: self.now
        worker = uuid4()
        async with self.house.database.transaction() as tx:
            await Workers(tx.connection).enlist(worker, LEASE)
        return Desk(Crew(Shift(sender, worker), 2), worker)

    async def claim(self, desk: Desk, room: int) -> int:
        async with self.house.database.transaction() as tx:
            found = await desk.crew.shift._claim(tx, room)
        desk.crew.shift.shelf.add(found)
        return len(found)

    async def turn(self, desk: Desk) -> int:
        """The outcomes of the last round and the marks of the next."""
        written, unwritten = desk.crew._write(desk.crew.shift.take(2))
        settled = [*desk.settled, *unwritten]
        if not written and not settled:
            return 0
        desk.marked = await desk.crew._turn(settled, written)
        desk.settled = []
        for one in desk.marked:
            person = int(one.to.officials[0].id.removeprefix("o"))
            assert one.message.revision == self.registered[person], "a mail of an older revision began"
        return len(settled) + len(desk.marked)

    async def send(self, desk: Desk, outcomes: Sequence[str]) -> None:
        desk.settled = await desk.crew._send([Relay(self, one) for one in outcomes], desk.marked)
        desk.marked = []

    async def bury(self, desk: Desk) -> None:
        """The lease of a dead sender ends."""
        await self.house.execute(
            "UPDATE workers SET lease_until = now() - interval '1 second' WHERE id = $1", desk.worker
        )
        async with self.house.database.transaction() as tx:
            await operations.bury(tx, self.now, LEASE)

    def receive(self, address: str, content: bytes) -> None:
        person = int(address.removeprefix("o").partition("@")[0])
        head, _, body = content.decode("ascii").partition("\r\n\r\n")
        revision = int(head.partition("Clarion-Revision: ")[2].split("\r\n")[0])
        assert f"Clarion-Thread: {thread_of(MATTER, mailbox_of(person)).hex}" in head
        text = body.partition("text/html")[0]
        self.received[person].append(Mail(person, revision, text, said(text)))

    async def come_to_rest(self) -> None:
        """Whatever waits is sent by a sender that lives."""
        desk = await self.enlist()
        for _ in range(60):
            self.now += timedelta(hours=1)
            # The senders here do not renew, and all but this one are dead.
            if not await self.claim(desk, 20) and not desk.settled:
                return
            while await self.turn(desk):
                await self.send(desk, ["accepted"] * 2)
        pytest.fail("it does not come to rest")


def said(text: str) -> tuple[Any, ...]:
    """What a mail states, read from its text as a person would."""
    if "No longer concerns you" in text:
        return ("not concerned",)
    if "- Cancelled:" in text:
        return ("cancelled",)
    when = next(time for time in TIMES if f"- Hearing: Senate Housing, {time}" in text)
    room = next(room for room in ROOMS if f"- Place: {room}" in text)
    return (when, room, frozenset(bill for bill in BILLS if f"\n{bill}: we oppose it" in text.replace("\r", "")))


def wishes(number: int, state: State, before: State | None) -> Iterator[MessageBatch | Withdrawal]:
    """What campaigns asks for at a revision."""
    content = {
        **CONTENT,
        "when": state.when,
        "where": state.room,
        "bills": [{"bill": bill, "stance": "oppose", "ask": "no", "why": "why"} for bill in sorted(state.bills)],
    }
    entry = {
        "uid": "campaign-c1@clarion",
        "method": "REQUEST" if state.held else "CANCEL",
        "summary": "Senate Housing",
        "starts_at": "2027-04-21T13:30:00-07:00",
        "zone": "America/Los_Angeles",
    }
    for person in sorted(state.concerned):
        asked = recipient(person, asks=[])
        yield batch(
            [], recipients=[asked], revision=number, facts=state.facts, content=content, calendar=entry, not_after=None
        )
    gone = (before.concerned if before else frozenset()) - state.concerned
    for person in sorted(gone):
        yield Withdrawal(matter=MATTER, revision=number, mailboxes=[mailbox_of(person)], reason="gone")


STATES = st.builds(
    State,
    when=st.sampled_from(TIMES),
    room=st.sampled_from(ROOMS),
    bills=st.sets(st.sampled_from(BILLS), min_size=1).map(frozenset),
    held=st.sampled_from([True, True, True, False]),
    concerned=st.sets(st.sampled_from(list(PEOPLE)), min_size=1).map(frozenset),
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
            self.check(person, [row for row in rows if row["mailbox"] == mailbox_of(person)])

    def check(self, person: int, rows: Sequence[Any]) -> None:
        final, received = self.world.history[-1], self.world.received[person]
        doubts = sum(row["doubts"] for row in rows)
        note(f"person {person}, {doubts} doubts, told {[(mail.revision, mail.says) for mail in received]}; {final}")
        said = [mail.says for mail in received]
        twice = sum(one == following for one, following in itertools.pairwise(said))
        assert twice <= doubts, "two mails for one change"
        last = max((row for row in rows if row["state"] in TOLD), key=lambda row: row["revision"], default=None)
        if last and last["doubts"] > 1:
            return  # In doubt twice: perhaps it never came, and it is not sent a third time.
        concerned = person in final.concerned
        if concerned and final.held:
            assert said, "never told"
            assert said[-1] == final.material
        elif concerned and said:
            assert said[-1] in {("cancelled",), ("not concerned",)}
        elif said:
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
