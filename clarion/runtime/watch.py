"""Looks every few seconds at what a process stands on and at what it runs; what was found can be asked at any time."""

import asyncio
import contextlib
import math
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import asyncpg
import structlog
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from clarion.runtime.database import Connection, discover_services, is_transient, load_queries, pending
from clarion.runtime.database.pool import connect_login
from clarion.runtime.ids import new_id
from clarion.runtime.messaging.depths import depths
from clarion.runtime.messaging.lag import Reader, Standing, Standings, standings
from clarion.runtime.process import Running, RunningService, Service
from clarion.runtime.readings import Reading
from clarion.runtime.settings import Settings
from clarion.runtime.supervision import Stage

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
READ_SECONDS = 15.0
ANSWER_SECONDS = 5.0
DEAR = 100
"""Reading figures takes at most about a hundredth of the time."""
NOT_YET = "nobody has looked yet"


class Watch:
    """The watch over one process: its own connections, so that a pool or a client that hangs does not blind it.

    `database` and `kafka` say why they do not answer, None if they do; `missing` are migrations of this version that
    the database lacks. `services` are those whose figures are read, whether they run here or not.
    """

    def __init__(
        self,
        running: Running,
        settings: Settings,
        services: Sequence[Service],
        names: Sequence[str] = (),
        *,
        every_seconds: float = LOOK_SECONDS,
    ) -> None:
        self.running = running
        self.settings = settings
        self.services = services
        self.names = names or [service.name for service in services]
        self.every_seconds = every_seconds
        self.id = new_id()
        self.database: str | None = NOT_YET
        self.kafka: str | None = NOT_YET
        self.missing: list[str] | None = None
        self.standings: dict[tuple[str, str], Standing] = {}
        self.readings: list[Reading] = []
        self.exposed: CollectorRegistry | None = None
        self.looked_at = time.monotonic()
        self._read_again_at = -math.inf
        self._moved: dict[tuple[str, str, int], tuple[int, float]] = {}
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._broker: Standings | None = None
        self._broker_clients = contextlib.AsyncExitStack()

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until told to stop, then take this process off the list."""
        try:
            while not stopping.is_set():
                await self.look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.every_seconds):
                        await stopping.wait()
            await self._asking_database(self._leave)
        finally:
            await self._broker_clients.aclose()
            await self._hang_up()

    async def look(self) -> None:
        """One look at everything."""
        self.database = await self._asking_database(self._look_at_database)
        self.kafka = await self._look_at_broker()
        self.looked_at = time.monotonic()
        if self.database or self.kafka:
            self.running.outage_at = self.looked_at
        if self.database is None:
            # The pools go before the watch does.
            if time.monotonic() >= self._read_again_at and not self.running.stopping:
                await self._read()
            await self._asking_database(self._report)

    def read_again(self) -> None:
        """Let the next look read the figures, however long ago they were read."""
        self._read_again_at = -math.inf

    def troubles(self) -> Iterator[str]:
        """What is wrong with the process beyond its services, so that a restart is due."""
        silent = time.monotonic() - self.looked_at
        if silent > self.running.patience:
            yield f"nobody has looked after this process for {silent:.0f} s"

    def waits(self) -> Iterator[str]:
        """What keeps the process from taking part, beyond its services."""
        if self.running.stopping:
            yield "it is stopping"
        if self.database is not None:
            yield f"the database does not answer: {self.database}"
        if self.kafka is not None and self.running.services:
            yield f"Kafka does not answer: {self.kafka}"
        if self.missing:
            yield f"the database lacks {len(self.missing)} migrations, such as {self.missing[0]}: run clarion migrate"

    async def _asking_database(self, ask: Any) -> str | None:
        """Why the database does not answer, or None if it did."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await connect_login(str(self.settings.database_url))
                await ask(self._connection)
        except Exception as error:
            if not is_transient(error, self._connection) and not isinstance(error, OSError | asyncpg.PostgresError):
                raise
            await self._hang_up()
            return type(error).__name__
        return None

    async def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _look_at_database(self, connection: Connection) -> None:
        await load_queries("clarion.runtime.database").try_database(connection)
        if self.missing is None or self.missing:
            known = {service.name for service in self.services} & set(discover_services())
            found = await pending(str(self.settings.database_url), sorted(known))
            self.missing = [f"{each.schema}/{each.name}" for each in found]

    async def _report(self, connection: Connection) -> None:
        await load_queries("clarion.runtime.database").report_process(
            connection, id=self.id, host=socket.gethostname(), services=list(self.names), report=self.report()
        )

    async def _leave(self, connection: Connection) -> None:
        await load_queries("clarion.runtime.database").end_process(connection, id=self.id)

    def report(self) -> dict[str, Any]:
        """What other processes may know of this one, as JSON values."""
        return {
            "kafka": self.kafka,
            "troubles": list(self.troubles()),
            "waits": list(self.waits()),
            "services": [
                {
                    "name": one.service.name,
                    "troubles": health.troubles,
                    "waits": health.waits,
                    "assigned": health.assigned,
                    "relay_leads": health.relay_leads,
                    "tasks": [
                        {"name": life.name, "failures": life.failures, "error": life.error} for life in one.lives
                    ],
                }
                for one, health in zip(self.running.services, self.running.health(), strict=True)
            ],
        }

    async def _look_at_broker(self) -> str | None:
        readers = [Reader(service.name, one.topic) for service in self.services for one in service.subscriptions]
        try:
            async with asyncio.timeout(2 * ANSWER_SECONDS):
                positions = [(one, await one.unhandled()) for one in self.running.services]
                if self._broker is None:
                    self._broker = await self._broker_clients.enter_async_context(standings(self.settings))
                self.standings = await self._broker.look(readers)
        except (KafkaError, OSError, TimeoutError) as error:
            self._broker = None
            await self._broker_clients.aclose()
            return type(error).__name__
        for one, unhandled in positions:
            self._follow(one, unhandled)
        return None

    def _follow(self, running: RunningService, unhandled: dict[str, dict[int, int]]) -> None:
        """Since when each topic's position has not moved although there is something to read."""
        now = time.monotonic()
        running.unmoved = {}
        for topic, positions in unhandled.items():
            standing = self.standings.get((running.service.name, topic))
            for partition, position in positions.items() if standing else ():
                key = (running.service.name, topic, partition)
                before, since = self._moved.get(key, (position, now))
                behind = standing is not None and standing.lags[partition] and position < standing.ends[partition]
                since = since if behind and before == position else now
                self._moved[key] = (position, since)
                if behind:
                    running.unmoved[topic] = min(since, running.unmoved.get(topic, now))

    async def _read(self) -> None:
        """The figures of all services, less often the longer that takes."""
        began_at = time.monotonic()
        found: list[Reading] = []
        for service in self.services:
            try:
                async with asyncio.timeout(ANSWER_SECONDS), service.database.connection() as connection:
                    found += await depths(connection, service.name)
                    if service.look is not None:
                        found += await service.look(connection)
            except Exception as error:  # noqa: BLE001 - a figure that cannot be read says nothing of the process
                log.warning("watch.unread", service=service.name, error=type(error).__name__)
        self.readings = found
        took = time.monotonic() - began_at
        self._read_again_at = began_at + max(READ_SECONDS, DEAR * took) - self.every_seconds / 2


@contextlib.asynccontextmanager
async def watching(watch: Watch) -> AsyncIterator[Watch]:
    """The watch at work until the end of the block."""
    stage = Stage()
    stage.start("watch", watch.run)
    try:
        yield watch
    finally:
        await stage.end(ANSWER_SECONDS)
