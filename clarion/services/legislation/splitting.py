"""A list of hearings that fits no record travels as several, each of which names the hearings of the others too.

So each of them is a statement of its own, in whatever order they are heard, and none withdraws what another one has.
"""

from collections.abc import Iterator
from dataclasses import replace

from pydantic import BaseModel

from clarion.schemas.legislation import HearingCalendar, HearingCalendarPart, HearingNotice
from clarion.schemas.topics import LEGISLATION_UPDATES
from clarion.services.legislation.update import Update

HEADERS_BYTES = 10_000
"""What the attributes of an event may take of its topic's size, at most."""
MOST_BYTES = LEGISLATION_UPDATES.max_bytes - HEADERS_BYTES
PART_BYTES = 250_000
"""About how much of a list that is split goes into one record: so much is heard in one transaction."""
LONGEST_ID = 480
TOO_LONG = (
    "it does not fit a record of {most:,} bytes with the ids of the whole list: shorten it, or send a list for each"
    " committee"
)
PART_TYPE = "hearing.calendar-part"
PART = "#part-"
"""Between the id of an update and the number of its second and later parts."""


def size_mistakes(data: BaseModel, event_id: str | None) -> Iterator[tuple[str, str]]:
    """Why a body fits no record, as pairs of field and message; a list may go in parts."""
    if size_of(data) <= MOST_BYTES:
        return
    if not isinstance(data, HearingCalendar) or not data.hearings:
        yield "", f"an event may have {LEGISLATION_UPDATES.max_bytes:,} bytes"
        return
    if event_id is not None and len(event_id) > LONGEST_ID:
        yield "", f"the list is sent in parts: its event's id may have {LONGEST_ID} characters"
    names = sum(len(name.encode()) + 3 for name in data.listed)
    sizes = enumerate(map(size_of, data.hearings))
    place, longest = max(sizes, key=lambda one: one[1])
    if longest + names > MOST_BYTES - HEADERS_BYTES:
        yield f"hearings[{place}]", TOO_LONG.format(most=LEGISLATION_UPDATES.max_bytes)


def parts_of(update: Update) -> list[Update]:
    """The update alone, or if it is a list that fits no record, its parts; the first has the update's id."""
    if not isinstance(update.data, HearingCalendar) or size_of(update.data) <= MOST_BYTES:
        return [update]
    return [
        replace(update, data=part, type=PART_TYPE, id=update.id if number == 1 else f"{update.id}{PART}{number}")
        for number, part in enumerate(split(update.data), 1)
    ]


def split(calendar: HearingCalendar) -> Iterator[HearingCalendarPart]:
    """Lists of about `PART_BYTES` that say the same together."""
    for group in grouped(calendar.hearings):
        others = calendar.listed - {notice.hearing_id for notice in group}
        yield HearingCalendarPart(
            jurisdiction=calendar.jurisdiction,
            committee=calendar.committee,
            hearings=group,
            also_listed=sorted(others),
        )


def grouped(notices: list[HearingNotice]) -> Iterator[list[HearingNotice]]:
    """Notices in their order, of about `PART_BYTES` together or one that is longer."""
    group: list[HearingNotice] = []
    size = 0
    for notice in notices:
        more = size_of(notice)
        if group and size + more > PART_BYTES:
            yield group
            group, size = [], 0
        group.append(notice)
        size += more
    yield group


def size_of(data: BaseModel) -> int:
    """How many bytes it takes in a record."""
    return len(data.model_dump_json().encode())
