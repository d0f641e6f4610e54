"""Who has left: what a file that names everyone may say of those it does not name."""

from dataclasses import dataclass

LARGE_PARTS = 10
"""More than one in so many missing is taken for a mistake."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Why nobody is marked as left, or why the whole import is refused; neither: who is missing has left."""

    kept: str | None = None
    refused: str | None = None


def leaving(known: int, missing: int, unreadable: int, *, allow_large: bool) -> Leaving:
    """What becomes of the `missing` among so many `known`, with so many lines that name nobody who can be read."""
    if unreadable and missing:
        return Leaving(
            kept=f"nobody was marked as left: {unreadable} lines cannot be read as far as to say whom they name, and "
            f"{missing} are missing; mend them and import again"
        )
    if missing * LARGE_PARTS > known and not allow_large:
        return Leaving(
            refused=f"{missing} of {known} are missing from these files and would be marked as left, over a tenth. "
            "If the files really name everyone, say --yes"
        )
    return Leaving()
