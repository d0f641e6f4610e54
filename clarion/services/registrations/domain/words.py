"""What people are told of their registration: sentences, facts, the calendar entry and the request for the mail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from clarion.schemas.messages import CalendarEntry, Fact, MessageBatch, Recipient, RegistrationContent
from clarion.schemas.registrations import Webinar
from clarion.services.registrations.domain.admission import ACTIVE, Answer, Refusal, Status

LATE_ANSWER = timedelta(days=1)
"""How long an answer is still of use that is no invitation: that there is no seat, or no longer one."""

DOMAIN = "clarion"


def spoken_day(at: datetime) -> str:
    """As in Thursday, May 6, 2027."""
    return f"{at:%A, %B} {at.day}, {at.year}"


def spoken_clock(at: datetime) -> str:
    """As in 10:00 am, with seconds where there are some."""
    seconds = f":{at.second:02}" if at.second else ""
    return f"{at.hour % 12 or 12}:{at.minute:02}{seconds} {'am' if at.hour < 12 else 'pm'}"


def spoken_moment(at: datetime, zone: str) -> str:
    """As in Wednesday, May 5, 2027, 12:00 pm PDT."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{spoken_day(local)}, {spoken_clock(local)} {local:%Z}"


def spoken_span(starts_at: datetime, ends_at: datetime, zone: str) -> str:
    """As in Thursday, May 6, 2027, 10:00 to 11:30 am PDT; with both days where it goes on for several."""
    start, end = starts_at.astimezone(ZoneInfo(zone)), ends_at.astimezone(ZoneInfo(zone))
    if start.date() != end.date() or start.tzname() != end.tzname():
        return f"{spoken_moment(starts_at, zone)} to {spoken_moment(ends_at, zone)}"
    first, last = spoken_clock(start), spoken_clock(end)
    if first[-2:] == last[-2:]:
        first = first[:-3]
    return f"{spoken_day(start)}, {first} to {last} {start:%Z}"


def spoken_reason(reason: str | None, webinar: Webinar, said: str | None) -> str | None:
    """A refusal as a sentence; `said` is what the host gave as the reason of a cancelled event."""
    match reason:
        case None:
            return None
        case Refusal.CLOSED:
            return f"Registration closed on {spoken_moment(webinar.closes_at, webinar.zone)}."
        case Refusal.EVENT_CANCELLED:
            return "The event was cancelled" + (f": {said}" if said else ".")
    return reason


def spoken_status(status: Status, place: int | None, reason: str | None) -> str:
    """The status as the first fact of a mail."""
    match status:
        case Status.WAITLISTED:
            return f"Waiting list, place {place}"
        case Status.DECLINED:
            return f"Declined: {reason}"
    return str(status).capitalize()


@dataclass(frozen=True)
class Invitation:
    """An event as its mails state it, worked out once for all who are told the same."""

    event_id: str
    webinar: Webinar
    said: str | None
    public_url: str

    def status_url(self, token: str) -> str:
        """The page that tells one person's registration."""
        return f"{self.public_url}/registrations/{token}"

    @cached_property
    def when(self) -> str:
        """Start and end in the event's zone."""
        return spoken_span(self.webinar.starts_at, self.webinar.ends_at, self.webinar.zone)

    @cached_property
    def facts(self) -> Sequence[Fact]:
        """What is the same for everyone."""
        webinar = self.webinar
        told = [Fact(key="event", label="Event", text=webinar.title), Fact(key="when", label="When", text=self.when)]
        if webinar.where:
            told.append(Fact(key="where", label="Where", text=webinar.where))
        return told

    @cached_property
    def join_fact(self) -> Sequence[Fact]:
        """How to take part, for who has a seat."""
        return [Fact(key="join", label="Join", text=self.webinar.join_url)] if self.webinar.join_url else []

    @cached_property
    def content(self) -> Mapping[str, JsonValue]:
        """The content without what differs from person to person."""
        webinar = self.webinar
        return RegistrationContent(
            title=webinar.title,
            status="confirmed",
            when=self.when,
            where=webinar.where,
            status_url=self.public_url,
            register_url=f"{self.public_url}/webinars/{webinar.slug}",
            host=webinar.host,
            contact=webinar.contact,
            enquiries=webinar.enquiries,
            policy_url=webinar.policy_url,
            presenters=webinar.presenters,
            partners=webinar.partners,
        ).model_dump(mode="json")

    @cached_property
    def entry(self) -> CalendarEntry:
        """The calendar entry without its uid."""
        webinar = self.webinar
        return CalendarEntry(
            uid=DOMAIN,
            summary=webinar.title,
            starts_at=webinar.starts_at,
            ends_at=webinar.ends_at,
            zone=webinar.zone,
            location=webinar.join_url or webinar.where,
            description=webinar.summary,
            url=webinar.join_url,
        )

    @cached_property
    def batch(self) -> MessageBatch:
        """The request for mail without what differs from person to person."""
        return MessageBatch(
            matter="registration",
            revision=1,
            template="registration",
            lane="registration",
            reply_to=self.webinar.contact,
            not_after=self.webinar.ends_at,
            facts=[],
            recipients=[],
        )

    def notice(self, answer: Answer, now: datetime) -> MessageBatch:
        """The request for one person's mail."""
        registration, reason = answer.registration, spoken_reason(answer.reason, self.webinar, self.said)
        status = Fact(key="status", label="Status", text=spoken_status(answer.status, answer.place, reason))
        joins = self.join_fact if answer.status is Status.CONFIRMED else ()
        is_active = answer.status in ACTIVE
        recipient = Recipient(mailbox=registration.mailbox, address=registration.email, name=registration.name)
        # A copy is not validated again: every value was, and twenty thousand people may ask at once.
        return self.batch.model_copy(
            update={
                "matter": f"registration:{registration.id}",
                "revision": answer.revision,
                "facts": [status, *self.facts, *joins],
                "content": self._content_of(answer, reason),
                "calendar": self._calendar_of(answer),
                "recipients": [recipient],
                "not_after": self.webinar.ends_at if is_active else max(self.webinar.ends_at, now + LATE_ANSWER),
            }
        )

    def _content_of(self, answer: Answer, reason: str | None) -> dict[str, Any]:
        status_url = self.status_url(answer.registration.token)
        return {
            **self.content,
            "status": str(answer.status),
            "place": answer.place,
            "reason": reason,
            "status_url": status_url,
            "join_url": self.webinar.join_url if answer.status is Status.CONFIRMED else None,
            "cancel_url": f"{status_url}#cancel" if answer.status in ACTIVE else None,
        }

    def _calendar_of(self, answer: Answer) -> CalendarEntry | None:
        uid = f"registration-{answer.registration.id}@{DOMAIN}"
        if answer.status is Status.CONFIRMED:
            return self.entry.model_copy(update={"uid": uid})
        if answer.status is Status.CANCELLED and answer.had_seat:
            return self.entry.model_copy(update={"uid": uid, "method": "CANCEL"})
        return None
