"""Where a wave stands, what moves it, and when its time runs short."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

SHORT = timedelta(hours=24)
"""With less than this left it is urgent, however long the wave has waited."""
SHORT_SHARE = 4
"""So it is with less than this part (a quarter) of the time that there was."""


class WaveState(StrEnum):
    """Whether a division's calls may go out."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    STOPPED = "stopped"


class Verdict(StrEnum):
    """What is decided of a wave; `WITHHOLD` is nobody's: what its recipients would read is other than was approved."""

    APPROVE = "approve"
    REJECT = "reject"
    STOP = "stop"
    WITHHOLD = "withhold"


MOVES: Mapping[Verdict, Mapping[WaveState, WaveState]] = {
    Verdict.APPROVE: {
        WaveState.WAITING: WaveState.APPROVED,
        WaveState.REJECTED: WaveState.APPROVED,
        WaveState.STOPPED: WaveState.APPROVED,
    },
    Verdict.REJECT: {WaveState.WAITING: WaveState.REJECTED},
    Verdict.STOP: {WaveState.APPROVED: WaveState.STOPPED},
    Verdict.WITHHOLD: {WaveState.APPROVED: WaveState.WAITING},
}
"""From where to where a verdict takes a wave; where none stands it cannot be given."""


def moved(state: WaveState, verdict: Verdict) -> WaveState | None:
    """The state to which a verdict takes a wave; None if it cannot be given there."""
    return MOVES[verdict].get(state)


def useless_at(letters_due_at: datetime | None, ends_at: datetime, now: datetime) -> datetime:
    """When what a wave asks helps no more: the letters' deadline while that is ahead, else the end of the occasion."""
    if letters_due_at is not None and letters_due_at > now:
        return min(letters_due_at, ends_at)
    return ends_at


def urgent_from(since: datetime, useless: datetime) -> datetime:
    """When a wave that waits `since` then becomes urgent: a day, or the last quarter of its time, before its end."""
    return useless - max(SHORT, (useless - since) / SHORT_SHARE)
