"""Further processes of the same services on this machine, for more than one core: they end with the first one."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Sequence

from clarion.runtime.settings import PREFIX, Settings

FOLLOW = "--follow"
STOP_SECONDS = 30.0
COMMAND = "from clarion.services.cli import main; main()"


@contextlib.asynccontextmanager
async def replicas(settings: Settings, names: Sequence[str], count: int) -> AsyncIterator[None]:
    """So many further processes until the end of the block, or of this process, however it ends."""
    started = [await _start(settings, names, number) for number in range(2, count + 2)]
    try:
        yield
    finally:
        await asyncio.gather(*(_stop(process) for process in started))


async def _start(settings: Settings, names: Sequence[str], number: int) -> asyncio.subprocess.Process:
    environment = dict(os.environ)
    if settings.kafka_instance is not None:
        environment[f"{PREFIX}KAFKA_INSTANCE"] = f"{settings.kafka_instance}-{number}"
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
