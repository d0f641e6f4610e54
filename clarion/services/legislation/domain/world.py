"""The hearings that a batch of statements is about: each statement meets what the ones before it left."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clarion.schemas.legislation import (
    BillUpdate,
    Counterpart,
    HearingAlert,
    HearingCalendar,
    HearingCalendarPart,
    HearingCancellation,
    HearingNotice,
)
from clarion.services.legislation.domain.amendments import Amendment, Hearing, amend, pairs
from clarion.services.legislation.domain.bills import Docket
from clarion.services.legislation.domain.decisions import (
    OUTCOMES,
    Heard,
    about_bill,
    conflict,
    conflict_about,
    decision,
    still_holds,
)
from clarion.services.legislation.domain.shelves import Kind, Shelves, nearness
from clarion.services.legislation.domain.standings import Stand, Standing, Verdict, described, holding, listen
from clarion.services.legislation.domain.statements import Alias, Decision, Mark, Outcome, Said, Statement
from clarion.services.legislation.domain.states import in_the_past, start_key, start_of
from clarion.services.legislation.domain.subjects import Scope, scope_of


@dataclass(frozen=True, slots=True)
class Calendar:
    """A source's last list of coming hearings: their ids there, and when it was stated."""

    aliases: frozenset[str]
    stated_at: datetime


@dataclass
class World:
    """What is known of these hearings. Whoever fills it holds the lock of their jurisdictions."""

    now: datetime
    draw_id: Callable[[], str]
    settle: timedelta = timedelta(0)
    hearings: dict[str, Hearing] = field(default_factory=dict)
    by_alias: dict[Alias, str] = field(default_factory=dict)
    standings: dict[Alias, dict[str, Standing]] = field(default_factory=dict)
    calendars: dict[Scope, Calendar] = field(default_factory=dict)
    docket: Docket = field(default_factory=Docket)
    heard: list[Heard] = field(default_factory=list)
    touched: dict[str, None] = field(default_factory=dict)
    new_aliases: dict[Alias, str] = field(default_factory=dict)
    new_standings: dict[tuple[Alias, str], Standing] = field(default_factory=dict)
    new_calendars: dict[Scope, Calendar] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    """Hearings that were held back and proved to be others, by their ids."""
    _shelves: Shelves = field(default_factory=Shelves)
    _arrivals: int = 0

    def know(self, hearings: Iterable[Hearing], standings: Iterable[Standing]) -> None:
        """Add hearings as they are kept, with where the sources stand about them; what is known already stays."""
        for standing in standings:
            self.standings.setdefault(standing.alias, {}).setdefault(standing.source, standing)
            self._arrivals = max(self._arrivals, standing.arrival)
        for hearing in hearings:
            if hearing.id not in self.hearings:
                self.hearings[hearing.id] = hearing
                self.by_alias |= dict.fromkeys(hearing.aliases, hearing.id)
                if hearing.published is None or hearing.waiting:
                    self._refresh(hearing)
                else:
                    self._recall(hearing, hearing.published)

    def lists(self) -> dict[Scope, frozenset[str]]:
        """The ids on the sources' last lists."""
        return {scope: calendar.aliases for scope, calendar in self.calendars.items()}

    def starts(self) -> Iterator[tuple[str, str, str]]:
        """When the hearings are held, each as told and as every source has it; one held back may be found there."""
        for hearing in self.hearings.values():
            if hearing.published is not None:
                yield start_of(hearing.published)
        for of_alias in self.standings.values():
            yield from (start_of(one.notice) for one in of_alias.values() if isinstance(one.notice, HearingNotice))

    def missed_after(self, ended: AbstractSet[Alias]) -> Iterator[HearingAlert]:
        """What readers believe of hearings that are missed, or will be once these ids ended, and what holds of them."""
        for hearing in self.hearings.values():
            if hearing.is_told and (hearing.is_missed or not ended.isdisjoint(hearing.aliases)):
                yield from (state for state in (hearing.published, hearing.holds) if state is not None)

    def hear(self, statement: Statement) -> None:
        """Take a statement in."""
        self.heard.append(self._hear(statement))

    def _hear(self, statement: Statement) -> Heard:
        if statement.rejection is not None:
            return Heard(statement, Outcome.REJECTED, (statement.rejection,))
        match statement.data:
            case HearingCalendar() as calendar:
                return self._hear_calendar(statement, calendar)
            case BillUpdate() as update:
                return self._hear_of_bill(statement, update)
            case HearingNotice() | HearingCancellation() as data:
                return self._hear_of_one(statement, Said.of(statement, data))
        return Heard(statement, Outcome.REJECTED, (f"nothing is made of {statement.type}",))

    def _hear_of_one(self, statement: Statement, said: Said) -> Heard:
        known = self.hearings.get(self.by_alias.get(said.alias, ""))
        held = (known.holds, known.stand) if known is not None else (None, None)
        verdict = self._take(said)
        hearing = self.hearings.get(self.by_alias.get(said.alias, ""))
        notes = tuple(self._notes(said)) if verdict is not Verdict.CONFLICT else (conflict_about(said),)
        if hearing is None:
            return Heard(statement, Outcome.RECORDED, (*notes, "no such hearing is known yet: kept"))
        outcome = OUTCOMES[verdict]
        if outcome is None and hearing is known and still_holds(hearing, *held):
            outcome = Outcome.UNCHANGED
        return Heard(statement, outcome, notes, (hearing.id,))

    def _hear_of_bill(self, statement: Statement, update: BillUpdate) -> Heard:
        bill, verdict = self.docket.hear(statement, update)
        notes = (conflict(update.bill, update.sequence),) if verdict is Verdict.CONFLICT else ()
        return Heard(statement, OUTCOMES[verdict], notes, bill=bill)

    def _hear_calendar(self, statement: Statement, calendar: HearingCalendar) -> Heard:
        scope = scope_of(statement.source, calendar)
        last = self.calendars.get(scope)
        listed = calendar.listed
        # A part of the list that came last is none of an older one, however late it comes.
        is_part = isinstance(calendar, HearingCalendarPart) and last is not None and listed == last.aliases
        if last is not None and statement.stated_at < last.stated_at and not is_part:
            return Heard(statement, Outcome.OUTDATED)
        missing = [(calendar.jurisdiction, alias) for alias in sorted(last.aliases - listed)] if last else []
        # What is gone comes first, so that what is new can be told to be the same hearing.
        said = [
            Said(alias, statement.source, Mark(statement.stated_at), is_absence=True)
            for alias in missing
            if not self._is_past(alias)
        ]
        said += [Said.of(statement, notice) for notice in calendar.hearings]
        stated_at = max(statement.stated_at, last.stated_at) if last is not None else statement.stated_at
        self.calendars[scope] = self.new_calendars[scope] = Calendar(listed, stated_at)
        verdicts = [(one, self._take(one)) for one in said]
        conflicts = [conflict_about(one) for one, verdict in verdicts if verdict is Verdict.CONFLICT]
        changed = {one.alias: self.by_alias[one.alias] for one, verdict in verdicts if self._matters(one, verdict)}
        of_list = f"{len(calendar.hearings)} of " if isinstance(calendar, HearingCalendarPart) else ""
        note = f"{of_list}{len(listed)} hearings, {len(missing)} no longer listed"
        return Heard(statement, None, (note, *conflicts[:10]), tuple(dict.fromkeys(changed.values())))

    def _matters(self, said: Said, verdict: Verdict) -> bool:
        return verdict is Verdict.CHANGED and said.alias in self.by_alias

    def _is_past(self, alias: Alias) -> bool:
        hearing = self.hearings.get(self.by_alias.get(alias, ""))
        return hearing is not None and hearing.holds is not None and in_the_past(hearing.holds, self.now)

    def _take(self, said: Said) -> Verdict:
        of_alias = self.standings.setdefault(said.alias, {})
        before = of_alias.get(said.source)
        self._arrivals += 1
        after, verdict = listen(before, said, self._arrivals)
        if after is not None and after is not before:
            of_alias[said.source] = self.new_standings[said.alias, said.source] = after
            hearing = self.hearings.get(self.by_alias.get(said.alias, "")) or self._identify(after)
            if hearing is not None:
                self._refresh(hearing)
                self.touched[hearing.id] = None
                self._join_held(hearing)
        return verdict

    def _identify(self, standing: Standing) -> Hearing | None:
        """The hearing that a new id is of: one that is known under another id, or one that is made; None without
        a notice.
        """
        if standing.reading is None:
            return None
        state = standing.reading[0]
        hearing = self._known_as_another(standing, state)
        if hearing is None:
            hearing = Hearing(self.draw_id(), [], held_until=self._hold(standing, state))
        hearing.aliases.append(standing.alias)
        self.hearings[hearing.id] = hearing
        self.by_alias[standing.alias] = self.new_aliases[standing.alias] = hearing.id
        return hearing

    def _known_as_another(self, standing: Standing, state: HearingAlert) -> Hearing | None:
        """A hearing of that committee with some of the bills: one that is missed, or one that another source has at
        the same start.
        """
        fitting = [
            (one, holds)
            for one, holds in self._shelves.alike(state, Kind.MISSED, at_its_start=True)
            if one.is_missed or self._is_of_others(one, standing.source)
        ]
        best = min(fitting, key=lambda one: nearness(one[1], state, one[0].id), default=None)
        return best[0] if best is not None else None

    def _hold(self, standing: Standing, state: HearingAlert) -> datetime | None:
        """Until when a new hearing is held back: one ahead of that committee with some of the bills may yet be
        withdrawn, and be this one.
        """
        if standing.stand is not Stand.LIVING or not self.settle:
            return None
        ahead = any(not in_the_past(holds, self.now) for _, holds in self._shelves.alike(state, Kind.LIVING))
        return self.now + self.settle if ahead else None

    def _join_held(self, hearing: Hearing) -> None:
        """Find one that was held back and is this hearing, which is gone or now where another source has that one.

        So it makes no difference which of two updates comes first.
        """
        if not hearing.is_told or hearing.holds is None:
            return
        state = hearing.holds
        found = (
            self._shelves.alike(state, Kind.HELD)
            if hearing.is_missed
            else self._shelves.alike(state, at_its_start=True)
        )
        fitting = [
            (one, holds) for one, holds in found if one.is_held and (hearing.is_missed or self._is_met(hearing, one))
        ]
        if fitting:
            self._join(min(fitting, key=lambda one: nearness(one[1], state, one[0].id))[0], hearing)

    def _is_met(self, hearing: Hearing, held: Hearing) -> bool:
        """Whether a hearing is at the start of one held back that only other sources know."""
        if hearing.holds is None or held.holds is None or start_key(hearing.holds) != start_key(held.holds):
            return False
        return all(self._is_of_others(hearing, one.source) for one in self._about(held) if one.stand is Stand.LIVING)

    def _join(self, held: Hearing, hearing: Hearing) -> None:
        self._shelves.take_off(held)
        del self.hearings[held.id]
        self.touched.pop(held.id, None)
        self.moved[held.id] = hearing.id
        hearing.aliases += held.aliases
        self.by_alias |= dict.fromkeys(held.aliases, hearing.id)
        self.new_aliases |= dict.fromkeys(held.aliases, hearing.id)
        self._refresh(hearing)

    def _is_of_others(self, hearing: Hearing, source: str) -> bool:
        return hearing.stand is Stand.LIVING and not any(
            one.source == source and one.stand is Stand.LIVING for one in self._about(hearing)
        )

    def _about(self, hearing: Hearing) -> Iterator[Standing]:
        for alias in hearing.aliases:
            yield from self.standings.get(alias, {}).values()

    def _refresh(self, hearing: Hearing) -> None:
        """Work out what holds of a hearing, and find it by that."""
        standings = list(self._about(hearing))
        holder = holding(standings) if standings else None
        hearing.holds = (described(standings, holder) if holder is not None else None) or hearing.published
        if holder is not None:
            hearing.stand = holder.stand
        elif hearing.published is not None and not hearing.is_told:
            hearing.stand = Stand.CANCELLED
        self._shelves.put(hearing)

    def _recall(self, hearing: Hearing, published: HearingAlert) -> None:
        """Take what was told for what holds, which it is where nothing waits: no notice need be read for it."""
        standings = list(self._about(hearing))
        told = Stand.LIVING if hearing.is_told else Stand.CANCELLED
        hearing.holds, hearing.stand = published, holding(standings).stand if standings else told
        self._shelves.put(hearing)

    def _notes(self, said: Said) -> Iterator[str]:
        standing = self.standings.get(said.alias, {}).get(said.source)
        if said.notice is None or standing is None or standing.notice is not said.notice or standing.reading is None:
            return
        state, notes = standing.reading
        yield from notes
        if in_the_past(state, self.now):
            yield "starts in the past"
        hearing = self.hearings[self.by_alias[said.alias]]
        if said.alias in self.new_aliases and hearing.aliases[0] != said.alias:
            yield f"the same hearing as {hearing.aliases[0][1]}"
        if hearing.is_held:
            yield "held back: its committee has some of the bills at another hearing, which may be this one, moved"

    def gaining(self) -> list[Hearing]:
        """The hearings touched that gained bills."""
        return [hearing for hearing in self._touched() if hearing.gained]

    def _touched(self) -> Iterator[Hearing]:
        return (self.hearings[one] for one in self.touched)

    def amendments(self) -> dict[str, Amendment]:
        """What is to be told of each hearing that a statement or a bill's move touched, by its id."""
        gaining = self.gaining()
        losing = [hearing for hearing in self.hearings.values() if hearing.lost] if gaining else []
        counterparts: dict[str, list[Counterpart]] = pairs(losing, gaining)
        concerned = dict.fromkeys([*self.touched, *counterparts])
        return {
            one: amend(self.hearings[one], counterparts.get(one, []), self.now, self.settle)
            for one in sorted(concerned)
        }

    def decisions(self, amendments: dict[str, Amendment]) -> list[Decision]:
        """What became of each statement, in their order."""
        progressed = self.docket.progress().keys()
        return [
            about_bill(heard, is_told=heard.bill in progressed)
            if heard.bill is not None
            else decision(heard, [self.moved.get(one, one) for one in heard.hearings], amendments)
            for heard in self.heard
        ]
