"""How long the ledger keeps mail, once nobody can be told more of its matter."""

from functools import partial

from clarion.runtime.database import Transaction, load_queries
from clarion.runtime.timers import Job, purging
from clarion.services.notifications import people
from clarion.services.notifications.domain.states import FINAL

WISHES_DAYS = 90
"""How long it is known that somebody asked for an export, or to be erased."""
TRIED_DAYS = 1
"""How long a wording is kept that was only looked at; one that was sent goes with its mail."""


def purges(ledger_days: int, returns_days: int) -> list[Job]:
    """The jobs that remove what is older: whole threads first, then the contents that no thread needs."""
    queries = load_queries("clarion.services.notifications")
    threads = partial(queries.purge_threads, final=sorted(FINAL))
    return [
        purging("ledger", threads, days=ledger_days, at_most=2_000),
        purging("contents", queries.purge_contents, days=ledger_days, at_most=1_000),
        purging("tried wordings", queries.purge_tried, days=TRIED_DAYS),
        purging("wording fallbacks", queries.purge_fallbacks, days=ledger_days),
        purging("returns", queries.purge_returns, days=returns_days),
        purging("wishes", queries.purge_wishes, days=WISHES_DAYS),
        Job("erased people", _forget_late),
    ]


async def _forget_late(tx: Transaction) -> int:
    """What topics brought of people who were erased before."""
    return await people.erase_late(tx, tx.clock())
