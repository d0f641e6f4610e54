"""Tells a demonstration step by step, with times, and waits for what it shows."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from clarion.runtime.output import say

PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.05

T = TypeVar("T")


class Unfinished(Exception):
    """Something that the demonstration waits for did not happen in time."""


@dataclass
class Narrator:
    """Tells each step with its time, unless a machine listens; remembers all for the machine."""

    quiet: bool
    steps: list[dict[str, Any]] = field(default_factory=list)
    began_at: float = field(default_factory=time.monotonic)

    def tell(self, step: str, text: str, **figures: Any) -> None:
        """One more step is done."""
        now = time.monotonic()
        seconds, self.began_at = now - self.began_at, now
        self.steps.append({"step": step, "seconds": round(seconds, 3)} | figures)
        if not self.quiet:
            say(f"{len(self.steps):>2}  {step.ljust(12)} {text}  ({seconds:.1f} s)")

    def add(self, text: str) -> None:
        """A line that belongs to the last step."""
        if not self.quiet:
            say(f"{' ' * 17}{text}")


async def soon(what: str, find: Callable[[], Awaitable[T | None]]) -> T:
    """What `find` finds, asked again until it does.

    Raises:
        Unfinished: it did not within the demonstration's patience.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = await find()
        if found is not None:
            return found
        await asyncio.sleep(POLL_SECONDS)
    raise Unfinished(f"{what} did not come within {PATIENCE_SECONDS:.0f} s")
