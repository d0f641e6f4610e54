"""What is kept of signing in, and for how long: a day after its end, so that what happened can still be asked."""

from clarion.runtime.staff.accounts import queries as accounts
from clarion.runtime.timers import Job, purging
from clarion.services.directory.staff.sign_ins import queries


def purges() -> list[Job]:
    """The jobs that remove ended sessions, links and counts."""
    return [
        purging("sessions", accounts().purge_sessions, days=1),
        purging("sign-in links", queries.purge_links, days=1),
        purging("sign-in counts", queries.purge_counts, days=1),
    ]
