"""How much a wording may take, counted while it is written."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from clarion.services.notifications.wordings.faults import Unusable

MOST_SOURCE = 20_000
"""Characters of a body's source."""
MOST_SUBJECT_SOURCE = 500
MOST_SUBJECT = 250
"""Characters of a subject, once it is filled in."""
MOST_STEPS = 20_000
"""Turns of loops and things printed, all together."""
MOST_CHARACTERS = 40_000
MOST_SECONDS = 0.5
"""Of writing one mail's shared part; what is usual takes a hundredth of it."""
TOO_LONG = "the mail would be longer than it may be, however few details of the bills it held"


class Allowance:
    """What one writing has left."""

    def __init__(
        self,
        *,
        steps: int = MOST_STEPS,
        characters: int = MOST_CHARACTERS,
        seconds: float = MOST_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = steps, characters, seconds
        self._steps, self._characters = steps, characters
        self._monotonic = monotonic
        self._deadline = monotonic() + seconds

    def spend(self, characters: int = 0) -> None:
        """Take a step that prints so many characters.

        Raises:
            Unusable: it was too long, too much or too many.
        """
        self._steps -= 1
        self._characters -= characters
        if self._characters < 0:
            raise Unusable(f"it would have more than {self._most[1]:,} characters")
        if self._steps < 0:
            raise Unusable(f"its loops make more than {self._most[0]:,} turns")
        self.check_time()

    def check_time(self) -> None:
        """Raises Unusable: it took too long."""
        if self._monotonic() > self._deadline:
            raise Unusable(f"it takes longer than {self._most[2]} seconds to write")

    def counted(self, iterable: Iterable[Any]) -> Iterator[Any]:
        """The same, a step for each turn."""
        for one in iterable:
            self.spend()
            yield one
