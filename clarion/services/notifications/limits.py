"""How much of a round may go out now: domains that block us wait, and so does mail beyond a rate."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from clarion.runtime.database import Database, is_transient
from clarion.services.notifications.breakers import Breakers, Key, domain_of
from clarion.services.notifications.channels.pool import Pool
from clarion.services.notifications.channels.smtp import Connection, RelayDown
from clarion.services.notifications.domain.lanes import ORDER
from clarion.services.notifications.domain.rates import Rate, Rates
from clarion.services.notifications.repository import queries

DICE = random.SystemRandom()
BLOCKED = "the domain's policy blocks us: waiting until it may be tried again"
UNKNOWN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A mail that is to go out: to which domain, from which lane."""

    domain: str
    lane: int

    @classmethod
    def to(cls, address: str, lane: int) -> "Asked":
        """For an address."""
        return cls(domain_of(address), lane)


@dataclass(frozen=True, slots=True)
class Wait:
    """A mail that may not go now; it is looked at again after so many seconds."""

    seconds: float
    reason: str
    blocked: bool = False


Place = Connection | Wait


class Limits:
    """What holds for all senders together; asks the database nothing while nothing is limited."""

    def __init__(self, database: Database, breakers: Breakers, rates: Rates) -> None:
        self.breakers = breakers
        self.rates = rates
        self._database = database

    def __bool__(self) -> bool:
        return bool(self.breakers or self.rates)

    async def admit(self, asked: Sequence[Asked], connections: Sequence[Connection], pool: Pool) -> list[Place]:
        """For each mail the connection over which it may go now, or how long it waits."""
        places: list[Place] = list(connections[: len(asked)])
        try:
            if self.breakers:
                places = await self._past_breakers(asked, places, pool)
            if self.rates:
                places = await self._within(asked, places, [self.rates.of_domain(one.domain) for one in asked])
                relays = [self.rates.of_relay(one.relay_name) if not isinstance(one, Wait) else None for one in places]
                places = await self._within(asked, places, relays)
        except Exception as error:
            if not is_transient(error):
                raise
            return [Wait(UNKNOWN_SECONDS, "the limits could not be asked") for _ in asked]
        return places

    async def _past_breakers(self, asked: Sequence[Asked], places: Sequence[Place], pool: Pool) -> list[Place]:
        """Mail whose domain is blocked at its relay goes by another, as the one probe, or waits."""
        passed = list(places)
        blocked: dict[str, list[int]] = defaultdict(list)
        probes: dict[Key, int] = {}
        for index, (one, place) in enumerate(zip(asked, places, strict=True)):
            if isinstance(place, Wait) or self.breakers.find(place.relay_name, one.domain) is None:
                continue
            key = (place.relay_name, one.domain)
            if self.breakers.gate(*key) == "half-open" and key not in probes:
                probes[key] = index
            else:
                blocked[place.relay_name].append(index)
        for key in probes.keys() - await self._probes(list(probes)):
            blocked[key[0]].append(probes[key])
        for relay, indexes in blocked.items():
            for index, place in zip(indexes, await self._elsewhere(asked, indexes, relay, pool), strict=True):
                passed[index] = place
        return passed

    async def _probes(self, wanted: list[Key]) -> set[Key]:
        if not wanted:
            return set()
        async with self._database.transaction() as tx:
            return await self.breakers.take_probes(tx, wanted)

    async def _elsewhere(self, asked: Sequence[Asked], indexes: Sequence[int], relay: str, pool: Pool) -> list[Place]:
        waits = [self._wait(relay, asked[index].domain) for index in indexes]
        if len(pool.relays.relays) == 1:
            return list(waits)
        try:
            others = await pool.ready(len(indexes), avoid={relay})
        except RelayDown:
            return list(waits)
        places: list[Place] = list(waits)
        for position, (index, other) in enumerate(zip(indexes, others, strict=False)):
            if self.breakers.find(other.relay_name, asked[index].domain) is None:
                places[position] = other
        return places

    def _wait(self, relay: str, domain: str) -> Wait:
        """Until the breaker may be tried, and some more, so that they do not all come back for one probe."""
        seconds = self.breakers.wait_seconds(relay, domain)
        spread = DICE.uniform(0.1, 1.0) * max(self.breakers.pace.probe, seconds) / 4
        return Wait(seconds + spread, BLOCKED, blocked=True)

    async def _within(
        self, asked: Sequence[Asked], places: Sequence[Place], rates: Sequence[Rate | None]
    ) -> list[Place]:
        """Mail that finds a token goes, the more urgent lanes first; the rest gets its place in the line."""
        wanted: dict[Rate, list[int]] = defaultdict(list)
        for index, (place, rate) in enumerate(zip(places, rates, strict=True)):
            if rate is not None and not isinstance(place, Wait):
                wanted[rate].append(index)
        held = list(places)
        if not wanted:
            return held
        found = await self._take({rate: [asked[index].lane for index in indexes] for rate, indexes in wanted.items()})
        for rate, indexes in wanted.items():
            granted, line_seconds = found[rate.name]
            waiting: dict[int, int] = defaultdict(int)
            for index in sorted(indexes, key=lambda index: asked[index].lane)[granted:]:
                lane = asked[index].lane
                waiting[lane] += 1
                seconds = line_seconds[lane] + waiting[lane] / rate.per_second
                held[index] = Wait(seconds, f"in line: {rate.name} takes {rate.per_second:g} a second")
        return held

    async def _take(self, wanted: dict[Rate, list[int]]) -> dict[str, tuple[int, list[float]]]:
        rows = [
            {
                "name": rate.name,
                "rate": rate.per_second,
                "burst": rate.burst,
                "wanted": [lanes.count(lane) for lane in range(len(ORDER))],
            }
            for rate, lanes in wanted.items()
        ]
        async with self._database.connection() as connection:
            found = queries.take_tokens(connection, rows=rows)
            return {row["bucket_name"]: (row["granted"], row["line_seconds"]) async for row in found}
