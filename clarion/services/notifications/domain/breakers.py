"""Breakers: what is not sent for a while, because a relay or a domain's policy says no to all of it."""

from dataclasses import dataclass
from typing import Literal

WHOLE_RELAY = ""
"""Stands in place of a domain where nothing goes through the relay at all."""

Gate = Literal["closed", "open", "half-open"]
"""Closed lets all mail through, as in electricity; open none; half-open one mail, to see whether it would be taken."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Times are seconds on the clock of whoever keeps it. Until `probe_until` another sender's probe is under way."""

    relay: str
    domain: str
    reason: str
    until: float
    probe_until: float = 0.0

    def gate(self, now: float) -> Gate:
        """Whether mail goes through."""
        return "open" if now < max(self.until, self.probe_until) else "half-open"

    def wait_seconds(self, now: float) -> float:
        """How long until a mail may go through."""
        return max(self.until, self.probe_until, now) - now


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a breaker stays open, in seconds: doubling from the first time to the last, longer for a whole relay.

    A probe that is not heard of for `probe` leaves the place to another.
    """

    domain: float = 60.0
    relay: float = 300.0
    limit: float = 3600.0
    probe: float = 60.0

    def first(self, domain: str) -> float:
        """The first time."""
        return self.relay if domain == WHOLE_RELAY else self.domain
