"""The sender: a worker with a lease, which claims due messages for its crews."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from uuid import UUID

import structlog

from clarion.runtime.backoff import Backoff
from clarion.runtime.beats import beat
from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, Transaction, is_transient
from clarion.runtime.ids import new_id
from clarion.runtime.messaging.following import kept_traces
from clarion.services.notifications import operations
from clarion.services.notifications.breakers import Breakers
from clarion.services.notifications.channels.pool import Relays
from clarion.services.notifications.channels.relays import Relay
from clarion.services.notifications.crew import Crew
from clarion.services.notifications.domain.holds import Hold, Key, key_of
from clarion.services.notifications.domain.messages import Claimed, Content
from clarion.services.notifications.limits import Limits
from clarion.services.notifications.rendering.mail import Renderer
from clarion.services.notifications.repository import Ledger, Projection, Workers
from clarion.services.notifications.sendings import Sendings
from clarion.services.notifications.settings import SendingSettings
from clarion.services.notifications.shelf import Held, Shelf

log = structlog.get_logger(__name__)

CHANNEL = f"clarion_notifications_{operations.LEDGER_CHANGED}"
CONTENTS_KEPT = 500
LAST_WORD_SECONDS = 10.0
"""How long a worker that ends tries to write down what it still has to say."""


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class Sender:
    """Sends what is due until it is stopped. Any number of them work side by side."""

    name = "sender"

    def __init__(
        self, database: Database, renderer: Renderer, relays: Sequence[Relay], settings: SendingSettings, clock: Clock
    ) -> None:
        self.database = database
        self.renderer = renderer
        self.limits = Limits(database, Breakers(settings.pace), settings.rates)
        self.relays = Relays(relays, self.limits.breakers)
        self.settings = settings
        self.clock = clock
        self.sendings = Sendings()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work in shifts, each a worker of its own: one ends with the sender, its lease or its database."""
        while not stopping.is_set():
            await Shift(self, UUID(new_id())).work(stopping)


class Shift:
    """One worker from its first lease to its end, and the messages that it holds."""

    def __init__(self, sender: Sender, worker: UUID) -> None:
        self.sender = sender
        self.worker = worker
        self.shelf = Shelf()
        self.holds: dict[Key, Hold] = {}
        self._handling = asyncio.Lock()
        self.contents: dict[int, Content] = {}
        self.ending = asyncio.Event()
        self.relay_down = False
        self.stocked = asyncio.Event()
        self.low = asyncio.Event()
        self._wake: Callable[[], None] = lambda: None

    async def work(self, stopping: asyncio.Event) -> None:
        """Enlist, send until the end, and hand back what was not begun."""
        settings = self.sender.settings
        if not await self.in_transaction(self._enlist, stopping):
            return
        async with asyncio.TaskGroup() as group:
            watching = [group.create_task(self._renew()), group.create_task(self._end_after(stopping))]
            work = [
                group.create_task(Crew(self, size, number).work()) for number, size in enumerate(settings.crew_sizes)
            ]
            await asyncio.gather(group.create_task(self._stock()), *work)
            for task in watching:
                task.cancel()
        await self.in_transaction(self._retire, self.ending)

    async def in_transaction(self, act: Callable[[Transaction], Awaitable[None]], ending: asyncio.Event) -> bool:
        """Do it once the database is there; once `ending` is set only for a while. Says whether it was done."""
        backoff = Backoff(0.1, 2.0)
        give_up_at = None
        while True:
            try:
                async with self.sender.database.transaction() as tx:
                    await act(tx)
            except Exception as error:
                if not is_transient(error):
                    raise
            else:
                return True
            now = asyncio.get_running_loop().time()
            if ending.is_set():
                give_up_at = give_up_at or now + LAST_WORD_SECONDS
                if now > give_up_at:
                    return False
            await backoff.wait(asyncio.Event())

    async def _enlist(self, tx: Transaction) -> None:
        await Workers(tx.connection).enlist(self.worker, self.sender.settings.lease)
        await self.sender.limits.breakers.read(tx)

    async def _retire(self, tx: Transaction) -> None:
        await operations.hand_back(tx, self.worker, self.shelf.messages, self.holds, self.sender.clock())
        await Workers(tx.connection).retire(self.worker)

    async def _end_after(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self.end()

    def end(self) -> None:
        """Begin nothing more."""
        self.ending.set()
        self.stocked.set()
        self.low.set()
        self._wake()

    async def _renew(self) -> None:
        lease, breakers = self.sender.settings.lease, self.sender.limits.breakers
        while not self.ending.is_set():
            await pause(self.ending, lease.total_seconds() / 3)
            try:
                async with self.sender.database.transaction() as tx:
                    kept = await Workers(tx.connection).renew(self.worker, lease)
                    news = await breakers.write(tx)
                    await breakers.read(tx)
            except Exception as error:
                if not is_transient(error):
                    raise
                continue
            breakers.written(news)
            if not kept:
                log.warning("sender.lease_lost", worker=str(self.worker))
                self.end()

    async def _stock(self) -> None:
        settings = self.sender.settings
        async with self.sender.database.listen(CHANNEL) as wakeups:
            self._wake = wakeups.wake
            while not self.ending.is_set():
                beat("stock")
                if self.relay_down or len(self.shelf) > settings.low:
                    self.low.clear()
                    await pause(self.low, settings.poll_seconds)
                elif not await self._fetch(settings.room - len(self.shelf)):
                    await wakeups.wait(settings.poll_seconds)

    async def _fetch(self, room: int) -> int:
        try:
            async with self._handling:
                found = await self.claim(room)
        except Exception as error:
            if not is_transient(error):
                raise
            # Whether it was committed is not known: a new worker starts from what the ledger says.
            log.warning("sender.database_lost", worker=str(self.worker), error=type(error).__name__)
            self.end()
            return 0
        self.stocked.set()
        return found

    async def claim(self, room: int) -> int:
        """Take up to `room` messages that are due onto the shelf."""
        now = self.sender.clock()
        async with self.sender.database.transaction() as tx:
            claimed = await operations.claim(tx, self.worker, room, now, self.holds)
            if len(self.contents) > CONTENTS_KEPT:
                self.contents.clear()
            found = await held_of(tx, claimed, self.contents) if claimed else []
            await self._read_wordings(tx, found)
        self.holds |= {key_of(one): Hold(one.claim, now) for one in claimed}
        self.shelf.add(found)
        return len(found)

    async def _read_wordings(self, tx: Transaction, found: Sequence[Held]) -> None:
        editions = self.sender.renderer.editions
        if max((held.content.edition for held in found), default=0) > editions.newest:
            editions.add(await Ledger(tx.connection).wordings_after(editions.newest))

    def follow(self, ended: Iterable[Key], marked: Mapping[Key, Hold]) -> None:
        """What a turn that is committed made of messages in hand."""
        for key in ended:
            self.holds.pop(key, None)
        self.holds |= marked

    async def lose_relay(self, reason: str) -> None:
        """Give back what is claimed, since another sender may reach the relay."""
        log.warning("sender.relay_down", worker=str(self.worker), error=reason)
        self.relay_down = True
        # What is claimed beside this would not be among what the worker keeps.
        async with self._handling:
            unbegun = self.shelf.clear()

            async def give_back(tx: Transaction) -> None:
                await operations.hand_back(tx, self.worker, unbegun, self.holds, self.sender.clock())

            if await self.in_transaction(give_back, self.ending):
                self.follow(map(key_of, unbegun), {})

    def find_relay(self) -> None:
        """The relay answers again."""
        if self.relay_down:
            log.info("sender.relay_up", worker=str(self.worker))
            self.relay_down = False
            self.low.set()

    def take(self, room: int) -> list[Held]:
        """Messages for a round."""
        taken = self.shelf.take(room)
        if not len(self.shelf):
            self.stocked.clear()
        if len(self.shelf) <= self.sender.settings.low:
            self.low.set()
        return taken


async def held_of(tx: Transaction, claimed: Sequence[Claimed], contents: dict[int, Content]) -> list[Held]:
    """Claimed messages with all that is needed to write them; `contents` keeps what was read, which never changes."""
    ledger = Ledger(tx.connection)
    if missing := {message.content_id for message in claimed} - contents.keys():
        contents |= await ledger.contents(list(missing))
    later = [message for message in claimed if message.revision > 1]
    told = await ledger.told(later) if later else {}
    wanted = list({one for message in claimed for one in message.recipient.officials})
    officials = await Projection(tx.connection).officials(wanted)
    followed = await kept_traces(tx.connection, (matter_of(message) for message in claimed))
    return [
        Held(
            message,
            contents[message.content_id],
            {one: officials[one] for one in message.recipient.officials if one in officials},
            told.get(message.thread_id, ()),
            followed.get(matter_of(message)) if followed else None,
        )
        for message in claimed
    ]


def matter_of(message: Claimed) -> str:
    """A message's matter and revision, as its trace is kept."""
    return f"{message.matter}/{message.revision}"
