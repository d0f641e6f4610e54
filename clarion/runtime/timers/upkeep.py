"""What every service keeps for a while and no longer: outbox, inbox and dead letters that were dealt with."""

from functools import partial

from clarion.runtime.database import Transaction, load_queries
from clarion.runtime.settings import Settings
from clarion.runtime.timers.jobs import Job, purging

ROWS_AT_ONCE = 20_000


def upkeep(settings: Settings) -> list[Job]:
    """The jobs that each service has."""
    queries = load_queries("clarion.runtime.messaging")
    return [
        Job("outbox", partial(_keep_outbox, days=settings.outbox_days), days=settings.outbox_days),
        purging("inbox", queries.purge_inbox, days=settings.inbox_days, at_most=ROWS_AT_ONCE),
        purging("dead letters", queries.purge_letters, days=settings.letters_days),
    ]


async def _keep_outbox(tx: Transaction, *, days: int) -> int:
    """Make the coming days' partitions and drop, whole, those whose messages are published and old enough.

    Done at once; how many rows went with a partition nobody counts.
    """
    await load_queries("clarion.runtime.messaging").maintain_outbox(tx.connection, days_kept=days)
    return 0
