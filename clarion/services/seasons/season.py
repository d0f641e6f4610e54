"""A season of hearings as sources tell of it, made from a seed: what is published, and what holds in the end."""

import heapq
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from clarion.schemas.legislation import bill_key
from clarion.services.sample import BILL, JURISDICTION, hearing_start, session_of

NOTICES, LISTS = "/season/notices", "/season/lists"
LISTED_EVERY = 10
"""Of so many hearings one is told by lists alone."""
PER_LIST = 5
SAMPLE_BILL_EVERY = 20
REPEATED = 0.05
LATE_BY = 60
"""By how many lines an update may come too late."""
SPAN = timedelta(hours=20)

Notice = dict[str, Any]
Saying = tuple[str, str, Mapping[str, Any]]
"""A source, a type and a body."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a reader knows of a hearing that is held."""

    starts_at: datetime
    room: str
    bills: frozenset[str]


class Season:
    """Moves, other rooms and bills, bills that go elsewhere, cancellations, lists, repetitions, all out of order.

    An iterator of so many JSON lines as `clarion publish` takes them, which keeps nothing of what it gave;
    `statements` counts those given without the repetitions. The same seed
    and `now` give the same lines. Every source has a hearing for itself, and every committee one (or a list's), so
    that what holds in the end is what was said of it last.
    """

    def __init__(self, hearings: int, lines: int, seed: int, now: datetime) -> None:
        self._dice = Random(seed)  # noqa: S311 - it is to be repeated, not to be secret
        self._lines = lines
        self.statements = 0
        self._since, self._step = now - SPAN, SPAN / lines
        self._first_start = hearing_start(now)
        self._session = session_of(self._first_start)
        self._new_bills = iter(range(1_000, 10**9))
        self._unheard = [f"season-{number}" for number in range(hearings)]
        self._notices: dict[str, Notice] = {}
        self._held: dict[str, bool] = {}

    def facts(self) -> dict[str, Facts | None]:
        """What holds of each hearing told so far by its source's id, None of one that is not held."""
        return {name: facts_of(notice) if self._held[name] else None for name, notice in self._notices.items()}

    def __iter__(self) -> Iterator[str]:
        """The lines, as they arrive."""
        arriving: list[tuple[float, int, str]] = []
        given = 0
        for number, (source, kind, body) in enumerate(self._sayings()):
            self.statements = number + 1
            time = self._since + number * self._step
            event = {"id": f"{number}", "source": source, "type": kind, "time": time.isoformat(), "data": body}
            for copy in range(1 + (self._dice.random() < REPEATED)):
                if given + len(arriving) < self._lines:
                    late = number + self._dice.uniform(0, LATE_BY)
                    heapq.heappush(arriving, (late, 2 * number + copy, json.dumps(event)))
            while arriving and (arriving[0][0] <= number or given + len(arriving) == self._lines):
                yield heapq.heappop(arriving)[2]
                given += 1
            if given == self._lines:
                return

    def _sayings(self) -> Iterator[Saying]:
        """What is said, one after the other, without an end; all hearings are announced first."""
        while self._unheard:
            yield self._announce(self._unheard.pop())
        changes: list[Callable[[str], Iterator[Saying]]] = [
            self._move, self._move, self._change_room, self._change_bills, self._send_bill_elsewhere, self._end
        ]  # fmt: skip
        names = sorted(self._notices)
        while True:
            yield from self._dice.choice(changes)(self._dice.choice(names))

    def _announce(self, name: str) -> Saying:
        number = int(name.rpartition("-")[2])
        committee = f"List {number // LISTED_EVERY // PER_LIST}" if is_listed(name) else f"Committee {number}"
        bills = [f"SB {next(self._new_bills)}", *([BILL] if number % SAMPLE_BILL_EVERY == 1 else [])]
        self._notices[name] = {
            "hearing_id": name,
            "jurisdiction": JURISDICTION,
            "session": self._session,
            "committee": {"name": committee, "chamber": "upper"},
            "starts_at": (self._first_start + timedelta(hours=number % 700)).isoformat(),
            "location": {"name": f"Room {self._dice.randrange(100, 140)}"},
            "agenda": [{"bill": bill} for bill in bills],
        }
        self._held[name] = True
        return self._told(name)

    def _told(self, name: str) -> Saying:
        """The hearing as it is now: a notice of its own, or the list that it stands on."""
        notice = self._notices[name]
        if not is_listed(name):
            return NOTICES, "hearing.scheduled", notice
        committee = notice["committee"]
        listed = [one for one in self._notices.values() if one["committee"] == committee]
        held = [one for one in listed if self._held[one["hearing_id"]]]
        return LISTS, "hearing.calendar", {"jurisdiction": JURISDICTION, "committee": committee, "hearings": held}

    def _change(self, name: str, **facts: Any) -> Saying:
        self._notices[name] = self._notices[name] | facts
        self._held[name] = True
        return self._told(name)

    def _move(self, name: str) -> Iterator[Saying]:
        start = datetime.fromisoformat(self._notices[name]["starts_at"])
        later = start + timedelta(hours=self._dice.choice([1, 24, 30]))
        yield self._change(name, starts_at=later.isoformat())

    def _change_room(self, name: str) -> Iterator[Saying]:
        yield self._change(name, location={"name": f"Room {self._dice.randrange(100, 140)}"})

    def _change_bills(self, name: str) -> Iterator[Saying]:
        kept = self._notices[name]["agenda"][: self._dice.randrange(3)]
        yield self._change(name, agenda=[*kept, {"bill": f"SB {next(self._new_bills)}"}])

    def _send_bill_elsewhere(self, name: str) -> Iterator[Saying]:
        agenda, other = self._notices[name]["agenda"], self._dice.choice(list(self._notices))
        if other != name and not is_listed(name) and not is_listed(other):
            yield self._change(name, agenda=agenda[1:])
            yield self._change(other, agenda=[*self._notices[other]["agenda"], *agenda[:1]])

    def _end(self, name: str) -> Iterator[Saying]:
        self._held[name] = False
        named = {"hearing_id": name, "jurisdiction": JURISDICTION}
        yield self._told(name) if is_listed(name) else (NOTICES, "hearing.cancelled", named)


def is_listed(name: str) -> bool:
    """Whether a hearing is told by its source's lists."""
    return int(name.rpartition("-")[2]) % LISTED_EVERY == 0


def facts_of(notice: Notice) -> Facts:
    """What a notice, or an alert, says of a hearing that is held."""
    return Facts(
        datetime.fromisoformat(notice["starts_at"]),
        notice["location"]["name"],
        frozenset(bill_key(item["bill"]) for item in notice["agenda"]),
    )
