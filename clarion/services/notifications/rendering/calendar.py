"""Calendar entries that go with mail (iCalendar, RFC 5545; iTIP, RFC 5546).

What all recipients share is written once for a content; what is their own are lines in its gaps.
"""

import re
from collections import OrderedDict
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from icalendar import Calendar, Event, vText

from clarion.schemas.messages import CalendarEntry
from clarion.services.notifications.domain.calendar import times, trimmed
from clarion.services.notifications.domain.messages import Addressed
from clarion.services.notifications.domain.room import brief
from clarion.services.notifications.domain.telling import Entry
from clarion.services.notifications.rendering.mime import Segments, gap, one_line, quoted

PRODUCT = "-//Clarion//Clarion//EN"
FOLD = 75
MAILTO = "@!$'*+^_`{|}~.-"
"""What stands in an address of a mailto: link as it is (RFC 6068)."""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
SHARED_LIMIT = 256
NAME_CHARACTERS = 100
ATTENDEE = "attendee"
OWN = ("uid", "sequence", "location", "url", ATTENDEE)


class Invitations:
    """Writes entries; `address` is who sends them, which clients hold against the mail's From."""

    def __init__(self, display: str, address: str) -> None:
        self._organizer = property_line("ORGANIZER", f"mailto:{address}", display)
        self._shared: OrderedDict[str, Segments] = OrderedDict()

    def write(self, entry: Entry) -> Segments:
        """The entry as the quoted-printable body of a part, with a gap for when and for whom it was written."""
        calendar = trimmed(entry.calendar)
        lines = {
            "uid": text_line("UID", calendar.uid),
            "sequence": f"SEQUENCE:{entry.sequence}\n",
            "location": text_line("LOCATION", calendar.location) if calendar.location else "",
            "url": folded(f"URL:{one_line(calendar.url)}") if calendar.url else "",
        }
        return self._skeleton(calendar).partly({name: [quoted(line)] if line else [] for name, line in lines.items()})

    def _skeleton(self, entry: CalendarEntry) -> Segments:
        key = entry.model_dump_json(exclude={"uid", "location", "url"})
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = self._build(entry)
            if len(self._shared) > SHARED_LIMIT:
                self._shared.popitem(last=False)
        return found

    def _build(self, entry: CalendarEntry) -> Segments:
        calendar = Calendar()
        calendar.add("prodid", PRODUCT)
        calendar.add("version", "2.0")
        calendar.add("method", entry.method)
        calendar.add_component(_event(entry))
        before, end, after = calendar.to_ical().decode().rpartition("END:VEVENT")
        own = "".join(gap(name) + "\n" for name in OWN)
        return Segments.of(f"{before}{self._organizer}{own}{end}{after}")


@lru_cache(maxsize=16)
def stamp(now: datetime) -> bytes:
    """The line that says when an entry was written."""
    return quoted(f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}\n")


def attendee(to: Addressed) -> bytes:
    """The line that says whom an entry is for."""
    name = to.name and brief(to.name, NAME_CHARACTERS)
    address = quote(to.address, MAILTO)
    return quoted(property_line("ATTENDEE", f"mailto:{address}", name, ";ROLE=REQ-PARTICIPANT;RSVP=FALSE"))


def _event(entry: CalendarEntry) -> Event:
    event = Event()
    begins, ends = times(entry)
    fields: dict[str, Any] = {
        "summary": entry.summary,
        "dtstart": begins,
        "dtend": ends,
        "description": entry.description,
        "status": "CANCELLED" if entry.method == "CANCEL" else "CONFIRMED",
    }
    for name, value in fields.items():
        if value is not None:
            event.add(name, printable(value) if isinstance(value, str) else value)
    return event


def text_line(name: str, value: str) -> str:
    """A property whose value is text."""
    return folded(f"{name}:{vText(printable(value)).to_ical().decode()}")


def printable(text: str) -> str:
    """The text without the control characters that a calendar cannot hold (RFC 5545, 3.1)."""
    return CONTROL.sub(" ", text.replace("\r\n", "\n"))


def property_line(name: str, value: str, display: str | None, parameters: str = "") -> str:
    """A property that names a person; a parameter's text can hold neither quotes nor control characters."""
    clean = " ".join(one_line(display).replace('"', "'").split()) if display else ""
    common_name = f';CN="{clean}"' if clean else ""
    return folded(f"{name}{common_name}{parameters}:{value}")


def folded(line: str) -> str:
    """A line cut into lines of at most 75 bytes (RFC 5545, 3.1), never within a character."""
    if line.isascii():
        if len(line) < 2 * FOLD:
            return f"{line[:FOLD]}\n {line[FOLD:]}\n" if len(line) > FOLD else f"{line}\n"
        rest = range(FOLD, len(line), FOLD - 1)
        return "\n ".join([line[:FOLD], *(line[start : start + FOLD - 1] for start in rest)]) + "\n"
    cut, room = [""], FOLD
    for character in line:
        size = len(character.encode())
        if size > room:
            cut.append("")
            room = FOLD - 1
        cut[-1] += character
        room -= size
    return "\n ".join(cut) + "\n"
