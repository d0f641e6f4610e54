"""How mail is sent."""

from dataclasses import dataclass, field
from datetime import timedelta

from clarion.services.notifications.domain.outcomes import Retries


@dataclass(frozen=True, slots=True)
class SendingSettings:
    """`connections` to the relay are shared by `crews`, which take turns at the database and the relay.

    `lease` is how long a sender that died keeps what it held.
    """

    connections: int = 20
    crews: int = 2
    lease: timedelta = timedelta(seconds=10)
    poll_seconds: float = 0.5
    retries: Retries = field(default_factory=Retries)

    @property
    def room(self) -> int:
        """How many messages a sender holds at most: enough to keep its connections busy, few to give back."""
        return self.connections * 12

    @property
    def crew_sizes(self) -> list[int]:
        """The connections of each crew; a crew has at least one."""
        crews = min(self.crews, self.connections)
        return [self.connections // crews + (number < self.connections % crews) for number in range(crews)]
