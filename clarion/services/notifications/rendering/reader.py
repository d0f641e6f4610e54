"""A mail's reader in each form in which a mail names them."""

import re
from typing import NamedTuple

from clarion.services.notifications.domain.call import salutation
from clarion.services.notifications.domain.messages import Addressed
from clarion.services.notifications.domain.room import brief
from clarion.services.notifications.rendering.mime import NOTHING_TO_QUOTE, mailbox
from clarion.services.notifications.rendering.own import Own

NAME_CHARACTERS = 100
PLAIN = re.compile(r"(?=.{1,45}\Z)[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*")
"""A short name that is written alike in headers, text, HTML and calendars."""
LONGEST = "A" * 45
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9@.+_-]{1,60}")


class Named(NamedTuple):
    """The To header, the greeting as text and as HTML, and the attendee of a calendar entry if it is at hand."""

    to: bytes
    text: bytes
    html: bytes
    attendee: bytes = b""


class Reader:
    """Names readers: most have a name and an address that need neither quoting, escaping nor folding anywhere."""

    def __init__(self, text: Own, html: Own) -> None:
        self._text = text
        self._html = html
        self._frames = text.plain_greeting, html.plain_greeting
        greetings = [f"{before}{LONGEST}{after[:-2]}\n" for before, after in self._frames]
        self._plain = all(map(NOTHING_TO_QUOTE.fullmatch, greetings))

    def named(self, to: Addressed) -> Named:
        """The reader as the mail names them."""
        names, name = salutation(to), to.name
        if self._plain and name and name in names and PLAIN.fullmatch(names) and PLAIN_ADDRESS.fullmatch(to.address):
            return self._plainly(names, name, to.address)
        header = mailbox("To", name and brief(name, NAME_CHARACTERS), to.address)
        return Named(header, self._text.greeting(names), self._html.greeting(names))

    def _plainly(self, names: str, name: str, address: str) -> Named:
        (before, after), (html_before, html_after) = self._frames
        return Named(
            f"To: {name} <{address}>\r\n".encode(),
            f"{before}{names}{after}".encode(),
            f"{html_before}{names}{html_after}".encode(),
            # Folded between its parts, so that no line is too long (RFC 5545, 3.1) for quoted-printable either.
            f'ATTENDEE;ROLE=3DREQ-PARTICIPANT;RSVP=3DFALSE\r\n ;CN=3D"{name}"\r\n :mailto:{address}\r\n'.encode(),
        )
