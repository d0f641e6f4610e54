"""Who may let a division's calls go, and who may hold them back."""

from dataclasses import dataclass

from clarion.runtime.staff.audit import Actor
from clarion.runtime.staff.rights import Act, Staff, may

TRUSTED = frozenset({"command", "key"})
"""Who may act for every division: a terminal of the installation, and a key whose scope was checked when it came in."""
NO_DIVISION = ""
"""The wave of cities that are in no division."""
WHOLE = "*"
"""In a division's place: bills that came to a campaign that was launched, which wait once for all divisions."""


@dataclass(frozen=True, slots=True)
class Approver:
    """Who decides; `staff` is None for a command and for a key."""

    actor: Actor
    staff: Staff | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The division that is decided on: whether anybody of it has an account, and whether time runs short."""

    division: str
    name: str
    has_account: bool
    urgent: bool


def why_not(approver: Approver, act: Act, place: Place) -> str | None:
    """Why somebody may not do this to a division's wave, and who may; None if they may.

    Who answers for a division lets its calls go. For them the state team may if it is urgent, or if nobody of the
    division has an account; holding back it may always.
    """
    staff = approver.staff
    if staff is None:
        return None if approver.actor.kind in TRUSTED else "Sign in first."
    if place.division == WHOLE:
        return None if may(staff, Act.MANAGE_POSITIONS) else WHOLE_REFUSED
    if not may(staff, act, place.division):
        return _not_theirs(staff, act, place)
    if act is Act.PAUSE_WAVE or not may(staff, act) or place.urgent or not place.has_account:
        return None
    return (
        f"{place.name} answers for its own calls: its manager or deputy decides. The state team may once it is urgent. "
        "Nothing was changed."
    )


WHOLE_REFUSED = (
    "A bill that came to a launched campaign is let go for all divisions at once, by the state team. "
    "Nothing was changed."
)


def _not_theirs(staff: Staff, act: Act, place: Place) -> str:
    own = ", ".join(sorted(staff.divisions | staff.deputy_in))
    if not own:
        return f"Your account ({staff.role}) may not {act}. Nothing was changed; an administrator can help."
    return f"You may {act} in your own divisions ({own}), not in {place.name}. Nothing was changed."
