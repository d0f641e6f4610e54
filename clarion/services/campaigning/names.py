"""Who the officials of a wave are: campaigns knows them by id alone."""

from collections.abc import Iterable
from typing import Any

from clarion.runtime.database import Connection, load_queries
from clarion.services.campaigning.desk import PACKAGE

QUERIES = load_queries(PACKAGE)
LOOKED_AT = 1_000
"""Of officials found by a few letters, at most so many are looked at."""
FEW = 5
"""So many of those whom a name fits are told."""
UNKNOWN = "somebody who is no longer known"


async def names_of(ledger: Connection, officials: Iterable[str]) -> dict[str, str]:
    """The names of officials by id, as their mails address them; `ledger` is notifications' connection."""
    rows = QUERIES.names_of_officials(ledger, officials=sorted(set(officials)))
    return {row["id"]: row["name"] async for row in rows}


async def officials_like(
    directory: Connection, division: str | None, wanted: str, at_most: int = LOOKED_AT
) -> list[dict[str, Any]]:
    """Who is in office in a division, or anywhere, and answers to these beginnings of words, of name or city."""
    rows = QUERIES.officials_of_division(directory, division=division, wanted=wanted, at_most=at_most)
    return [dict(row) async for row in rows]


async def find_person(directory: Connection, wanted: str) -> tuple[str | None, str | None]:
    """The id of the one official whom a name means, with the city if need be; else what is wrong with it."""
    found = await officials_like(directory, None, wanted, FEW + 1)
    exact = [one for one in found if one["name"].casefold() == wanted.casefold()]
    match exact or found:
        case [one]:
            return one["id"], None
        case []:
            return None, f"nobody in office is called {wanted!r}"
        case several:
            shown = ", ".join(f"{one['name']} ({one['city']})" for one in several[:FEW])
            return None, f"{wanted!r} fits several: {shown}; add the city"
