"""The messages that a sender has claimed and not yet begun."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from clarion.services.notifications.domain import lanes
from clarion.services.notifications.domain.messages import Claimed, Content, Official
from clarion.services.notifications.domain.telling import Told


class Held(NamedTuple):
    """A claimed message with what is needed to write its mail; `told` is what came before it, newest first.

    `trace` is the one to which its mail belongs, where there are traces.
    """

    message: Claimed
    content: Content
    officials: Mapping[str, Official]
    told: Sequence[Told] = ()
    trace: str | None = None


class Shelf:
    """Claimed messages by lane, those that were due first in front."""

    def __init__(self) -> None:
        self._lanes: dict[int, deque[Held]] = defaultdict(deque)

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def add(self, found: Iterable[Held]) -> None:
        """Put messages in."""
        for held in found:
            self._lanes[held.message.lane].append(held)

    def take(self, room: int) -> list[Held]:
        """Take up to `room` messages out, from the lanes by weight."""
        places = lanes.shares(room, {number: len(held) for number, held in self._lanes.items()})
        return [self._lanes[number].popleft() for number, count in places.items() for _ in range(count)]

    @property
    def messages(self) -> list[Claimed]:
        """All that is on it."""
        return [held.message for lane in self._lanes.values() for held in lane]

    def clear(self) -> list[Claimed]:
        """Take all out, to be given back."""
        found = self.messages
        self._lanes.clear()
        return found
