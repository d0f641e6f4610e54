"""Further processes of the same services on this machine, for more than one core: they end with the first one."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Sequence

import structlog

from clarion.runtime.backoff import Backoff
from clarion.runtime.settings import PREFIX, Settings

log = structlog.get_logger(__name__)

FOLLOW = "--follow"
STOP_SECONDS = 30.0
COMMAND = "from clarion.services.cli import main; main()"


@contextlib.asynccontextmanager
async def replicas(settings: Settings, names: Sequence[str], count: int) -> AsyncIterator[None]:
    """So many further processes until the end of the block, or of this process, however it ends.

    One that ends by itself is started again after a pause.
    """
    stopping = asyncio.Event()
    kept = [asyncio.create_task(_keep(settings, names, number, stopping)) for number in range(2, count + 2)]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(*kept)


async def _keep(settings: Settings, names: Sequence[str], number: int, stopping: asyncio.Event) -> None:
    told = asyncio.create_task(stopping.wait())
    pause = Backoff(first_seconds=0.5, limit_seconds=30.0)
    while not stopping.is_set():
        process = await _start(settings, names, number)
        gone = asyncio.create_task(process.wait())
        await asyncio.wait({told, gone}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.is_set():
            await _stop(process)
        else:
            log.error("replica.ended", number=number, exit_code=process.returncode)
            await pause.wait(stopping)
        await gone


async def _start(settings: Settings, names: Sequence[str], number: int) -> asyncio.subprocess.Process:
    # The health port that is set is the first process's, each further one has the next.
    health_port = settings.health_port + number - 1 if settings.health_port else 0
    environment = dict(os.environ) | {f"{PREFIX}HEALTH_PORT": str(health_port)}
    name = settings.kafka_instance
    environment[f"{PREFIX}KAFKA_INSTANCE"] = f"{name}-{number}" if name is not None else ""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", COMMAND, "serve", FOLLOW, *names), stdin=asyncio.subprocess.PIPE, env=environment
    )


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    await ended(process)


async def ended(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a process that was told to stop; one that takes too long is killed."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def stop_with_the_first(stopping: asyncio.Event) -> None:
    """Set the event when standard input ends, which it does when the process at its other end does."""
    loop, source = asyncio.get_running_loop(), sys.stdin.fileno()

    def heard() -> None:
        if not os.read(source, 1_024):
            loop.remove_reader(source)
            stopping.set()

    loop.add_reader(source, heard)
