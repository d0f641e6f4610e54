"""The states of a message and the moves between them."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Literal

State = Literal[
    "queued",
    "claimed",
    "sending",
    "sent",
    "deferred",
    "failed",
    "suppressed",
    "expired",
    "superseded",
    "unneeded",
    "uncertain",
    "unknown",
    "bounced",
]

UNSENT: frozenset[State] = frozenset({"expired", "superseded", "unneeded", "suppressed"})
"""How a message ends whose time has passed, whose successor came, or that nobody needs or may get any more."""

MOVES: Mapping[State, AbstractSet[State]] = {
    "queued": UNSENT | {"claimed"},
    "deferred": UNSENT | {"claimed"},
    # Once in doubt, a message was perhaps received: it ends sent or unknown, never as if nothing had gone out.
    "uncertain": frozenset({"claimed", "sent", "unknown"}),
    "claimed": UNSENT | {"sending", "queued", "uncertain", "failed", "unknown"},
    "sending": frozenset({"sent", "deferred", "failed", "queued", "uncertain", "unknown"}),
    # What a relay took may come back all the same.
    "sent": frozenset({"bounced"}),
    # Staff may have it sent again.
    "failed": frozenset({"queued"}),
    "suppressed": frozenset({"queued"}),
    "expired": frozenset({"queued"}),
    "superseded": frozenset(),
    "unneeded": frozenset(),
    "unknown": frozenset({"uncertain", "bounced"}),
    "bounced": frozenset({"queued"}),
}
"""Every allowed move."""

FINAL: frozenset[State] = frozenset(
    {"sent", "failed", "suppressed", "expired", "superseded", "unneeded", "unknown", "bounced"},
)
"""A message in one of these is told to whoever asked for it."""

TOLD: frozenset[State] = frozenset({"sending", "sent", "uncertain", "unknown"})
"""A message in one of these was received, or may have been."""

WAITING: frozenset[State] = frozenset({"queued", "deferred", "uncertain"})
"""A message in one of these is taken by a sender once it is due."""


def allowed(before: State, after: State) -> bool:
    """Whether a message may go from one state to another."""
    return after in MOVES[before]


def waiting_as(state: State, doubts: int) -> State:
    """The state in which a message waits again: one that was in doubt stays `uncertain`."""
    return "uncertain" if doubts else state


def ending_as(state: State, doubts: int) -> State:
    """The state in which a message ends: one that was in doubt and is not known to be sent is `unknown`."""
    return "unknown" if doubts and state != "sent" else state
