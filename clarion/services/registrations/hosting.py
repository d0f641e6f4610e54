"""What a host does with an event: create it, move it, give it more or fewer seats, cancel it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from clarion.runtime.database import Transaction
from clarion.runtime.ids import new_id
from clarion.schemas.registrations import Webinar
from clarion.services.registrations import repository
from clarion.services.registrations.desk import Desk, tell
from clarion.services.registrations.domain.admission import Admission, Answer, Refusal, Registration, Status
from clarion.services.registrations.domain.times import carried_along
from clarion.services.registrations.errors import AlreadyCancelled, SlugTaken, UnknownWebinar
from clarion.services.registrations.operations import keep
from clarion.services.registrations.repository import Event

TOLD_AGAIN = frozenset({"title", "starts_at", "ends_at", "zone", "where", "join_url"})
"""The fields of an event that registered people act on: a change of one is told to each of them."""


async def create_webinar(tx: Transaction, desk: Desk, webinar: Webinar) -> Event:
    """Make an event that people can register for from now on.

    Raises:
        SlugTaken: there is one of this name.
    """
    if not await repository.insert_webinar(tx.connection, new_id(), webinar, desk.clock()):
        raise SlugTaken(webinar.slug)
    made = await repository.find_webinar(tx.connection, webinar.slug)
    if made is None:
        raise UnknownWebinar(webinar.slug)
    return made


async def move_webinar(tx: Transaction, desk: Desk, slug: str, changes: Mapping[str, Any]) -> Event:
    """Change an event: its time, place, title, seats or closing time. Equal to what it is, nothing happens.

    Whoever has a seat, or waits for one, is told once of what they act on. More seats go to who waits, in order;
    with fewer nobody loses a seat.

    Raises:
        UnknownWebinar: there is no event of this name.
        AlreadyCancelled: it was cancelled.
        pydantic.ValidationError: the changes do not make an event.
    """
    before = await _lock(tx, slug)
    if before.is_cancelled:
        raise AlreadyCancelled(slug)
    webinar = Webinar.model_validate(before.webinar.model_dump() | carried_along(before.webinar, changes))
    if webinar == before.webinar:
        return before
    event = replace(before, webinar=webinar, revision=before.revision + 1)
    now = desk.clock()
    await repository.change_webinar(tx.connection, event, now)
    admission = await _promote(tx, event)
    await keep(tx, admission, now)
    answers = admission.answers
    if any(getattr(webinar, name) != getattr(before.webinar, name) for name in TOLD_AGAIN):
        answers = [*answers, *await _told_again(tx, desk, event, [one.registration.id for one in answers])]
    await tell(tx, desk, event, answers, announced="moved")
    return replace(event, confirmed=admission.seats.confirmed, waiting=admission.seats.waiting)


async def _promote(tx: Transaction, event: Event) -> Admission:
    """Give the seats that the event has now to who waits."""
    seats = event.seats
    free = min(seats.waiting, seats.capacity - seats.confirmed)
    first = await repository.first_waiting(tx.connection, {event.id: free}) if free > 0 else []
    admission = Admission(seats, first_waiting=first)
    admission.promote()
    return admission


async def _told_again(tx: Transaction, desk: Desk, event: Event, told: Sequence[str]) -> list[Answer]:
    """A new revision for everyone who is registered and not told already."""
    left_out = set(told)
    found = await repository.active_in_order(tx.connection, event.id)
    again = [(one, place) for one, place in found if one.id not in left_out]
    for one, _ in again:
        one.revision += 1
    await repository.save_registrations(tx.connection, [one for one, _ in again], desk.clock())
    return [Answer(one, one.status, one.revision, place=place) for one, place in again]


async def cancel_webinar(tx: Transaction, desk: Desk, slug: str, reason: str | None) -> Event:
    """Cancel an event for good: everyone registered is told once, with the reason if one is given.

    Raises:
        UnknownWebinar: there is no event of this name.
        AlreadyCancelled: it was cancelled before.
    """
    before = await _lock(tx, slug)
    if before.is_cancelled:
        raise AlreadyCancelled(slug)
    now = desk.clock()
    registered = [one for one, _ in await repository.active_in_order(tx.connection, before.id)]
    answers = [_called_off(one) for one in registered]
    event = replace(before, status="cancelled", said=reason, revision=before.revision + 1, confirmed=0, waiting=0)
    await repository.change_webinar(tx.connection, event, now)
    await repository.save_registrations(tx.connection, registered, now)
    await repository.count_seats(tx.connection, event.seats)
    await tell(tx, desk, event, answers, announced="cancelled")
    return event


def _called_off(registration: Registration) -> Answer:
    had_seat = registration.status is Status.CONFIRMED
    registration.move(Status.CANCELLED)
    registration.reason = Refusal.EVENT_CANCELLED
    return Answer(
        registration, registration.status, registration.revision, reason=registration.reason, had_seat=had_seat
    )


async def _lock(tx: Transaction, slug: str) -> Event:
    event = await repository.lock_webinar(tx.connection, slug)
    if event is None:
        raise UnknownWebinar(slug)
    return event
