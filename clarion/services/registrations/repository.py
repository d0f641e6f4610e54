"""The tables of registrations as values; decides nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection, load_queries
from clarion.schemas.registrations import Webinar
from clarion.services.registrations.domain.admission import ACTIVE, Answer, Registration, Seats, Status
from clarion.services.registrations.errors import Oversold

queries = load_queries("clarion.services.registrations")


@dataclass(frozen=True, slots=True)
class Event:
    """An event as its row has it; `said` is the reason its host gave for cancelling it."""

    id: str
    webinar: Webinar
    status: str
    said: str | None
    revision: int
    confirmed: int
    waiting: int
    last_position: int
    created_at: datetime

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cancelled, which is for good."""
        return self.status == "cancelled"

    @property
    def seats(self) -> Seats:
        """Its seats as they are counted now."""
        return Seats(
            event_id=self.id,
            capacity=self.webinar.capacity,
            closes_at=self.webinar.closes_at,
            is_cancelled=self.is_cancelled,
            confirmed=self.confirmed,
            waiting=self.waiting,
            last_position=self.last_position,
        )


@dataclass(frozen=True, slots=True)
class Telling:
    """What was decided of one event and is not told yet, with the event as it was then.

    `announced` is what became of the event itself, before the answers: moved or cancelled.
    """

    event_id: str
    status: str
    revision: int
    webinar: Webinar
    said: str | None
    answers: Sequence[Answer]
    decided_at: datetime
    announced: str | None = None


def _event(row: Any) -> Event:
    return Event(
        id=row["id"],
        webinar=Webinar.model_validate(row["description"]),
        status=row["status"],
        said=row["reason"],
        revision=row["revision"],
        confirmed=row["confirmed"],
        waiting=row["waiting"],
        last_position=row["last_position"],
        created_at=row["created_at"],
    )


def _registration(row: Any) -> Registration:
    return Registration(
        id=row["id"],
        event_id=row["event_id"],
        mailbox=row["mailbox"],
        token=row["token"],
        name=row["name"],
        email=row["email"],
        received_at=row["received_at"],
        own=row["own"],
        answers=row["answers"],
        status=Status(row["status"]),
        reason=row["reason"],
        position=row["position"],
        same_as=row["same_as"],
        revision=row["revision"],
    )


async def insert_webinar(connection: Connection, event_id: str, webinar: Webinar, now: datetime) -> bool:
    """Keep a new event; False if its slug is taken."""
    made = await queries.insert_webinar(
        connection,
        id=event_id,
        slug=webinar.slug,
        starts_at=webinar.starts_at,
        ends_at=webinar.ends_at,
        closes_at=webinar.closes_at,
        capacity=webinar.capacity,
        description=webinar.model_dump(mode="json"),
        now=now,
    )
    return made is not None


async def list_webinars(connection: Connection) -> list[Event]:
    """All events, by their start."""
    return [_event(row) async for row in queries.list_webinars(connection)]


async def find_webinar(connection: Connection, slug: str) -> Event | None:
    """The event of this name."""
    row = await queries.find_webinar(connection, slug=slug)
    return None if row is None else _event(row)


async def get_webinar(connection: Connection, event_id: str) -> Event:
    """The event of this id; LookupError if there is none."""
    row = await queries.get_webinar(connection, id=event_id)
    if row is None:
        raise LookupError(event_id)
    return _event(row)


async def lock_webinar(connection: Connection, slug: str) -> Event | None:
    """The event of this name, which nobody else changes before this transaction ends."""
    row = await queries.lock_webinar(connection, slug=slug)
    return None if row is None else _event(row)


async def lock_webinars(connection: Connection, ids: Sequence[str]) -> dict[str, Event]:
    """Those of these events that there are; nobody else changes them before this transaction ends."""
    return {row["id"]: _event(row) async for row in queries.lock_webinars(connection, ids=list(ids))}


async def count_seats(connection: Connection, seats: Seats) -> None:
    """Keep the counts.

    Raises:
        Oversold: more seats were given than the event has.
    """
    kept = await queries.count_seats(
        connection,
        id=seats.event_id,
        confirmed=seats.confirmed,
        waiting=seats.waiting,
        last_position=seats.last_position,
    )
    if kept is None:
        raise Oversold(seats.event_id)


async def change_webinar(connection: Connection, event: Event, now: datetime) -> None:
    """Keep what the host changed."""
    webinar = event.webinar
    await queries.change_webinar(
        connection,
        id=event.id,
        status=event.status,
        reason=event.said,
        starts_at=webinar.starts_at,
        ends_at=webinar.ends_at,
        closes_at=webinar.closes_at,
        capacity=webinar.capacity,
        description=webinar.model_dump(mode="json"),
        revision=event.revision,
        now=now,
    )


async def insert_pending(connection: Connection, registration: Registration) -> None:
    """Keep a request that is on its way through the topic."""
    await queries.insert_pending(
        connection,
        id=registration.id,
        event_id=registration.event_id,
        mailbox=registration.mailbox,
        token=registration.token,
        name=registration.name,
        email=registration.email,
        answers=dict(registration.answers),
        received_at=registration.received_at,
    )


async def find_by_ids(connection: Connection, ids: Sequence[str]) -> dict[str, Registration]:
    """Those of these registrations that there are."""
    if not ids:
        return {}
    return {row["id"]: _registration(row) async for row in queries.find_by_ids(connection, ids=list(ids))}


async def find_by_mailboxes(connection: Connection, pairs: Sequence[tuple[str, str]]) -> list[Registration]:
    """What is active or declined of these events and mailboxes."""
    event_ids, mailboxes = [event for event, _ in pairs], [mailbox for _, mailbox in pairs]
    rows = queries.find_by_mailboxes(connection, event_ids=event_ids, mailboxes=mailboxes)
    return [_registration(row) async for row in rows]


async def first_waiting(connection: Connection, counts: Mapping[str, int]) -> list[Registration]:
    """So many of the first who wait, for each event."""
    if not counts:
        return []
    rows = queries.first_waiting(connection, event_ids=list(counts), counts=list(counts.values()))
    return [_registration(row) async for row in rows]


async def places(connection: Connection, waiting: Sequence[Registration]) -> dict[str, int]:
    """The places of these who wait."""
    if not waiting:
        return {}
    event_ids = list({one.event_id for one in waiting})
    rows = queries.places(connection, event_ids=event_ids, ids=[one.id for one in waiting])
    return {row["id"]: row["place"] async for row in rows}


async def place(connection: Connection, registration: Registration) -> int | None:
    """Where someone stands in the waiting list, from 1; None for who does not wait."""
    if registration.status is not Status.WAITLISTED:
        return None
    return int(await queries.place(connection, event_id=registration.event_id, position=registration.position))


async def active_in_order(connection: Connection, event_id: str) -> list[tuple[Registration, int | None]]:
    """Who has a seat and who waits for one with which place, in the topic's order."""
    rows = queries.active_in_order(connection, event_id=event_id)
    return [(_registration(row), row["place"]) async for row in rows]


async def list_registrations(connection: Connection, event_id: str) -> list[tuple[Registration, int | None]]:
    """All registrations with their places, without those that repeat another."""
    rows = queries.list_registrations(connection, event_id=event_id)
    return [(_registration(row), row["place"]) async for row in rows]


async def save_registrations(connection: Connection, registrations: Sequence[Registration], now: datetime) -> None:
    """Keep what was decided; those who gave up go first, so that their mailboxes are free for who asks again."""
    active = [one for one in registrations if one.status in ACTIVE]
    for group in ([one for one in registrations if one.status not in ACTIVE], active):
        if group:
            await _save(connection, group, now)


async def _save(connection: Connection, group: Sequence[Registration], now: datetime) -> None:
    await queries.save_registrations(
        connection,
        ids=[one.id for one in group],
        event_ids=[one.event_id for one in group],
        mailboxes=[one.mailbox for one in group],
        tokens=[one.token for one in group],
        names=[one.name for one in group],
        emails=[one.email for one in group],
        answers=[json.dumps(one.answers) if one.answers else "{}" for one in group],
        owns=[one.own for one in group],
        statuses=[str(one.status) for one in group],
        reasons=[one.reason for one in group],
        positions=[one.position for one in group],
        same_ases=[one.same_as for one in group],
        revisions=[one.revision for one in group],
        received_ats=[one.received_at for one in group],
        now=now,
    )


async def find_by_token(connection: Connection, token: str) -> Registration | None:
    """The registration whose status page has this token."""
    row = await queries.find_by_token(connection, token=token)
    return None if row is None else _registration(row)


async def find_active(connection: Connection, event_id: str, mailbox: str) -> Registration | None:
    """Who has a seat, or waits for one, with this mailbox."""
    row = await queries.find_active(connection, event_id=event_id, mailbox=mailbox)
    return None if row is None else _registration(row)


async def mark_cancel_asked(connection: Connection, registration_id: str, now: datetime) -> None:
    """Note that a cancellation is on its way through the topic."""
    await queries.mark_cancel_asked(connection, id=registration_id, now=now)


async def is_cancel_asked(connection: Connection, registration_id: str) -> bool:
    """Whether a cancellation of it is on its way through the topic."""
    return bool(await queries.is_cancel_asked(connection, id=registration_id))


async def insert_telling(connection: Connection, telling: Telling) -> None:
    """Keep what is to be told."""
    await queries.insert_telling(
        connection,
        event_id=telling.event_id,
        status=telling.status,
        revision=telling.revision,
        description=telling.webinar.model_dump(mode="json"),
        said=telling.said,
        announced=telling.announced,
        answers=[_answer_kept(answer) for answer in telling.answers],
        now=telling.decided_at,
    )


async def take_telling(connection: Connection) -> Telling | None:
    """The oldest of what is not told, taken away; without the answers to people who were erased meanwhile."""
    row = await queries.take_telling(connection)
    if row is None:
        return None
    found = await find_by_ids(connection, [kept[0] for kept in row["answers"]])
    answers = [_answer(found[name], *kept) for name, *kept in row["answers"] if name in found]
    return Telling(
        event_id=row["event_id"],
        status=row["status"],
        revision=row["revision"],
        webinar=Webinar.model_validate(row["description"]),
        said=row["said"],
        answers=answers,
        decided_at=row["decided_at"],
        announced=row["announced"],
    )


def _answer_kept(answer: Answer) -> list[Any]:
    return [
        answer.registration.id,
        answer.status,
        answer.revision,
        answer.place,
        answer.reason,
        answer.request,
        answer.repeated,
        answer.promoted,
        answer.had_seat,
    ]


def _answer(registration: Registration, status: str, *kept: Any) -> Answer:
    return Answer(registration, Status(status), *kept)


async def find_early(
    connection: Connection, event_ids: Sequence[str], whats: Sequence[str]
) -> dict[str, dict[str, datetime]]:
    """Cancellations that came before these registrations' ids and mailboxes, by event; nearly always none."""
    found: dict[str, dict[str, datetime]] = {event_id: {} for event_id in event_ids}
    concerned = [row["id"] async for row in queries.events_with_early(connection, event_ids=list(event_ids))]
    if concerned:
        async for row in queries.find_early(connection, event_ids=concerned, whats=list(whats)):
            found[row["event_id"]][row["what"]] = row["said_at"]
    return found


async def keep_early(connection: Connection, event_id: str, said_at: Mapping[str, datetime]) -> None:
    """Keep cancellations whose request has not come."""
    if said_at:
        await queries.keep_early(connection, event_id=event_id, whats=list(said_at), said_ats=list(said_at.values()))
