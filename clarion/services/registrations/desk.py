"""What every operation needs beside its transaction, and how answers leave the house."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, Transaction
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.schemas.mailboxes import mailbox
from clarion.schemas.registrations import RegistrationOutcome, WebinarChanged
from clarion.schemas.topics import REGISTRATIONS_NOTICES, REGISTRATIONS_OUTCOMES, bucket
from clarion.services.registrations import repository
from clarion.services.registrations.domain.admission import Answer
from clarion.services.registrations.domain.words import Invitation, spoken_reason
from clarion.services.registrations.repository import Event

SOURCE = "/clarion/registrations"


@dataclass(frozen=True, slots=True)
class Desk:
    """Whom addresses stand for, where the pages are, and what time it is."""

    mailbox_key: bytes
    public_url: str
    clock: Clock

    def mailbox(self, email: str) -> str:
        """The mailbox of an address in its normal form."""
        return mailbox(email, self.mailbox_key)

    def invitation(self, event: Event) -> Invitation:
        """The event as mails state it."""
        return Invitation(event.id, event.webinar, event.said, self.public_url)


async def open_desk(database: Database, public_url: str, clock: Clock) -> Desk:
    """The desk over this database; makes the key of mailboxes when there is none."""
    async with database.transaction() as tx:
        key = await repository.mailbox_key(tx.connection)
    return Desk(key, public_url.rstrip("/"), clock)


async def tell(tx: Transaction, desk: Desk, event: Event, answers: Sequence[Answer]) -> None:
    """Publish these answers of one event; the newest of each registration is mailed unless it was told before."""
    now = desk.clock()
    invitation = desk.invitation(event)
    newest = {answer.registration.id: answer for answer in answers if not answer.repeated}
    outcomes = [_outcome(event, answer, now) for answer in answers]
    await enqueue(tx, [*outcomes, *_notices(invitation, newest, now)])


def _outcome(event: Event, answer: Answer, now: datetime) -> Outgoing:
    registration = answer.registration
    outcome = RegistrationOutcome(
        event_id=event.id,
        registration_id=registration.id,
        revision=answer.revision,
        status=str(answer.status),
        place=answer.place,
        reason=spoken_reason(answer.reason, event.webinar, event.said),
        at=now,
    )
    return Outgoing(
        REGISTRATIONS_OUTCOMES,
        event.id,
        "registration.promoted" if answer.promoted else f"registration.{answer.status}",
        outcome,
        id=None if answer.repeated else f"{registration.id}.{answer.revision}",
        subject=registration.id,
        extensions={} if answer.request is None else {"requestid": answer.request},
        time=now,
    )


def _notices(invitation: Invitation, answers: Mapping[str, Answer], now: datetime) -> Iterable[Outgoing]:
    for answer in answers.values():
        registration = answer.registration
        key = f"{invitation.event_id}/{bucket(registration.mailbox)}"
        notice = invitation.notice(answer, now)
        identity = f"{registration.id}.{answer.revision}"
        yield Outgoing(REGISTRATIONS_NOTICES, key, "messages.requested", notice, id=identity, time=now)


async def announce(tx: Transaction, event: Event, what: str) -> None:
    """Publish the event's new state as `webinar.moved` or `webinar.cancelled`."""
    webinar = event.webinar
    changed = WebinarChanged(
        event_id=event.id,
        slug=webinar.slug,
        revision=event.revision,
        status=event.status,
        title=webinar.title,
        starts_at=webinar.starts_at,
        ends_at=webinar.ends_at,
        registration_closes_at=webinar.closes_at,
        zone=webinar.zone,
        capacity=webinar.capacity,
    )
    await enqueue(tx, [Outgoing(REGISTRATIONS_OUTCOMES, event.id, f"webinar.{what}", changed, subject=event.id)])
