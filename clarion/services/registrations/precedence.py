"""Requests go first: who asks for a seat waits for the answer, its mail may come a moment later."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

QUIET_SECONDS = 0.15
"""Longer than what lies between two batches of a rush: commit, fetch, validation."""


class Precedence:
    """What is urgent says when it is at work; what can wait gives way to it, but not for ever."""

    def __init__(self, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._quiet_seconds = quiet_seconds
        self._at_work = False
        self._ended_at = float("-inf")

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Urgent work, for as long as the block lasts."""
        self._at_work = True
        try:
            yield
        finally:
            self._at_work, self._ended_at = False, time.monotonic()

    async def give_way(self, at_most_seconds: float) -> None:
        """Wait until there has been no urgent work for a short while, at most so long."""
        until = time.monotonic() + at_most_seconds
        while (now := time.monotonic()) < until:
            quiet_at = now + self._quiet_seconds if self._at_work else self._ended_at + self._quiet_seconds
            if quiet_at <= now:
                return
            await asyncio.sleep(min(quiet_at, until) - now)
