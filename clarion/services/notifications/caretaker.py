"""The caretaker: frees what dead senders held and ends what has become too late, with or without a relay."""

import asyncio
import contextlib
from datetime import datetime, timedelta

from clarion.runtime.beats import beat
from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, is_transient
from clarion.services.notifications import operations
from clarion.services.notifications.pauses import follow_pauses
from clarion.services.notifications.repository import Ledger, Workers

EXPIRE_ROOM = 1_000


class Steadiness:
    """Whether the database has been reached without a gap for a whole lease, by its own clock.

    After an outage all leases look as if they had ended; whoever is alive renews within a lease.
    """

    def __init__(self, lease: timedelta) -> None:
        self.lease = lease
        self._seen_at: datetime | None = None
        self._since: datetime | None = None

    def saw(self, at: datetime) -> bool:
        """The database was reached at that time of its clock; True once that has been so for a lease."""
        gap = self._seen_at is None or at - self._seen_at > self.lease / 2
        if gap or self._since is None:
            self._since = at
        self._seen_at = at
        return at - self._since > self.lease


class Caretaker:
    """Looks round several times in a lease."""

    name = "caretaker"

    def __init__(self, database: Database, lease: timedelta, clock: Clock) -> None:
        self.database = database
        self.lease = lease
        self.clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Look round until stopped."""
        steadiness = Steadiness(self.lease)
        pause = min(1.0, self.lease.total_seconds() / 8)
        while not stopping.is_set():
            beat()
            try:
                await self.look_round(steadiness)
            except Exception as error:
                if not is_transient(error):
                    raise
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stopping.wait()

    async def look_round(self, steadiness: Steadiness) -> None:
        """Bury dead workers if the database was there for a whole lease, follow pauses, end what is too late."""
        async with self.database.connection() as connection:
            ledger = Ledger(connection)
            steady = steadiness.saw(await Workers(connection).database_time())
            dead, late = await ledger.any_dead(), await ledger.any_late(self.clock())
        if dead and steady:
            await self._bury(steadiness)
        await follow_pauses(self.database, self.clock)
        ended = EXPIRE_ROOM if late else 0
        while ended == EXPIRE_ROOM:
            async with self.database.transaction() as tx:
                ended = await operations.expire(tx, self.clock(), EXPIRE_ROOM)

    async def _bury(self, steadiness: Steadiness) -> None:
        """The time is asked for anew: leases are looked at as of this transaction's beginning."""
        async with self.database.transaction() as tx:
            if steadiness.saw(await Workers(tx.connection).database_time()):
                await operations.bury(tx, self.clock(), self.lease)
