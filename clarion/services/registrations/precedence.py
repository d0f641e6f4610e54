"""Requests go first: who asks for a seat waits for the answer, its mail may come a moment later."""

import asyncio
import contextlib
from collections.abc import Iterator


class Precedence:
    """What is urgent says when it is at work; what can wait gives way to it, but not for ever."""

    def __init__(self) -> None:
        self._idle = asyncio.Event()
        self._idle.set()

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Urgent work, for as long as the block lasts."""
        self._idle.clear()
        try:
            yield
        finally:
            self._idle.set()

    async def give_way(self, seconds: float) -> None:
        """Wait until no urgent work goes on, at most that long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
