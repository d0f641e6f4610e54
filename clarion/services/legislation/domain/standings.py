"""Where each source stands: what it said last of a hearing or a bill, and what holds when several stand against each
other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import groupby

from clarion.schemas.legislation import BillUpdate, HearingAlert, HearingNotice
from clarion.services.legislation.domain.statements import Alias, Mark, Notice, Said
from clarion.services.legislation.domain.states import bill_differences, differences, read_notice


class Stand(StrEnum):
    """Whether a hearing is to be held, as a source has it."""

    LIVING = "living"
    CANCELLED = "cancelled"
    ABSENT = "absent"
    """It was on the source's list and is there no more."""


class Verdict(StrEnum):
    """What a source's statement does to where that source stands."""

    CHANGED = "changed"
    SAME = "same"
    OUTDATED = "outdated"
    CONFLICT = "conflict"
    """The source gave the same `sequence` to something else."""


@dataclass(frozen=True)
class Standing:
    """What one source last said of a hearing under one id: its newest notice, and its newest end of it. Of a bill,
    which does not end, its newest notice alone.

    Both are kept, so that the order in which they come does not matter. `changed_at` is when the source last changed
    its mind; equal times go by `arrival`, a count.
    """

    alias: Alias
    source: str
    stand: Stand
    changed_at: datetime
    arrival: int
    notice: Notice | None = None
    noticed: Mark | None = None
    ended: Mark | None = None

    @cached_property
    def reading(self) -> tuple[HearingAlert, list[str]] | None:
        """The state that the notice of a hearing describes, and what had to be decided to read it."""
        return read_notice(self.notice, self.alias[1]) if isinstance(self.notice, HearingNotice) else None

    @property
    def newest(self) -> Mark | None:
        """When it said what it stands by."""
        return self.noticed if self.stand is Stand.LIVING else self.ended

    @property
    def recency(self) -> tuple[datetime, int]:
        """By this the latest of several is found."""
        return self.changed_at, self.arrival


def listen(before: Standing | None, said: Said, arrival: int) -> tuple[Standing | None, Verdict]:
    """Where a source stands after it said something more, and what that did."""
    if before is not None and repeats_sequence(before, said):
        return before, Verdict.SAME if repeats(before, said) else Verdict.CONFLICT
    if said.notice is not None:
        return listen_to_notice(before, said, said.notice, arrival)
    return listen_to_end(before, said, arrival)


def listen_to_notice(before: Standing | None, said: Said, notice: Notice, arrival: int) -> tuple[Standing, Verdict]:
    """The same for a notice; one that is older than the end of its hearing is kept, and ends nothing."""
    after = Standing(said.alias, said.source, Stand.LIVING, said.mark.at, arrival, notice, said.mark)
    if before is None:
        return after, Verdict.CHANGED
    if before.noticed is not None and not said.mark.overtakes(before.noticed):
        return before, Verdict.OUTDATED
    if before.ended is not None and before.stand is not Stand.LIVING and not said.mark.overtakes(before.ended):
        return replace(before, notice=notice, noticed=said.mark), Verdict.OUTDATED
    after = replace(after, ended=before.ended)
    if before.stand is Stand.LIVING and same_content(before.notice, notice):
        return replace(after, changed_at=before.changed_at, arrival=before.arrival), Verdict.SAME
    return after, Verdict.CHANGED


def listen_to_end(before: Standing | None, said: Said, arrival: int) -> tuple[Standing, Verdict]:
    """The same for a cancellation or an absence; an absence takes nothing from a cancellation."""
    stand = Stand.ABSENT if said.is_absence else Stand.CANCELLED
    if before is None:
        return Standing(said.alias, said.source, stand, said.mark.at, arrival, ended=said.mark), Verdict.CHANGED
    if before.newest is not None and not said.mark.overtakes(before.newest):
        return before, Verdict.OUTDATED
    if before.stand is stand or before.stand is Stand.CANCELLED:
        return replace(before, ended=said.mark), Verdict.SAME
    after = replace(before, stand=stand, ended=said.mark, changed_at=said.mark.at, arrival=arrival)
    return after, Verdict.CHANGED


def repeats_sequence(before: Standing, said: Said) -> bool:
    """Whether the source's count stands still."""
    counted = {mark.sequence for mark in (before.noticed, before.ended) if mark is not None}
    return said.mark.sequence is not None and said.mark.sequence in counted


def repeats(before: Standing, said: Said) -> bool:
    """Whether a statement says again what was said with its count."""
    if said.notice is None:
        return before.ended is not None and before.ended.sequence == said.mark.sequence
    if before.noticed is None or before.noticed.sequence != said.mark.sequence:
        return False
    return same_content(before.notice, said.notice)


def same_content(one: Notice | None, other: Notice | None) -> bool:
    """Whether two notices say the same to a reader."""
    match one, other:
        case HearingNotice(), HearingNotice():
            return one == other or not differences(one, other)
        case BillUpdate(), BillUpdate():
            return not bill_differences(one, other)
    return False


def holding(standings: Iterable[Standing]) -> Standing:
    """Whose word holds: of each source what it says lives, if any does, and of all sources what changed last.

    A source that gave a hearing a new id ends the old one, and means the same hearing.

    Raises:
        ValueError: there are none.
    """
    by_source = groupby(sorted(standings, key=lambda one: one.source), key=lambda one: one.source)
    return max((position(list(own)) for _, own in by_source), key=lambda one: one.recency)


def position(own: list[Standing]) -> Standing:
    """What one source stands by under all ids that it gives a hearing."""
    living = [one for one in own if one.stand is Stand.LIVING]
    return max(living or own, key=lambda one: one.recency)


def described(standings: Iterable[Standing], holder: Standing) -> HearingAlert | None:
    """The newest description of a hearing: the holder's own, or that of whoever gave one."""
    given = [holder] if holder.reading is not None else [one for one in standings if one.reading is not None]
    newest = max(given, key=lambda one: one.recency, default=None)
    return newest.reading[0] if newest is not None and newest.reading is not None else None
