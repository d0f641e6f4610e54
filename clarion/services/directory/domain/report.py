"""What an import did, for people and for machines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from clarion.schemas.directory import ImportKind

SHOWN_REJECTIONS = 1_000
"""How many rejections are kept word for word; the others are counted."""
SHOWN_EFFECTS = 50
"""How many entities are named for each kind of effect; the others are counted."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table or one document of a file, not yet understood.

    `item_lines` says where the items of a document's lists stand in the file.
    """

    file: str
    line: int
    values: Mapping[str, Any]
    item_lines: Mapping[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document(Line):
    """A document of Open States' people data, where others have a line of a table."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A line, or a part of it, that did not go in, and why.

    `names` is the id of the entity it is about, where that can be read: who stands in a line that is rejected has not
    left.
    """

    file: str
    line: int
    reason: str
    names: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a file worth telling that cost no line."""

    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """An entity as a line states it. `state` is its body without id, revision and active.

    `derived` is what follows from the line beside it, as far as that can be told from the line alone.
    """

    id: str
    state: dict[str, Any]
    file: str
    line: int
    derived: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Effect:
    """What an import does to one entity; `fields` are those that change. Of one that is held a correction stays."""

    effect: Literal["added", "changed", "left", "held"]
    id: str
    name: str | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of one import, or with `dry_run` what it would be.

    `import_id` is None when nothing was written: nothing could be imported, or the import was `refused` for the reason
    given there, or it was a dry run. `held` counts those of `unchanged` for whom a correction holds against the files.
    `rejected` holds the first `SHOWN_REJECTIONS` of `rejected_count`, `effects` the first `SHOWN_EFFECTS` of each kind
    of effect.
    """

    kind: ImportKind
    import_id: str | None
    added: int
    changed: int
    unchanged: int
    rejected_count: int
    rejected: tuple[Rejection, ...] = ()
    warnings: tuple[str, ...] = ()
    left: int = 0
    held: int = 0
    effects: tuple[Effect, ...] = ()
    dry_run: bool = False
    refused: str | None = None

    @property
    def imported(self) -> int:
        """How many entities of the files are now in the directory."""
        return self.added + self.changed + self.unchanged


class Rejections:
    """Collects rejections in bounded memory."""

    def __init__(self) -> None:
        self.count = 0
        self.unreadable = 0
        """How many of them name nobody that can be read."""
        self.shown: list[Rejection] = []

    def add(self, rejection: Rejection) -> None:
        """Count it, and keep it if there is room."""
        self.count += 1
        self.unreadable += rejection.names is None
        if len(self.shown) < SHOWN_REJECTIONS:
            self.shown.append(rejection)

    def in_order(self) -> tuple[Rejection, ...]:
        """By file and line."""
        return tuple(sorted(self.shown, key=lambda rejection: (rejection.file, rejection.line)))
