"""What registrations keeps of a person, giving up their seats, and forgetting them."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.people import Erased, Person
from clarion.services.registrations import repository
from clarion.services.registrations.desk import Desk, tell
from clarion.services.registrations.domain.admission import ACTIVE, Admission, Registration
from clarion.services.registrations.operations import keep
from clarion.services.registrations.repository import queries

CONTACTS = ("contact", "enquiries")
"""The people of an event who have addresses."""


async def export(connection: Connection, who: Person) -> dict[str, JsonValue]:
    """Every registration with its answers, and the events that name the person as the one to ask."""
    asked = _asked(who)
    registrations = [dict(row) async for row in queries.registrations_kept(connection, **asked)]
    early = [dict(row) async for row in queries.early_kept(connection, **asked)]
    events = [row["slug"] async for row in queries.events_naming(connection, **asked)]
    for one in registrations:
        # It opens the registration's page; whoever reads the export is not to get more than what it shows.
        del one["token"]
    return dict(
        to_jsonable_python({"registrations": registrations, "early_cancellations": early, "contact_of": events})
    )


async def erase(tx: Transaction, desk: Desk, who: Person) -> Erased:
    """Give up seats at coming events, which go to the next in line, and forget who registered; counts stay."""
    asked = _asked(who)
    found = [row async for row in queries.registrations_kept(tx.connection, **asked)]
    now = desk.clock()
    coming = [row for row in found if row["ends_at"] is not None and row["ends_at"] > now]
    active = [row["id"] for row in coming if row["status"] in ACTIVE]
    for event_id in sorted({row["event_id"] for row in coming if row["id"] in active}):
        await _give_up(tx, desk, event_id, active)
    ids = [row["id"] for row in found]
    gone = [row async for row in queries.forget_registrations(tx.connection, ids=ids)]
    early = [row async for row in queries.forget_early(tx.connection, **asked, ids=ids)]
    contacts = await _forget_contacts(tx.connection, who)
    return Erased(
        {
            "registrations": len(gone),
            "seats_given_up": len(active),
            "early_cancellations": len(early),
            "contacts": contacts,
        }
    )


async def _give_up(tx: Transaction, desk: Desk, event_id: str, ids: Sequence[str]) -> None:
    event = (await repository.lock_webinars(tx.connection, [event_id]))[event_id]
    theirs = await repository.find_by_ids(tx.connection, ids)
    leaving = [one for one in theirs.values() if one.event_id == event_id and one.status in ACTIVE]
    first = await repository.first_waiting(tx.connection, {event_id: 2 * len(leaving)})
    places = await repository.places(tx.connection, leaving)
    known: dict[str, Registration] = {one.id: one for one in leaving}
    admission = Admission(event.seats, known.values(), [known.get(one.id, one) for one in first], places)
    for one in leaving:
        admission.cancel(one, "erased")
    await keep(tx, admission, desk.clock())
    await tell(tx, desk, event, [answer for answer in admission.answers if answer.registration.id not in known])


async def _forget_contacts(connection: Connection, who: Person) -> int:
    asked = _asked(who)
    events = [row async for row in queries.events_naming(connection, **asked)]
    for row in events:
        await queries.describe_again(connection, id=row["id"], description=_without(row["description"], who))
    async for row in queries.tellings_naming(connection, **asked):
        await queries.describe_telling(connection, id=row["id"], description=_without(row["description"], who))
    return len(events)


def _without(description: Mapping[str, Any], who: Person) -> dict[str, Any]:
    """An event without its contacts of this address."""
    address = who.address.casefold()
    return {
        name: None if name in CONTACTS and value and str(value.get("address")).casefold() == address else value
        for name, value in description.items()
    }


def _asked(who: Person) -> dict[str, Any]:
    return {"mailbox": who.mailbox, "address": who.address, "names": who.folded_names, "alone": who.alone}
