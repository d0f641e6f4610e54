"""The occasions that somebody starts: what each is, who decides there and what is asked first."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of occasion.

    `decider` is who decides where nobody says so (None: it has to be said); `first_ask` the ask where none is named;
    `elected` whether without roles those are asked who speak for a city, and not everyone in the audience.
    """

    means: str
    decider: str | None
    first_ask: str
    elected: bool


KINDS: Mapping[str, Kind] = {
    "floor-vote": Kind("a vote of a whole house", None, "letter", elected=True),
    "governor": Kind("a bill on the Governor's desk", "Governor", "letter", elected=True),
    "comment-period": Kind("a regulation that is open for comments", None, "comment-letter", elected=True),
    "programme": Kind("a regional programme, in one division", None, "volunteer", elected=False),
    "volunteer": Kind("volunteers for a task force or a committee", None, "volunteer", elected=False),
    "threat": Kind("a threat to all cities", None, "letter", elected=True),
}
"""Every kind that can be started; hearings come from their sources."""
GOVERNOR = "governor"
PROGRAMME = "programme"
THREAT = "threat"
