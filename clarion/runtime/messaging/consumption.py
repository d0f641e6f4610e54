"""What happens to a batch: validate, claim, handle, commit; what fails is retried alone and then a dead letter."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import structlog

from clarion.runtime.database import Database, Transaction, is_transient
from clarion.runtime.messaging.dead_letters import DeadLetter, write_letters
from clarion.runtime.messaging.inbox import claim, once
from clarion.runtime.messaging.received import InvalidRecord, Received, parse
from clarion.runtime.messaging.record import Record
from clarion.runtime.messaging.subscription import Subscription

T = TypeVar("T")

log = structlog.get_logger(__name__)


class DatabaseUnavailable(Exception):
    """The database is at fault, not the batch: it is to be handed over again later."""


class HandlerFailed(Exception):
    """The work raised; its error is the cause."""


@dataclass(slots=True)
class Tally:
    """What a subscription came to since this process began."""

    handled: int = 0
    failed_batches: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Consumption:
    """One subscription of one service."""

    database: Database
    subscription: Subscription
    tally: Tally = field(default_factory=Tally)

    async def handle(self, records: Sequence[Record]) -> None:
        """Deal with every record of the batch for good.

        Raises:
            DatabaseUnavailable: some of it is not dealt with; what is, will be skipped the next time.
        """
        for part in parts_of(records, self.subscription.part_bytes):
            await self._handle_part(part)

    async def _handle_part(self, records: Sequence[Record]) -> None:
        events, letters = self._sort(records)
        try:
            self.tally.dead += await self._transact(partial(self._handle, events=events, letters=letters))
        except HandlerFailed as failure:
            self.tally.failed_batches += 1
            log.warning(
                "consumption.batch_failed",
                service=self.database.service,
                topic=self.subscription.topic.name,
                events=len(events),
                error=type(failure.__cause__).__name__,
            )
            await self._alone(events, letters)
        self.tally.handled += len(records)

    async def _alone(self, events: Sequence[Received[Any]], letters: Sequence[DeadLetter]) -> None:
        if letters:
            await self._transact(partial(write_letters, letters=letters))
            self.tally.dead += len(letters)
        for event in events:
            try:
                self.tally.dead += await self._transact(partial(self._handle, events=[event], letters=[]))
            except HandlerFailed as failure:
                await self._bury(event, failure.__cause__ or failure)

    async def _bury(self, event: Received[Any], error: BaseException) -> None:
        log.warning(
            "consumption.dead_letter",
            service=self.database.service,
            topic=self.subscription.topic.name,
            partition=event.partition,
            offset=event.offset,
            event_id=event.attributes.id,
            error=type(error).__name__,
        )

        async def keep(tx: Transaction) -> None:
            if not self.subscription.use_inbox or await claim(tx, self.subscription.topic, [event]):
                await write_letters(tx, [DeadLetter.failed(event, error, claimed=self.subscription.use_inbox)])

        await self._transact(keep)
        self.tally.dead += 1

    async def _handle(self, tx: Transaction, events: Sequence[Received[Any]], letters: Sequence[DeadLetter]) -> int:
        """Gives how many letters were written."""
        claimed = self.subscription.use_inbox
        fresh = await claim(tx, self.subscription.topic, events) if claimed else once(events)
        if fresh:
            await self.subscription.handle(tx, fresh)
        rejected = [DeadLetter.rejected(event, reason, claimed=claimed) for event, reason in tx.take_rejected()]
        await write_letters(tx, [*letters, *rejected])
        return len(letters) + len(rejected)

    def _sort(self, records: Sequence[Record]) -> tuple[list[Received[Any]], list[DeadLetter]]:
        events, letters = [], []
        for record in records:
            try:
                events.append(parse(self.subscription.topic, record))
            except InvalidRecord as error:
                letters.append(DeadLetter.invalid(record, error))
        return events, letters

    async def _transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do the work in a transaction and tell the database's failures from the work's own."""
        try:
            async with self.database.transaction() as tx:
                try:
                    return await work(tx)
                except Exception as error:
                    kind = DatabaseUnavailable if is_transient(error, tx.connection) else HandlerFailed
                    raise kind(str(error)) from error
        except (DatabaseUnavailable, HandlerFailed):
            raise
        except Exception as error:
            kind = DatabaseUnavailable if is_transient(error) else HandlerFailed
            raise kind(str(error)) from error


def parts_of(records: Sequence[Record], most_bytes: int | None) -> Iterator[Sequence[Record]]:
    """The records in their order, in parts that end once their bodies have so many bytes; all at once without."""
    start = size = 0
    for end, record in enumerate(records, 1):
        size += len(record.body or b"")
        if end == len(records) or (most_bytes is not None and size >= most_bytes):
            yield records[start:end]
            start, size = end, 0
