"""What readers are told of a hearing: what holds, less what is withdrawn and may yet appear elsewhere."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from clarion.schemas.legislation import Counterpart, HearingAgendaItem, HearingAlert
from clarion.services.legislation.domain.standings import Stand
from clarion.services.legislation.domain.statements import Alias
from clarion.services.legislation.domain.states import CANCELLED, SCHEDULED, bills, differences

WHOLE = ""
"""Stands for the whole hearing among the bills that wait."""

Waiting = Mapping[str, datetime]
"""Until when the withdrawal of each bill (or of all) waits for it to appear elsewhere."""


@dataclass
class Hearing:
    """A hearing under all its ids: what readers were told last, what holds by now, and what waits.

    What was told stays as it is while a batch is worked on.
    """

    id: str
    aliases: list[Alias]
    published: HearingAlert | None = None
    waiting: Waiting = field(default_factory=dict)
    holds: HearingAlert | None = None
    stand: Stand = Stand.LIVING
    held_until: datetime | None = None
    """Until when its first alert is held back, since it may prove to be another hearing, moved."""

    @property
    def is_told(self) -> bool:
        """Whether readers know of it as one that will be held."""
        return self.published is not None and self.published.status == SCHEDULED

    @property
    def is_missed(self) -> bool:
        """Whether it is cancelled or on the lists no more while readers still believe that it will be held."""
        return self.is_told and self.stand is not Stand.LIVING

    @property
    def is_held(self) -> bool:
        """Whether it will be held and nobody was told, since it may prove to be another."""
        return self.held_until is not None and self.published is None and self.stand is Stand.LIVING

    @cached_property
    def told_bills(self) -> set[str]:
        """The bills that readers believe to be heard there."""
        return bills(self.published) if self.published is not None and self.is_told else set()

    @property
    def lost(self) -> set[str]:
        """Bills that readers believe to be heard there, and that are on the agenda no more."""
        if self.holds is None or not self.told_bills:
            return set()
        return self.told_bills - (bills(self.holds) if self.stand is Stand.LIVING else set())

    @property
    def gained(self) -> set[str]:
        """Bills that readers do not know to be heard there yet."""
        return bills(self.holds) - self.told_bills if self.holds is not None and self.stand is Stand.LIVING else set()


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is to be told of a hearing now, if anything, and what waits."""

    alert: HearingAlert | None
    waiting: Waiting
    held_until: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether something is yet to be told or not."""
        return bool(self.waiting) or self.held_until is not None


def amend(hearing: Hearing, counterparts: Sequence[Counterpart], now: datetime, settle: timedelta) -> Amendment:
    """What readers are to be told of a hearing now.

    A bill that went elsewhere is withdrawn at once; other withdrawals wait for `settle` from the first time they are
    seen, and what comes back meanwhile was never gone. A first alert that is held back is told early if a bill came
    there from elsewhere.
    """
    if hearing.holds is None:
        return Amendment(None, hearing.waiting)
    if hearing.is_held and hearing.held_until is not None and hearing.held_until > now and not counterparts:
        return Amendment(None, {}, hearing.held_until)
    if not hearing.is_told:
        return begin(hearing, hearing.holds, counterparts)
    went = {other.bill_key for other in counterparts if other.direction == "went_to"}
    leaving = hearing.lost | ({WHOLE} if hearing.is_missed else set())
    due = {key: hearing.waiting.get(key, now + settle) for key in leaving}
    waiting = {key: until for key, until in due.items() if until > now and key not in went}
    if hearing.is_missed and is_over(waiting, went):
        return Amendment(cancelled(hearing, hearing.published or hearing.holds, counterparts), {})
    return Amendment(changed(hearing, waiting.keys(), counterparts), waiting)


def is_over(waiting: Waiting, went: Collection[str]) -> bool:
    """Whether a missed hearing has waited long enough, or all its bills are heard elsewhere."""
    return WHOLE not in waiting or (bool(went) and set(waiting) == {WHOLE})


def begin(hearing: Hearing, holds: HearingAlert, counterparts: Sequence[Counterpart]) -> Amendment:
    """The first alert of a hearing, or the one that brings it back; of one that was never told and ended, its end."""
    known = hearing.published
    if hearing.stand is not Stand.LIVING:
        return Amendment(cancelled(hearing, holds, counterparts) if known is None else None, {})
    names = [] if known is None else ["reinstated", *differences(known, holds)]
    return Amendment(told(hearing, holds, SCHEDULED, names, counterparts), {})


def cancelled(hearing: Hearing, state: HearingAlert, counterparts: Sequence[Counterpart]) -> HearingAlert:
    """The alert of a hearing that will not be held."""
    return told(hearing, state, CANCELLED, [CANCELLED], counterparts)


def changed(hearing: Hearing, kept: Collection[str], counterparts: Sequence[Counterpart]) -> HearingAlert | None:
    """The alert of a hearing that will be held and that readers know, if there is anything to tell of it.

    The bills in `kept` stay on the agenda for now.
    """
    known = hearing.published
    if known is None or hearing.holds is None:
        return None
    state = known if hearing.is_missed else hearing.holds
    agenda = with_kept([] if hearing.is_missed else state.agenda, known.agenda, kept)
    state = state.model_copy(update={"agenda": agenda})
    names = differences(known, state)
    return told(hearing, state, SCHEDULED, names, counterparts) if names else None


def with_kept(
    agenda: Sequence[HearingAgendaItem], known: Sequence[HearingAgendaItem], kept: Collection[str]
) -> list[HearingAgendaItem]:
    """An agenda with those known bills that stay on it for now at its end."""
    return [*agenda, *(item for item in known if item.bill_key in kept)]


def told(
    hearing: Hearing, state: HearingAlert, status: str, names: Sequence[str], counterparts: Sequence[Counterpart]
) -> HearingAlert:
    """A state as the next alert of its hearing."""
    return state.model_copy(
        update={
            "hearing_id": hearing.id,
            "aliases": [alias for _, alias in hearing.aliases],
            "revision": hearing.published.revision + 1 if hearing.published is not None else 1,
            "status": status,
            "changed": list(names),
            "counterparts": list(counterparts),
        }
    )


def event_type(alert: HearingAlert) -> str:
    """The type of the event that carries an alert."""
    if alert.status == CANCELLED:
        return "bill-hearing.cancelled"
    if alert.revision == 1:
        return "bill-hearing.scheduled"
    is_moved = "time" in alert.changed and "reinstated" not in alert.changed
    return "bill-hearing.moved" if is_moved else "bill-hearing.amended"


def pairs(losing: Sequence[Hearing], gaining: Sequence[Hearing]) -> dict[str, list[Counterpart]]:
    """The counterparts of each hearing by its id: a bill that leaves one and appears on another went there."""
    losers: dict[tuple[str, str, str], list[Hearing]] = {}
    for hearing in losing:
        for key in hearing.lost:
            losers.setdefault(track(hearing, key), []).append(hearing)
    found: dict[str, list[Counterpart]] = {}
    for hearing in gaining:
        for key in sorted(hearing.gained):
            for other in losers.get(track(hearing, key), []):
                found.setdefault(other.id, []).append(counterpart(key, "went_to", hearing.id, hearing.holds))
                found.setdefault(hearing.id, []).append(counterpart(key, "came_from", other.id, other.published))
    return found


def track(hearing: Hearing, bill_key: str) -> tuple[str, str, str]:
    """What makes a bill one bill: jurisdiction, session and number."""
    state = hearing.holds or hearing.published
    return (state.jurisdiction, state.session, bill_key) if state is not None else ("", "", bill_key)


def counterpart(bill_key: str, direction: str, hearing_id: str, state: HearingAlert | None) -> Counterpart:
    """The other hearing of a bill that went from one to another.

    Raises:
        ValueError: that hearing has no state.
    """
    if state is None:
        raise ValueError(f"hearing {hearing_id} has no state")
    return Counterpart(
        bill_key=bill_key,
        direction=direction,
        hearing_id=hearing_id,
        starts_at=state.starts_at,
        zone=state.zone,
        time_note=state.time_note,
        committee=state.committee,
    )
