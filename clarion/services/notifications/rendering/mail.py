"""From a claimed message to the bytes of its mail."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Any, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from clarion.services.notifications.bounces.return_path import ReturnPath
from clarion.services.notifications.domain import call as words
from clarion.services.notifications.domain.changes import Line
from clarion.services.notifications.domain.messages import Addressed, Claimed, Content, message_name
from clarion.services.notifications.domain.room import MAIL_BYTES, brief, shortened
from clarion.services.notifications.domain.subscriptions import PURPOSE, list_name, title_of
from clarion.services.notifications.domain.telling import FRESH, Amended, Ended, Entry, Fresh, Telling, Wording
from clarion.services.notifications.rendering.bodies import Body, body_of, web_link
from clarion.services.notifications.rendering.calendar import ATTENDEE, Invitations, attendee, stamp
from clarion.services.notifications.rendering.mime import (
    VERSION,
    Gap,
    Parts,
    Segments,
    alternative,
    gap,
    invitation,
    mailbox,
    one_line,
    unquoted,
    unstructured,
)
from clarion.services.notifications.rendering.own import TOKEN, Own
from clarion.services.notifications.rendering.reader import NAME_CHARACTERS, Reader
from clarion.services.notifications.wordings.editions import Edition, Editions
from clarion.services.notifications.wordings.faults import Faulty, Unusable
from clarion.services.notifications.wordings.limits import TOO_LONG
from clarion.services.notifications.wordings.wording import Worded

SHARED_LIMIT = 256
ROOMS = (30_000, 22_000, 14_000, 7_000, 2_000)
"""Bytes that the details of a call may take: the most with which the whole mail is not too long."""
SUBJECT_CHARACTERS, SUBJECT_BYTES, ADDRESS_CHARACTERS = 250, 1_500, 320
PERSONAL = frozenset({"registration", "kept", "sign-in", "notice"})
"""Templates whose content is one person's own, so that keeping it would only push out what is shared."""
TEMPLATES = ("call", "over", "registration", "kept", "sign-in", "notice", "worded")
TRIED_OUT = "Test: "
"""What the subject of a mail begins with that only tries a wording out."""
PLAIN = Telling()
FRESHLY = (Fresh,)
TEXT, HTML = "text.", "html."
POSTMARK_HEADER = "X-PM-Metadata-clarion"
"""What Postmark gives back with a bounce, as `Metadata`."""
OWN = Gap("own")


@dataclass(frozen=True, slots=True)
class Shared:
    """What all recipients with the same asks have in common: the mail, with gaps for what is their own."""

    mail: Segments
    changes: tuple[Line, ...]
    wording: Edition | None = None
    """That of staff, if it is not the project's."""


def told_as(wording: Wording) -> tuple[Any, ...]:
    """What of a wording makes mails differ."""
    match wording:
        case Amended(before, changes):
            return Amended, before.id, *[change.key for change in changes]
        case Ended(before):
            return Ended, before.id
        case _:
            return (type(wording),)


@lru_cache(maxsize=16)
def written_date(now: datetime) -> str:
    """A time as a mail's Date header has it; all mails of a round have one."""
    return format_datetime(now)


class Signs(Protocol):
    """Makes what makes tokens of one purpose."""

    def signer(self, purpose: str, /) -> Callable[[Any, datetime], str]:
        """What makes a token that carries a payload, at a time."""
        ...


class Renderer:
    """Makes mail. Templates are compiled once; what recipients share is rendered once per content and asks."""

    def __init__(
        self,
        links: Signs,
        *,
        mail_from: str,
        public_url: str,
        postal_address: str | None,
        filings_url: str | None = None,
        return_path: ReturnPath | None = None,
        postmark: bool = False,
        editions: Editions | None = None,
    ) -> None:
        """With a `return_path` each mail has an envelope sender of its own, with `postmark` a name at Postmark."""
        display, self.sender = parseaddr(one_line(mail_from))
        if "@" not in self.sender:
            raise ValueError("CLARION_MAIL_FROM is an address, as in Clarion <calls@clarion.example>")
        self.domain = self.sender.rpartition("@")[2]
        self.public_url = public_url.rstrip("/")
        self._foot = {"postal_address": postal_address, "filings_url": filings_url}
        self._from = mailbox("From", display, self.sender)
        self._return_path = return_path
        self._postmark = postmark
        self._leaving_page = f"{self.public_url}/u/"
        self._sign = links.signer(PURPOSE)
        self.editions = editions or Editions()
        environment = Environment(
            loader=PackageLoader("clarion.services.notifications"),
            autoescape=select_autoescape(["html.j2"]),
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals["gap"] = gap
        environment.tests["web"] = lambda url: web_link(url) is not None
        self._templates = {
            name: (environment.get_template(f"{name}.txt.j2"), environment.get_template(f"{name}.html.j2"))
            for name in TEMPLATES
        }
        self._text = Own(environment.get_template("own.txt.j2"), html=False)
        self._html = Own(environment.get_template("own.html.j2"), html=True)
        self._reader = Reader(self._text, self._html)
        self._invitations = Invitations(display, self.sender)
        self._shared: OrderedDict[tuple[Any, ...], Shared] = OrderedDict()

    def envelope_sender(self, message: Claimed) -> str:
        """To where the mail comes back if it cannot be delivered."""
        if self._return_path is None:
            return self.sender
        return self._return_path.of(message.thread_id, message.revision)

    def render(
        self, message: Claimed, content: Content, to: Addressed, now: datetime, telling: Telling = PLAIN
    ) -> bytes:
        """The whole mail of one message, dated `now`; none of its lines begins with a dot."""
        return b"".join(self.write(message, content, to, now, telling))

    def write(
        self, message: Claimed, content: Content, to: Addressed, now: datetime, telling: Telling = PLAIN
    ) -> list[bytes]:
        """The same in pieces, of which mails share most."""
        shared = self._shared_part(message, content, telling, ROOMS[0])
        own = self._own(message, to, now, telling, shared.changes)
        mail = shared.mail.fill(own)
        if sum(map(len, mail)) > MAIL_BYTES:
            mail, long = self._with_less(message, content, telling, own)
            if long and shared.wording is not None:
                self.editions.give_up(shared.wording, content, TOO_LONG)
                return self.write(message, content, to, now, telling)
        return mail

    def _with_less(
        self, message: Claimed, content: Content, telling: Telling, own: Mapping[str, bytes]
    ) -> tuple[list[bytes], bool]:
        """The same mail with the most details with which it is not too long, or with the fewest, and whether it is."""
        mail: list[bytes] = []
        for room in ROOMS[1:]:
            mail = self._shared_part(message, content, telling, room).mail.fill(own)
            if sum(map(len, mail)) <= MAIL_BYTES:
                return mail, False
        return mail, True

    def _own(
        self, message: Claimed, to: Addressed, now: datetime, telling: Telling, shared_changes: tuple[Line, ...]
    ) -> dict[str, bytes]:
        """What fills the gaps."""
        reasons = message.recipient.reasons
        why = tuple([reason.text for reason in reasons if reason.kind != words.ARRIVED])
        changes = shared_changes
        if len(why) < len(reasons):
            changes = (*changes, *words.arrived(reasons, telling.wording))
        named = self._reader.named(to)
        token = "" if message.subscription is None else self._sign([message.mailbox, message.subscription], now)
        return {
            OWN.name: named.to + self._own_headers(message, telling, now, token),
            TOKEN.name: unquoted(token),
            "text.greeting": named.text,
            "text.changes": self._text.changed(changes),
            "text.why": self._text.told(why),
            "html.greeting": named.html,
            "html.changes": self._html.changed(changes),
            "html.why": self._html.told(why),
            ATTENDEE: b"" if telling.entry is None else stamp(now) + (named.attendee or attendee(to)),
        }

    def _own_headers(self, message: Claimed, telling: Telling, now: datetime, token: str) -> bytes:
        thread, name, domain = message.thread_id.hex, message.id, self.domain
        lines = (
            f"Date: {written_date(now)}\r\n"
            f"Message-ID: <{name}@{domain}>\r\n"
            "Auto-Submitted: auto-generated\r\n"
            f"Clarion-Thread: {thread}\r\n"
            f"Clarion-Revision: {message.revision}\r\n"
        )
        if token:
            lines += f"List-Unsubscribe: <{self._leaving_page}{token}>\r\n"
        if self._postmark:
            lines += f"{POSTMARK_HEADER}: {name}\r\n"
        if telling.first is not None:
            first = f"<{message_name(message.thread_id, telling.first.revision, telling.first.resend)}@{domain}>"
            lines += f"In-Reply-To: {first}\r\nReferences: {first}\r\n"
        return lines.encode("ascii")

    def _list_headers(self, subscription: str) -> bytes:
        """The list that a mail belongs to, and that its link leaves it at once."""
        list_id = f"{list_name(subscription)}.{self.domain}"
        return f"List-Id: <{list_id}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n".encode("ascii")

    def _shared_part(self, message: Claimed, content: Content, telling: Telling, room: int) -> Shared:
        entry = telling.entry
        wording = FRESHLY if telling.wording is FRESH else told_as(telling.wording)
        said = (content.id, self.editions.taken_up(content), room, wording, message.subscription)
        calendar = (entry.calendar.method, entry.sequence) if entry else None
        key = (*said, calendar, *[(ask.kind, ask.bill) for ask in message.recipient.asks])
        found = self._shared.get(key)
        if found is None:
            found = self._render_shared(message, content, telling, room)
            if content.template not in PERSONAL:
                self._shared[key] = found
            if len(self._shared) > SHARED_LIMIT:
                self._shared.popitem(last=False)
        return found

    def _render_shared(self, message: Claimed, content: Content, telling: Telling, room: int) -> Shared:
        wording = telling.wording
        body = body_of(content, message.recipient.asks, wording, room)
        own, worded = self._worded(content, body, fresh=isinstance(wording, Fresh))
        tried = TRIED_OUT if content.tried_out else ""
        subject = brief(f"{tried}{worded.subject if worded else body.subject}", SUBJECT_CHARACTERS)
        subject = shortened(subject, SUBJECT_BYTES)
        headers: Parts = [self._from, unstructured("Subject", subject), *self._reply_to(content, wording), OWN]
        if message.subscription is not None:
            headers.append(self._list_headers(message.subscription))
        shown = {**self._foot, "subject": subject}
        if worded is not None:
            plain, marked_up = self._templates["worded"]
            safe = Markup(worded.html)  # noqa: S704 - made of escaped words by wordings/written.py
            rendered = plain.render(shown, body=worded.text), marked_up.render(shown, body=safe)
        else:
            plain, marked_up = self._templates[body.template]
            rendered = plain.render(shown, **body.context), marked_up.render(shown, **body.context)
        parts = self._parts(*rendered, message.subscription, telling.entry)
        return Shared(Segments([*headers, VERSION, *parts]), tuple(body.changes), own)

    def _reply_to(self, content: Content, wording: Wording) -> Parts:
        reply_to = (wording.before if isinstance(wording, Ended) else content).reply_to
        if not reply_to or not reply_to.address or len(reply_to.address) > ADDRESS_CHARACTERS:
            return []
        return [mailbox("Reply-To", brief(reply_to.name, NAME_CHARACTERS), one_line(reply_to.address))]

    def _parts(self, text: str, html: str, subscription: str | None, entry: Entry | None) -> Parts:
        """The bodies as parts of a mail, with the list's way out and the calendar entry in their places."""
        title = None if subscription is None else title_of(subscription)
        left = [[] if title is None else own.leaving(title, self._leaving_page) for own in (self._text, self._html)]
        plain = Segments.of(text, TEXT).partly({"text.leave": left[0]})
        marked_up = Segments.of(html, HTML).partly({"html.leave": left[1]})
        if entry is None:
            return alternative(plain, marked_up)
        return invitation(plain, marked_up, self._invitations.write(entry), entry.calendar.method)

    def _worded(self, content: Content, body: Body, *, fresh: bool) -> tuple[Edition, Worded] | tuple[None, None]:
        """The body in the words of staff, if they wrote some that can be used; what changed stays in the subject."""
        own = self.editions.find(body.template, content)
        if own is None:
            return None, None
        try:
            wording = self.editions.compiled(own)
            worded = wording.write({**body.context, "subject": body.subject})
        except (Unusable, Faulty) as error:
            self.editions.give_up(own, content, str(error))
            return None, None
        keeps = fresh or wording.subject_says_what_changed
        return own, worded if keeps else worded._replace(subject=body.subject)
