"""What a try to send came to, and what follows for the message."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from clarion.services.notifications.domain.replies import RULES, Kind, code_of
from clarion.services.notifications.domain.states import WAITING, State, ending_as, waiting_as

REPLY_LENGTH = 500
SOON = 0.1
"""The part of a first wait after which a mail comes again that was not tried: the relay may stumble over it."""


class Accepted(NamedTuple):
    """The relay took the mail."""

    reply: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The relay said no: for now or for good, as the kind tells."""

    kind: Kind
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


Outcome = Accepted | Declined | NotTried | InDoubt


class Verdict(NamedTuple):
    """The state into which a message goes after a try. `attempts` and `doubts` are its new counts."""

    state: State
    attempts: int
    doubts: int
    due_at: datetime | None = None
    reason: str | None = None
    reply: str | None = None
    kind: Kind | None = None

    @property
    def suppression(self) -> str | None:
        """Why its mailbox is to get nothing more, if so."""
        if self.kind is None or not RULES[self.kind].suppresses:
            return None
        return f"{RULES[self.kind].reason} ({code_of(self.reply or '')})"


@dataclass(frozen=True, slots=True)
class Retries:
    """How the waits between tries grow: doubling from `first_seconds` to `limit_seconds`, slower for some refusals.

    What has waited since `give_up_after` is not tried again (RFC 5321, 4.5.4.1, asks for at least four days).
    """

    first_seconds: float = 30.0
    limit_seconds: float = 3600.0
    give_up_after: timedelta = timedelta(days=5)

    def wait_seconds(self, attempts: int, jitter: float, slower: float = 1.0) -> float:
        """The wait after so many tries; `jitter` from 0 to 1 stretches it from half to one and a half times."""
        first = self.first_seconds * slower
        doubled = first * 2.0 ** min(max(attempts - 1, 0), 30)
        return min(doubled, max(self.limit_seconds, 4 * first)) * (0.5 + jitter)


def judge(
    outcome: Outcome,
    *,
    attempts: int,
    doubts: int,
    queued_at: datetime,
    now: datetime,
    jitter: float,
    retries: Retries,
) -> Verdict:
    """What follows from a try. A message in doubt is sent once more; in doubt again, its end is unknown."""
    if isinstance(outcome, Accepted):
        return taken(outcome, attempts, doubts)
    tried = attempts + 1
    match outcome:
        case InDoubt(reason) if doubts:
            return Verdict("unknown", tried, doubts + 1, reason=f"in doubt twice: {brief(reason)}")
        case InDoubt(reason):
            return Verdict("uncertain", tried, doubts + 1, now, brief(reason))
        case Declined():
            verdict = _declined(outcome, attempts, doubts, now, partial(retries.wait_seconds, jitter=jitter))
        case OutOfTime(reason):
            verdict = Verdict(waiting_as("queued", doubts), attempts, doubts, now, brief(reason))
        case NotTried(reason):
            soon = now + timedelta(seconds=retries.wait_seconds(1, jitter, SOON))
            verdict = Verdict(waiting_as("queued", doubts), attempts, doubts, soon, brief(reason))
    return given_up(verdict, now - queued_at, retries)


def taken(accepted: Accepted, attempts: int, doubts: int) -> Verdict:
    """What follows for a mail that the relay took."""
    return Verdict("sent", attempts + 1, doubts, None, None, brief(accepted.reply))


def _declined(
    declined: Declined, attempts: int, doubts: int, now: datetime, wait_seconds: Callable[..., float]
) -> Verdict:
    kind, rule, reply = declined.kind, RULES[declined.kind], brief(declined.reply)
    tried = attempts + rule.counted
    if rule.ends:
        return Verdict(ending_as("failed", doubts), tried, doubts, None, rule.reason, reply, kind)
    again_at = now + timedelta(seconds=wait_seconds(tried if rule.counted else 1, slower=rule.slower))
    state = waiting_as("deferred" if rule.counted else "queued", doubts)
    return Verdict(state, tried, doubts, again_at, rule.reason, reply, kind)


def given_up(verdict: Verdict, waited: timedelta, retries: Retries) -> Verdict:
    """The verdict, or the end of a message that would wait although it has waited too long."""
    if verdict.state not in WAITING or waited < retries.give_up_after:
        return verdict
    reason = f"given up after {waited.days} days: {verdict.reason}"
    return verdict._replace(state=ending_as("failed", verdict.doubts), due_at=None, reason=reason)


def brief(text: str) -> str:
    """A reply short enough to keep, in one line and without what a database refuses."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())[:REPLY_LENGTH]
