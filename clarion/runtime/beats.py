"""Signs of life: work that goes on says so, and whoever watches sees what fell silent."""

import time
from contextvars import ContextVar
from dataclasses import dataclass, field

_beating: ContextVar["Life | None"] = ContextVar("beating", default=None)


@dataclass
class Life:
    """One supervised task: how often it failed, whether it ended, and when each part of it was last at work.

    Times are of `time.monotonic`.
    """

    name: str
    failures: int = 0
    error: str | None = None
    failed_at: float | None = None
    ended: bool = False
    parts: dict[str, float] = field(default_factory=dict)

    def begins(self) -> None:
        """It is started, perhaps again: its parts have from now on to show that they are at work."""
        _beating.set(self)
        now = time.monotonic()
        self.parts = dict.fromkeys(self.parts, now)

    def failed(self, error: BaseException) -> None:
        """It raised."""
        self.failures += 1
        self.error = type(error).__name__
        self.failed_at = time.monotonic()

    def silent(self, since: float) -> dict[str, float]:
        """For how many seconds each part has been silent; no longer than from `since` on."""
        now = time.monotonic()
        return {part: now - max(at, since) for part, at in self.parts.items()}


def beat(part: str = "") -> None:
    """Say that this part of the running task is at work; to be called in each round. Unsupervised, nobody hears it."""
    life = _beating.get()
    if life is not None:
        life.parts[part] = time.monotonic()
