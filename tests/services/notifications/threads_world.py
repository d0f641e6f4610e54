"""The ledger under a magnifying glass: senders of which each step is asked for, and what people received."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from clarion.runtime.clock import system_clock
from clarion.schemas.messages import MessageBatch, Withdrawal
from clarion.services.notifications import operations
from clarion.services.notifications.channels import smtp
from clarion.services.notifications.crew import Crew, Written
from clarion.services.notifications.domain.messages import thread_of
from clarion.services.notifications.domain.outcomes import Accepted, Declined, InDoubt, NotTried
from clarion.services.notifications.repository import Settled, Workers
from clarion.services.notifications.sender import Shift
from clarion.services.notifications.under_way import Ended
from tests.services.notifications.conftest import CONTENT, House, batch, mailbox_of, official, recipient

MATTER = "campaign:c1"
PEOPLE = range(2)
TIMES = ("Monday 9:00", "Tuesday 10:00", "Wednesday 11:00")
ROOMS = ("Room 1", "Room 2")
BILLS = ("SB 1", "SB 2")
LEASE = timedelta(seconds=30)
NAMES = {"": "Ada", "b": "Bo"}
"""The officials of a mailbox, by the end of their ids."""


@dataclass(frozen=True)
class State:
    """A matter at a revision, and whom it concerns."""

    when: str
    room: str
    bills: frozenset[str]
    held: bool
    concerned: frozenset[int]
    joined: frozenset[int] = frozenset()
    """Mailboxes that a second official reads, who is concerned as well."""

    def officials(self, person: int) -> list[str]:
        """Who is concerned of those who read a mailbox."""
        return [f"o{person}", *([f"o{person}b"] if person in self.joined else [])]

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
    """A mail that was received: its thread, whom it names, revision, and what it says."""

    person: int
    named: frozenset[str]
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
        self.relay_name = "relay"

    def hand_over(self, mails: Iterator[smtp.Mail]) -> None:
        for mail in mails:
            self._do(mail.address, b"".join(mail.content), mail.ended)

    def release(self) -> None:
        raise AssertionError("all mails have ended at once")

    def _do(self, address: str, content: bytes, ended: Ended) -> None:
        if self.outcome in {"accepted", "lost after"}:
            self.world.receive(address, content)
        match self.outcome:
            case "accepted":
                ended(Accepted("250 ok"))
            case "deferred":
                ended(Declined("later", "451 later"))
            case "not tried":
                ended(NotTried("lost before the content"))
            case _:
                ended(InDoubt("lost before the reply"))


class World:
    """The ledger with senders as they are, and what people received."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.now = system_clock()
        self.history: list[State] = []
        self.registered: Counter[int] = Counter()
        self.received: dict[int, list[Mail]] = defaultdict(list)

    async def open(self) -> None:
        await self.house.execute("TRUNCATE ledger, threads, contents, workers, rounds, outbox, officials, cities")
        second = [official(one, id=f"o{one}b", name=f"Bo Nr{one}") for one in PEOPLE]
        await self.house.know(*(official(number) for number in PEOPLE), *second)

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
        return await desk.crew.shift.claim(room)

    async def turn(self, desk: Desk) -> int:
        """The outcomes of the last round and the marks of the next."""
        written, unwritten = desk.crew._write(desk.crew.shift.take(2))
        settled = [*desk.settled, *unwritten]
        if not written and not settled:
            return 0
        desk.marked = await desk.crew._turn(settled, written)
        desk.settled = []
        for one in desk.marked:
            person = int(one.to.officials[0].id.strip("ob"))
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
        named = {official for official, name in NAMES.items() if f"{name} Nr{person}" in text}
        self.received[person].append(
            Mail(person, frozenset(f"o{person}{one}" for one in named), revision, text, said(text))
        )

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
        asked = recipient(person, asks=[], officials=state.officials(person))
        yield batch(
            [], recipients=[asked], revision=number, facts=state.facts, content=content, calendar=entry, not_after=None
        )
    gone = (before.concerned if before else frozenset()) - state.concerned
    for person in sorted(gone):
        yield Withdrawal(matter=MATTER, revision=number, mailboxes=[mailbox_of(person)], reason="gone")
