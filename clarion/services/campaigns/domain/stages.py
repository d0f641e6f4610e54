"""Where a bill stands for good, as far as the words of its source tell; words that nobody knows tell nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from clarion.services.campaigns.domain.names import plain


class Stage(StrEnum):
    """What has become of a bill: it is through the legislature, it is law, or it is dead."""

    LEGISLATURE = "legislature"
    LAW = "law"
    DEAD = "dead"


ENDS: dict[Stage, frozenset[str]] = {
    Stage.LEGISLATURE: frozenset({"hearing", "floor-vote"}),
    Stage.LAW: frozenset({"hearing", "floor-vote", "governor"}),
    Stage.DEAD: frozenset({"hearing", "floor-vote", "governor"}),
}
"""The kinds of occasion at which nobody's voice on the bill counts any more. A regulation outlives its bill."""

SAID: dict[Stage, str] = {
    Stage.LEGISLATURE: "has passed the legislature",
    Stage.LAW: "has become law",
    Stage.DEAD: "is dead for this session",
}


@dataclass(frozen=True, slots=True)
class StatusWords:
    """A line of the table: words of a source, whether a status `is` them or `begins` with them, and what they tell."""

    words: str
    match: Literal["is", "begins"]
    stage: Stage

    def fits(self, status: str) -> bool:
        """Whether a status, as it is compared, is told by these words."""
        return status == self.words if self.match == "is" else status.startswith(self.words)


def stage_of(status: str, table: Sequence[StatusWords]) -> Stage | None:
    """The stage that a source's status tells; None for words that are not in the table."""
    compared = plain(status).rstrip(" .")
    return next((line.stage for line in table if line.fits(compared)), None)


def ending_at(kind: str, bill: str, status: str, stage: Stage | None) -> str | None:
    """Why nothing is asked of a bill at an occasion of this kind any more; None while voices still count."""
    return ending(bill, status, stage) if stage is not None and kind in ENDS[stage] else None


def ending(bill: str, status: str, stage: Stage) -> str:
    """Why a bill asks nothing any more, with the source's own words: "SB 79 is dead for this session (Vetoed)."."""
    return f"{bill} {SAID[stage]} ({status.rstrip(' .')})."
