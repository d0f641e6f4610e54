"""The tables of notifications as values; decides nothing."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import UniqueViolationError

from clarion.runtime.database import Connection, load_queries
from clarion.schemas.deliveries import Delivery
from clarion.schemas.directory import City
from clarion.schemas.directory import Official as DirectoryOfficial
from clarion.services.notifications.domain.holds import Hold, Key, key_of
from clarion.services.notifications.domain.messages import Claimed, Common, Content, Official, common_of
from clarion.services.notifications.domain.outcomes import Verdict
from clarion.services.notifications.domain.registration import Asked, Ending, Registration
from clarion.services.notifications.domain.states import FINAL
from clarion.services.notifications.domain.suppressions import SuppressionKind
from clarion.services.notifications.domain.telling import Told
from clarion.services.notifications.rows import claimed_of, content_of, delivery_of, wording_of
from clarion.services.notifications.threads import as_known
from clarion.services.notifications.wordings.editions import Edition, Fallback

queries = load_queries("clarion.services.notifications")

UNHELD = (None, None, None, None)


@dataclass(frozen=True, slots=True)
class Round:
    """The mails that a crew of a worker has under way, from their marks to their outcomes."""

    worker: UUID
    crew: int
    under_way: Mapping[Key, Hold]


class Settled(NamedTuple):
    """A message that a worker had in hand and what became of it."""

    message: Claimed
    verdict: Verdict
    relay: str | None = None


class Projection:
    """What the directory told, as far as mail needs it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def save_cities(self, cities: Sequence[City]) -> None:
        """Keep cities that are newer than what is known."""
        rows = [city.model_dump(include={"id", "revision", "name", "active"}) for city in cities]
        await queries.save_cities(self._connection, rows=rows)

    async def save_officials(self, officials: Sequence[DirectoryOfficial]) -> None:
        """Keep officials that are newer than what is known."""
        fields = {"id", "revision", "name", "email", "mailbox", "city", "roles", "active"}
        await queries.save_officials(self._connection, rows=[one.model_dump(include=fields) for one in officials])

    async def forget(self, kind: str, ids: Sequence[str]) -> None:
        """Erase cities or officials; other kinds are not kept here."""
        if kind == "official":
            await queries.forget_officials(self._connection, ids=ids)
        elif kind == "city":
            await queries.forget_cities(self._connection, ids=ids)

    async def officials(self, ids: Sequence[str]) -> dict[str, Official]:
        """Those of the officials that are known, by id."""
        found = {}
        async for row in queries.officials_named(self._connection, ids=ids):
            one, name, email, mailbox, city, roles, active = row
            found[one] = Official(one, name, email, mailbox, city, tuple(roles), active)
        return found


class Ledger:
    """The ledger of mail: every statement that moves messages gives back those that came to their end or may have."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def register(self, wanted: Registration, now: datetime) -> list[Delivery]:
        """Contents, threads and rows of requests; older revisions that are unsent give way."""
        await self._save_contents(list(wanted.contents.values()), wanted.commons)
        asked = await as_known(self._connection, wanted.asked)
        try:
            async with self._connection.transaction():
                moved = await self._put(wanted, asked, now)
        except UniqueViolationError:
            # Somebody else was asked for the same at that moment; now it is known.
            moved = await self._put(wanted, asked, now)
        await queries.unfollow(self._connection, matters=asked.matters)
        return moved

    async def _save_contents(self, rows: Sequence[Mapping[str, Any]], commons: Mapping[str, tuple[str, str]]) -> None:
        matters, parts = [matter for matter, _ in commons.values()], [part for _, part in commons.values()]
        await queries.save_contents(self._connection, rows=rows, common_ids=list(commons), matters=matters, parts=parts)

    async def _put(self, wanted: Registration, asked: Asked, now: datetime) -> list[Delivery]:
        own = {"parts": wanted.parts, "officials": wanted.officials, "common_ids": wanted.common_ids}
        rows = {**asked.columns, **own, "now": now}
        found = [row["id"] async for row in queries.threads_known(self._connection, thread_ids=asked.thread_ids)]
        moved = await self._amend(asked.only({one.hex for one in found}), found, rows, now) if found else []
        if len(found) < len(set(asked.thread_ids)):
            await queries.insert_new_messages(self._connection, known=found, **rows)
        return moved

    async def _amend(
        self, asked: Asked, found: Sequence[UUID], rows: Mapping[str, Any], now: datetime
    ) -> list[Delivery]:
        """Put messages into threads that were there before."""
        known = await self._join(asked)
        await self.stop_marks()
        moved = [row async for row in queries.supersede(self._connection, thread_ids=list(known), now=now)]
        put = queries.insert_messages(
            self._connection, found=found, known=list(known), known_revisions=list(known.values()), **rows
        )
        moved += [row async for row in put]
        return [delivery_of(row) for row in moved]

    async def _join(self, asked: Asked) -> dict[UUID, int]:
        """Lock these threads; gives the newest revision of those that were there before."""
        rows = queries.join_threads(self._connection, **asked.columns)
        return {row["id"]: row["revision"] async for row in rows}

    async def withdraw(self, ending: Ending, now: datetime) -> list[Delivery]:
        """End what is unsent of these threads, and queue word of it where something was told or may be."""
        await self.stop_marks()
        await self._save_contents([ending.content], {})
        asked = await as_known(self._connection, ending.asked)
        await self._join(asked)
        ids = asked.thread_ids
        found = queries.withdraw(
            self._connection, thread_ids=ids, revision=ending.revision, reason=ending.reason, now=now
        )
        moved = [delivery_of(row) async for row in found]
        if ending.told:
            await queries.insert_withdrawals(
                self._connection, thread_ids=ids, revision=ending.revision, digest=ending.content["digest"], now=now
            )
        return moved

    async def stop_marks(self) -> None:
        """Wait for the turns of all crews; until the transaction ends there is none, and what is under way stays so."""
        await queries.stop_marks(self._connection)

    async def share_marks(self) -> None:
        """Begin a turn: nobody stops marks until the transaction ends."""
        await queries.share_marks(self._connection)

    async def claim(
        self, worker: UUID, weights: Mapping[int, float], room: int, holds: Mapping[Key, Hold], now: datetime
    ) -> list[Claimed]:
        """Take due messages for a worker whose lease holds, beside those that it holds."""
        await queries.lock_claims(self._connection)
        lanes = {"lanes": list(weights), "weights": list(weights.values())}
        found = queries.claim(self._connection, worker=worker, room=room, **lanes, **_hands(holds), now=now)
        rows = [row async for row in found]
        commons = await self._commons({row["common_id"] for row in rows if row["common_id"]})
        return [claimed_of(row, commons) for row in rows]

    async def _commons(self, ids: AbstractSet[UUID]) -> dict[UUID, Common]:
        if not ids:
            return {}
        return {row["id"]: common_of(row["part"]) async for row in queries.commons_of(self._connection, ids=list(ids))}

    async def contents(self, ids: Sequence[int]) -> dict[int, Content]:
        """What these messages share."""
        return {row["id"]: content_of(row) async for row in queries.contents_of(self._connection, ids=ids)}

    async def wordings_after(self, edition: int) -> list[Edition]:
        """The wordings of later editions, in their order."""
        rows = queries.newer_wordings(self._connection, edition=edition)
        return [wording_of(row) async for row in rows]

    async def note_fallbacks(self, fallbacks: Sequence[Fallback], now: datetime) -> None:
        """Contents whose wording could not be used; each is noted once."""
        await queries.note_fallbacks(
            self._connection,
            contents=[one.content_id for one in fallbacks],
            templates=[one.template for one in fallbacks],
            editions=[one.edition for one in fallbacks],
            reasons=[one.reason for one in fallbacks],
            now=now,
        )

    async def told(self, messages: Sequence[Claimed]) -> dict[UUID, list[Told]]:
        """What may have been received before these messages in their threads, newest first."""
        revisions = {message.thread_id: message.revision for message in messages}
        found = [row async for row in queries.told_before(self._connection, thread_ids=list(revisions))]
        contents = await self.contents(list({row["content_id"] for row in found}))
        told: dict[UUID, list[Told]] = {}
        for row in found:
            if row["revision"] < revisions[row["thread_id"]]:
                content = contents[row["content_id"]]
                earlier = Told(
                    row["revision"], content, row["sure"], row["sequence"], frozenset(row["named"]), row["resend"]
                )
                told.setdefault(row["thread_id"], []).append(earlier)
        return told

    async def mark(self, turn: Round, wanted: Mapping[Key, Hold], now: datetime) -> dict[Key, Hold]:
        """Mark messages as being sent, in one statement with everything that forbids it; gives those marked.

        Those and what is under way already become the crew's round.
        """
        keys = [*turn.under_way, *wanted]
        holds = [*turn.under_way.values(), *wanted.values()]
        columns = ("revisions", "claims", "sequences", "named", "claimed_at", "marked_at", "grounds")
        alike = [
            (revision, hold.claim, hold.sequence, _array(hold.named), hold.claimed_at, hold.marked_at, hold.grounds)
            for (_, revision), hold in zip(keys, holds, strict=True)
        ]
        marked = queries.mark(
            self._connection,
            worker=turn.worker,
            crew=turn.crew,
            kept=len(turn.under_way),
            now=now,
            thread_ids=[thread_id for thread_id, _ in keys],
            **_grouped(columns, alike),
        )
        places = [row["place"] - 1 async for row in marked]
        return {keys[place]: holds[place] for place in places}

    async def drop(self, worker: UUID, unmarked: Mapping[Key, Hold], now: datetime) -> list[Delivery]:
        """End, or free again, claimed messages that could not be marked."""
        moved = queries.drop_unmarked(
            self._connection,
            worker=worker,
            now=now,
            thread_ids=[thread_id for thread_id, _ in unmarked],
            revisions=[revision for _, revision in unmarked],
            claims=[hold.claim for hold in unmarked.values()],
            claimed_at=[hold.claimed_at for hold in unmarked.values()],
        )
        return [delivery_of(row) async for row in moved]

    async def settle(
        self, worker: UUID, settled: Sequence[Settled], holds: Mapping[Key, Hold], now: datetime
    ) -> list[Delivery]:
        """Write down what became of messages that the worker held; one that it no longer holds stays as it is.

        Gives those that ended.
        """
        moved = queries.settle(self._connection, worker=worker, now=now, **_settled(settled, holds))
        return [delivery_of(row) async for row in moved if row["state"] in FINAL]

    async def any_dead(self) -> bool:
        """Whether a worker's lease has ended."""
        return bool(await queries.any_dead(self._connection))

    async def bury(self, now: datetime, again_at: datetime) -> list[Delivery]:
        """Free what workers held whose lease ended; what they were sending is in doubt until `again_at`."""
        return [delivery_of(row) async for row in queries.bury(self._connection, now=now, again_at=again_at)]

    async def any_late(self, now: datetime) -> bool:
        """Whether a message waits whose time has passed."""
        return bool(await queries.any_late(self._connection, now=now))

    async def expire(self, now: datetime, room: int) -> list[Delivery]:
        """End up to `room` waiting messages whose time has passed."""
        return [delivery_of(row) async for row in queries.expire(self._connection, now=now, room=room)]

    async def suppress(self, reasons: Mapping[str, str], now: datetime, kind: SuppressionKind) -> list[str]:
        """Mailboxes that get nothing more, with the reasons; gives those that were not suppressed before."""
        rows = [{"mailbox": mailbox, "reason": reason} for mailbox, reason in reasons.items()]
        return [row["mailbox"] async for row in queries.suppress(self._connection, rows=rows, kind=kind, now=now)]

    async def unsuppress(self, mailboxes: Sequence[str]) -> list[dict[str, Any]]:
        """Mailboxes that get mail again; gives those that were suppressed."""
        return [dict(row) async for row in queries.unsuppress(self._connection, mailboxes=mailboxes)]

    async def leave(self, mailbox: str, lists: Sequence[str], now: datetime) -> tuple[list[str], list[Delivery]]:
        """Leave subscriptions, and end what is queued of them; gives those that were left by this, and what ended."""
        await self.stop_marks()
        asked = {"mailbox": mailbox, "subscriptions": lists, "now": now}
        fresh = [row["subscription"] async for row in queries.leave_each(self._connection, **asked)]
        return fresh, [delivery_of(row) async for row in queries.drop_left(self._connection, **asked)]

    async def come_back(self, mailbox: str, lists: Sequence[str]) -> list[str]:
        """Join subscriptions again; gives those that were left."""
        joined_again = queries.join_each(self._connection, mailbox=mailbox, subscriptions=lists)
        return [row["subscription"] async for row in joined_again]

    async def left(self, mailbox: str) -> dict[str, datetime]:
        """The subscriptions that a mailbox left, and when."""
        rows = queries.left_of_mailbox(self._connection, mailbox=mailbox)
        return {row["subscription"]: row["left_at"] async for row in rows}


class Workers:
    """The senders at work and their leases, by the database's clock."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def enlist(self, worker: UUID, lease: timedelta) -> None:
        """A new worker with its first lease."""
        await queries.enlist(self._connection, worker=worker, lease=lease)

    async def renew(self, worker: UUID, lease: timedelta) -> bool:
        """Whether the worker is still enlisted; its lease runs from now if so."""
        return await queries.renew(self._connection, worker=worker, lease=lease) is not None

    async def keep(self, worker: UUID, holds: Mapping[Key, Hold]) -> None:
        """The worker has only these in hand; the rest is free."""
        await queries.keep(self._connection, worker=worker, **_hands(holds))

    async def retire(self, worker: UUID) -> None:
        """The worker ends."""
        await queries.retire(self._connection, worker=worker)

    async def database_time(self) -> datetime:
        """The database's clock."""
        found: datetime = await queries.database_time(self._connection)
        return found


def _hands(holds: Mapping[Key, Hold]) -> dict[str, list[Any]]:
    return {
        "held": [thread_id for thread_id, _ in holds],
        "revisions": [revision for _, revision in holds],
        "claims": [hold.claim for hold in holds.values()],
    }


def _settled(settled: Sequence[Settled], holds: Mapping[Key, Hold]) -> dict[str, Any]:
    columns = (
        *("revisions", "claims", "states", "attempts", "doubts", "due_at", "reasons", "relays"),
        *("claimed_at", "marked_at", "sequences", "named"),
    )
    alike = []
    for message, verdict, relay in settled:
        held = holds.get(key_of(message))
        said = (held.claimed_at, held.marked_at, held.sequence, _array(held.named)) if held else UNHELD
        state, attempts, doubts, due_at, reason, *_ = verdict
        alike.append((message.revision, message.claim, state, attempts, doubts, due_at, reason, relay, *said))
    return {
        "thread_ids": [one.message.thread_id for one in settled],
        "replies": [one.verdict.reply for one in settled],
        **_grouped(columns, alike),
    }


def _grouped(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    """Rows as columns in which each different one stands once; `hows` has for each row its place there, from 1."""
    places: dict[tuple[Any, ...], int] = {}
    hows = [places.setdefault(row, len(places) + 1) for row in rows]
    return {"hows": hows, **{name: [row[index] for row in places] for index, name in enumerate(columns)}}


def _array(texts: Sequence[str] | None) -> str | None:
    """An array as PostgreSQL reads it, since arrays of arrays cannot differ in length."""
    if texts is None:
        return None
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
