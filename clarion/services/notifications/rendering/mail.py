"""From a claimed message to the bytes of its mail."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape
from pydantic import BaseModel

from clarion.runtime.web.links import SignedLinks
from clarion.schemas.messages import Ask, CallContent, Contact
from clarion.services.notifications.domain import call as words
from clarion.services.notifications.domain.messages import Addressed, Claimed
from clarion.services.notifications.domain.subscriptions import PURPOSE, list_name, title_of
from clarion.services.notifications.rendering.mime import Segments, alternative, mailbox, one_line, unstructured

CONTENTS: Mapping[str, type[BaseModel]] = {"call": CallContent}
"""The templates and the content each needs."""

SHARED_LIMIT = 256


@dataclass(frozen=True, slots=True)
class Content:
    """What the messages of one matter, revision and wave share."""

    id: int
    matter: str
    template: str
    reply_to: Contact | None
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shared:
    """What all recipients with the same asks have in common, ready to be sent."""

    headers: bytes
    text: Segments
    html: Segments


def gap(name: str) -> str:
    """A place in a template that each recipient fills: a NUL, which no content can hold, on both sides."""
    return f"\x00{name}\x00"


class Renderer:
    """Makes mail. Templates are compiled once; what recipients share is rendered once per content and asks."""

    def __init__(self, links: SignedLinks, *, mail_from: str, public_url: str, postal_address: str | None) -> None:
        display, self.sender = parseaddr(one_line(mail_from))
        if "@" not in self.sender:
            raise ValueError("CLARION_MAIL_FROM is an address, as in Clarion <calls@clarion.example>")
        self.domain = self.sender.rpartition("@")[2]
        self.public_url = public_url.rstrip("/")
        self.postal_address = postal_address
        self._from = mailbox("From", display, self.sender)
        self._links = links.serializer(PURPOSE)
        environment = Environment(
            loader=PackageLoader("clarion.services.notifications"),
            autoescape=select_autoescape(["html.j2"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals["gap"] = gap
        self._text, self._html = (environment.get_template(f"call.{kind}.j2") for kind in ("txt", "html"))
        self._own: tuple[Template, Template] = (
            environment.get_template("call_own.txt.j2"),
            environment.get_template("call_own.html.j2"),
        )
        self._own_text, self._own_html = (template.module for template in self._own)
        self._shared: OrderedDict[tuple[int, tuple[tuple[str, str], ...]], Shared] = OrderedDict()

    def render(self, message: Claimed, content: Content, to: Addressed, now: datetime) -> bytes:
        """The whole mail of one message, dated `now`."""
        shared = self._shared_part(content, message.recipient.asks)
        link = self.leave_link(message)
        headers = (
            self._from,
            mailbox("To", to.name, to.address),
            shared.headers,
            self._own_headers(message, link, now),
        )
        return alternative(
            headers,
            shared.text.fill(self._fill(self._own_text, message, to, link)),
            shared.html.fill(self._fill(self._own_html, message, to, link)),
        )

    def leave_link(self, message: Claimed) -> str | None:
        """The link that leaves the message's subscription for its mailbox."""
        if message.subscription is None:
            return None
        return f"{self.public_url}/u/{self._links.dumps([message.mailbox, message.subscription])}"

    def _fill(self, own: Any, message: Claimed, to: Addressed, link: str | None) -> dict[str, str]:
        return {
            "greeting": str(own.greeting(words.salutation(to))),
            "why": str(own.why([reason.text for reason in message.recipient.reasons])),
            "leave": str(own.leave(title_of(message.subscription), link)) if link and message.subscription else "",
        }

    def _own_headers(self, message: Claimed, link: str | None, now: datetime) -> bytes:
        lines = [
            f"Date: {format_datetime(now)}",
            f"Message-ID: <{message.id}@{self.domain}>",
            "Auto-Submitted: auto-generated",
            f"Clarion-Thread: {message.thread_id.hex}",
            f"Clarion-Revision: {message.revision}",
        ]
        if link and message.subscription:
            lines += [
                f"List-Id: <{list_name(message.subscription)}.{self.domain}>",
                f"List-Unsubscribe: <{link}>",
                "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            ]
        return ("\r\n".join(lines) + "\r\n").encode("ascii")

    def _shared_part(self, content: Content, asks: Sequence[Ask]) -> Shared:
        key = (content.id, tuple((ask.kind, ask.bill) for ask in asks))
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = self._render_shared(content, asks)
            if len(self._shared) > SHARED_LIMIT:
                self._shared.popitem(last=False)
        return found

    def _render_shared(self, content: Content, asks: Sequence[Ask]) -> Shared:
        call = CallContent.model_validate(content.content)
        context = {
            "subject": words.subject(call, asks),
            "call": call,
            "asked": words.asked(call, asks),
            "letter": any(ask.kind == "letter" for ask in asks) or not call.letters_open,
            "how": words.how(call, asks, content.reply_to),
            "too_late": words.too_late(call, asks),
            "contact": words.contact(call, content.reply_to),
            "bills": words.bills(call, asks),
            "notice_link": web_link(call.notice_url),
            "postal_address": self.postal_address,
        }
        headers = unstructured("Subject", words.subject(call, asks))
        if content.reply_to and content.reply_to.address:
            headers += mailbox("Reply-To", content.reply_to.name, one_line(content.reply_to.address))
        return Shared(headers, Segments.of(self._text.render(context)), Segments.of(self._html.render(context)))


def web_link(url: str | None) -> str | None:
    """The address if it leads to the web and nowhere else."""
    return url if url and url.startswith(("https://", "http://")) else None
