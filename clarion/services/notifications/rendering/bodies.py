"""What each template says, for all recipients with the same asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from clarion.schemas.messages import Ask, CallContent, NoticeContent, RegistrationContent, SignInContent
from clarion.services.notifications.domain import asking, call, seat, signing_in
from clarion.services.notifications.domain.agenda import agenda
from clarion.services.notifications.domain.changes import Line
from clarion.services.notifications.domain.kept import SUBJECT, KeptContent
from clarion.services.notifications.domain.messages import Content
from clarion.services.notifications.domain.noticing import trimmed_notice
from clarion.services.notifications.domain.over import OverContent
from clarion.services.notifications.domain.room import listed_within
from clarion.services.notifications.domain.telling import Amended, Ended, Wording

CONTENTS: Mapping[str, type[BaseModel]] = {
    "call": CallContent,
    "registration": RegistrationContent,
    "kept": KeptContent,
    "sign-in": SignInContent,
    "notice": NoticeContent,
    "over": OverContent,
}
"""The templates and the content each needs."""
PARTNERS_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class Body:
    """A subject, the template of the text below it, and what that needs."""

    subject: str
    template: str
    context: dict[str, Any]
    changes: Sequence[Line]


def body_of(content: Content, asks: Sequence[Ask], wording: Wording, room: int) -> Body:
    """The body of a message; what says that a matter ended speaks of it as it was told.

    `room` is what the details of a call may take, in bytes.
    """
    shown = wording.before if isinstance(wording, Ended) else content
    reason = content.content.get("reason") if content.withdrawn else None
    if shown.template == "registration":
        return _registration(shown, wording, reason)
    if shown.template == "kept":
        return Body(SUBJECT, "kept", {"kept": KeptContent.model_validate(shown.content)}, ())
    if shown.template == "sign-in":
        link = signing_in.trimmed(SignInContent.model_validate(shown.content))
        return Body(signing_in.subject(link), "sign-in", {"link": link}, ())
    if shown.template == "notice":
        notice = trimmed_notice(NoticeContent.model_validate(shown.content))
        return Body(notice.subject, "notice", {"notice": notice}, ())
    if shown.template == "over":
        ended = OverContent.model_validate(shown.content)
        return Body(ended.subject, "over", ended.model_dump(exclude={"subject"}), ())
    return _call(shown, asks, wording, reason, room)


def _call(content: Content, asks: Sequence[Ask], wording: Wording, reason: str | None, room: int) -> Body:
    shown = call.trimmed(_known(CallContent.model_validate(content.content), wording), room)
    subject = call.subject(shown, asks, wording)
    changes = call.changes(shown, wording, called_off=content.called_off)
    whom = call.whom(content.reply_to)
    if isinstance(wording, Ended) or content.called_off:
        paragraphs = call.over(shown, reason, withdrawn=isinstance(wording, Ended))
        over = {"paragraphs": paragraphs, "about": call.about(shown), "contact": call.contact(shown, whom)}
        return Body(subject, "over", over, changes)
    found = agenda(shown, asks, room)
    context = {
        "contact": call.contact(shown, whom),
        "person": asking.person(whom),
        "call": shown,
        "asked": asking.asked(shown, asks, room),
        "deadlines": asking.deadlines(shown, asks),
        "how": asking.how(shown, asks, whom, found.bills),
        "button": asking.button(asks, whom, subject),
        "too_late": asking.too_late(shown, asks, whom),
        "bills": found.bills,
        "left_out": found.left_out(asking.person(whom)),
        "notice_link": web_link(shown.notice_url),
    }
    return Body(subject, "call", context, changes)


def _known(content: CallContent, wording: Wording) -> CallContent:
    """What is said, with the bills that were told if it names none, as what is called off may."""
    if content.bills or not isinstance(wording, Amended) or wording.before.withdrawn:
        return content
    return content.model_copy(update={"bills": CallContent.model_validate(wording.before.content).bills})


def _registration(content: Content, wording: Wording, reason: str | None) -> Body:
    shown = seat.trimmed(RegistrationContent.model_validate(content.content))
    if isinstance(wording, Ended):
        ended = {"status": "cancelled", "reason": reason, "join_url": None, "cancel_url": None}
        shown = seat.trimmed(shown.model_copy(update=ended))
    context = {
        "opening": seat.opening(shown),
        "seat": shown,
        "over": seat.over(shown),
        "partners": listed_within(shown.partners, PARTNERS_BYTES) if shown.partners else None,
        "presenters": seat.speakers(shown.presenters),
        "contact": seat.reached(shown.contact) if shown.contact else None,
        "enquiries": seat.reached(shown.enquiries) if shown.enquiries else None,
    }
    return Body(seat.subject(shown, wording), "registration", context, seat.changes(shown, wording))


def web_link(url: str | None) -> str | None:
    """The address if it leads to the web and nowhere else."""
    return url if url and url.startswith(("https://", "http://")) else None
