"""The pool of one service, and its transactions."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import asyncpg
from pydantic_core import from_json, to_json

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database.queries import load_queries
from clarion.runtime.database.wakeups import Listener, Wakeups
from clarion.runtime.settings import Settings

if TYPE_CHECKING:
    from clarion.runtime.messaging.received import Received

    AnyConnection: TypeAlias = asyncpg.Connection[asyncpg.Record]
    Connection: TypeAlias = AnyConnection | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    AnyConnection: TypeAlias = asyncpg.Connection
    Connection: TypeAlias = asyncpg.Connection

COMMAND_TIMEOUT_SECONDS = 300.0
CONNECT_TIMEOUT_SECONDS = 10.0
FIRST_OID_OF_OWN_TYPES = 16_384
"""PostgreSQL's own types have the same numbers everywhere, below this one."""
BUILT_IN_TYPES: dict[frozenset[int], Any] = {}


def role_of(service: str) -> str:
    """The database role of a service."""
    return f"clarion_{service}"


def session_settings(service: str) -> dict[str, str]:
    """What makes a session one of `service`: its role, its schema, and a server that notices a dead client."""
    return {
        "role": role_of(service),
        "search_path": service,
        "application_name": role_of(service),
        "TimeZone": "UTC",
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }


async def connect(url: str, service: str) -> asyncpg.Connection[asyncpg.Record]:
    """One connection of `service` outside any pool. Raises OSError or asyncpg's errors when there is no server."""
    return await _connect(url, session_settings(service))


async def connect_login(url: str) -> asyncpg.Connection[asyncpg.Record]:
    """One connection of the login itself, for what concerns several services. Raises like `connect`."""
    return await _connect(url, {"application_name": "clarion", "TimeZone": "UTC"})


class KnowingConnection(AnyConnection):
    """Asks a server for its built-in types once for the process; for each connection it takes some ten milliseconds."""

    async def _introspect_types(self, typeoids: Any, timeout: Any) -> Any:  # noqa: ASYNC109 - as asyncpg has it
        asked = frozenset(typeoids)
        if max(asked) >= FIRST_OID_OF_OWN_TYPES:
            return await super()._introspect_types(typeoids, timeout)  # type: ignore[misc]
        if asked not in BUILT_IN_TYPES:
            BUILT_IN_TYPES[asked] = await super()._introspect_types(typeoids, timeout)  # type: ignore[misc]
        return BUILT_IN_TYPES[asked]


async def _connect(url: str, server_settings: dict[str, str]) -> asyncpg.Connection[asyncpg.Record]:
    connection = await asyncpg.connect(
        url,
        connection_class=KnowingConnection,
        server_settings=server_settings,
        timeout=CONNECT_TIMEOUT_SECONDS,
        command_timeout=COMMAND_TIMEOUT_SECONDS,
    )
    await _teach_json(connection)
    return connection


async def _teach_json(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=_to_json, decoder=from_json, schema="pg_catalog")


async def _leave_as_it_is(_connection: Any) -> None:
    """Between two pieces of work nothing is to be reset: what they set, they set for a transaction alone.

    An open transaction is rolled back by asyncpg all the same. Its own reset costs a round trip each time.
    """


def _to_json(value: Any) -> str:
    return to_json(value).decode()


class Transaction:
    """One PostgreSQL transaction of one service."""

    __slots__ = ("_channels", "_rejected", "clock", "connection", "service")

    def __init__(self, connection: Connection, service: str, clock: Clock = system_clock) -> None:
        self.connection = connection
        self.clock = clock
        self.service = service
        self._channels: set[str] = set()
        self._rejected: list[tuple[Received[Any], str]] = []

    def notify(self, what: str) -> None:
        """Wake who listens to `clarion_<service>_<what>` once this commits; said twice it is sent once."""
        self._channels.add(self.channel(what))

    def channel(self, what: str) -> str:
        """The channel on which this service hears of `what`, for a statement that tells of it."""
        return f"{role_of(self.service)}_{what}"

    def reject(self, received: Received[Any], reason: str) -> None:
        """Make this event a dead letter in this same transaction, beside whatever the handler kept of it."""
        self._rejected.append((received, reason))

    def take_rejected(self) -> list[tuple[Received[Any], str]]:
        """What was rejected so far; whoever takes it writes the dead letters."""
        rejected, self._rejected = self._rejected, []
        return rejected

    async def finish(self) -> None:
        """Send the notifications; called last, just before the commit.

        Raises:
            RuntimeError: something was rejected where nobody writes dead letters.
        """
        if self._rejected:
            raise RuntimeError("reject() works in the handler of a subscription only")
        if self._channels:
            queries = load_queries("clarion.runtime.database")
            await queries.notify(self.connection, channels=sorted(self._channels))


@dataclass(frozen=True, slots=True)
class PoolUsage:
    """Connections of a pool: in use, open and idle, and how many there may be."""

    busy: int
    idle: int
    most: int


class Database:
    """The pool of one service: every session has its role and its schema as search path.

    `json` and `jsonb` values are Python objects both ways.
    """

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], url: str, service: str, clock: Clock) -> None:
        self.service = service
        self.url = url
        self.clock = clock
        self._pool = pool
        self._listener = Listener(lambda: connect(url, service))

    @classmethod
    async def connect(
        cls,
        url: str,
        service: str,
        *,
        min_size: int = 0,
        max_size: int = 8,
        clock: Clock = system_clock,
        session: Mapping[str, str] | None = None,
    ) -> Self:
        """Open the pool. Raises OSError or asyncpg's errors when the server is not there or not migrated.

        With a `min_size` asyncpg logs a traceback for each try to restore it while the server is away. `session` are
        further settings of PostgreSQL for its sessions.
        """
        pool = await asyncpg.create_pool(
            url,
            min_size=min_size,
            max_size=max_size,
            connection_class=KnowingConnection,
            server_settings={**session_settings(service), **(session or {})},
            init=_teach_json,
            reset=_leave_as_it_is,
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=COMMAND_TIMEOUT_SECONDS,
        )
        async with pool.acquire():
            return cls(pool, url, service, clock)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction, committed at the end of the block and rolled back when it raises."""
        async with self._pool.acquire() as connection, connection.transaction():
            tx = Transaction(connection, self.service, self.clock)
            yield tx
            await tx.finish()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for reads, each statement on its own."""
        async with self._pool.acquire() as connection:
            yield connection

    @property
    def usage(self) -> PoolUsage:
        """How the pool is doing."""
        opened, idle = self._pool.get_size(), self._pool.get_idle_size()
        return PoolUsage(opened - idle, idle, self._pool.get_max_size())

    def listen(self, channel: str) -> AbstractAsyncContextManager[Wakeups]:
        """Wake-ups of a NOTIFY channel (`clarion_<service>_<what>`); they outlive a restart of the database."""
        return self._listener.listen(channel)

    async def close(self) -> None:
        """Give back what was opened; waits for connections in use."""
        await self._listener.close()
        await self._pool.close()


@contextlib.asynccontextmanager
async def open_database(
    settings: Settings, service: str, clock: Clock = system_clock, *, size: int = 2
) -> AsyncIterator[Database]:
    """A service's database for one piece of work: a few connections, closed at the end of the block.

    Raises:
        MissingSetting: there is no database, neither set nor running.
    """
    settings.need("database_url")
    database = await Database.connect(str(settings.database_url), service, max_size=size, clock=clock)
    try:
        yield database
    finally:
        await database.close()
