"""Where hearings are found that may be one: by their bills and their start before a committee."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from clarion.schemas.legislation import HearingAlert
from clarion.services.legislation.domain.amendments import Hearing
from clarion.services.legislation.domain.standings import Stand
from clarion.services.legislation.domain.states import (
    bills,
    committee_key,
    day,
    same_committee,
    start_of,
)

Shelf = tuple[str, ...]
"""What hearings have in common that may be one."""


class Kind(StrEnum):
    """What a hearing is to one that may be the same."""

    MISSED = "missed"
    """Its readers are to hear that it is gone, or where it went."""
    HELD = "held"
    LIVING = "living"


@dataclass
class Shelves:
    """Hearings by what they have in common, so that of a thousand with one bill few are looked at."""

    _hearings: dict[Shelf, dict[str, Hearing]] = field(default_factory=dict)
    _shelves: dict[str, list[Shelf]] = field(default_factory=dict)

    def put(self, hearing: Hearing) -> None:
        """Have a hearing found by what it is now."""
        self.take_off(hearing)
        self._shelves[hearing.id] = shelves_of(hearing)
        for shelf in self._shelves[hearing.id]:
            self._hearings.setdefault(shelf, {})[hearing.id] = hearing

    def take_off(self, hearing: Hearing) -> None:
        """Have a hearing not found any more."""
        for shelf in self._shelves.pop(hearing.id, ()):
            self._hearings[shelf].pop(hearing.id, None)

    def alike(
        self, state: HearingAlert, kind: Kind | None = None, *, at_its_start: bool = False
    ) -> Iterator[tuple[Hearing, HearingAlert]]:
        """The hearings that may be one with a state, each with what holds of it: those of a kind, and those that are
        living at the same start.
        """
        shelves = by_bill(state, kind) if kind is not None else []
        if at_its_start:
            shelves.append(by_start(state))
        seen: set[str] = set()
        for shelf in shelves:
            for one in self._hearings.get(shelf, {}).values():
                if one.id not in seen and one.holds is not None and alike(one.holds, state):
                    yield one, one.holds
                seen.add(one.id)


def shelves_of(hearing: Hearing) -> list[Shelf]:
    """Where a hearing is found by others that may be the same."""
    state = hearing.holds
    if state is None:
        return []
    if hearing.stand is not Stand.LIVING:
        return by_bill(state, Kind.MISSED) if hearing.is_missed else []
    return [*by_bill(state, Kind.HELD if hearing.is_held else Kind.LIVING), by_start(state)]


def by_bill(state: HearingAlert, kind: Kind) -> list[Shelf]:
    """Where hearings of that kind are that have one of the bills before that committee."""
    committee = committee_key(state.committee)
    return [(kind, state.jurisdiction, state.session, committee, item.bill_key) for item in state.agenda]


def by_start(state: HearingAlert) -> Shelf:
    """Where hearings are that are to be held at that time before that committee."""
    return ("start", *start_of(state), state.session)


def alike(one: HearingAlert, other: HearingAlert) -> bool:
    """Whether two states may be of one hearing: the same committee, and bills in common."""
    return (
        one.session == other.session
        and same_committee(one.committee, other.committee)
        and not bills(one).isdisjoint(bills(other))
    )


def nearness(one: HearingAlert, other: HearingAlert, hearing_id: str) -> tuple[int, int, str]:
    """By this the best fit is found: the most bills in common, then the nearest day."""
    return -len(bills(one) & bills(other)), abs((day(one) - day(other)).days), hearing_id
