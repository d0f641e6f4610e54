"""A crew: some connections that go round by round, marking, sending and writing down what came of the last round."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import TemplateError

from clarion.runtime import traces
from clarion.runtime.backoff import Backoff
from clarion.runtime.beats import beat
from clarion.runtime.database import Transaction
from clarion.services.notifications import operations
from clarion.services.notifications.breakers import News
from clarion.services.notifications.channels.lines import Line
from clarion.services.notifications.channels.pool import Pool
from clarion.services.notifications.channels.smtp import Connection, Mail, RelayDown
from clarion.services.notifications.domain.holds import Hold, Key, key_of
from clarion.services.notifications.domain.messages import (
    WAITING_FOR_DIRECTORY,
    Addressed,
    Claimed,
    NotSent,
    NotYet,
    address,
)
from clarion.services.notifications.domain.outcomes import (
    Accepted,
    NotTried,
    Outcome,
    OutOfTime,
    Verdict,
    given_up,
    judge,
    taken,
)
from clarion.services.notifications.domain.states import State, ending_as, waiting_as
from clarion.services.notifications.domain.telling import Unneeded, tell
from clarion.services.notifications.limits import Asked, Wait
from clarion.services.notifications.operations import Ready
from clarion.services.notifications.repository import Ledger, Round, Settled
from clarion.services.notifications.sendings import word
from clarion.services.notifications.shelf import Held
from clarion.services.notifications.under_way import Ended, UnderWay

if TYPE_CHECKING:
    from clarion.services.notifications.sender import Shift

MARK_GOOD_SECONDS = 1.0
"""A mail begins within this time of its mark, or the mark is given back."""
REST_SECONDS = 0.5
LINGER_SECONDS = 1.0
"""How long a round waits for its slowest reply; what takes longer goes on beside the next rounds."""
TOO_LATE = OutOfTime("too long after its mark")
DICE = random.SystemRandom()


class Written(NamedTuple):
    """A message with its mail."""

    ready: Ready
    to: Addressed
    mail: Sequence[bytes]
    """In pieces."""
    via: Connection | None = None
    """Its connection, where it matters which."""
    trace: str | None = None

    @property
    def message(self) -> Claimed:
        """The message."""
        return self.ready.message


class Sent(NamedTuple):
    """A mail and the connection over which it goes."""

    way: Connection
    written: Written


class Crew:
    """Takes turns at the ledger and the relay with up to `size` mails at a time."""

    def __init__(self, shift: "Shift", size: int, number: int = 0) -> None:
        self.shift = shift
        self.sender = shift.sender
        self.number = number
        self.size = size
        self.pool = Pool(self.sender.relays, size)
        self.backoff = Backoff(0.5, 30.0)
        self.tired = False
        self._under_way = UnderWay[Sent]()
        self._line = Line()
        self._round: dict[Key, Hold] = {}

    async def work(self) -> None:
        """Round after round, until the shift ends and the last outcomes are written down."""
        settled: list[Settled] = []
        try:
            while True:
                beat(f"crew {self.number}")
                places = await self._places()
                written, unwritten = self._write(self.shift.take(len(places)))
                settled += unwritten
                if written and self.sender.limits:
                    written, waiting = await self._admit(written, places)
                    settled += waiting
                if written or settled:
                    marked = await self._turn(settled, written)
                    settled = await self._send(places, marked)
                elif self.shift.ending.is_set() and not self._under_way:
                    return
                else:
                    await self._rest()
                    settled = await self._ended()
        finally:
            await self.pool.close()

    async def _places(self) -> Sequence[Connection]:
        """For each mail of the next round its connection; none if nothing is to be sent, the relay is down or all busy.

        There are never more mails under way than the crew may have connections. While the relay is quick several go one
        after another over each; where mail is limited or the relay is looked for, only one.
        """
        wanted = 1 if self.shift.relay_down else min(len(self.shift.shelf), self.size - len(self._under_way))
        if self.tired or wanted < 1 or self.shift.ending.is_set():
            return []
        deep = 1 if self.shift.relay_down or self.sender.limits else self._line.mails
        try:
            found = await self.pool.ready(-(-wanted // deep))
        except RelayDown as down:
            self.tired = True
            await self.shift.lose_relay(str(down))
            return []
        if found:
            self.shift.find_relay()
        return ([*found] * deep)[:wanted]

    async def _rest(self) -> None:
        if self.tired:
            await self.backoff.wait(self.shift.ending)
            self.tired = False
            return
        events = [self._under_way.news]
        # What is there while mails are under way cannot go now: all connections are busy.
        if not (self.shift.stocked.is_set() and self._under_way):
            events.append(self.shift.stocked)
        waiting = [asyncio.create_task(event.wait()) for event in events]
        await asyncio.wait(waiting, timeout=REST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()

    def _write(self, taken: Sequence[Held]) -> tuple[list[Written], list[Settled]]:
        """The mails of a round, and what becomes of messages that cannot be written now or need not be."""
        written, unwritten = [], []
        now = self.sender.clock()
        for held in taken:
            done = self._written(held, now)
            if isinstance(done, Written):
                written.append(done)
            else:
                unwritten.append(done)
        return written, unwritten

    def _written(self, held: Held, now: datetime) -> Written | Settled:
        message = held.message
        match address(message, held.officials, now):
            case Addressed() as to:
                return self._worded(held, to, now)
            case NotYet(seconds):
                return self._kept(message, waiting_as("queued", message.doubts), WAITING_FOR_DIRECTORY, seconds)
            case NotSent(state, reason):
                return self._kept(message, ending_as(state, message.doubts), reason)

    def _worded(self, held: Held, to: Addressed, now: datetime) -> Written | Settled:
        message = held.message
        readers = [official.id for official in to.officials]
        telling = tell(held.content, held.told, message.recipient.told_elsewhere, readers)
        if isinstance(telling, Unneeded):
            return self._kept(message, ending_as("unneeded", message.doubts), telling.reason)
        if telling.readers is not None:
            to = to.only(telling.readers)
            readers = [official.id for official in to.officials]
        try:
            mail = self.sender.renderer.write(message, held.content, to, now, telling)
        except (TemplateError, ValueError, TypeError) as error:
            reason = f"it cannot be written: {type(error).__name__}"
            return self._kept(message, ending_as("failed", message.doubts), reason)
        sequence = telling.entry.sequence if telling.entry else None
        return Written(Ready(message, readers, sequence), to, mail, None, held.trace)

    async def _admit(
        self, written: Sequence[Written], ways: Sequence[Connection]
    ) -> tuple[list[Written], list[Settled]]:
        """Mails that may go now, each with its connection, and what becomes of those that wait."""
        asked = [Asked.to(one.to.address, one.message.lane) for one in written]
        places = await self.sender.limits.admit(asked, ways, self.pool)
        admitted, waiting = [], []
        for one, place in zip(written, places, strict=True):
            if isinstance(place, Wait):
                waiting.append(self._waiting(one.message, place))
            else:
                admitted.append(one._replace(via=place))
        return admitted, waiting

    def _waiting(self, message: Claimed, wait: Wait) -> Settled:
        kept = self._kept(message, waiting_as("queued", message.doubts), wait.reason, wait.seconds)
        if not wait.blocked:
            return kept
        waited = self.sender.clock() - message.queued_at
        return kept._replace(verdict=given_up(kept.verdict, waited, self.sender.settings.retries))

    def _kept(self, message: Claimed, state: State, reason: str, seconds: float | None = None) -> Settled:
        due_at = None if seconds is None else self.sender.clock() + timedelta(seconds=seconds)
        return Settled(message, Verdict(state, message.attempts, message.doubts, due_at, reason))

    async def _turn(self, settled: Sequence[Settled], written: Sequence[Written]) -> list[Written]:
        """One transaction: the outcomes of the last round and the marks of the next. Gives what may be sent."""
        marked: dict[Key, Hold] = {}
        breakers, news = self.sender.limits.breakers, News()
        fallbacks = self.sender.renderer.editions.take_fallbacks()
        self.sender.sendings.count_fallbacks(fallbacks)
        ended = {key_of(one.message) for one in settled}
        kept = {key: hold for key, hold in self._round.items() if key not in ended}
        worker, holds = self.shift.worker, self.shift.holds

        async def turn(tx: Transaction) -> None:
            now = self.sender.clock()
            await operations.begin_turn(tx)
            await operations.settle(tx, worker, settled, now, holds)
            news.update(await breakers.write(tx))
            if fallbacks:
                await Ledger(tx.connection).note_fallbacks(fallbacks, now)
            marked.clear()
            ready = [one.ready for one in written]
            marked.update(await operations.mark(tx, Round(worker, self.number, kept), ready, now, holds))

        if not await self.shift.in_transaction(turn, self.shift.ending):
            return []
        breakers.written(news)
        self._round = kept | marked
        self.shift.follow(ended | {key_of(one.message) for one in written}, marked)
        return [one for one in written if key_of(one.message) in marked]

    async def _send(self, places: Sequence[Connection], marked: Sequence[Written]) -> list[Settled]:
        """Hand the round over, over all its connections at once, and judge what came of what was answered soon."""
        loop = asyncio.get_running_loop()
        marked_at = loop.time()
        surely = self.sender.clock() + timedelta(seconds=2 * MARK_GOOD_SECONDS)
        lines: list[tuple[Connection, Iterator[Mail]]] = []

        def begin(mails: Sequence[tuple[Sent, Ended]]) -> None:
            by_way: dict[Connection, list[tuple[Sent, Ended]]] = defaultdict(list)
            for sent, ended in mails:
                by_way[sent.way].append((sent, ended))
            lines.extend((way, self._in_time(line, marked_at, surely)) for way, line in by_way.items())
            for way, line in lines:
                way.hand_over(line)

        sent = [Sent(one.via or place, one) for place, one in zip(places, marked, strict=False)]
        if await self._under_way.hand_over(sent, begin, LINGER_SECONDS):
            self._line.learn(loop.time() - marked_at)
        else:
            self._line.learn(LINGER_SECONDS)
            for way, line in lines:
                for mail in line:
                    mail.ended(TOO_LATE)
                way.release()
        return await self._ended()

    def _in_time(self, line: Sequence[tuple[Sent, Ended]], marked_at: float, surely: datetime) -> Iterator[Mail]:
        """The mails that go one after another over a connection; one whose turn comes too late is given back.

        None has its turn after `surely`, so only for those that may not go then the clock is asked.
        """
        now, clock, sender_of = asyncio.get_running_loop().time, self.sender.clock, self.sender.renderer.envelope_sender
        until, tracing = marked_at + MARK_GOOD_SECONDS, traces.tracing()
        for sent, ended in line:
            ready, to, content, *_ = sent.written
            not_after = ready.message.not_after
            if now() > until or (not_after is not None and not_after <= surely and not_after <= clock()):
                ended(TOO_LATE)
            else:
                yield Mail(sender_of(ready.message), to.address, content, traced(sent, ended) if tracing else ended)

    async def _ended(self) -> list[Settled]:
        """What came of the mails that have been answered by now, or cannot be any more."""
        ended = self._under_way.take()
        if not ended:
            return []
        outcomes = [outcome for _, outcome in ended]
        names = [one.way.relay_name for one, _ in ended]
        addresses = [one.written.to.address for one, _ in ended]
        self.sender.limits.breakers.learn(list(zip(names, addresses, strict=True)), outcomes)
        all_tried = list(zip(names, outcomes, strict=True))
        tried = [one for one in all_tried if type(one[1]) is not OutOfTime]
        self.sender.relays.tried([name for name, _ in tried], [outcome for _, outcome in tried])
        if tried and all(type(outcome) is NotTried for _, outcome in tried):
            self.tired = True
            await self.shift.lose_relay("no connection held")
        else:
            self.backoff.reset()
        now = self.sender.clock()
        judged = [self._judged(one, outcome, now) for one, outcome in ended]
        self.sender.sendings.count(all_tried, judged)
        return judged

    def _judged(self, sent: Sent, outcome: Outcome, now: datetime) -> Settled:
        message = sent.written.ready.message
        if type(outcome) is Accepted:
            return Settled(message, taken(outcome, message.attempts, message.doubts), sent.way.relay_name)
        verdict = judge(
            outcome,
            attempts=message.attempts,
            doubts=message.doubts,
            queued_at=message.queued_at,
            now=now,
            jitter=DICE.random(),
            retries=self.sender.settings.retries,
        )
        return Settled(message, verdict, relay=sent.way.relay_name)


def traced(sent: Sent, ended: Ended) -> Ended:
    """The same with a span of the mail's trace around the handing over, where there are traces."""
    end = traces.begin("smtp send", sent.written.trace, relay=sent.way.relay_name)
    if end is None:
        return ended

    def both(outcome: Outcome) -> None:
        end(word(outcome))
        ended(outcome)

    return both
