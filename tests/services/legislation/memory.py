"""The rules without a database: hearings kept between batches as the tables keep them."""

import itertools
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clarion.schemas.legislation import HearingAlert
from clarion.services.legislation.domain.amendments import Hearing
from clarion.services.legislation.domain.standings import Standing
from clarion.services.legislation.domain.statements import Alias, Decision, Statement
from clarion.services.legislation.domain.subjects import Scope
from clarion.services.legislation.domain.world import Calendar, World


@dataclass
class Memory:
    """What the service keeps, and every alert that it published."""

    settle: timedelta = timedelta(seconds=60)
    alerts: list[HearingAlert] = field(default_factory=list)
    hearings: dict[str, Hearing] = field(default_factory=dict)
    standings: dict[tuple[Alias, str], Standing] = field(default_factory=dict)
    calendars: dict[Scope, Calendar] = field(default_factory=dict)
    ids: "itertools.count[int]" = field(default_factory=itertools.count)

    def hear(self, statements: Sequence[Statement], now: datetime) -> list[Decision]:
        """Take a batch in."""
        world = self._world(now)
        for statement in statements:
            world.hear(statement)
        return self._tell(world)

    def wait(self, now: datetime) -> None:
        """Tell of what is due by now."""
        world = self._world(now)
        due = [one for one, kept in self.hearings.items() if any(at <= now for at in self._times(kept))]
        world.touched |= dict.fromkeys(due)
        self._tell(world)

    def _times(self, kept: Hearing) -> list[datetime]:
        return [*kept.waiting.values(), *([kept.held_until] if kept.is_held and kept.held_until else [])]

    def _world(self, now: datetime) -> World:
        world = World(now, lambda: f"id-{next(self.ids)}", self.settle, calendars=dict(self.calendars))
        fresh = [
            Hearing(one.id, list(one.aliases), one.published, one.waiting, held_until=one.held_until)
            for one in self.hearings.values()
        ]
        world.know(fresh, self.standings.values())
        return world

    def _tell(self, world: World) -> list[Decision]:
        amendments = world.amendments()
        decisions = world.decisions(amendments)
        self.standings |= world.new_standings
        self.calendars |= world.new_calendars
        for hearing_id in world.moved:
            self.hearings.pop(hearing_id, None)
        for hearing_id, amendment in amendments.items():
            kept = copy(world.hearings[hearing_id])
            kept.waiting = amendment.waiting
            kept.held_until = amendment.held_until
            if amendment.alert is not None:
                self.alerts.append(amendment.alert)
                kept.published = amendment.alert
            self.hearings[hearing_id] = kept
        return decisions

    def last(self, name: str) -> HearingAlert | None:
        """The last alert of the hearing with this id of a source."""
        return next((alert for alert in reversed(self.alerts) if name in alert.aliases), None)
