"""Connections to several relays: the first that takes mail gets it, the next stand by."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from clarion.runtime.backoff import jittered
from clarion.services.notifications.breakers import Breakers
from clarion.services.notifications.channels.relays import Relay, by_weight
from clarion.services.notifications.channels.smtp import LoginRefused, RelayDown, SmtpConnection
from clarion.services.notifications.domain.breakers import WHOLE_RELAY
from clarion.services.notifications.domain.outcomes import NotTried, Outcome

FIRST_REST_SECONDS = 0.5
LONGEST_REST_SECONDS = 30.0
DICE = random.SystemRandom()


@dataclass(slots=True)
class Rest:
    """A relay that could not be reached, and when it is looked for again."""

    reason: str
    until: float
    looking: bool = False


@dataclass
class Relays:
    """The relays of one sender in order of preference, and what all its connections know of them."""

    relays: Sequence[Relay]
    breakers: Breakers
    resting: dict[str, Rest] = field(default_factory=dict)
    rest_seconds: dict[str, float] = field(default_factory=dict)
    """How long relays rested last, until one takes a mail again: to let us in is not enough."""

    def preferred(self, avoid: Collection[str]) -> list[Relay]:
        """Whom to ask, in order: relays that rest come last; those not at all that refuse us or are to be avoided."""
        able = [one for one in self.relays if one.name not in avoid and self.breakers.gate(one.name) != "open"]
        up = [one for one in able if one.name not in self.resting]
        return [*by_weight(up, DICE.random()), *(one for one in able if one.name in self.resting)]

    def lost(self, relay: Relay, down: RelayDown) -> None:
        """It could not be reached or refused us."""
        seconds = self.rest_seconds.get(relay.name, FIRST_REST_SECONDS)
        self.rest_seconds[relay.name] = min(2 * seconds, LONGEST_REST_SECONDS)
        self.resting[relay.name] = Rest(str(down), time.monotonic() + jittered(seconds))
        self.breakers.hear(relay.name, "down", str(down))
        if isinstance(down, LoginRefused):
            self.breakers.open(relay.name, WHOLE_RELAY, str(down))

    def found(self, relay: Relay) -> None:
        """It can be reached."""
        if self.resting.pop(relay.name, None) is not None:
            self.breakers.hear(relay.name, "up", "reached again")

    def tried(self, names: Sequence[str], outcomes: Sequence[Outcome]) -> None:
        """What came of a round's tries: a relay that let none of them begin is passed over for a while."""
        took = {name for name, outcome in zip(names, outcomes, strict=True) if type(outcome) is not NotTried}
        for relay in self.relays:
            if relay.name in took:
                self.rest_seconds.pop(relay.name, None)
            elif relay.name in names:
                self.lost(relay, RelayDown("no connection held"))

    def missed(self) -> list[Relay]:
        """Relays whose rest is over and for which nobody looks yet."""
        now = time.monotonic()
        rests = [(relay, self.resting.get(relay.name)) for relay in self.relays]
        return [
            relay
            for relay, rest in rests
            if rest and not rest.looking and rest.until <= now and self.breakers.gate(relay.name) != "open"
        ]

    async def look_for(self, relay: Relay) -> None:
        """Try whether a relay can be reached, while others take the mail."""
        rest = self.resting[relay.name]
        rest.looking = True
        connection = SmtpConnection(relay)
        try:
            await connection.open()
        except RelayDown as down:
            self.lost(relay, down)
        else:
            self.found(relay)
            await connection.quit()
        finally:
            rest.looking = False

    def story(self, avoid: Collection[str]) -> str:
        """Why no mail can be handed over."""
        return "; ".join(f"{relay.name}: {self._why(relay, avoid)}" for relay in self.relays)

    def _why(self, relay: Relay, avoid: Collection[str]) -> str:
        breaker = self.breakers.find(relay.name)
        if breaker is not None:
            return breaker.reason
        rest = self.resting.get(relay.name)
        return rest.reason if rest else "passed over" if relay.name in avoid else "down"


class Pool:
    """Up to `size` connections to each relay, opened when they are wanted and kept."""

    def __init__(self, relays: Relays, size: int) -> None:
        self.relays = relays
        self.size = size
        self._open: dict[str, list[SmtpConnection]] = defaultdict(list)
        self._looking: set[asyncio.Task[None]] = set()

    async def ready(self, wanted: int, avoid: Collection[str] = ()) -> Sequence[SmtpConnection]:
        """Up to `wanted` connections to one relay, not of those in `avoid`, that can take a mail now.

        None if all that there may be are busy.

        Raises:
            RelayDown: there is none and none can be opened.
        """
        await self._drop([one for each in self._open.values() for one in each if not (one.usable or one.busy)])
        for relay in self.relays.preferred(avoid):
            found = await self._connected(relay, wanted)
            if found:
                self._look_for_others()
                return found
        if any(one.busy for name, held in self._open.items() for one in held if name not in avoid):
            return []
        raise RelayDown(self.relays.story(avoid))

    async def _connected(self, relay: Relay, wanted: int) -> list[SmtpConnection]:
        if self.relays.breakers.find(relay.name) is not None:
            # One that refused us is tried with one mail.
            wanted = 0 if any(one.busy for one in self._open[relay.name]) else 1
        missing = min(wanted - len(self._free(relay)), self.size - len(self._open[relay.name]))
        if missing > 0:
            await self._add(relay, missing)
        return self._free(relay)[:wanted]

    def _free(self, relay: Relay) -> list[SmtpConnection]:
        return [connection for connection in self._open[relay.name] if not connection.busy]

    async def _add(self, relay: Relay, count: int) -> None:
        made = [SmtpConnection(relay) for _ in range(count)]
        results = await asyncio.gather(*(connection.open() for connection in made), return_exceptions=True)
        self._open[relay.name] += [one for one, failed in zip(made, results, strict=True) if failed is None]
        for failed in results:
            if failed is not None and not isinstance(failed, RelayDown):
                raise failed
        if self._open[relay.name]:
            self.relays.found(relay)
        else:
            self.relays.lost(relay, next(failed for failed in results if isinstance(failed, RelayDown)))

    def _look_for_others(self) -> None:
        for relay in self.relays.missed():
            task = asyncio.create_task(self.relays.look_for(relay))
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)

    async def _drop(self, worn: Sequence[SmtpConnection]) -> None:
        for name, held in self._open.items():
            self._open[name] = [connection for connection in held if connection not in worn]
        await asyncio.gather(*(connection.quit() for connection in worn))

    async def close(self) -> None:
        """Close all connections."""
        for task in self._looking:
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)
        await self._drop([one for each in self._open.values() for one in each])
