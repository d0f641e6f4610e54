"""Mails that are being handed over, and what came of those that have ended."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from clarion.services.notifications.domain.outcomes import Outcome

Ended = Callable[[Outcome], None]
T = TypeVar("T")


class Round:
    """Mails that were begun together; `over` once all have ended."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.over = asyncio.Event()


class UnderWay(Generic[T]):
    """True while a mail is under way or its end was not taken yet; `news` is set while there is an end to take."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._count = 0
        self._ended: list[tuple[T, Outcome]] = []

    def __bool__(self) -> bool:
        return bool(self._count or self._ended)

    def __len__(self) -> int:
        """How many have not ended."""
        return self._count

    async def hand_over(
        self, mails: Sequence[T], begin: Callable[[Sequence[tuple[T, Ended]]], None], seconds: float
    ) -> bool:
        """Begin all these and wait until they have ended, at most so long: whether they have. The others go on."""
        if not mails:
            return True
        together = Round(len(mails))
        self._count += len(mails)
        begin([(mail, partial(self._end, together, mail)) for mail in mails])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await together.over.wait()
        return not together.left

    def _end(self, together: Round, mail: T, outcome: Outcome) -> None:
        self._count -= 1
        self._ended.append((mail, outcome))
        self.news.set()
        together.left -= 1
        if not together.left:
            together.over.set()

    def take(self) -> list[tuple[T, Outcome]]:
        """What has ended since the last time."""
        ended, self._ended = self._ended, []
        self.news.clear()
        return ended
