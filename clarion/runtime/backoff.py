"""Waiting before another try, so that many who failed together do not come back together."""

import asyncio
import random
from dataclasses import dataclass, field

_DICE = random.SystemRandom()


def jittered(seconds: float) -> float:
    """Between half and one and a half times as long."""
    return seconds * _DICE.uniform(0.5, 1.5)


@dataclass(slots=True)
class Backoff:
    """Waits that double from `first_seconds` to `limit_seconds`, each with jitter, until a success resets them."""

    first_seconds: float = 0.1
    limit_seconds: float = 5.0
    _next_seconds: float = field(default=0.0, init=False)

    def reset(self) -> None:
        """After a success: the next wait is the first again."""
        self._next_seconds = 0.0

    async def wait(self, stopping: asyncio.Event) -> None:
        """Wait, but not once `stopping` is set."""
        seconds = self._next_seconds or self.first_seconds
        self._next_seconds = min(seconds * 2, self.limit_seconds)
        try:
            async with asyncio.timeout(jittered(seconds)):
                await stopping.wait()
        except TimeoutError:
            return
