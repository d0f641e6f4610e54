"""Telling: what was decided becomes outcomes and notices, behind admission and in its order."""

import asyncio
from collections.abc import Iterable, Iterator

from clarion.runtime.beats import beat
from clarion.runtime.database import Database, Transaction
from clarion.runtime.database.pool import role_of
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.schemas.registrations import RegistrationOutcome, WebinarChanged
from clarion.schemas.topics import REGISTRATIONS_NOTICES, REGISTRATIONS_OUTCOMES, bucket
from clarion.services.registrations import repository
from clarion.services.registrations.desk import TELLINGS, Desk
from clarion.services.registrations.domain.admission import Answer
from clarion.services.registrations.domain.words import Invitation, spoken_reason
from clarion.services.registrations.repository import Telling

POLL_SECONDS = 0.5


class Teller:
    """Publishes what was decided and asks for its mail; any number may run, one tells at a time."""

    name = "teller"

    def __init__(self, database: Database, desk: Desk) -> None:
        self._database = database
        self._desk = desk

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until told to stop, woken by each decision."""
        async with self._database.listen(f"{role_of(self._database.service)}_{TELLINGS}") as wakeups:
            while not stopping.is_set():
                beat()
                await self._desk.requests.give_way()
                if not await self.turn():
                    await wakeups.wait(POLL_SECONDS)

    async def turn(self) -> bool:
        """Tell the oldest of what is not told; False if there is none.

        A death before the commit leaves it untold, one after it leaves it told.
        """
        async with self._database.transaction() as tx:
            telling = await repository.take_telling(tx.connection)
            if telling is not None:
                await _tell(tx, self._desk.public_url, telling)
        return telling is not None


async def _tell(tx: Transaction, public_url: str, telling: Telling) -> None:
    """Publish the event's change and each answer; the newest of a registration is mailed unless it was told before."""
    newest = {answer.registration.id: answer for answer in telling.answers if not answer.repeated}
    outcomes = [_outcome(telling, answer) for answer in telling.answers]
    notices = _notices(telling, public_url, newest.values())
    await enqueue(tx, [*_announcement(telling), *outcomes, *notices])


def _announcement(telling: Telling) -> Iterator[Outgoing]:
    if telling.announced is None:
        return
    webinar = telling.webinar
    changed = WebinarChanged(
        event_id=telling.event_id,
        slug=webinar.slug,
        revision=telling.revision,
        status=telling.status,
        title=webinar.title,
        starts_at=webinar.starts_at,
        ends_at=webinar.ends_at,
        registration_closes_at=webinar.closes_at,
        zone=webinar.zone,
        capacity=webinar.capacity,
    )
    kind = f"webinar.{telling.announced}"
    yield Outgoing(
        REGISTRATIONS_OUTCOMES, telling.event_id, kind, changed, subject=telling.event_id, time=telling.decided_at
    )


def _outcome(telling: Telling, answer: Answer) -> Outgoing:
    registration = answer.registration
    outcome = RegistrationOutcome(
        event_id=telling.event_id,
        registration_id=registration.id,
        revision=answer.revision,
        status=str(answer.status),
        place=answer.place,
        reason=spoken_reason(answer.reason, telling.webinar, telling.said),
        at=telling.decided_at,
    )
    return Outgoing(
        REGISTRATIONS_OUTCOMES,
        telling.event_id,
        "registration.promoted" if answer.promoted else f"registration.{answer.status}",
        outcome,
        id=None if answer.repeated else f"{registration.id}.{answer.revision}",
        subject=registration.id,
        extensions={} if answer.request is None else {"requestid": answer.request},
        time=telling.decided_at,
    )


def _notices(telling: Telling, public_url: str, answers: Iterable[Answer]) -> Iterator[Outgoing]:
    invitation = Invitation(telling.event_id, telling.webinar, telling.said, public_url)
    for answer in answers:
        registration = answer.registration
        key = f"{telling.event_id}/{bucket(registration.mailbox)}"
        notice = invitation.notice(answer, telling.decided_at)
        identity = f"{registration.id}.{answer.revision}"
        yield Outgoing(REGISTRATIONS_NOTICES, key, "messages.requested", notice, id=identity, time=telling.decided_at)
