"""What registrations says of itself to whoever watches."""

from functools import partial

from clarion.runtime.clock import Clock
from clarion.runtime.database import Connection
from clarion.runtime.process import Look
from clarion.runtime.readings import Family, Reading
from clarion.services.registrations.repository import queries

COUNTED_AT_MOST = 100_000
SEATS = Family("clarion_seats", "Seats of coming events, and people on their waiting lists", ("state",))
UNTOLD = Family("clarion_registrations_untold", "Decisions that are not published yet")
FAMILIES = (SEATS, UNTOLD)


def look_at(clock: Clock) -> Look:
    """What a watch asks of registrations."""
    return partial(_look, clock)


async def _look(clock: Clock, connection: Connection) -> list[Reading]:
    row = await queries.seats(connection, now=clock(), at_most=COUNTED_AT_MOST)
    seats = [Reading(SEATS, row[state], (state,)) for state in ("taken", "free", "waiting")]
    return [*seats, Reading(UNTOLD, row["untold"])]
