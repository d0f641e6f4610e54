"""What the recipients of a wave would read, as a short text that tells two states apart and says what differs."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from clarion.schemas.messages import CallBill, CallContent, Fact

DIGITS = 10
BILL = "bill:"
TEXTS = "texts:"
PARAGRAPH = "paragraph"
ASKS = "asks"
NOTICE = "notice"
UNKNOWN_LOOK = "what was looked at is not known here: look again"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a recipient would read; `now` says for people what it is."""

    text: str
    now: str


Parts = Mapping[str, Part]


def parts_of(facts: Sequence[Fact], content: CallContent, paragraph: str | None, *, letters_open: bool) -> Parts:
    """All that the recipients of a wave would read, by what it is about."""
    parts = parts_of_facts(facts)
    for bill in content.bills:
        parts[f"{TEXTS}{bill.bill}"] = Part(_texts(bill), f"{bill.bill}: its texts are other ones")
    parts[ASKS] = Part(str(letters_open), _asks_now(letters_open=letters_open))
    if content.notice_url:
        parts[NOTICE] = Part(content.notice_url, f"The notice is now at {content.notice_url}")
    if paragraph:
        parts[PARAGRAPH] = Part(paragraph, "The division's own paragraph is another one")
    return parts


def parts_of_facts(facts: Sequence[Fact]) -> dict[str, Part]:
    """What is stated, by what it is about."""
    return {fact.key: Part(fact.text, f"{fact.label}: now {fact.text}") for fact in facts}


def look_of(parts: Parts) -> str:
    """The look of these parts. It is made of them alone, so the same parts have the same look wherever it is made."""
    return ",".join(f"{quote(key, safe=':')}={_digest(part.text)}" for key, part in sorted(parts.items()))


def changes(look: str, parts: Parts) -> list[str]:
    """What is other now than it was when this look was shown, as sentences; empty if nothing is."""
    shown = _read(look)
    if not shown:
        return [UNKNOWN_LOOK]
    said = [part.now for key, part in parts.items() if key in shown and shown[key] != _digest(part.text)]
    said += [_come(key, part) for key, part in parts.items() if key not in shown and not _is_texts(key)]
    said += [_gone(key) for key in shown if key not in parts and not _is_texts(key)]
    return said


def _read(look: str) -> dict[str, str]:
    pairs = (each.rpartition("=") for each in look.split(","))
    return {unquote(key): digest for key, equals, digest in pairs if equals and len(digest) == DIGITS}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def _texts(bill: CallBill) -> str:
    return bill.model_dump_json()


def _is_texts(key: str) -> bool:
    """The texts of a bill come and go with its fact, which says so."""
    return key.startswith(TEXTS)


def _come(key: str, part: Part) -> str:
    return f"New: {part.now.replace(': now ', ': ', 1)}" if key.startswith(BILL) else part.now


def _gone(key: str) -> str:
    if key.startswith(BILL):
        return f"{key.removeprefix(BILL)} is no longer asked about"
    return {
        PARAGRAPH: "The division's own paragraph is gone",
        NOTICE: "The notice has no address any more",
        "status": "It is on again",
        "where": "No place is named any more",
    }.get(key, f"{key} is no longer told")


def _asks_now(*, letters_open: bool) -> str:
    return "Letters are asked for" if letters_open else "It is too late for letters now: what still helps is asked"
