"""What is wrong with a wording, in words that help to mend it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a wording of `template`; `line` counts from 1, None: in the whole of the part."""

    template: str
    part: Literal["subject", "body"]
    line: int | None
    said: str
    known: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = "subject" if self.part == "subject" else f"line {self.line}" if self.line else "body"
        known = f"; known: {', '.join(self.known)}" if self.known else ""
        return f'{self.said} in "{self.template}", {where}{known}'


class Faulty(Exception):
    """The wording cannot be saved; nothing was changed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class Unusable(Exception):
    """With what is to be told now the wording makes no mail; its text says why."""
