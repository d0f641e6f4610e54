"""The words of what changed: a line each for the mail, and the shortest for its subject."""

from collections.abc import Sequence
from dataclasses import dataclass

from clarion.services.notifications.domain.room import fitting, listed, shortened
from clarion.services.notifications.domain.telling import Change

HEADLINES = {
    "when": "Moved",
    "where": "New place",
    "committee": "New committee",
    "letters_due": "New deadline for letters",
    "join": "New link to join",
    "event": "New title",
}
LOWERED = frozenset(HEADLINES.values())
HEADLINES_SHOWN = 2
LINES_BYTES, LINE_BYTES, FRAME = 3_500, 500, 60
"""What the changes of a mail may take, as text and as HTML, and one of them."""


def sentence(text: str) -> str:
    """The text with a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def ordered(changes: Sequence[Change]) -> list[Change]:
    """What matters most first: whether it is held at all, then when, then the rest."""
    rank = {"status": 0, "when": 1}
    return sorted(changes, key=lambda change: rank.get(change.key, 2))


@dataclass(frozen=True, slots=True)
class Line:
    """A change as it is read: what is new, and what it was."""

    now: str
    was: str | None = None

    def __str__(self) -> str:
        return f"{self.now}, was {self.was}" if self.was else self.now


def lines(changes: Sequence[Change], matter: str, *, called_off: bool) -> list[Line]:
    """A line for each change; of what is called off only that, with the `matter` named."""
    status = next((change for change in changes if change.key == "status"), None)
    if called_off and status is not None and status.now is not None:
        return [Line(f"{status.now}: {matter}")]
    return [line(change, matter) for change in ordered(changes)]


def line(change: Change, matter: str) -> Line:
    """One change: "Moved: now Thursday 9:30, was Wednesday 13:30"."""
    if change.key == "status" and (change.now is None or change.was in {None, "Cancelled"}):
        return Line(f"{change.now or 'Back on'}: {matter}")
    if change.key.startswith("bill:") and None in (change.now, change.was):
        return Line(f"{change.label} {'taken off' if change.now is None else 'added'}")
    if change.was is None:
        return Line(f"{change.label}: {change.now}")
    if change.now is None:
        return Line(f"{change.label}: no longer {change.was}")
    lead = "Moved" if change.key == "when" else change.label
    return Line(f"{lead}: now {change.now}", change.was)


def shown(changes: Sequence[Line]) -> list[Line]:
    """As many of the changes as there is room for, none longer than a few lines; the others are counted."""
    short = [
        Line(shortened(one.now, LINE_BYTES), shortened(one.was, LINE_BYTES) if one.was else None) for one in changes
    ]
    count = fitting(map(str, short), LINES_BYTES, FRAME)
    more = len(short) - count
    return [*short[:count], Line(f"{more} more; all that holds now stands below")] if more else short


def headline(changes: Sequence[Change]) -> str:
    """The changes in a few words: "Moved, SB 80 added"."""
    status = [change for change in changes if change.key == "status"]
    rest = [change for change in ordered(changes) if change.key != "status" and not change.key.startswith("bill:")]
    words = [_status_words(change) for change in status]
    words += [HEADLINES.get(change.key, f"{change.label} changed") for change in rest]
    words += _bill_words([change for change in changes if change.key.startswith("bill:")])
    first, *others = (word[0].lower() + word[1:] if word in LOWERED else word for word in words[:HEADLINES_SHOWN])
    shown = ", ".join([first[0].upper() + first[1:], *others])
    return f"{shown} and more" if len(words) > HEADLINES_SHOWN else shown


def _status_words(change: Change) -> str:
    return change.now.partition(":")[0] if change.now else "Back on"


def _bill_words(changes: Sequence[Change]) -> list[str]:
    added = [change.label for change in changes if change.was is None]
    gone = [change.label for change in changes if change.now is None]
    other = [change.label for change in changes if change.now is not None and change.was is not None]
    named = ((added, "added"), (gone, "taken off"), (other, "changed"))
    return [f"{_some(bills)} {what}" for bills, what in named if bills]


def _some(bills: Sequence[str]) -> str:
    return listed(bills) if len(bills) <= 2 else f"{bills[0]} and {len(bills) - 1} more"
