"""Tasks that are started, started again when they fail, and stopped together."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable

import structlog

from clarion.runtime.backoff import Backoff
from clarion.runtime.beats import Life

log = structlog.get_logger(__name__)

HEALTHY_SECONDS = 60.0

Run = Callable[[asyncio.Event], Awaitable[None]]


class Stage:
    """Tasks that are stopped together."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, run: Run) -> Life:
        """Run it until the stage ends, again after a pause if it raises. Gives what is known of it."""
        life = Life(name)
        self._tasks.append(asyncio.create_task(supervise(life, run, self._stopping), name=name))
        return life

    async def end(self, seconds: float) -> None:
        """Let the tasks end by themselves for so long, then cancel what is left."""
        self._stopping.set()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=seconds)
        for task in late:
            log.warning("process.cancelled", task=task.get_name())
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def supervise(life: Life, run: Run, stopping: asyncio.Event) -> None:
    """Run it until `stopping` is set; whenever it raises or returns before, start it again after a pause."""
    backoff = Backoff(first_seconds=0.2, limit_seconds=10.0)
    try:
        while not stopping.is_set():
            began_at = time.monotonic()
            life.begins()
            try:
                await run(stopping)
            except Exception as error:  # noqa: BLE001 - whatever it is, the rest of the process goes on
                life.failed(error)
                # Without the traceback: its messages may quote people's data.
                log.error("process.task_failed", task=life.name, error=life.error, where=_where(error))  # noqa: TRY400
            if time.monotonic() - began_at > HEALTHY_SECONDS:
                backoff.reset()
            await backoff.wait(stopping)
    finally:
        life.ended = not stopping.is_set()


def _where(error: BaseException) -> str:
    """File and line."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
