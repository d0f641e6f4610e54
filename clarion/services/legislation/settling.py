"""Tells of withdrawals once they have waited long enough for the bill to appear elsewhere."""

import asyncio
import contextlib
from datetime import timedelta

from clarion.runtime.beats import beat
from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, is_transient
from clarion.services.legislation.operations import settle_due

POLL_SECONDS = 0.5


class Settling:
    """Looks for what is due twice a second; any number of replicas may run."""

    name = "settling"

    def __init__(self, database: Database, clock: Clock, settle: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._settle = settle

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until told to stop."""
        while not stopping.is_set():
            beat()
            try:
                await self.settle()
            except Exception as error:
                if not is_transient(error):
                    raise
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await stopping.wait()

    async def settle(self) -> None:
        """Tell of all that is due."""
        settled = 1
        while settled:
            async with self._database.transaction() as tx:
                settled = await settle_due(tx, self._clock(), self._settle)
