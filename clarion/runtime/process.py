"""A process that runs services: relay, subscribers and workers, started, watched and stopped in order."""

import asyncio
import gc
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeAlias

from fastapi import APIRouter

from clarion.runtime.beats import Life
from clarion.runtime.database import Connection, Database
from clarion.runtime.messaging.metrics import Meters
from clarion.runtime.messaging.relay import Relay
from clarion.runtime.messaging.subscribers import Subscribers
from clarion.runtime.messaging.subscription import Subscription
from clarion.runtime.readings import Reading
from clarion.runtime.settings import Settings
from clarion.runtime.supervision import Stage

DRAIN_SECONDS = 20.0
STUCK_SECONDS = 120.0
"""How long work may be silent until it counts as stuck, and a restart as due."""
GC_THRESHOLDS = (100_000, 20, 20)
"""A batch makes tens of thousands of short-lived objects; by Python's defaults collecting takes a sixth of the time."""


Look: TypeAlias = Callable[[Connection], Awaitable[Sequence[Reading]]]


class Worker(Protocol):
    """Work that goes on beside the subscribers, until `stopping` is set."""

    name: str

    async def run(self, stopping: asyncio.Event) -> None:
        """Work; when it raises it is started again after a pause."""


@dataclass(frozen=True)
class Service:
    """One service as its `app.py` builds it; `opened` is closed with it, last opened first.

    `look` reads figures of its own for whoever watches, every few seconds, on a connection of its database.
    """

    name: str
    database: Database
    subscriptions: Sequence[Subscription] = ()
    workers: Sequence[Worker] = ()
    router: APIRouter | None = None
    look: Look | None = None
    opened: Sequence[Callable[[], Awaitable[None]]] = ()

    async def close(self) -> None:
        """Close what it opened, the pool last; doing so again is harmless."""
        for close in reversed(self.opened):
            await close()
        await self.database.close()


@dataclass(frozen=True, slots=True)
class Health:
    """How a service is doing, in words.

    `troubles` are what a restart may mend, `waits` what keeps it from taking part. `assigned` maps each subscribed
    topic to its number of assigned partitions.
    """

    service: str
    troubles: tuple[str, ...]
    waits: tuple[str, ...]
    assigned: dict[str, int]
    relay_leads: bool

    @property
    def alive(self) -> bool:
        """Its consumers, relay and workers make progress, as far as database and broker let them."""
        return not self.troubles

    @property
    def ready(self) -> bool:
        """It takes part: joined to its groups and not stuck."""
        return self.alive and not self.waits


@dataclass
class RunningService:
    """The parts of a service that run; `health()` may be asked at any time."""

    service: Service
    settings: Settings
    meters: Meters = field(default_factory=Meters)
    relay: Relay = field(init=False)
    subscribers: Subscribers | None = field(default=None, init=False)
    lives: list[Life] = field(default_factory=list, init=False)
    unmoved: dict[str, float] = field(default_factory=dict, init=False)
    """Topics with records to read where the position has not moved, and since when; told by who watches."""

    def __post_init__(self) -> None:
        self.relay = Relay(self.settings, self.service.name)

    def health(self, since: float = -math.inf, patience: float = STUCK_SECONDS) -> Health:
        """A snapshot: what has been silent for longer than `patience` seconds, not counting the time before `since`."""
        pulses = list(self.subscribers.pulses.values()) if self.subscribers is not None else []
        joined = not self.service.subscriptions or (bool(pulses) and all(one.joined.is_set() for one in pulses))
        return Health(
            service=self.service.name,
            troubles=tuple(self._troubles(since, patience)),
            waits=() if joined else ("it has not joined its groups on Kafka",),
            assigned={one.topic: one.assigned for one in pulses},
            relay_leads=self.relay.leads,
        )

    def _troubles(self, since: float, patience: float) -> Iterator[str]:
        for life in self.lives:
            if life.ended:
                yield f"{life.name} has ended"
            for part, seconds in life.silent(since).items():
                if seconds > patience:
                    yield f"{life.name}{f' ({part})' if part else ''} has been silent for {seconds:.0f} s"
        now = time.monotonic()
        for pulse in self.subscribers.pulses.values() if self.subscribers is not None else ():
            seconds = now - max(pulse.seen_at, since)
            if seconds > patience:
                yield f"the consumer of {pulse.topic} has been stuck for {seconds:.0f} s"
        for topic, at in self.unmoved.items():
            if now - max(at, since) > patience:
                yield f"the consumer of {topic} has not moved for {now - at:.0f} s, with records to read"

    async def unhandled(self) -> dict[str, dict[int, int]]:
        """By topic and assigned partition the first offset that is not handled."""
        return await self.subscribers.unhandled() if self.subscribers is not None else {}

    async def subscribe(self, stopping: asyncio.Event, started: asyncio.Event) -> None:
        """Keep the subscribers running: made anew when Kafka is not there or its client does not recover."""
        if not self.service.subscriptions:
            started.set()
            await stopping.wait()
            return
        subscribers = Subscribers(self.settings, self.service.database, self.service.subscriptions, self.meters)
        ending = asyncio.create_task(_first(stopping, subscribers.given_up))
        joining = asyncio.create_task(self._join(subscribers, started))
        try:
            await asyncio.wait((ending, joining), return_when=asyncio.FIRST_COMPLETED)
            if joining.done():
                joining.result()
            await ending
        finally:
            self.subscribers = None
            for task in (ending, joining):
                task.cancel()
            await asyncio.gather(ending, joining, return_exceptions=True)
            await subscribers.stop()

    async def _join(self, subscribers: Subscribers, started: asyncio.Event) -> None:
        await subscribers.start()
        self.subscribers = subscribers
        await subscribers.joined()
        started.set()


@dataclass
class Running:
    """Services that run; what `/healthz` and `/readyz` ask."""

    services: list[RunningService] = field(default_factory=list)
    meters: Meters = field(default_factory=Meters)
    patience: float = STUCK_SECONDS
    outage_at: float = -math.inf
    """When database or broker were last found away, by `time.monotonic`: silence before that is theirs."""
    stopping: bool = False

    def health(self) -> list[Health]:
        """A snapshot of each."""
        return [one.health(self.outage_at, self.patience) for one in self.services]


async def run_services(
    services: Sequence[Service],
    settings: Settings,
    *,
    stopping: asyncio.Event,
    ready: Callable[[], None] = lambda: None,
    running: Running | None = None,
    drain_seconds: float = DRAIN_SECONDS,
) -> None:
    """Run these until `stopping` is set, then stop in order: consumers, workers, relays, and the services are closed.

    `ready` is called once, when all have joined their groups. `running`, if given, tells how they are doing.
    """
    gc.set_threshold(*GC_THRESHOLDS)
    board = running if running is not None else Running()
    board.services = [RunningService(service, settings, board.meters) for service in services]
    stages = (Stage(), Stage(), Stage())
    consumers, workers, relays = stages
    joined = [asyncio.Event() for _ in services]
    for one, started in zip(board.services, joined, strict=True):
        name = one.service.name
        one.lives = [
            consumers.start(f"{name}.subscribers", partial(one.subscribe, started=started)),
            *(workers.start(f"{name}.{worker.name}", worker.run) for worker in one.service.workers),
            relays.start(f"{name}.relay", one.relay.run),
        ]
    announcing = asyncio.create_task(_announce(joined, ready))
    try:
        await stopping.wait()
    finally:
        board.stopping = True
        announcing.cancel()
        for stage in stages:
            await stage.end(drain_seconds)
        for one in board.services:
            await one.service.close()


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of them is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


async def _announce(joined: Sequence[asyncio.Event], ready: Callable[[], None]) -> None:
    for event in joined:
        await event.wait()
    ready()
