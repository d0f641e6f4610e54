"""Admitting: requests and cancellations of a batch, decided under the lock of their events in one transaction."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from clarion.runtime.database import Transaction
from clarion.runtime.ids import new_id, new_secret
from clarion.runtime.messaging import Outgoing, Received, enqueue
from clarion.schemas.registrations import CancellationRequested, RegistrationRequested
from clarion.schemas.topics import REGISTRATIONS_REQUESTS
from clarion.services.registrations import repository
from clarion.services.registrations.desk import SOURCE, Desk, tell
from clarion.services.registrations.domain import people
from clarion.services.registrations.domain.admission import Admission, Registration, Status
from clarion.services.registrations.domain.forms import Form
from clarion.services.registrations.repository import Event

TOKEN_BYTES = 18
WISHES_AT_ONCE = 500
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Wish:
    """One event of the topic, read: whose mailbox it is about, and the form of who asks for a seat."""

    received: Received[Any]
    asked: RegistrationRequested | CancellationRequested
    mailbox: str | None = None
    form: Form | None = None

    @property
    def said_at(self) -> datetime:
        """When it was said: by its source, unless that is unknown or lies well ahead."""
        said, received = self.received.attributes.time, self.received.received_at
        return received if said is None or said > received + AHEAD else said


async def request_seat(tx: Transaction, desk: Desk, event: Event, form: Form) -> Registration:
    """Take a request from our own pages, API or command line; it is decided when it comes by on the topic."""
    now = desk.clock()
    registration = Registration(
        id=new_id(),
        event_id=event.id,
        mailbox=desk.mailbox(form.email),
        token=new_secret(TOKEN_BYTES),
        name=form.name,
        email=form.email,
        answers=form.answers,
        received_at=now,
        own=True,
    )
    asked = RegistrationRequested(
        event_id=event.id,
        registration_id=registration.id,
        name=form.name,
        email=form.email,
        answers=dict(form.answers),
        received_at=now,
    )
    await repository.insert_pending(tx.connection, registration)
    await enqueue(tx, [_outgoing(event.id, "registration.requested", asked, now)])
    return registration


async def ask_to_cancel(tx: Transaction, desk: Desk, registration: Registration) -> None:
    """Take a cancellation; it is done when it comes by on the topic."""
    now = desk.clock()
    asked = CancellationRequested(event_id=registration.event_id, registration_id=registration.id, received_at=now)
    await repository.mark_cancel_asked(tx.connection, registration.id, now)
    await enqueue(tx, [_outgoing(registration.event_id, "registration.cancellation-requested", asked, now)])


def _outgoing(
    event_id: str, kind: str, asked: RegistrationRequested | CancellationRequested, now: datetime
) -> Outgoing:
    return Outgoing(REGISTRATIONS_REQUESTS, event_id, kind, asked, source=SOURCE, time=now)


async def admit(tx: Transaction, desk: Desk, received: Sequence[Received[Any]]) -> None:
    """Answer a batch: lock its events, load who is concerned, decide in the topic's order, save and tell."""
    events = await repository.lock_webinars(tx.connection, sorted({one.data.event_id for one in received if one.data}))
    wishes = [wish for one in received if (wish := _read(tx, desk, one, events)) is not None]
    admissions, elsewhere = await _open(tx, events, wishes)
    saving = asyncio.create_task(asyncio.sleep(0))
    try:
        for start in range(0, len(wishes), WISHES_AT_ONCE):
            for wish in wishes[start : start + WISHES_AT_ONCE]:
                _decide(tx, admissions[wish.asked.event_id], wish, elsewhere)
            await saving
            saving = asyncio.create_task(_save(tx, admissions.values(), desk.clock()))
            # Its statement is on its way now, so the database writes this part while the next is decided.
            await asyncio.sleep(0)
    finally:
        await saving
    await _close(tx, desk, events, admissions)


def _decide(tx: Transaction, admission: Admission, wish: Wish, known: Mapping[str, Registration]) -> None:
    if wish.form is None:
        _cancel(admission, wish)
    else:
        _request(tx, admission, wish, known)


def _read(tx: Transaction, desk: Desk, received: Received[Any], events: Mapping[str, Event]) -> Wish | None:
    """What is wished; what cannot be understood becomes a dead letter."""
    asked = received.data
    if not isinstance(asked, RegistrationRequested | CancellationRequested):
        return None
    if asked.event_id not in events:
        tx.reject(received, f"no event has the id {asked.event_id!r}")
        return None
    try:
        email = None if asked.email is None else people.address(asked.email)
        mailbox = None if email is None else desk.mailbox(email)
        if isinstance(asked, RegistrationRequested):
            form = Form(people.name(asked.name), email or "", people.answers(asked.answers))
            return Wish(received, asked, mailbox, form)
    except ValueError as error:
        tx.reject(received, str(error))
        return None
    if asked.registration_id is None and mailbox is None:
        tx.reject(received, "a cancellation names a registration_id or an email")
        return None
    return Wish(received, asked, mailbox)


async def _open(
    tx: Transaction, events: Mapping[str, Event], wishes: Sequence[Wish]
) -> tuple[dict[str, Admission], Mapping[str, Registration]]:
    """An admission for each event; and the registrations by id, of whatever event, that the batch names."""
    named = [wish.asked.registration_id for wish in wishes if wish.asked.registration_id]
    by_id = await repository.find_by_ids(tx.connection, named)
    by_id |= await repository.find_by_ids(tx.connection, [one.same_as for one in by_id.values() if one.same_as])
    pairs = [(wish.asked.event_id, wish.mailbox) for wish in wishes if wish.mailbox]
    for one in await repository.find_by_mailboxes(tx.connection, pairs):
        by_id.setdefault(one.id, one)
    cancellations = Counter(wish.asked.event_id for wish in wishes if wish.form is None)
    first = await repository.first_waiting(tx.connection, cancellations)
    waiting = [one for one in by_id.values() if one.status is Status.WAITLISTED]
    places = await repository.places(tx.connection, waiting)
    early = await repository.find_early(tx.connection, list(events), named + [mailbox for _, mailbox in pairs])
    admissions = {
        event_id: Admission(
            event.seats, by_id.values(), [one for one in first if one.event_id == event_id], places, early[event_id]
        )
        for event_id, event in events.items()
    }
    return admissions, by_id


def _request(tx: Transaction, admission: Admission, wish: Wish, known: Mapping[str, Registration]) -> None:
    received, asked = wish.received, wish.asked
    name = asked.registration_id or ""
    before = admission.find(name) or known.get(name)
    is_own = received.attributes.source == SOURCE
    if before is None:
        admission.request(_fresh(wish, received.received_at), received.attributes.id, wish.said_at)
    elif (before.event_id, before.mailbox) != (asked.event_id, wish.mailbox):
        tx.reject(received, "this registration_id is another registration's")
    elif before.status is not Status.PENDING:
        answered = admission.find(before.same_as) if before.same_as else before
        admission.repeat(answered or before, received.attributes.id)
    else:
        # Only a row of ours says when our own site received it; what others say of that time is not believed.
        timed = before if is_own else replace(before, received_at=received.received_at)
        admission.request(timed, received.attributes.id, wish.said_at)


def _fresh(wish: Wish, received_at: datetime) -> Registration:
    """A request that an integration put on the topic."""
    asked, form = wish.asked, wish.form
    if form is None or wish.mailbox is None:
        raise ValueError("a request has a form and an address")
    return Registration(
        id=asked.registration_id or new_id(),
        event_id=asked.event_id,
        mailbox=wish.mailbox,
        token=new_secret(TOKEN_BYTES),
        name=form.name,
        email=form.email,
        answers=form.answers,
        received_at=received_at,
    )


def _cancel(admission: Admission, wish: Wish) -> None:
    received, asked = wish.received, wish.asked
    found = admission.find(asked.registration_id) if asked.registration_id else None
    if found is not None and found.same_as is not None:
        found = admission.find(found.same_as)
    if asked.registration_id is None and wish.mailbox is not None:
        found = admission.active_of(wish.mailbox)
    if found is None or found.status is Status.PENDING:
        admission.cancel_early(asked.registration_id or wish.mailbox or "", wish.said_at)
    else:
        admission.cancel(found, received.attributes.id)


async def _close(tx: Transaction, desk: Desk, events: Mapping[str, Event], admissions: Mapping[str, Admission]) -> None:
    for event_id, admission in admissions.items():
        await repository.count_seats(tx.connection, admission.seats)
        await repository.keep_early(tx.connection, event_id, admission.came_early)
        await tell(tx, desk, events[event_id], admission.answers)


async def _save(tx: Transaction, admissions: Iterable[Admission], now: datetime) -> None:
    touched = [one for admission in admissions for one in admission.take_touched()]
    await repository.save_registrations(tx.connection, touched, now)


async def keep(tx: Transaction, admission: Admission, now: datetime) -> None:
    """Save what an admission decided, and its counts."""
    await _save(tx, [admission], now)
    await repository.count_seats(tx.connection, admission.seats)
