"""Who gets a seat: one event under its lock, requests and cancellations in the topic's order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """Where a registration stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    REPEATED = "repeated"


class Refusal(StrEnum):
    """Why there is no seat, as it is kept; `words` says it in a sentence."""

    CLOSED = "closed"
    EVENT_CANCELLED = "event-cancelled"


MOVES: Mapping[Status, frozenset[Status]] = {
    Status.PENDING: frozenset(
        {Status.CONFIRMED, Status.WAITLISTED, Status.DECLINED, Status.REPEATED, Status.CANCELLED}
    ),
    Status.WAITLISTED: frozenset({Status.CONFIRMED, Status.CANCELLED}),
    Status.CONFIRMED: frozenset({Status.CANCELLED}),
    Status.DECLINED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.REPEATED: frozenset(),
}
"""Which status may follow which."""

ACTIVE = frozenset({Status.CONFIRMED, Status.WAITLISTED})


@dataclass(slots=True)
class Seats:
    """An event as far as seats go. `closes_at` is the last moment at which a request is in time."""

    event_id: str
    capacity: int
    closes_at: datetime
    is_cancelled: bool = False
    confirmed: int = 0
    waiting: int = 0
    last_position: int = 0


@dataclass(slots=True)
class Registration:
    """One request of one person for a seat at one event. `position` is its place in the topic's order, from 1."""

    id: str
    event_id: str
    mailbox: str
    token: str
    name: str
    email: str
    received_at: datetime
    own: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)
    status: Status = Status.PENDING
    reason: str | None = None
    position: int | None = None
    same_as: str | None = None
    revision: int = 0

    def move(self, status: Status) -> None:
        """Take the next status.

        Raises:
            ValueError: it cannot follow the one it has.
        """
        if status not in MOVES[self.status]:
            raise ValueError(f"a registration that is {self.status} cannot become {status}")
        self.status = status
        self.revision += 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What one registration is told at a revision. A `repeated` answer was given before: nothing changed.

    `request` is the event that it answers, None for who is promoted. `had_seat`: a seat was given up.
    """

    registration: Registration
    status: Status
    revision: int
    place: int | None = None
    reason: str | None = None
    request: str | None = None
    repeated: bool = False
    promoted: bool = False
    had_seat: bool = False


class Admission:
    """One batch for one event.

    `known` are the registrations that the batch may touch: by id, and those of its mailboxes that are active or
    declined; `places` are the places of those who wait among them. `first_waiting` are the first of the waiting list,
    at least as many as the batch cancels. `early` are cancellations whose request had not come, each with when it was
    said: by the registration's id or the mailbox.
    """

    def __init__(
        self,
        seats: Seats,
        known: Iterable[Registration] = (),
        first_waiting: Sequence[Registration] = (),
        places: Mapping[str, int] | None = None,
        early: Mapping[str, datetime] | None = None,
    ) -> None:
        self.seats = seats
        self.answers: list[Answer] = []
        self.touched: dict[str, Registration] = {}
        self.came_early: dict[str, datetime] = {}
        self._early = dict(early or {})
        self._by_id = {one.id: one for one in known if one.event_id == seats.event_id}
        self._queue = {one.id: self._by_id.setdefault(one.id, one) for one in first_waiting}
        self._whole_queue = len(self._queue) == seats.waiting
        self._active = {one.mailbox: one for one in self._by_id.values() if one.status in ACTIVE}
        self._declined = {
            (one.mailbox, one.reason): one for one in self._by_id.values() if one.status is Status.DECLINED
        }
        self._places = {key: (place, 0) for key, place in (places or {}).items()}
        self._left: list[int] = []

    def take_touched(self) -> list[Registration]:
        """The registrations that changed since this was last asked."""
        touched, self.touched = self.touched, {}
        return list(touched.values())

    def find(self, registration_id: str) -> Registration | None:
        """A registration of this event by its id."""
        return self._by_id.get(registration_id)

    def active_of(self, mailbox: str) -> Registration | None:
        """Who has a seat, or waits for one, with this mailbox."""
        return self._active.get(mailbox)

    def request(self, asked: Registration, request: str, said_at: datetime | None = None) -> None:
        """Answer a request: a seat, a place in the waiting list, a refusal, or what this person was told before.

        One that was said before a cancellation of it, which came first, is cancelled.
        """
        refusal = self._refusal(asked)
        before = self._active.get(asked.mailbox) or self._declined.get((asked.mailbox, refusal))
        self._by_id[asked.id] = self.touched[asked.id] = asked
        if before is not None:
            asked.move(Status.REPEATED)
            asked.same_as = before.id
            self.repeat(before, request)
        elif said_at is not None and self._is_taken_back(asked, said_at):
            asked.move(Status.CANCELLED)
            self._tell(asked, request)
        elif refusal is not None:
            asked.move(Status.DECLINED)
            asked.reason = refusal
            self._declined[asked.mailbox, refusal] = asked
            self._tell(asked, request)
        else:
            self._seat(asked, request)

    def repeat(self, registration: Registration, request: str) -> None:
        """Say again what holds."""
        self._answer(registration, request, repeated=True)

    def cancel(self, registration: Registration, request: str) -> None:
        """Give up a seat or a place; a freed seat goes to the next at once. Cancelled already, nothing changes."""
        if registration.status not in ACTIVE:
            self.repeat(registration, request)
            return
        had_seat = registration.status is Status.CONFIRMED
        self._leave(registration)
        registration.move(Status.CANCELLED)
        self._tell(registration, request, had_seat=had_seat)
        self.promote()

    def cancel_early(self, what: str, said_at: datetime) -> None:
        """Keep a cancellation whose request has not come; `what` is the registration's id or the mailbox."""
        if what not in self._early or self._early[what] < said_at:
            self._early[what] = self.came_early[what] = said_at

    def promote(self) -> None:
        """Give free seats to those who wait, in their order."""
        seats = self.seats
        while seats.waiting and seats.confirmed < seats.capacity and not seats.is_cancelled:
            registration = next(iter(self._queue.values()))
            self._wait_no_more(registration)
            registration.move(Status.CONFIRMED)
            seats.confirmed += 1
            self._tell(registration, None, promoted=True)

    def _is_taken_back(self, asked: Registration, said_at: datetime) -> bool:
        return any(what in self._early and said_at < self._early[what] for what in (asked.id, asked.mailbox))

    def _refusal(self, asked: Registration) -> Refusal | None:
        if self.seats.is_cancelled:
            return Refusal.EVENT_CANCELLED
        return Refusal.CLOSED if asked.received_at > self.seats.closes_at else None

    def _seat(self, asked: Registration, request: str) -> None:
        seats = self.seats
        self._active[asked.mailbox] = asked
        seats.last_position += 1
        asked.position = seats.last_position
        if seats.confirmed < seats.capacity and not seats.waiting:
            asked.move(Status.CONFIRMED)
            seats.confirmed += 1
        else:
            asked.move(Status.WAITLISTED)
            seats.waiting += 1
            self._places[asked.id] = seats.waiting, len(self._left)
            if self._whole_queue:
                self._queue[asked.id] = asked
        self._tell(asked, request)

    def _leave(self, registration: Registration) -> None:
        del self._active[registration.mailbox]
        if registration.status is Status.CONFIRMED:
            self.seats.confirmed -= 1
        else:
            self._wait_no_more(registration)

    def _wait_no_more(self, registration: Registration) -> None:
        self._queue.pop(registration.id, None)
        self.seats.waiting -= 1
        self._left.append(registration.position or 0)

    def _place(self, registration: Registration) -> int | None:
        if registration.status is not Status.WAITLISTED:
            return None
        place, seen = self._places[registration.id]
        return place - sum(position < (registration.position or 0) for position in self._left[seen:])

    def _tell(
        self, registration: Registration, request: str | None, *, promoted: bool = False, had_seat: bool = False
    ) -> None:
        self.touched[registration.id] = registration
        self._answer(registration, request, promoted=promoted, had_seat=had_seat)

    def _answer(self, registration: Registration, request: str | None, **how: bool) -> None:
        self.answers.append(
            Answer(
                registration,
                registration.status,
                registration.revision,
                place=self._place(registration),
                reason=registration.reason,
                request=request,
                **how,
            )
        )
