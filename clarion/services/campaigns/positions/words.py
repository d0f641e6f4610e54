"""What changed in a priority or a position, in words. Values in, values out."""

from collections.abc import Mapping
from datetime import date
from typing import Any

LONG = frozenset({"text", "why", "points", "letter"})
"""Fields of which it is said that they changed, not to what."""
LABELS: Mapping[str, str] = {
    "adopted_by": "adopted by",
    "adopted_on": "adopted on",
    "from_day": "from",
    "include_non_members": "cities that are no members",
    "place": "order",
    "policy_area": "policy area",
    "points": "talking points",
    "until_day": "until",
}
NOTHING = "nothing"


def said_change(change: Mapping[str, Any]) -> str:
    """A change for people: "stance: oppose, was watch"; of a long text only what became of it."""
    label = LABELS.get(change["field"], change["field"])
    now, was = change["now"], change["was"]
    if change["field"] in LONG:
        return f"{label} {'taken out' if not now else 'changed' if was else 'added'}"
    return f"{label}: {said(now)}, was {said(was)}"


def said(value: Any) -> str:
    """A value for people."""
    match value:
        case None | "" | [] | ():
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case date():
            return value.isoformat()
        case {"name": name, "email": email, "phone": phone}:
            return ", ".join(part for part in (name, email, phone) if part)
        case list() | tuple():
            return ", ".join(map(said, value))
        case _:
            return str(value)


def to_follow_said(hearings: int) -> str:
    """How much is yet to come of a change, for people."""
    them = "1 more hearing ahead follows" if hearings == 1 else f"{hearings:,} more hearings ahead follow"
    return f"{them} within minutes; until then nobody is asked there"
