"""What campaigns says of itself to whoever watches."""

from clarion.runtime.database import Connection
from clarion.runtime.readings import Family, Reading
from clarion.services.campaigns.repository import QUERIES

COUNTED_AT_MOST = 100_000
JOBS = Family("clarion_fanout_jobs_open", f"Fan-out jobs that are not done, counted to {COUNTED_AT_MOST}")
FAMILIES = (JOBS,)


async def look(connection: Connection) -> list[Reading]:
    """The jobs that wait, also those of paused and of undecided campaigns."""
    return [Reading(JOBS, await QUERIES.open_jobs(connection, at_most=COUNTED_AT_MOST))]
