"""Requests go first: who asks for a seat waits for the answer, its mail may come a moment later."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

QUIET_SECONDS = 0.15
"""Longer than what lies between two batches of a rush: commit, fetch, validation."""
PATIENCE_SECONDS = 3.0


class Precedence:
    """What is urgent says when it is at work; what can wait gives way to it, but not for ever.

    Through one rush it waits `patience_seconds` in all, and then takes its turns beside it until there is quiet.
    """

    def __init__(self, quiet_seconds: float = QUIET_SECONDS, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._quiet_seconds = quiet_seconds
        self._patience_seconds = patience_seconds
        self._at_work = False
        self._ended_at = float("-inf")
        self._waited_seconds = 0.0

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Urgent work, for as long as the block lasts."""
        self._at_work = True
        try:
            yield
        finally:
            self._at_work, self._ended_at = False, time.monotonic()

    async def give_way(self) -> None:
        """Wait until there has been no urgent work for a short while, or patience is at its end."""
        while not self._is_quiet():
            if self._waited_seconds >= self._patience_seconds:
                return
            began = time.monotonic()
            await asyncio.sleep(self._quiet_seconds / 4)
            self._waited_seconds += time.monotonic() - began
        self._waited_seconds = 0.0

    def _is_quiet(self) -> bool:
        return not self._at_work and time.monotonic() - self._ended_at >= self._quiet_seconds
