"""The wordings that senders use: each mail has the one that was in force when it was asked for."""

from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from clarion.services.notifications.domain.messages import Content
from clarion.services.notifications.wordings.faults import Faulty
from clarion.services.notifications.wordings.wording import Compiled, Draft

GIVEN_UP_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Edition:
    """A wording that was saved; without a `version` it is only tried out, without a `draft` it is the project's own."""

    number: int
    template: str
    version: int | None
    draft: Draft | None


class Fallback(NamedTuple):
    """A content for which the project's wording had to be taken, and why."""

    content_id: int
    template: str
    edition: int
    reason: str


class Editions:
    """All wordings up to the `newest` edition that was read; `fallbacks` are to be written down by who reads them."""

    def __init__(self) -> None:
        self.newest = 0
        self.fallbacks: list[Fallback] = []
        self._in_force: dict[str, list[Edition]] = defaultdict(list)
        self._tried: dict[int, Edition] = {}
        self._compiled: dict[int, Compiled | Faulty] = {}
        self._given_up: OrderedDict[int, None] = OrderedDict()

    def add(self, wordings: Iterable[Edition]) -> None:
        """Take in wordings that are newer than all that are known, in the order of their editions."""
        for one in wordings:
            if one.number <= self.newest:
                continue
            self.newest = one.number
            if one.version is None:
                self._tried[one.number] = one
            else:
                self._in_force[one.template].append(one)

    @property
    def newest_in_force(self) -> int:
        """The edition that a mail has which is asked for now."""
        return max((known[-1].number for known in self._in_force.values()), default=0)

    def find(self, template: str, content: Content) -> Edition | None:
        """The wording in which a content is told; None: the project's own."""
        if not content.edition or content.id in self._given_up:
            return None
        tried = self._tried.get(content.edition)
        if tried is not None and tried.template == template:
            return tried
        known = self._in_force.get(template, [])
        place = bisect_right(known, content.edition, key=lambda one: one.number)
        found = known[place - 1] if place else None
        return found if found is not None and found.draft is not None else None

    def compiled(self, wording: Edition) -> Compiled:
        """The wording, ready to be used. Raises Faulty: it is none any more."""
        found = self._compiled.get(wording.number) or made(wording)
        self._compiled[wording.number] = found
        if isinstance(found, Faulty):
            raise found
        return found

    def give_up(self, wording: Edition, content: Content, reason: str) -> None:
        """From now on this content is told in the project's wording."""
        self._given_up[content.id] = None
        if len(self._given_up) > GIVEN_UP_KEPT:
            self._given_up.popitem(last=False)
        self.fallbacks.append(Fallback(content.id, wording.template, wording.number, reason))

    def taken_up(self, content: Content) -> int:
        """The edition by which a content is told: 0 once its wording was given up."""
        return 0 if content.id in self._given_up else content.edition

    def take_fallbacks(self) -> list[Fallback]:
        """Those that are to be written down; they are here no more."""
        taken, self.fallbacks = self.fallbacks, []
        return taken


def made(wording: Edition) -> Compiled | Faulty:
    """The wording, ready to be used, or what is wrong with it by now."""
    try:
        return Compiled(wording.draft or Draft(wording.template, "", ""))
    except Faulty as error:
        return error
