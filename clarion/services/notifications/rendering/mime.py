"""Headers and bodies of mail as bytes (RFC 5322, 2045, 2047); EmailMessage, far slower, is the tests' oracle."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import quote

WORD_BYTES = 45
LINE = 78
SPECIAL = re.compile(r'[\x00-\x1f\x7f]|=\?|[()<>@,:;".\[\]\\]')
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def one_line(text: str) -> str:
    """The text without control characters, so that nothing in it can begin a header of its own."""
    return CONTROL.sub(" ", text).strip()


def encoded_words(text: str) -> str:
    """The text as RFC 2047 encoded words, each short enough for a line and ending at a character's end."""
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(part).decode()}?=" for part in _pieces(text))


def _pieces(text: str) -> Iterator[bytes]:
    piece = b""
    for character in text:
        encoded = character.encode()
        if len(piece) + len(encoded) > WORD_BYTES:
            yield piece
            piece = b""
        piece += encoded
    yield piece


def unstructured(name: str, text: str) -> bytes:
    """A header whose value is free text, such as a subject."""
    clean = one_line(text)
    plain = clean.isascii() and "=?" not in clean and len(name) + 2 + len(clean) <= LINE
    return f"{name}: {clean if plain else encoded_words(clean)}\r\n".encode()


def mailbox(name: str, display: str | None, address: str) -> bytes:
    """A header that names one address; `address` must be a plain one already."""
    clean = " ".join(one_line(display).split()) if display else ""
    if not clean:
        return f"{name}: {address}\r\n".encode()
    if not clean.isascii() or "=?" in clean or len(clean) > WORD_BYTES:
        return f"{name}: {encoded_words(clean)}\r\n <{address}>\r\n".encode()
    shown = f'"{quote(clean)}" <{address}>' if SPECIAL.search(clean) else f"{clean} <{address}>"
    return f"{name}: {shown}\r\n".encode()


def quoted(text: str) -> bytes:
    """Whole lines of text as quoted-printable (RFC 2045, 6.7), each ended by CR LF."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if not lines.endswith("\n"):
        lines += "\n"
    return binascii.b2a_qp(lines.encode(), istext=True).replace(b"\n", b"\r\n")


def gap(name: str) -> str:
    """A place in a template that each recipient fills: a NUL, which no content can hold, on both sides."""
    return f"\x00{name}\x00"


@dataclass(frozen=True, slots=True)
class Segments:
    """A body in quoted-printable with gaps: bytes that all share, and names of what is a recipient's own."""

    parts: Sequence[bytes | str]

    @classmethod
    def of(cls, rendered: str) -> "Segments":
        """Split a rendered template at its gaps: lines that hold a name between NUL characters."""
        pieces = re.split(r"^[ \t]*\x00(\w+)\x00[ \t]*\n?", rendered, flags=re.MULTILINE)
        parts: list[bytes | str] = []
        for index, piece in enumerate(pieces):
            if index % 2:
                parts.append(piece)
            elif piece:
                parts.append(quoted(piece))
        return cls(parts)

    def fill(self, own: Mapping[str, bytes]) -> bytes:
        """The body with its gaps filled with what is quoted-printable already; nothing fills a gap with nothing."""
        return b"".join([part if isinstance(part, bytes) else own[part] for part in self.parts])

    def partly(self, own: Mapping[str, bytes]) -> "Segments":
        """The body with those gaps filled; the others stay."""
        joined: list[bytes | str] = []
        for part in self.parts:
            filled = own.get(part, part) if isinstance(part, str) else part
            if isinstance(filled, bytes) and joined and isinstance(joined[-1], bytes):
                joined[-1] += filled
            else:
                joined.append(filled)
        return Segments(joined)


# Quoted-printable never holds "=_", so no body can hold these.
BOUNDARY = b"=_clarion_alternative"
OUTER_BOUNDARY = b"=_clarion_mixed"
PART = b"Content-Type: %s; charset=utf-8%s\r\nContent-Transfer-Encoding: quoted-printable\r\n%s\r\n"
MULTIPART = b'Content-Type: multipart/%s;\r\n boundary="%s"\r\n\r\n'
TEXT = PART % (b"text/plain", b"", b"")
HTML = PART % (b"text/html", b"", b"")
ATTACHED = b'Content-Disposition: attachment; filename="invite.ics"\r\n'
VERSION = b"MIME-Version: 1.0\r\n"


def multipart(subtype: bytes, boundary: bytes, *parts: bytes) -> bytes:
    """Parts, each with its headers, as one with its own."""
    edge = b"\r\n--" + boundary
    head = MULTIPART % (subtype, boundary) + b"--" + boundary + b"\r\n"
    return head + (edge + b"\r\n").join(parts) + edge + b"--\r\n"


def alternative(headers: Sequence[bytes], text: bytes, html: bytes) -> bytes:
    """A whole mail: its headers and one content as text and as HTML."""
    return b"".join((*headers, VERSION, multipart(b"alternative", BOUNDARY, TEXT + text, HTML + html)))


def invitation(headers: Sequence[bytes], text: bytes, html: bytes, calendar: bytes, method: str) -> bytes:
    """A whole mail with a calendar entry: an alternative for clients that act on it, a file for the others."""
    kind = b"; method=" + method.encode()
    shown = PART % (b"text/calendar", kind, b"") + calendar
    attached = PART % (b"text/calendar", kind + b'; name="invite.ics"', ATTACHED) + calendar
    body = multipart(b"alternative", BOUNDARY, TEXT + text, HTML + html, shown)
    return b"".join((*headers, VERSION, multipart(b"mixed", OUTER_BOUNDARY, body, attached)))
