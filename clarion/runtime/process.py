"""A process that runs services: relay, subscribers and workers, started, watched and stopped in order."""

import asyncio
import gc
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import structlog
from fastapi import APIRouter

from clarion.runtime.backoff import Backoff
from clarion.runtime.database import Database
from clarion.runtime.messaging.relay import Relay
from clarion.runtime.messaging.subscribers import Subscribers
from clarion.runtime.messaging.subscription import Subscription
from clarion.runtime.settings import Settings

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 20.0
STUCK_SECONDS = 120.0
HEALTHY_SECONDS = 60.0
GC_THRESHOLDS = (100_000, 20, 20)
"""A batch makes tens of thousands of short-lived objects; by Python's defaults collecting takes a sixth of the time."""


class Worker(Protocol):
    """Work that goes on beside the subscribers, until `stopping` is set."""

    name: str

    async def run(self, stopping: asyncio.Event) -> None:
        """Work; when it raises it is started again after a pause."""


@dataclass(frozen=True)
class Service:
    """One service as its `app.py` builds it; `opened` is closed with it, last opened first."""

    name: str
    database: Database
    subscriptions: Sequence[Subscription] = ()
    workers: Sequence[Worker] = ()
    router: APIRouter | None = None
    opened: Sequence[Callable[[], Awaitable[None]]] = ()

    async def close(self) -> None:
        """Close what it opened, the pool last; doing so again is harmless."""
        for close in reversed(self.opened):
            await close()
        await self.database.close()


@dataclass(frozen=True, slots=True)
class Health:
    """How a service is doing.

    `assigned` maps each subscribed topic to its number of assigned partitions; `idle_seconds` is how long ago the
    slowest subscription last asked for work or began some, None before the first time.
    """

    service: str
    subscribed: bool
    assigned: dict[str, int]
    idle_seconds: float | None
    relay_leads: bool
    relay_idle_seconds: float | None

    @property
    def alive(self) -> bool:
        """Its consumers make progress."""
        return self.idle_seconds is None or self.idle_seconds < STUCK_SECONDS

    @property
    def ready(self) -> bool:
        """It takes part: joined to its groups and not stuck."""
        return self.subscribed and self.alive


@dataclass
class RunningService:
    """The parts of a service that run; `health()` may be asked at any time."""

    service: Service
    settings: Settings
    relay: Relay = field(init=False)
    subscribers: Subscribers | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.relay = Relay(self.settings, self.service.name)

    def health(self) -> Health:
        """A snapshot."""
        now = time.monotonic()
        pulses = list(self.subscribers.pulses.values()) if self.subscribers is not None else []
        last = [one.in_work_since or one.polled_at for one in pulses]
        seen = [now - at for at in last if at is not None]
        progressed_at = self.relay.progressed_at
        return Health(
            service=self.service.name,
            subscribed=not self.service.subscriptions or bool(pulses and len(seen) == len(pulses)),
            assigned={one.topic: one.assigned for one in pulses},
            idle_seconds=max(seen, default=None),
            relay_leads=self.relay.leads,
            relay_idle_seconds=None if progressed_at is None else now - progressed_at,
        )

    async def subscribe(self, stopping: asyncio.Event, started: asyncio.Event) -> None:
        """Keep the subscribers running: made anew when Kafka is not there or its client does not recover."""
        if not self.service.subscriptions:
            started.set()
            await stopping.wait()
            return
        subscribers = Subscribers(self.settings, self.service.database, self.service.subscriptions)
        try:
            await subscribers.start()
            self.subscribers = subscribers
            await subscribers.joined()
            started.set()
            await _first(stopping, subscribers.given_up)
        finally:
            await subscribers.stop()


@dataclass
class Running:
    """Services that run; what `/healthz` and `/readyz` ask."""

    services: list[RunningService] = field(default_factory=list)

    def health(self) -> list[Health]:
        """A snapshot of each."""
        return [one.health() for one in self.services]


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
    board.services = [RunningService(service, settings) for service in services]
    stages = (Stage(), Stage(), Stage())
    consumers, workers, relays = stages
    joined = [asyncio.Event() for _ in services]
    for one, started in zip(board.services, joined, strict=True):
        name = one.service.name
        consumers.start(f"{name}.subscribers", partial(one.subscribe, started=started))
        for worker in one.service.workers:
            workers.start(f"{name}.{worker.name}", worker.run)
        relays.start(f"{name}.relay", one.relay.run)
    announcing = asyncio.create_task(_announce(joined, ready))
    try:
        await stopping.wait()
    finally:
        announcing.cancel()
        for stage in stages:
            await stage.end(drain_seconds)
        for one in board.services:
            await one.service.close()


class Stage:
    """Tasks that are stopped together."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, run: Callable[[asyncio.Event], Awaitable[None]]) -> None:
        """Run it until the stage ends, again after a pause if it raises."""
        self._tasks.append(asyncio.create_task(supervise(name, run, self._stopping), name=name))

    async def end(self, seconds: float) -> None:
        """Let the tasks end by themselves for so long, then cancel what is left."""
        self._stopping.set()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=seconds)
        for task in late:
            log.warning("process.cancelled", task=task.get_name())
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def supervise(name: str, run: Callable[[asyncio.Event], Awaitable[None]], stopping: asyncio.Event) -> None:
    """Run it until `stopping` is set; whenever it raises or returns before, start it again after a pause."""
    backoff = Backoff(first_seconds=0.2, limit_seconds=10.0)
    while not stopping.is_set():
        began_at = time.monotonic()
        try:
            await run(stopping)
        except Exception as error:  # noqa: BLE001 - whatever it is, the rest of the process goes on
            # Without the traceback: its messages may quote people's data.
            log.error("process.task_failed", task=name, error=type(error).__name__, where=_where(error))  # noqa: TRY400
        if time.monotonic() - began_at > HEALTHY_SECONDS:
            backoff.reset()
        await backoff.wait(stopping)


def _where(error: BaseException) -> str:
    """File and line."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


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
