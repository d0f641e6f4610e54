"""How mail is sent."""

from dataclasses import dataclass, field
from datetime import timedelta

from clarion.services.notifications.domain.breakers import Pace
from clarion.services.notifications.domain.outcomes import Retries
from clarion.services.notifications.domain.rates import Rates

CREW_SIZE = 100
"""A larger round costs the database less for each mail, but waits for the slowest of more."""
STEADY_PLANS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}
"""For senders: each statement finds few rows by their keys, in tables that grow from nothing to millions meanwhile.

So a plan is made once, and follows the indexes whatever the planner knew of the tables then.
"""


@dataclass(frozen=True, slots=True)
class SendingSettings:
    """`connections` to the relay are shared by crews, which take turns at the database and the relay.

    `lease` is how long a sender that died keeps what it held.
    """

    connections: int = 20
    lease: timedelta = timedelta(seconds=10)
    poll_seconds: float = 0.5
    retries: Retries = field(default_factory=Retries)
    pace: Pace = field(default_factory=Pace)
    rates: Rates = field(default_factory=Rates)

    @property
    def room(self) -> int:
        """How many messages a sender holds at most: enough to keep its connections busy, few to give back."""
        return self.connections * 12

    @property
    def low(self) -> int:
        """How many are left when more are claimed: few, since each claim passes over all that senders hold."""
        return self.room // 4

    @property
    def crew_sizes(self) -> list[int]:
        """The connections of each crew: as few crews as may be, of about the same size."""
        crews = -(-self.connections // CREW_SIZE)
        return [self.connections // crews + (number < self.connections % crews) for number in range(crews)]
