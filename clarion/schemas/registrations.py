"""Requests for seats at webinars and other events, and what became of them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, JsonValue, StringConstraints, model_validator

from clarion.schemas.messages import Contact, Presenter
from clarion.schemas.text import Contract, Identifier, Instant, Line, Text

Link = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\x00-\x1f\"<>]+$", max_length=2_000)]
"""An address on the web."""

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


class Question(Contract):
    """What the host asks of who registers; with `choices` one of them is the answer."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?$")]
    label: Line
    required: Annotated[bool, Field(strict=True)] = False
    choices: Annotated[list[Line], Field(max_length=100)] = Field(default_factory=list)


class Webinar(Contract):
    """A webinar or another event as its host describes it.

    Without `registration_closes_at` one may register until it starts. A capacity of 0 is a waiting list from the first.
    """

    slug: Slug
    title: Annotated[Line, Field(max_length=300)]
    kind: Identifier = "webinar"
    summary: Text | None = None
    starts_at: Instant
    ends_at: Instant
    registration_closes_at: Instant | None = None
    zone: Identifier = "America/Los_Angeles"
    capacity: Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
    audience: Line | None = None
    where: Line | None = None
    join_url: Link | None = None
    policy_url: Link | None = None
    host: Line | None = None
    contact: Contact | None = None
    enquiries: Contact | None = None
    presenters: Annotated[list[Presenter], Field(max_length=50)] = Field(default_factory=list)
    partners: Annotated[list[Line], Field(max_length=50)] = Field(default_factory=list)
    questions: Annotated[list[Question], Field(max_length=20)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at is not after starts_at")
        if self.registration_closes_at is not None and self.registration_closes_at > self.ends_at:
            raise ValueError("registration_closes_at is after the end")
        if len({question.key for question in self.questions}) < len(self.questions):
            raise ValueError("two questions have the same key")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no time zone is called {self.zone!r}") from error
        return self

    @property
    def closes_at(self) -> datetime:
        """The last moment at which a request is in time."""
        return self.registration_closes_at or self.starts_at
