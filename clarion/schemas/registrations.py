"""Requests for seats at webinars and other events, and what became of them."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from clarion.schemas.text import Contract, Identifier, Instant, Line, Text

Slug = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?$")]
"""The name of an event in addresses: small letters, digits and hyphens."""


class RegistrationRequested(Contract):
    """`registration.requested`: a person asks for one seat.

    `received_at` is honoured from our own pages and API only; else the record's timestamp counts (LogAppendTime).
    """

    event_id: Identifier
    registration_id: Identifier | None = None
    name: Line
    email: Line
    answers: dict[str, JsonValue] = Field(default_factory=dict)
    received_at: Instant | None = None


class CancellationRequested(Contract):
    """`registration.cancellation-requested`: by the registration's id, or the event's and the person's address."""

    event_id: Identifier
    registration_id: Identifier | None = None
    email: Line | None = None
    received_at: Instant | None = None


class RegistrationOutcome(Contract):
    """`registration.confirmed`, `.waitlisted`, `.declined`, `.cancelled`, `.promoted`: the state of one registration.

    `place` counts the waiting list from 1; `reason` says why it was declined.
    """

    event_id: Identifier
    registration_id: Identifier
    revision: Annotated[int, Field(ge=1)]
    status: Literal["confirmed", "waitlisted", "declined", "cancelled"] | Identifier
    place: Annotated[int, Field(ge=1)] | None = None
    reason: Text | None = None
    at: Instant


class WebinarChanged(Contract):
    """`webinar.moved`, `webinar.cancelled`: the event's full state at a revision."""

    event_id: Identifier
    slug: Slug
    revision: Annotated[int, Field(ge=1)]
    status: Literal["open", "cancelled"] | Identifier
    title: Line
    starts_at: Instant
    ends_at: Instant
    registration_closes_at: Instant
    zone: Identifier
    capacity: Annotated[int, Field(ge=0)]
