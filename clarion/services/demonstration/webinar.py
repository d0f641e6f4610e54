"""A rush on a webinar: more people than seats, some who cancel, and as many who move up."""

from collections import Counter
from collections.abc import Sequence

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, open_database
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.schemas.registrations import CancellationRequested, RegistrationRequested
from clarion.schemas.topics import REGISTRATIONS_REQUESTS
from clarion.services.demonstration.mails import Mailroom
from clarion.services.demonstration.narrator import Narrator, soon
from clarion.services.registrations import repository
from clarion.services.registrations.repository import Event
from clarion.services.registrations.sample import create_sample_webinar
from clarion.services.stack import RunningStack

SEATS, PEOPLE, LEAVERS = 1_000, 1_200, 20
SOURCE = "https://host.example/"


async def show_webinar(stack: RunningStack, narrator: Narrator, mailroom: Mailroom) -> None:
    """1,200 people ask for 1,000 seats over Kafka, 20 of those confirmed cancel, 20 who waited move up."""
    async with open_database(stack.settings, "registrations") as database:
        event = await create_sample_webinar(database, stack.site, system_clock)
        everyone = [f"person-{number:04d}@webinar.example" for number in range(PEOPLE)]
        since = system_clock()
        await ask(database, event, everyone)
        confirmed, waiting = await soon("an answer to every request", lambda: answered(database, event))
        narrator.tell(
            "webinar",
            f"{PEOPLE:,} people ask for {SEATS:,} seats: {len(confirmed):,} confirmed, {len(waiting):,} wait",
            confirmed=len(confirmed),
            waiting=len(waiting),
        )
        await mailroom.expect("mail", "confirmations and places caught", Counter(everyone), since)

        since = system_clock()
        leavers = confirmed[:LEAVERS]
        await cancel(database, event, leavers)
        promoted = await soon("the promotions", lambda: moved_up(database, event, waiting))
        narrator.tell(
            "seats", f"{LEAVERS} cancel, {len(promoted)} move up from the waiting list", promoted=len(promoted)
        )
        await mailroom.expect("mail", "cancellations and promotions caught", Counter([*leavers, *promoted]), since)


async def ask(database: Database, event: Event, people: Sequence[str]) -> None:
    """Publish a request for each of these addresses, as a host's own site does."""
    requests = [
        RegistrationRequested(
            event_id=event.id, name=address.partition("@")[0].title(), email=address, answers={"city": "Pleasantville"}
        )
        for address in people
    ]
    async with database.transaction() as tx:
        await enqueue(
            tx,
            [
                Outgoing(REGISTRATIONS_REQUESTS, event.id, "registration.requested", request, source=SOURCE)
                for request in requests
            ],
        )


async def cancel(database: Database, event: Event, people: Sequence[str]) -> None:
    """Publish the wish of each of these to give the seat back."""
    wishes = [CancellationRequested(event_id=event.id, email=address) for address in people]
    kind = "registration.cancellation-requested"
    async with database.transaction() as tx:
        await enqueue(tx, [Outgoing(REGISTRATIONS_REQUESTS, event.id, kind, wish, source=SOURCE) for wish in wishes])


async def active(database: Database, event: Event) -> tuple[list[str], list[str]]:
    """The addresses with a seat and those that wait, in their order."""
    async with database.connection() as connection:
        listed = await repository.active_in_order(connection, event.id)
    seated = [registration.email for registration, place in listed if place is None]
    return seated, [registration.email for registration, place in listed if place is not None]


async def answered(database: Database, event: Event) -> tuple[list[str], list[str]] | None:
    """Who has a seat and who waits, once all are answered."""
    seated, waiting = await active(database, event)
    return (seated, waiting) if len(seated) + len(waiting) == PEOPLE else None


async def moved_up(database: Database, event: Event, waited: Sequence[str]) -> list[str] | None:
    """Those who waited and have a seat now, once as many as left have."""
    seated, _ = await active(database, event)
    promoted = [address for address in waited if address in set(seated)]
    return promoted if len(promoted) >= LEAVERS else None
