"""Dead letters: what could not be handled, as rows that people can see, retry and discard."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from pydantic import JsonValue

from clarion.runtime.database import Database, Transaction, is_transient, load_queries
from clarion.runtime.messaging.inbox import claim
from clarion.runtime.messaging.outbox import Parcel, enqueue_parcels
from clarion.runtime.messaging.received import InvalidRecord, Received, claims, parse
from clarion.runtime.messaging.record import Header, Record, headers_from_json, headers_to_json, printable
from clarion.runtime.messaging.subscription import Rejected, Subscription
from clarion.runtime.staff.audit import Actor, record

REASON_CHARACTERS = 1_000
DETAIL_CHARACTERS = 20_000
LetterState: TypeAlias = Literal["open", "retried", "discarded"]


class UnknownLetter(Exception):
    """There is no dead letter with this id."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record and why it could not be handled.

    `claimed` says that the inbox row of its event was made with it, so that a redelivery does nothing.
    """

    record: Record
    reason: str
    detail: str | None = None
    claimed: bool = False

    @classmethod
    def invalid(cls, record: Record, error: InvalidRecord) -> "DeadLetter":
        """Of a record that is no event."""
        return cls(record, printable(str(error), REASON_CHARACTERS))

    @classmethod
    def failed(cls, received: Received[Any], error: BaseException, *, claimed: bool) -> "DeadLetter":
        """Of an event whose handler raised."""
        return cls(received.record, *explain(error), claimed=claimed)

    @classmethod
    def rejected(cls, received: Received[Any], reason: str, *, claimed: bool) -> "DeadLetter":
        """Of an event that its handler rejected."""
        return cls(received.record, printable(reason, REASON_CHARACTERS), claimed=claimed)


@dataclass(frozen=True, slots=True)
class Retry:
    """What became of a retried letter; `reason` is why it is still open."""

    state: Literal["retried", "open"]
    reason: str | None = None


def explain(error: BaseException) -> tuple[str, str | None]:
    """Reason and detail of a failure, as they are kept."""
    if isinstance(error, Rejected):
        return printable(str(error), REASON_CHARACTERS), None
    reason = f"{type(error).__name__}: {error}"
    detail = "".join(traceback.format_exception(error))
    return printable(reason, REASON_CHARACTERS), printable(detail, DETAIL_CHARACTERS)


async def write_letters(tx: Transaction, letters: Sequence[DeadLetter]) -> None:
    """Keep these, with a copy of each new one on `<topic>.dead`; one that is known is counted again."""
    if not letters:
        return
    counted = _count(letters)
    queries = load_queries("clarion.runtime.messaging")
    rows = queries.upsert_letters(tx.connection, **_columns(counted))
    fresh = [row["fingerprint"] async for row in rows if row["is_new"]]
    await enqueue_parcels(tx, [_copy(counted[fingerprint][0]) for fingerprint in fresh])


def _count(letters: Sequence[DeadLetter]) -> dict[bytes, tuple[DeadLetter, int]]:
    counted: dict[bytes, tuple[DeadLetter, int]] = {}
    for letter in letters:
        fingerprint = letter.record.fingerprint()
        first, seen = counted.get(fingerprint, (letter, 0))
        counted[fingerprint] = (first, seen + 1)
    return counted


def _columns(counted: dict[bytes, tuple[DeadLetter, int]]) -> dict[str, list[Any]]:
    letters = [letter for letter, _ in counted.values()]
    records = [letter.record for letter in letters]
    said = [claims(record) for record in records]
    return {
        "fingerprints": list(counted),
        "topics": [record.topic for record in records],
        "partitions": [record.partition for record in records],
        "offsets": [record.offset for record in records],
        "keys": [record.key for record in records],
        "headers": [headers_to_json(record.headers) for record in records],
        "bodies": [record.body for record in records],
        "received_ats": [record.received_at for record in records],
        "sources": [source for source, _, _ in said],
        "event_ids": [event_id for _, event_id, _ in said],
        "types": [kind for _, _, kind in said],
        "claimed": [letter.claimed for letter in letters],
        "reasons": [letter.reason for letter in letters],
        "details": [letter.detail for letter in letters],
        "seen": [seen for _, seen in counted.values()],
    }


def _copy(letter: DeadLetter) -> Parcel:
    record = letter.record
    cause: list[Header] = [
        ("clarion-reason", letter.reason.encode()),
        ("clarion-partition", str(record.partition).encode()),
        ("clarion-offset", str(record.offset).encode()),
    ]
    return Parcel(f"{record.topic}.dead", record.key or b"", headers_to_json([*record.headers, *cause]), record.body)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters: each part narrows it. `since` is when they were last seen, `cause` a part of the reason."""

    topic: str | None = None
    type: str | None = None
    since: datetime | None = None
    cause: str | None = None

    def as_arguments(self) -> dict[str, Any]:
        """What the queries ask for."""
        return {"topic": self.topic, "type": self.type, "since": self.since, "cause": self.cause}


EVERY = Wanted()


class DeadLetters:
    """The dead letters of one service; who decided what, and why if that is said, is kept in their history."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("clarion.runtime.messaging")

    async def list(
        self, wanted: Wanted = EVERY, *, state: LetterState | None = "open", at_most: int = 1_000
    ) -> list[dict[str, Any]]:
        """The newest letters, without their content; `state` None gives those of every state."""
        async with self._database.connection() as connection:
            rows = self._queries.list_letters(connection, state=state, at_most=at_most, **wanted.as_arguments())
            return [dict(row) async for row in rows]

    async def numbers(self, wanted: Wanted = EVERY, *, state: LetterState = "open") -> Sequence[int]:
        """The ids of all letters of one state, the oldest first."""
        async with self._database.connection() as connection:
            rows = self._queries.letter_numbers(connection, state=state, **wanted.as_arguments())
            return [row["id"] async for row in rows]

    async def get(self, letter_id: int) -> dict[str, Any]:
        """Everything about one letter. Raises UnknownLetter."""
        async with self._database.connection() as connection:
            row = await self._queries.get_letter(connection, id=letter_id)
        if row is None:
            raise self._unknown(letter_id)
        return dict(row)

    async def discard(self, letter_id: int, *, by: Actor, why: str | None = None) -> bool:
        """Put an open letter aside; False if it was not open. It can be taken back or retried while it is kept."""
        async with self._database.transaction() as tx:
            marked = await self._queries.mark_discarded(tx.connection, id=letter_id, who=by.name, why=why)
            if marked is not None:
                await self._record(tx, by, "dead-letter.discarded", letter_id)
        return marked is not None

    async def take_back(self, letter_id: int, *, by: Actor, why: str | None = None) -> bool:
        """Open a discarded letter again; False if it was not discarded."""
        async with self._database.transaction() as tx:
            marked = await self._queries.mark_taken_back(tx.connection, id=letter_id, who=by.name, why=why)
            if marked is not None:
                await self._record(tx, by, "dead-letter.taken-back", letter_id)
        return marked is not None

    async def retry(self, letter_id: int, subscriptions: Sequence[Subscription], *, by: Actor) -> Retry:
        """Hand an open or discarded record to its handler, now, in one transaction with the letter's new state.

        One that was retried before is left as it is.

        Raises:
            UnknownLetter: there is none with this id.
            OSError, asyncpg.PostgresError: the database is not there; the letter is as it was.
        """
        async with self._database.transaction() as tx:
            row = await self._queries.lock_letter(tx.connection, id=letter_id)
            if row is None:
                raise self._unknown(letter_id)
            if row["state"] == "retried":
                return Retry("retried")
            failure = await self._handle_again(tx, dict(row), subscriptions)
            await self._record(tx, by, "dead-letter.retried", letter_id, handled=failure is None)
            if failure is None:
                await self._queries.mark_retried(tx.connection, id=letter_id, who=by.name)
                return Retry("retried")
            await self._queries.mark_failed_again(
                tx.connection,
                id=letter_id,
                reason=failure.reason,
                detail=failure.detail,
                claimed=failure.claimed or row["claimed"],
                who=by.name,
            )
            return Retry("open", failure.reason)

    async def _record(self, tx: Transaction, by: Actor, act: str, letter_id: int, **details: JsonValue) -> None:
        subject = f"dead-letter:{tx.service}-{letter_id}"
        await record(tx.connection, by, act, subject, at=tx.clock(), details=details)

    def _unknown(self, letter_id: int) -> UnknownLetter:
        return UnknownLetter(f"{self._database.service} has no dead letter {letter_id}")

    async def _handle_again(
        self, tx: Transaction, row: dict[str, Any], subscriptions: Sequence[Subscription]
    ) -> DeadLetter | None:
        record = _record(row)
        found = [subscription for subscription in subscriptions if subscription.topic.name == record.topic]
        if not found:
            return DeadLetter(record, f"nothing here reads {record.topic}")
        try:
            received = parse(found[0].topic, record)
        except InvalidRecord as error:
            return DeadLetter.invalid(record, error)
        try:
            async with tx.connection.transaction():
                return await _handle_one(tx, found[0], received, claimed=row["claimed"])
        except Exception as error:
            if is_transient(error, tx.connection):
                raise
            tx.take_rejected()
            return DeadLetter.failed(received, error, claimed=row["claimed"])


async def _handle_one(
    tx: Transaction, subscription: Subscription, received: Received[Any], *, claimed: bool
) -> DeadLetter | None:
    if subscription.use_inbox and not claimed and not await claim(tx, subscription.topic, [received]):
        return None
    await subscription.handle(tx, [received])
    for rejected, reason in tx.take_rejected():
        return DeadLetter.rejected(rejected, reason, claimed=subscription.use_inbox)
    return None


def _record(row: dict[str, Any]) -> Record:
    return Record(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        key=row["key"],
        headers=tuple(headers_from_json(row["headers"])),
        body=row["body"],
        received_at=row["received_at"],
    )
