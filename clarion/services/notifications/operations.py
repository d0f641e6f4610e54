"""One use case each, within the caller's transaction."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from clarion.runtime.database import Transaction
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.schemas.deliveries import DeliveriesRecorded, Delivery
from clarion.schemas.directory import City, Official
from clarion.schemas.messages import MessageBatch, Withdrawal
from clarion.schemas.topics import NOTIFICATIONS_DELIVERIES, bucket
from clarion.services.notifications.domain import lanes
from clarion.services.notifications.domain.holds import Hold, Key, key_of
from clarion.services.notifications.domain.messages import Claimed
from clarion.services.notifications.domain.outcomes import Verdict
from clarion.services.notifications.domain.registration import Ending, registrations
from clarion.services.notifications.domain.states import FINAL, waiting_as
from clarion.services.notifications.repository import Ledger, Projection, Round, Settled, Workers

LEDGER_CHANGED = "ledger"
DELIVERIES_IN_A_MESSAGE = 1_000
WITHDRAWN = "withdrawn"
GIVEN_BACK = "its sender gave it back"
NOTHING: Mapping[Key, Hold] = MappingProxyType({})


async def project(tx: Transaction, saved: Sequence[City | Official], erased: Sequence[tuple[str, str]]) -> None:
    """Keep the newest state of cities and officials; `erased` are kind and id."""
    projection = Projection(tx.connection)
    cities = [entity for entity in saved if isinstance(entity, City)]
    officials = [entity for entity in saved if isinstance(entity, Official)]
    for kind, pairs in groupby(sorted(erased), key=lambda pair: pair[0]):
        await projection.forget(kind, [entity_id for _, entity_id in pairs])
    if cities:
        await projection.save_cities(cities)
    if officials:
        await projection.save_officials(officials)


async def register(tx: Transaction, batches: Sequence[MessageBatch], now: datetime) -> None:
    """Put messages into the ledger; what is there already stays as it is."""
    for wanted in registrations(batches):
        await announce(tx, await Ledger(tx.connection).register(wanted, now))
        tx.notify(LEDGER_CHANGED)


async def withdraw(tx: Transaction, withdrawal: Withdrawal, now: datetime) -> None:
    """End what is unsent for these mailboxes; who was told already, or may be, is to be told that it ended.

    It counts against earlier revisions: who was told at the withdrawal's own revision is told nothing more.
    """
    ending = Ending.of(withdrawal, WITHDRAWN)
    await announce(tx, await Ledger(tx.connection).withdraw(ending, now))
    tx.notify(LEDGER_CHANGED)


async def claim(
    tx: Transaction, worker: UUID, room: int, now: datetime, holds: Mapping[Key, Hold] = NOTHING
) -> list[Claimed]:
    """Take up to `room` due messages for a worker, from the lanes by weight; what one lane leaves, the next takes.

    `holds` is all that the worker has in hand now; whatever else it took before is free.
    """
    return await Ledger(tx.connection).claim(worker, lanes.BY_NUMBER, room, holds, now)


async def hand_back(
    tx: Transaction, worker: UUID, unbegun: Sequence[Claimed], holds: Mapping[Key, Hold], now: datetime
) -> None:
    """Free what a worker has claimed and not begun; the rest of `holds` it keeps."""
    await begin_turn(tx)
    back = [
        Settled(one, Verdict(waiting_as("queued", one.doubts), one.attempts, one.doubts, None, GIVEN_BACK))
        for one in unbegun
    ]
    await settle(tx, worker, back, now, holds)
    free = {key_of(one) for one in unbegun}
    await Workers(tx.connection).keep(worker, {key: hold for key, hold in holds.items() if key not in free})
    tx.notify(LEDGER_CHANGED)


async def begin_turn(tx: Transaction) -> None:
    """To be done before the transaction settles or marks anything: whoever stops marks waits for its end."""
    await Ledger(tx.connection).share_marks()


async def settle(
    tx: Transaction, worker: UUID, settled: Sequence[Settled], now: datetime, holds: Mapping[Key, Hold] = NOTHING
) -> None:
    """Write down what became of messages that a worker held; a mailbox that does not exist gets nothing more."""
    if not settled:
        return
    ledger = Ledger(tx.connection)
    await announce(tx, await ledger.settle(worker, settled, holds, now))
    bad = {one.message.mailbox: one.verdict.suppression for one in settled if one.verdict.suppression}
    if bad:
        await ledger.suppress(bad, now, "hard-bounce")


class Ready(NamedTuple):
    """A message whose mail is written: the officials it names, and the SEQUENCE of its calendar entry if it has one."""

    message: Claimed
    named: Sequence[str] = ()
    sequence: int | None = None

    def hold(self, claimed_at: datetime, now: datetime) -> Hold:
        """How it is held once it is marked."""
        message = self.message
        named = None if self.named == message.recipient.officials else self.named
        in_time = message.not_after is None or message.not_after > now
        return Hold(message.claim, claimed_at, now, named, self.sequence, message.grounds if in_time else None)


async def mark(
    tx: Transaction, turn: Round, wanted: Sequence[Ready], now: datetime, holds: Mapping[Key, Hold] = NOTHING
) -> dict[Key, Hold]:
    """Mark messages as being sent; those that may not be sent any more end, and what is no longer under way is not."""
    ready = {}
    for one in wanted:
        held = holds.get(key_of(one.message))
        ready[key_of(one.message)] = one.hold(held.claimed_at if held else now, now)
    ledger = Ledger(tx.connection)
    marked = await ledger.mark(turn, ready, now)
    unmarked = {key: hold for key, hold in ready.items() if key not in marked}
    if unmarked:
        await announce(tx, await ledger.drop(turn.worker, unmarked, now))
    return marked


async def bury(tx: Transaction, now: datetime, grace: timedelta) -> None:
    """Free what dead workers held; what may have gone out waits `grace` for their last word."""
    ledger = Ledger(tx.connection)
    if not await ledger.any_dead():
        return
    await ledger.stop_marks()
    await announce(tx, await ledger.bury(now, now + grace))
    tx.notify(LEDGER_CHANGED)


async def expire(tx: Transaction, now: datetime, room: int) -> int:
    """End waiting messages whose time has passed; gives their number, at most `room`."""
    ledger = Ledger(tx.connection)
    if not await ledger.any_late(now):
        return 0
    await ledger.stop_marks()
    moved = await ledger.expire(now, room)
    await announce(tx, moved)
    return len(moved)


async def leave(tx: Transaction, mailbox: str, lists: Sequence[str], now: datetime) -> list[str]:
    """Unsubscribe a mailbox, for queued mail too; gives the subscriptions that it had not left before."""
    fresh, ended = await Ledger(tx.connection).leave(mailbox, lists, now)
    await announce(tx, ended)
    return fresh


async def come_back(tx: Transaction, mailbox: str, lists: Sequence[str]) -> list[str]:
    """Subscribe a mailbox again, which gives the subscriptions it had left; mail that ended meanwhile is not sent."""
    return await Ledger(tx.connection).come_back(mailbox, lists)


async def announce(tx: Transaction, moved: Sequence[Delivery]) -> None:
    """Tell whoever asked for messages what became of those that have ended."""
    await enqueue(tx, list(delivery_batches([one for one in moved if one.state in FINAL])), wake=False)


def delivery_batches(ended: Sequence[Delivery]) -> Iterator[Outgoing]:
    """Outcomes as messages of many buckets: who reads them goes by revision and time, not by their order."""
    for start in range(0, len(ended), DELIVERIES_IN_A_MESSAGE):
        found = ended[start : start + DELIVERIES_IN_A_MESSAGE]
        yield Outgoing(
            topic=NOTIFICATIONS_DELIVERIES,
            key=str(bucket(found[0].mailbox)),
            type="deliveries.recorded",
            data=DeliveriesRecorded.of_valid(deliveries=found),
        )
