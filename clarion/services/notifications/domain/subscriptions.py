"""What a person wants by mail."""

import re
from functools import lru_cache

PURPOSE = "unsubscribe"
"""What the links in mail are signed for."""

TITLES = {
    "calls": "calls for action",
    "digest": "the weekly hearings digest",
    "events": "webinars and events",
    "newsletter": "the weekly newsletter",
    "magazine": "the monthly magazine's preview",
}


def title_of(subscription: str) -> str:
    """The subscription as people know it."""
    return TITLES.get(subscription, subscription)


@lru_cache(maxsize=64)
def list_name(subscription: str) -> str:
    """The subscription as a label of a List-Id (RFC 2919)."""
    return re.sub(r"[^a-z0-9-]+", "-", subscription.casefold()).strip("-")[:60] or "list"
