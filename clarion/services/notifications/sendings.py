"""What a sender's tries came to since it began, counted in memory: the ledger itself is never counted through."""

from collections import Counter
from collections.abc import Sequence

import structlog

from clarion.services.notifications.domain import lanes
from clarion.services.notifications.domain.outcomes import Accepted, Declined, InDoubt, Outcome, OutOfTime
from clarion.services.notifications.repository import Settled
from clarion.services.notifications.wordings.editions import Fallback

log = structlog.get_logger(__name__)


class Sendings:
    """`tries` by relay and what it came to, `outcomes` by lane and the state into which the message went.

    `fallbacks` by template: contents of which staff's wording made no mail, so that they went out in the project's.
    """

    def __init__(self) -> None:
        self.tries: Counter[tuple[str, str]] = Counter()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.fallbacks: Counter[str] = Counter()

    def count(self, tried: Sequence[tuple[str, Outcome]], settled: Sequence[Settled]) -> None:
        """The tries of a round, by whom each was made, and what follows."""
        self.tries.update([(relay, word(outcome)) for relay, outcome in tried])
        self.outcomes.update([(lanes.ORDER[message.lane], verdict.state) for message, verdict, _ in settled])

    def count_fallbacks(self, fallbacks: Sequence[Fallback]) -> None:
        """Contents that go out in the project's wording."""
        for one in fallbacks:
            self.fallbacks[one.template] += 1
            log.warning("wording.unusable", template=one.template, edition=one.edition, content=one.content_id)


def word(outcome: Outcome) -> str:
    """What a try came to, in a word."""
    match outcome:
        case Accepted():
            return "accepted"
        case Declined():
            return outcome.kind
        case InDoubt():
            return "in-doubt"
        case OutOfTime():
            return "out-of-time"
        case _:
            return "not-tried"
