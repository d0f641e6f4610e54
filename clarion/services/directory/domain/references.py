"""What lines refer to: entities that the directory knows already."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

NAMES_KEPT = 10_000


class Unmatched(Exception):
    """A name or id fits nothing, or more than one thing; the text says which."""


@lru_cache(NAMES_KEPT)
def folded(name: str) -> str:
    """A name as it is compared: without case, extra spaces and the several ways to write an accent."""
    return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()


class Names:
    """Entities of one kind, found by id or by name."""

    def __init__(self, noun: str, pairs: Iterable[tuple[str, str]]) -> None:
        self._noun = noun
        self._ids: dict[str, str] = {}
        self._by_name: dict[str, list[str]] = {}
        for identity, name in pairs:
            self._ids[folded(identity)] = identity
            self._by_name.setdefault(folded(name), []).append(identity)

    def has(self, identity: str) -> bool:
        """Whether there is one of exactly this id."""
        return self._ids.get(folded(identity)) == identity

    def meant(self, wanted: str) -> str:
        """The id of what is meant, or the text as it stands if nothing or more than one thing fits."""
        try:
            return self.find(wanted)
        except Unmatched:
            return wanted

    def find(self, wanted: str) -> str:
        """The id of what is meant.

        Raises:
            Unmatched: nothing fits, or several things do.
        """
        key = folded(wanted)
        if key in self._ids:
            return self._ids[key]
        match self._by_name.get(key, []):
            case [only]:
                return only
            case []:
                raise Unmatched(f'{self._noun} "{wanted}" is not known')
            case several:
                raise Unmatched(f'{self._noun} "{wanted}" fits {" and ".join(sorted(several))}: name it by its id')


@dataclass(frozen=True, slots=True)
class Seat:
    """A legislator as a committee refers to them; `district` is a district's id."""

    name: str
    chamber: str
    district: str


@dataclass(frozen=True, slots=True)
class References:
    """Everything lines may refer to, the key of mailboxes, and the day by which roles are current."""

    today: date
    mailbox_key: bytes
    divisions: Names
    cities: Names
    groups: Names = field(default_factory=lambda: Names("group", []))
    seats: Mapping[str, Seat] = field(default_factory=dict)
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """For each district its cities' shares as the directory has them."""
    stated: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Legislators or committees as the directory has them: what a table has no column for, it leaves as it is."""
