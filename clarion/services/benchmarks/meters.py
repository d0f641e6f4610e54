"""What processes cost: their CPU time and memory, with that of all their children."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import psutil

MEGABYTE = 1_000_000
LOOK_SECONDS = 0.5


def interpreter() -> str:
    """What runs the code: the same version of Python, built in another way, may take a fifth more for each mail."""
    return f"Python {' '.join(sys.version.split())}"


@dataclass(frozen=True, slots=True)
class Meter:
    """Some processes and their children, dead ones included."""

    pids: Sequence[int]

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        return sum(sum(process.cpu_times()[:4]) for process in self.alive())

    def alive(self) -> list[psutil.Process]:
        """Those that run now. Looking for children reads of all processes of the machine."""
        found: dict[int, psutil.Process] = {}
        for pid in self.pids:
            try:
                root = psutil.Process(pid)
                found |= {one.pid: one for one in [root, *root.children(recursive=True)]}
            except psutil.NoSuchProcess:
                continue
        return [one for one in found.values() if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def memory_mb(processes: Sequence[psutil.Process]) -> float:
    """Their resident memory now, in megabytes; what they share is counted for each.

    Raises:
        psutil.NoSuchProcess: one has ended.
    """
    return sum(process.memory_info().rss for process in processes) / MEGABYTE


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
            known = meter.alive()
            with contextlib.suppress(psutil.NoSuchProcess):
                while True:
                    peak.megabytes = max(peak.megabytes, memory_mb(known))
                    await asyncio.sleep(LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield peak
    finally:
        looking.cancel()
