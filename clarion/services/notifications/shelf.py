"""The messages that a sender has claimed and not yet begun."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from clarion.schemas.topics import bucket
from clarion.services.notifications.domain import lanes
from clarion.services.notifications.domain.messages import Claimed, Content, Official
from clarion.services.notifications.domain.telling import Told


@dataclass(frozen=True, slots=True)
class Held:
    """A claimed message with what is needed to write its mail; `told` is what came before it, newest first."""

    message: Claimed
    content: Content
    officials: Mapping[str, Official]
    told: Sequence[Told] = ()


class Shelf:
    """Claimed messages by lane; within a lane by bucket, so that outcomes of one round fit into few events."""

    def __init__(self) -> None:
        self._lanes: dict[int, list[Held]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(len(held) for held in self._lanes.values())

    def add(self, found: Iterable[Held]) -> None:
        """Put messages in."""
        for held in found:
            self._lanes[held.message.lane].append(held)
        for lane in self._lanes.values():
            lane.sort(key=lambda held: bucket(held.message.mailbox), reverse=True)

    def take(self, room: int) -> list[Held]:
        """Take up to `room` messages out, from the lanes by weight."""
        places = lanes.shares(room, {number: len(held) for number, held in self._lanes.items()})
        return [self._lanes[number].pop() for number, count in places.items() for _ in range(count)]

    def clear(self) -> None:
        """Forget all; they have been given back."""
        self._lanes.clear()
