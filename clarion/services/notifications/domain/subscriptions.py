"""What a person wants by mail."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from clarion.services.notifications.domain.room import shortened

PURPOSE = "unsubscribe"
"""What the links in mail are signed for."""
DISCUSSION = "list:"
"""What the names of discussion lists begin with."""
NAME_CHARACTERS = 100
TITLE_BYTES = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """A subscription as people know it: its title within a sentence, and what comes with it."""

    title: str
    about: str


KINDS: Mapping[str, Kind] = {
    "calls": Kind(
        "calls for action",
        "When a bill that matters to your city is heard: what it is about, and how to write a letter or testify.",
    ),
    "digest": Kind(
        "the weekly hearings digest", "Once a week: the hearings that concern your city, and coming events."
    ),
    "events": Kind("webinars and events", "Invitations. What you registered for is confirmed in any case."),
    "newsletter": Kind("the weekly newsletter", "News of the association and its cities, once a week."),
    "magazine": Kind("the monthly magazine's preview", "What the next issue of the magazine brings, once a month."),
}


def title_of(subscription: str) -> str:
    """The subscription as people know it."""
    known = KINDS.get(subscription)
    if known is not None:
        return known.title
    name = subscription.removeprefix(DISCUSSION)
    return shortened(f"the discussion list {name}" if name != subscription else name, TITLE_BYTES)


def about(subscription: str) -> str:
    """A sentence on what comes with it."""
    known = KINDS.get(subscription)
    return known.about if known is not None else "What people write to this list."


def offered(first: str, *more: Iterable[str]) -> list[str]:
    """The subscriptions that a page names: the one it was opened for, all kinds, and what else the mailbox knows."""
    others = sorted({one for names in more for one in names} - set(KINDS))
    return list(dict.fromkeys([first, *KINDS, *others]))


def chosen(asked: Collection[str], shown: Collection[str]) -> list[str]:
    """Those of a form's choices that its page named.

    Raises:
        ValueError: one is no list of this mailbox.
    """
    strangers = [one for one in asked if one not in shown]
    if strangers or not asked:
        raise ValueError("Choose one of the lists on the page.")
    return list(dict.fromkeys(asked))


@lru_cache(maxsize=64)
def list_name(subscription: str) -> str:
    """The subscription as a label of a List-Id (RFC 2919)."""
    return re.sub(r"[^a-z0-9-]+", "-", subscription.casefold()).strip("-")[:60] or "list"
