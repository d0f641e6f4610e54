"""Jobs and who does them: small steps, each in a transaction of its own, so that a kill costs one step at most."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import structlog

from clarion.runtime.backoff import jittered
from clarion.runtime.beats import beat
from clarion.runtime.database import Database, Transaction, is_transient, load_queries

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
POLL_SECONDS = 20.0
RETRY = timedelta(minutes=5)
REST_AT_MOST_SECONDS = 1.0

Step = Callable[[Transaction], Awaitable[int]]
"""Does a bounded part of the work; how many rows that were, 0 once nothing is left."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is due `every` so often, from the end of the last time on; `days` is the age of what it removes."""

    name: str
    step: Step
    every: timedelta = timedelta(hours=1)
    days: int | None = None


def purging(name: str, purge: Callable[..., Awaitable[int]], *, days: int, at_most: int = 5_000) -> Job:
    """Removes what is older than so many days: `purge(connection, before=..., at_most=...)` says how much that was."""

    async def step(tx: Transaction) -> int:
        return await purge(tx.connection, before=tx.clock() - timedelta(days=days), at_most=at_most)

    return Job(name, step, days=days)


class Timers:
    """Does the jobs of one service when they are due; run it in as many replicas as there are."""

    name = "timers"

    def __init__(
        self, database: Database, jobs: Sequence[Job], *, lease: timedelta = LEASE, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._lease = lease
        self._poll_seconds = poll_seconds
        self._queries = load_queries("clarion.runtime.timers")

    @property
    def jobs(self) -> Sequence[Job]:
        """What it does."""
        return self._jobs

    async def run(self, stopping: asyncio.Event) -> None:
        """Do what is due until stopped; an outage of the database is waited out."""
        announced = False
        while not stopping.is_set():
            beat()
            try:
                if not announced:
                    await self._announce()
                    announced = True
                for job in self._jobs:
                    await self._attend(job, stopping)
            except Exception as error:
                if not is_transient(error):
                    raise
            await _rest(jittered(self._poll_seconds), stopping)

    async def _announce(self) -> None:
        async with self._database.connection() as connection:
            await self._queries.announce_jobs(connection, names=[job.name for job in self._jobs])

    async def _attend(self, job: Job, stopping: asyncio.Event) -> None:
        """Do it, if it is due and nobody else does."""
        async with self._database.connection() as connection:
            run = await self._queries.claim_job(connection, name=job.name, lease=self._lease)
        if run is None:
            return
        try:
            done = await self._work(job, run, stopping)
        except Exception as error:
            postponed = isinstance(error, asyncpg.LockNotAvailableError)
            if is_transient(error) and not postponed:
                raise
            said = "others were at it" if postponed else type(error).__name__
            log.warning("timers.job_failed", service=self._database.service, job=job.name, error=said)
            await self._end(job, run, min(RETRY, job.every), said)
        else:
            await (self._end(job, run, job.every, None) if done else self._give_back(job, run))

    async def _work(self, job: Job, run: int, stopping: asyncio.Event) -> bool:
        """Step by step, resting as long as a step took; False if it is to be gone on with by somebody else."""
        while not stopping.is_set():
            beat()
            began_at = time.monotonic()
            async with self._database.transaction() as tx:
                await self._queries.limit_waiting(tx.connection)
                rows = await job.step(tx)
                renewed = await self._queries.renew_job(
                    tx.connection, name=job.name, run=run, rows=rows, lease=self._lease
                )
                if renewed is None:
                    raise LostClaim
            if not rows:
                return True
            await _rest(min(time.monotonic() - began_at, REST_AT_MOST_SECONDS), stopping)
        return False

    async def _end(self, job: Job, run: int, pause: timedelta, error: str | None) -> None:
        async with self._database.connection() as connection:
            await self._queries.end_job(connection, name=job.name, run=run, pause=pause, error=error)

    async def _give_back(self, job: Job, run: int) -> None:
        async with self._database.connection() as connection:
            await self._queries.give_back_job(connection, name=job.name, run=run)


class LostClaim(Exception):
    """Somebody else took the job over: a step took longer than the lease. What it did was rolled back."""


async def _rest(seconds: float, stopping: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
