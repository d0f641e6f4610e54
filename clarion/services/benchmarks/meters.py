"""What processes cost: their CPU time and memory, with that of all their children."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import psutil

MEGABYTE = 1_000_000
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Meter:
    """Some processes and their children, dead ones included."""

    pids: Sequence[int]

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        return sum(sum(process.cpu_times()[:4]) for process in self._alive())

    def memory_mb(self) -> float:
        """Resident memory now, in megabytes; what processes share is counted for each."""
        return sum(process.memory_info().rss for process in self._alive()) / MEGABYTE

    def _alive(self) -> list[psutil.Process]:
        found: dict[int, psutil.Process] = {}
        for pid in self.pids:
            try:
                root = psutil.Process(pid)
                found |= {one.pid: one for one in [root, *root.children(recursive=True)]}
            except psutil.NoSuchProcess:
                continue
        return [one for one in found.values() if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@dataclass(slots=True)
class Peak:
    """The most memory seen so far, in megabytes."""

    megabytes: float = 0.0


@contextlib.asynccontextmanager
async def watched_memory(meter: Meter) -> AsyncIterator[Peak]:
    """Look at the memory again and again until the end of the block."""
    peak = Peak()

    async def look() -> None:
        while True:
            peak.megabytes = max(peak.megabytes, meter.memory_mb())
            await asyncio.sleep(LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield peak
    finally:
        looking.cancel()
