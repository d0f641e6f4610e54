"""What a mailbox is to be told: the newest state, what of it is new to them, or nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from clarion.schemas.messages import CalendarEntry, Fact
from clarion.services.notifications.domain.messages import Content

UNTOLD = "ended before anything was told"
NOTHING_NEW = "nothing changed of what was told"


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that differs from what was told: `was` is None for a new one, `now` for one that is gone."""

    key: str
    label: str
    now: str | None
    was: str | None


CALLED_OFF = Change("status", "Status", "Cancelled", None)
BACK_ON = Change("status", "Status", None, "Cancelled")


@dataclass(frozen=True, slots=True)
class Told:
    """An earlier message of the thread that may have been received; `sure` unless it is in doubt.

    A message in doubt twice counts as told, since it is not sent a third time. `named` are the officials it was for.
    """

    revision: int
    content: Content
    sure: bool
    sequence: int | None = None
    named: frozenset[str] = frozenset()
    resend: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """The calendar entry of a mail, with its place among the entries of the thread."""

    calendar: CalendarEntry
    sequence: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nothing was told: the newest state is."""


FRESH = Fresh()


@dataclass(frozen=True, slots=True)
class Amended:
    """Something was told: the changes first, then the newest state."""

    before: Content
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Again:
    """They were told that it no longer concerns them; it does."""


@dataclass(frozen=True, slots=True)
class Ended:
    """It no longer concerns those who were told `before`."""

    before: Content


Wording = Fresh | Amended | Again | Ended


@dataclass(frozen=True, slots=True)
class Telling:
    """How a mail is worded, the thread's first mail if it is not this one, and the calendar entry.

    It is for `readers` alone; None: for everyone who reads the mailbox.
    """

    wording: Wording = FRESH
    first: Told | None = None
    entry: Entry | None = None
    readers: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Unneeded:
    """There is nothing to tell."""

    reason: str


def tell(
    content: Content, told: Sequence[Told], elsewhere: Collection[str] = (), readers: Collection[str] = ()
) -> Telling | Unneeded:
    """What a message of this content becomes where these were told before, newest first.

    A change of the facts with the keys `elsewhere` is told by another matter, so it is none here. `readers` are the
    officials who read the mailbox, each of whom knows what named them; without them all that was told counts.
    """
    if not told:
        return _begun(content)
    found = _worded(content, told, elsewhere, frozenset(readers))
    if isinstance(found, Unneeded):
        return found
    wording, named = found
    entry = content.calendar
    if isinstance(wording, Ended):
        entry = _taken_back(entry or wording.before.calendar)
    sent = [one.sequence for one in told if one.sequence is not None]
    if entry is not None and entry.method == "CANCEL" and not sent:
        entry = None
    return Telling(
        wording,
        min(told, key=lambda one: one.revision, default=None),
        Entry(entry, max(sent, default=-1) + 1) if entry else None,
        named,
    )


@lru_cache(maxsize=64)
def _begun(content: Content) -> Telling | Unneeded:
    """What nobody of the mailbox was told anything of before."""
    if content.withdrawn or content.called_off:
        return Unneeded(UNTOLD)
    entry = content.calendar
    return Telling(FRESH, entry=Entry(entry, 0)) if entry and entry.method != "CANCEL" else Telling(FRESH)


def _worded(
    content: Content, told: Sequence[Told], elsewhere: Collection[str], readers: Collection[str]
) -> tuple[Wording, frozenset[str] | None] | Unneeded:
    """How it is worded, and for whom alone. Where readers know different things it is worded for who knows some."""
    if not readers:
        found = _wording(content, told, elsewhere)
        return found if isinstance(found, Unneeded) else (found, None)
    each = {one: _wording(content, [row for row in told if one in row.named], elsewhere) for one in readers}
    needed = {one: wording for one, wording in each.items() if not isinstance(wording, Unneeded)}
    if not needed:
        return Unneeded(NOTHING_NEW if Unneeded(NOTHING_NEW) in each.values() else UNTOLD)
    wording = next((one for one in needed.values() if not isinstance(one, Fresh)), Fresh())
    return wording, frozenset(needed) if len(needed) < len(each) else None


def _wording(content: Content, told: Sequence[Told], elsewhere: Collection[str]) -> Wording | Unneeded:
    """Every state that the reader may know last is compared: those in doubt, down to the first that is sure."""
    for last in told:
        wording = _compared(last.content, content, elsewhere)
        if wording is not None:
            return wording
        if last.sure:
            return Unneeded(NOTHING_NEW)
    return Unneeded(UNTOLD) if content.withdrawn or content.called_off else Fresh()


def _compared(last: Content, content: Content, elsewhere: Collection[str]) -> Wording | None:
    if content.withdrawn:
        return None if last.withdrawn else Ended(last)
    if last.withdrawn:
        return None if content.called_off else Again()
    if last.called_off and content.called_off:
        return None
    changes = tuple(one for one in differences(last.facts, content.facts) if one.key not in elsewhere)
    if last.called_off != content.called_off and all(change.key != "status" for change in changes):
        changes = (CALLED_OFF if content.called_off else BACK_ON, *changes)
    return Amended(last, changes) if changes else None


def differences(told: Sequence[Fact], now: Sequence[Fact]) -> tuple[Change, ...]:
    """The material facts that differ, as ordered now; what is gone comes last."""
    before = {fact.key: fact for fact in told}
    after = {fact.key: fact for fact in now}
    changed = [
        Change(key, fact.label, fact.text, before[key].text if key in before else None)
        for key, fact in after.items()
        if _differs(before.get(key), fact)
    ]
    gone = [
        Change(key, fact.label, None, fact.text) for key, fact in before.items() if key not in after and fact.material
    ]
    return (*changed, *gone)


def _differs(was: Fact | None, now: Fact) -> bool:
    if was is None:
        return now.material
    return was.text != now.text and (was.material or now.material)


def _taken_back(entry: CalendarEntry | None) -> CalendarEntry | None:
    return entry.model_copy(update={"method": "CANCEL"}) if entry else None
