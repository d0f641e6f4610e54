"""What waits in a service's outbox, and what it could not handle."""

from clarion.runtime.database import Connection, load_queries
from clarion.runtime.readings import Family, Reading

COUNTED_AT_MOST = 100_000
OUTBOX_WAITING = Family(
    "clarion_outbox_waiting_messages", f"Messages not published yet, counted to {COUNTED_AT_MOST}", ("service",)
)
OUTBOX_OLDEST = Family("clarion_outbox_oldest_seconds", "Age of the oldest message not published yet", ("service",))
LETTERS_OPEN = Family(
    "clarion_dead_letters_open", "Records that could not be handled and wait for somebody", ("service", "topic")
)
FAMILIES = (OUTBOX_WAITING, OUTBOX_OLDEST, LETTERS_OPEN)


async def depths(connection: Connection, service: str) -> list[Reading]:
    """The readings of one service, on a connection of its own role."""
    queries = load_queries("clarion.runtime.messaging")
    depth = await queries.outbox_depth(connection, at_most=COUNTED_AT_MOST)
    letters = [row async for row in queries.open_letters(connection)]
    return [
        Reading(OUTBOX_WAITING, depth["waiting"], (service,)),
        Reading(OUTBOX_OLDEST, depth["oldest_seconds"] or 0.0, (service,)),
        *(Reading(LETTERS_OPEN, row["letters"], (service, row["topic"])) for row in letters),
    ]
