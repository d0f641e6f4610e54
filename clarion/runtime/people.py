"""Whom an export or an erasure is about; each service says what it keeps of them, and forgets it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Who reads an address: all who do, or of a mailbox that several share only the officials who are named.

    `officials` are ids of the directory and `names` what those people are called, by which other things that they gave
    under a shared address are told from the others'. `alone` says that nobody else reads the mailbox.
    """

    address: str
    mailbox: str
    officials: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    alone: bool = True

    @property
    def folded_names(self) -> list[str]:
        """The names as they are compared."""
        return [name.casefold() for name in self.names]


@dataclass(frozen=True, slots=True)
class Erased:
    """What a step took away, by what it was; `unfinished`: something was on its way, so it is to be done again."""

    counts: Mapping[str, int] = field(default_factory=dict)
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A topic that may still hold something of a person, and until when at the latest."""

    topic: str
    until: datetime
