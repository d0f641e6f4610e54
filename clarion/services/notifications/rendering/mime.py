"""Headers and bodies of mail as bytes (RFC 5322, 2045, 2047); EmailMessage, far slower, is the tests' oracle."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import quote
from itertools import chain
from typing import Any

WORD_BYTES = 45
LINE = 78
TOKEN_LINE = 72
LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
SPECIAL = re.compile(r'[\x00-\x1f\x7f]|=\?|[()<>@,:;".\[\]\\]')
NOTHING_TO_QUOTE = re.compile(r"(?!\.)[ -<>-~]{0,74}[!-<>-~]\n")
"""A short line of printable ASCII without an equals sign, a dot at its beginning or a space at its end."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def one_line(text: str) -> str:
    """The text without control characters, so that nothing in it can begin a header of its own."""
    return text.strip() if text.isprintable() else CONTROL.sub(" ", text).strip()


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
    """Whole lines of text as quoted-printable (RFC 2045, 6.7), each ended by CR LF; none begins with a dot."""
    if NOTHING_TO_QUOTE.fullmatch(text):
        return f"{text[:-1]}\r\n".encode("ascii")
    lines = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    if not lines.endswith("\n"):
        lines += "\n"
    encoded = binascii.b2a_qp(lines.encode(), istext=True)
    return undotted(encoded).replace(b"\n", b"\r\n")


def undotted(encoded: bytes) -> bytes:
    """Quoted-printable in which a line's first dot stands as its code, so that SMTP need not double it."""
    while b"\n." in encoded or encoded.startswith(b"."):
        # A soft line break follows, so that no line becomes too long.
        encoded = LEADING_DOT.sub(b"=2E=\n", encoded)
    return encoded


def continued(text: str) -> bytes:
    """Text as quoted-printable up to the place where something stands that needs no quoting, on a line of its own."""
    # The letter stands for what follows, so that the last line has room for the soft line break.
    return undotted(binascii.b2a_qp(f"{text}A".encode(), istext=True)[:-1] + b"=\n").replace(b"\n", b"\r\n")


def unquoted(token: str) -> bytes:
    """Letters, digits, dots, hyphens and underscores in quoted-printable, which goes on after them."""
    lines = [token[start : start + TOKEN_LINE] for start in range(0, len(token), TOKEN_LINE)]
    said = "=\r\n".join([*lines, ""])
    if "\n." in said or said.startswith("."):
        said = "=\r\n".join([f"=2E{line[1:]}" if line[0] == "." else line for line in lines] + [""])
    return said.encode("ascii")


def gap(name: str) -> str:
    """A place in a template that each recipient fills: a NUL, which no content can hold, on both sides."""
    return f"\x00{name}\x00"


@dataclass(frozen=True, slots=True)
class Gap:
    """A place that each recipient fills."""

    name: str


Parts = list[bytes | Gap]


class Segments:
    """Bytes that all share, with gaps for what is a recipient's own."""

    __slots__ = ("_gaps", "parts")

    def __init__(self, parts: Iterable[bytes | Gap]) -> None:
        self.parts: Parts = []
        for part in parts:
            last = self.parts[-1] if self.parts else None
            if isinstance(part, bytes) and isinstance(last, bytes):
                self.parts[-1] = last + part
            else:
                self.parts.append(part)
        self._gaps = [(index, part.name) for index, part in enumerate(self.parts) if isinstance(part, Gap)]

    @classmethod
    def of(cls, rendered: str, kind: str = "") -> "Segments":
        """A body in quoted-printable from a rendered template, whose gaps are lines that hold a name between NULs.

        `kind` goes before the names, where bodies of several kinds become one mail.
        """
        pieces = re.split(r"^[ \t]*\x00(\w+)\x00[ \t]*\n?", rendered, flags=re.MULTILINE)
        return cls(
            Gap(kind + piece) if index % 2 else quoted(piece)
            for index, piece in enumerate(pieces)
            if index % 2 or piece
        )

    def fill(self, own: Mapping[str, bytes]) -> list[bytes]:
        """The whole in pieces, its gaps filled with what is quoted already; nothing fills a gap with nothing."""
        filled: list[Any] = self.parts.copy()
        for index, name in self._gaps:
            filled[index] = own[name]
        return filled

    def partly(self, own: Mapping[str, Parts]) -> "Segments":
        """The whole with those gaps filled, by what may have gaps itself; the others stay."""
        filled = (own.get(part.name, [part]) if isinstance(part, Gap) else [part] for part in self.parts)
        return Segments(chain.from_iterable(filled))


# Quoted-printable never holds "=_", so no body can hold these.
BOUNDARY = b"=_clarion_alternative"
OUTER_BOUNDARY = b"=_clarion_mixed"
PART = b"Content-Type: %s; charset=utf-8%s\r\nContent-Transfer-Encoding: quoted-printable\r\n%s\r\n"
MULTIPART = b'Content-Type: multipart/%s;\r\n boundary="%s"\r\n\r\n'
TEXT = PART % (b"text/plain", b"", b"")
HTML = PART % (b"text/html", b"", b"")
ATTACHED = b'Content-Disposition: attachment; filename="invite.ics"\r\n'
VERSION = b"MIME-Version: 1.0\r\n"


def multipart(subtype: bytes, boundary: bytes, *parts: Parts) -> Parts:
    """Parts, each with its headers, as one with its own."""
    edge = b"--" + boundary
    inner = [piece for part in parts for piece in (edge + b"\r\n", *part, b"\r\n")]
    return [MULTIPART % (subtype, boundary), *inner, edge + b"--\r\n"]


def alternative(text: Segments, html: Segments) -> Parts:
    """The content of a mail as text and as HTML."""
    return multipart(b"alternative", BOUNDARY, [TEXT, *text.parts], [HTML, *html.parts])


def invitation(text: Segments, html: Segments, calendar: Segments, method: str) -> Parts:
    """The same with a calendar entry: an alternative for clients that act on it, a file for the others."""
    kind = b"; method=" + method.encode()
    shown: Parts = [PART % (b"text/calendar", kind, b""), *calendar.parts]
    attached: Parts = [PART % (b"text/calendar", kind + b'; name="invite.ics"', ATTACHED), *calendar.parts]
    body = multipart(b"alternative", BOUNDARY, [TEXT, *text.parts], [HTML, *html.parts], shown)
    return multipart(b"mixed", OUTER_BOUNDARY, body, attached)
