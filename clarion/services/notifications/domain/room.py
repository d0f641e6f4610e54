"""How much a mail has room for: in bytes as they travel, since a name in another script takes six times its letters."""

import binascii
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape

MAIL_BYTES = 40_000
"""What a whole mail may take, as text and as HTML, with its headers and calendar entries."""
ELLIPSIS = "\u2026"
WORD_ENDS_WITHIN = 40
"""How far back a cut looks for the end of a word."""
BEYOND_ASCII = 12
"""The most that one character beyond ASCII takes in quoted-printable."""
RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
STEERING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])
"""Characters that turn the direction of what follows them."""
ISOLATE, POP = "\u2068", "\u2069"


def cost(text: str) -> int:
    """The bytes that a text takes in a mail: once as text and once as HTML, in quoted-printable."""
    plain, html = text.encode(), escape(text).encode()
    return len(binascii.b2a_qp(plain, istext=True)) + len(binascii.b2a_qp(html, istext=True))


def fits(text: str, most: int) -> bool:
    """Whether a text takes `most` bytes at most; of one that is far too long nothing is counted."""
    return 2 * len(text) <= most and cost(text) <= most


def shortened(text: str, most: int) -> str:
    """The text if it takes `most` bytes at most; else its beginning, up to the end of a word, and an ellipsis."""
    if fits(text, most):
        return text
    low, high = 0, min(len(text), most // 2)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if cost(text[:middle] + ELLIPSIS) <= most else (low, middle - 1)
    return _cut(text, low)


def brief(text: str, characters: int) -> str:
    """The text if it has so many characters at most; else its beginning and an ellipsis."""
    return text if len(text) <= characters else _cut(text, characters - 1)


def _cut(text: str, end: int) -> str:
    while end and unicodedata.combining(text[end]):
        end -= 1
    kept = text[:end]
    before, space, _ = kept.rpartition(" ")
    whole = before if space and len(kept) - len(before) <= WORD_ENDS_WITHIN and text[end] != " " else kept
    return whole.rstrip() + ELLIPSIS


def fitting(texts: Iterable[str], most: int, frame: int = 0) -> int:
    """How many of the texts, from the first, take `most` bytes at most; each has a `frame` of its own around it."""
    count, left = 0, most
    for text in texts:
        if not fits(text, left - frame):
            break
        left -= frame + cost(text)
        count += 1
    return count


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: "A", "A and B", "A, B and C"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def listed_within(names: Sequence[str], most: int) -> str:
    """The same in `most` bytes: those that do not fit are counted, as in "A, B and 12 more"."""
    if len(names) < most and fits(together := listed(names), most):
        return together
    shown = names[: max(1, fitting(names, most, 4))]
    if len(shown) == len(names):
        return listed([shortened(name, most) for name in shown])
    return listed([*(shortened(name, most) for name in shown), f"{len(names) - len(shown)} more"])


def isolated(name: str) -> str:
    """A name on one line that cannot turn the words around it: one that is read from right to left stands by itself."""
    if name.isascii() and name.isprintable():
        return name
    plain = " ".join(name.split())
    plain = plain.translate(STEERING)
    if any(unicodedata.bidirectional(character) in RIGHT_TO_LEFT for character in plain):
        return f"{ISOLATE}{plain}{POP}"
    return plain
