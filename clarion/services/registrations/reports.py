"""What API, pages and commands show."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from clarion.runtime.database import Connection
from clarion.services.registrations import repository
from clarion.services.registrations.domain.admission import Registration, Status
from clarion.services.registrations.domain.words import spoken_reason
from clarion.services.registrations.repository import Event


class WebinarView(BaseModel):
    """An event as everyone may see it."""

    id: str
    slug: str
    title: str
    kind: str
    status: str
    summary: str | None
    starts_at: datetime
    ends_at: datetime
    registration_closes_at: datetime
    zone: str
    capacity: int
    confirmed: int
    waiting: int
    audience: str | None
    where: str | None
    host: str | None
    policy_url: str | None
    presenters: list[dict[str, Any]]
    partners: list[str]
    questions: list[dict[str, Any]]
    revision: int
    url: str


class RegistrationView(BaseModel):
    """Where a registration stands, without the person's name and address.

    `place` counts the waiting list from 1; `reason` says why it was declined or cancelled.
    """

    id: str
    event_id: str
    status: Literal["pending", "confirmed", "waitlisted", "declined", "cancelled"]
    place: int | None = None
    reason: str | None = None
    received_at: datetime


def webinar_view(event: Event, public_url: str) -> WebinarView:
    """The event as everyone may see it; how to join is told to who has a seat."""
    webinar = event.webinar
    shown = webinar.model_dump(mode="json", include=set(WebinarView.model_fields))
    return WebinarView.model_validate(
        shown
        | {
            "id": event.id,
            "status": event.status,
            "registration_closes_at": webinar.closes_at,
            "confirmed": event.confirmed,
            "waiting": event.waiting,
            "revision": event.revision,
            "url": f"{public_url}/webinars/{webinar.slug}",
        }
    )


def public_status(status: Status) -> Any:
    """The status as it is shown; a repeated request is shown as what it repeats."""
    return Status.PENDING if status is Status.REPEATED else status


async def current(connection: Connection, registration: Registration) -> tuple[Registration, int | None]:
    """The registration that holds, which for a repeated request is the one that it repeats; and its place."""
    if registration.same_as is not None:
        found = await repository.find_by_ids(connection, [registration.same_as])
        registration = found.get(registration.same_as, registration)
    return registration, await repository.place(connection, registration)


async def registration_view(connection: Connection, registration: Registration) -> RegistrationView:
    """Where it stands now."""
    event = await repository.get_webinar(connection, registration.event_id)
    holds, place = await current(connection, registration)
    return RegistrationView(
        id=registration.id,
        event_id=registration.event_id,
        status=public_status(holds.status),
        place=place,
        reason=spoken_reason(holds.reason, event.webinar, event.said),
        received_at=registration.received_at,
    )


def list_row(event: Event, registration: Registration, place: int | None) -> dict[str, Any]:
    """One line of a host's list."""
    return {
        "id": registration.id,
        "name": registration.name,
        "email": registration.email,
        "status": str(registration.status),
        "place": place,
        "reason": spoken_reason(registration.reason, event.webinar, event.said),
        "received_at": registration.received_at,
    }


def export_row(event: Event, registration: Registration, place: int | None) -> dict[str, Any]:
    """One line of the export: as in the list, with the answers under their questions."""
    row = list_row(event, registration, place)
    row["received_at"] = registration.received_at.isoformat()
    known = {question.key: question.label for question in event.webinar.questions}
    return row | {known.get(key, key): text for key, text in registration.answers.items()}


def export_columns(event: Event) -> list[str]:
    """The columns of the export."""
    fixed = ["id", "name", "email", "status", "place", "reason", "received_at"]
    return [*fixed, *(question.label for question in event.webinar.questions)]
