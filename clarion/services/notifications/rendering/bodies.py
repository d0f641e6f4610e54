"""What each template says, for all recipients with the same asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from clarion.schemas.messages import Ask, CallContent, NoticeContent, RegistrationContent, SignInContent
from clarion.services.notifications.domain import call, seat, signing_in
from clarion.services.notifications.domain.changes import Line, listed
from clarion.services.notifications.domain.kept import SUBJECT, KeptContent
from clarion.services.notifications.domain.messages import Content
from clarion.services.notifications.domain.telling import Amended, Ended, Wording

CONTENTS: Mapping[str, type[BaseModel]] = {
    "call": CallContent,
    "registration": RegistrationContent,
    "kept": KeptContent,
    "sign-in": SignInContent,
    "notice": NoticeContent,
}
"""The templates and the content each needs."""


@dataclass(frozen=True, slots=True)
class Body:
    """A subject, the template of the text below it, and what that needs."""

    subject: str
    template: str
    context: dict[str, Any]
    changes: Sequence[Line]


def body_of(content: Content, asks: Sequence[Ask], wording: Wording) -> Body:
    """The body of a message; what says that a matter ended speaks of it as it was told."""
    shown = wording.before if isinstance(wording, Ended) else content
    reason = content.content.get("reason") if content.withdrawn else None
    if shown.template == "registration":
        return _registration(shown, wording, reason)
    if shown.template == "kept":
        return Body(SUBJECT, "kept", {"kept": KeptContent.model_validate(shown.content)}, ())
    if shown.template == "sign-in":
        link = SignInContent.model_validate(shown.content)
        return Body(signing_in.subject(link), "sign-in", {"link": link}, ())
    if shown.template == "notice":
        notice = NoticeContent.model_validate(shown.content)
        return Body(notice.subject, "notice", {"notice": notice}, ())
    return _call(shown, asks, wording, reason)


def _call(content: Content, asks: Sequence[Ask], wording: Wording, reason: str | None) -> Body:
    shown = _known(CallContent.model_validate(content.content), wording)
    subject = call.subject(shown, asks, wording)
    changes = call.changes(shown, wording, called_off=content.called_off)
    contact = call.contact(shown, content.reply_to)
    if isinstance(wording, Ended) or content.called_off:
        withdrawn = isinstance(wording, Ended)
        over = {"paragraphs": call.over(reason, withdrawn=withdrawn), "about": call.about(shown), "contact": contact}
        return Body(subject, "over", over, changes)
    context = {
        "contact": contact,
        "call": shown,
        "asked": call.asked(shown, asks),
        "letter": any(ask.kind == "letter" for ask in asks) or not shown.letters_open,
        "how": call.how(shown, asks, content.reply_to),
        "too_late": call.too_late(shown, asks),
        "bills": call.bills(shown, asks),
        "notice_link": web_link(shown.notice_url),
    }
    return Body(subject, "call", context, changes)


def _known(content: CallContent, wording: Wording) -> CallContent:
    """What is said, with the bills that were told if it names none, as what is called off may."""
    if content.bills or not isinstance(wording, Amended) or wording.before.withdrawn:
        return content
    return content.model_copy(update={"bills": CallContent.model_validate(wording.before.content).bills})


def _registration(content: Content, wording: Wording, reason: str | None) -> Body:
    shown = RegistrationContent.model_validate(content.content)
    if isinstance(wording, Ended):
        shown = shown.model_copy(update={"status": "cancelled", "reason": reason, "join_url": None, "cancel_url": None})
    context = {
        "opening": seat.opening(shown),
        "seat": shown,
        "over": seat.over(shown),
        "partners": listed(shown.partners) if shown.partners else None,
        "presenters": [seat.person(one) for one in shown.presenters],
        "contact": seat.reached(shown.contact) if shown.contact else None,
        "enquiries": seat.reached(shown.enquiries) if shown.enquiries else None,
    }
    return Body(seat.subject(shown, wording), "registration", context, seat.changes(shown, wording))


def web_link(url: str | None) -> str | None:
    """The address if it leads to the web and nowhere else."""
    return url if url and url.startswith(("https://", "http://")) else None
