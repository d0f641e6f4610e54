"""Lanes: how the senders' room is shared, so that a newsletter never delays a sign-in."""

from collections.abc import Mapping

from clarion.schemas.messages import Lane

WEIGHTS: Mapping[Lane, int] = {"sign-in": 8, "registration": 4, "call": 2, "bulk": 1}
ORDER: tuple[Lane, ...] = ("sign-in", "registration", "call", "bulk")
BY_NUMBER: Mapping[int, int] = {number: WEIGHTS[lane] for number, lane in enumerate(ORDER)}
"""The weights by the lanes' numbers in the ledger."""


def number(lane: Lane) -> int:
    """The lane as the ledger keeps it: 0 is the most urgent."""
    return ORDER.index(lane)


def shares(room: int, waiting: Mapping[int, int]) -> dict[int, int]:
    """How many of `room` places each lane (by number) gets, by weight; what one lane does not need goes to the others.

    Every lane that waits gets a place while there is one, the more urgent first.
    """
    left = {lane: count for lane, count in sorted(waiting.items()) if count > 0}
    given = dict.fromkeys(left, 0)
    while room > 0 and left:
        total = sum(WEIGHTS[ORDER[lane]] for lane in left)
        round_room = room
        for lane in list(left):
            without = sum(not given[other] for other in left if other > lane)
            share = max(1, round_room * WEIGHTS[ORDER[lane]] // total)
            places = min(left[lane], room, share, max(1, room - without))
            given[lane] += places
            room -= places
            left[lane] -= places
            if not left[lane]:
                del left[lane]
    return given
