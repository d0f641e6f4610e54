"""What a service can say of itself in figures: names with their meaning, and values read at one moment."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Family:
    """A figure by its name; `labels` tell its values apart and never hold what is about a person."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kind: Literal["gauge", "counter"] = "gauge"


@dataclass(frozen=True, slots=True)
class Reading:
    """One value, with one label for each of the family's."""

    family: Family
    value: float
    labels: tuple[str, ...] = ()
