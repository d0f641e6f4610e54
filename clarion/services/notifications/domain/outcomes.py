"""What a try to send came to, and what follows for the message."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clarion.services.notifications.domain.states import State, ending_as, waiting_as

REPLY_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Accepted:
    """The relay took the mail."""

    reply: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """The relay said to come again."""

    reply: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The relay said no, for good."""

    reply: str


@dataclass(frozen=True, slots=True)
class NotTried:
    """The connection was lost before the first byte of the content, so nothing can have gone out."""

    reason: str


@dataclass(frozen=True, slots=True)
class OutOfTime(NotTried):
    """Too much time went by between the mark and the mail, so the mark was given back."""


@dataclass(frozen=True, slots=True)
class InDoubt:
    """The connection was lost between the first byte of the content and the reply."""

    reason: str


Outcome = Accepted | Deferred | Refused | NotTried | InDoubt


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state into which a message goes after a try. `attempts` and `doubts` are its new counts."""

    state: State
    attempts: int
    doubts: int
    due_at: datetime | None = None
    reason: str | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class Retries:
    """How the waits between tries grow: doubling from `first_seconds` to `limit_seconds`."""

    first_seconds: float = 30.0
    limit_seconds: float = 3600.0

    def wait_seconds(self, attempts: int, jitter: float) -> float:
        """The wait after so many tries; `jitter` from 0 to 1 stretches it from half to one and a half times."""
        doubled = self.first_seconds * 2.0 ** min(max(attempts - 1, 0), 30)
        return min(doubled, self.limit_seconds) * (0.5 + jitter)


def judge(outcome: Outcome, *, attempts: int, doubts: int, now: datetime, jitter: float, retries: Retries) -> Verdict:
    """What follows from a try. A message in doubt is sent once more; in doubt again, its end is unknown."""
    tried = attempts + 1
    later = now + timedelta(seconds=retries.wait_seconds(tried, jitter))
    match outcome:
        case Accepted(reply):
            return Verdict("sent", tried, doubts, reply=brief(reply))
        case Deferred(reply):
            return Verdict(waiting_as("deferred", doubts), tried, doubts, later, "the relay deferred it", brief(reply))
        case Refused(reply):
            return Verdict(ending_as("failed", doubts), tried, doubts, None, "the relay refused it", brief(reply))
        case NotTried(reason):
            return Verdict(waiting_as("queued", doubts), attempts, doubts, now, brief(reason))
        case InDoubt(reason) if doubts:
            return Verdict("unknown", tried, doubts + 1, reason=f"in doubt twice: {brief(reason)}")
        case InDoubt(reason):
            return Verdict("uncertain", tried, doubts + 1, now, brief(reason))


def brief(text: str) -> str:
    """A reply short enough to keep, in one line and without what a database refuses."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:REPLY_LENGTH]
