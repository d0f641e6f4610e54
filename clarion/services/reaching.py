"""Database and broker before and while services run: waited for, refused or explained, with what to do about it."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from clarion.runtime.backoff import Backoff
from clarion.runtime.database import MigrationError, pending
from clarion.runtime.database.home import check_home
from clarion.runtime.database.reaching import reach_database
from clarion.runtime.messaging.reaching import reach_broker
from clarion.runtime.messaging.topics import check_topics
from clarion.runtime.refusals import Refused, Unreachable
from clarion.runtime.settings import Settings

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
PASSING = (OSError, KafkaError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError)
"""How a server that was there a moment ago goes away."""
PROBES: Mapping[str, Callable[[Settings], Awaitable[None]]] = {"database": reach_database, "kafka": reach_broker}


@dataclass(slots=True)
class Waiting:
    """What a process waits for before it can begin."""

    why: str = "nobody has looked yet"


async def wait_for_servers(
    settings: Settings,
    services: Sequence[str],
    stopping: asyncio.Event,
    *,
    backoff: Backoff | None = None,
    told: Waiting | None = None,
) -> bool:
    """Wait until database and broker take us; False if `stopping` was set before. Says what it waits for.

    Raises:
        MissingSetting, WrongSetting: what is set is not enough, or cannot be used.
        Refused: one of them is there and will not have us, which waiting does not change.
        MigrationError, TopicError: they are not at this version.
    """
    pause = backoff or Backoff(first_seconds=0.5, limit_seconds=10.0)
    told = told or Waiting()
    while not stopping.is_set():
        try:
            for probe in PROBES.values():
                await probe(settings)
            await check_home(str(settings.database_url))
            await check_version(settings, services)
        except (Unreachable, *PASSING) as error:
            told.why = str(error) or type(error).__name__
            log.warning("server.waited_for", why=told.why)
            await pause.wait(stopping)
        else:
            return True
    return False


async def check_version(settings: Settings, services: Sequence[str]) -> None:
    """Refuse to run on a database or broker that is older than this code: every message would be a dead letter.

    Raises:
        MigrationError: migrations of these services are missing.
        TopicError: a topic is missing, or has another number of partitions.
    """
    missing = await pending(str(settings.database_url), services)
    if missing:
        names = ", ".join(f"{each.schema}/{each.name}" for each in missing[:3])
        raise MigrationError(f"the database lacks {len(missing)} migrations ({names} ...): run clarion migrate")
    await check_topics(settings)


@dataclass
class Explanations:
    """Says in the log why a server is away while services run, and when it is back: they wait by themselves.

    `suspects` names the servers that do not answer, as the process's watch found; only they are asked.
    """

    settings: Settings
    suspects: Callable[[], Iterable[str]]
    every_seconds: float = LOOK_SECONDS
    problems: dict[str, str] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set."""
        while not stopping.is_set():
            suspects = set(self.suspects())
            for server in PROBES:
                await self._ask(server) if server in suspects else self._well(server)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.every_seconds):
                    await stopping.wait()

    async def _ask(self, server: str) -> None:
        try:
            await PROBES[server](self.settings)
        except (Refused, Unreachable) as error:
            self._trouble(server, error)
        else:
            self._well(server)

    def _trouble(self, server: str, error: Refused | Unreachable) -> None:
        if self.problems.get(server) != str(error):
            log.error("server.trouble", server=server, refused=isinstance(error, Refused), why=str(error))
        self.problems[server] = str(error)
        self._since.setdefault(server, time.monotonic())

    def _well(self, server: str) -> None:
        if self.problems.pop(server, None) is not None:
            log.info("server.back", server=server, after_seconds=round(time.monotonic() - self._since.pop(server)))
