"""What is kept of signing in and of acts, and for how long.

Of signing in a day after its end, so that what happened can still be asked; of acts as long as the settings say.
"""

from functools import partial

from clarion.runtime.database import Transaction
from clarion.runtime.staff.accounts import queries as accounts
from clarion.runtime.staff.reading import purge
from clarion.runtime.timers import Job, purging
from clarion.services.directory.staff.sign_ins import queries

ACTS_AT_ONCE = 5_000


def purges() -> list[Job]:
    """The jobs that remove ended sessions, links and counts."""
    return [
        purging("sessions", accounts().purge_sessions, days=1),
        purging("sign-in links", queries.purge_links, days=1),
        purging("sign-in counts", queries.purge_counts, days=1),
    ]


def acts_kept(days: int) -> Job:
    """The job that removes acts which are older than so many days."""
    return Job("audit", partial(_purge_acts, days=days), days=days)


async def _purge_acts(tx: Transaction, *, days: int) -> int:
    return await purge(tx.connection, days=days, at_most=ACTS_AT_ONCE)
