"""What follows from what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from clarion.services.notifications.bounces.said import Kind
from clarion.services.notifications.domain.states import FINAL, State
from clarion.services.notifications.domain.suppressions import SuppressionKind

SOFT_MAILS = 5
SOFT_DAYS = 5
SOFT_WINDOW = timedelta(days=45)
"""A mailbox that takes nothing now is suppressed after five mails on five days within 45.

Mailman 3 disables a member at a score of five, one point a day at most (`bounce_score_threshold`); its week until the
score is forgotten is for lists with mail every day. Amazon SES and Postmark suppress nobody for soft bounces.
"""
AGAIN = timedelta(seconds=2)
TRIES = 7
"""A report can be faster than the outcome of the mail itself: it is looked at again for two minutes."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a kind does: to its mail, to the mailbox, and to the subscription of the mail."""

    bounced: bool = False
    suppresses: SuppressionKind | None = None
    counted: bool = False
    leaves: bool = False

    def __bool__(self) -> bool:
        return self.bounced or self.leaves or self.suppresses is not None


NONE = Consequence()
CONSEQUENCES: Mapping[Kind, Consequence] = {
    "hard": Consequence(bounced=True, suppresses="hard-bounce"),
    "soft": Consequence(bounced=True, counted=True),
    # It is about us or the mail, so the mailbox is good.
    "blocked": Consequence(bounced=True),
    "complaint": Consequence(suppresses="complaint", leaves=True),
    "opt-out": Consequence(leaves=True),
    "delayed": NONE,
    "delivered": NONE,
    # Nothing is undone by a machine's word: a person may take the suppression back.
    "not-spam": NONE,
    "auto-reply": NONE,
    "other": NONE,
    "unclear": NONE,
}


def too_often(mails: int, days: int) -> bool:
    """Whether a mailbox took nothing so often that it is left alone."""
    return mails >= SOFT_MAILS and days >= SOFT_DAYS


def went_out(state: State, doubts: int) -> bool:
    """Whether a mail in this state, once that is final, was handed to a relay."""
    return state in {"sent", "unknown", "bounced"} or doubts > 0


def look_again(state: State, tries: int) -> timedelta | None:
    """How long until a report is looked at again, if the outcome of its mail is not written down yet."""
    return None if state in FINAL or tries >= TRIES else AGAIN * 2**tries
