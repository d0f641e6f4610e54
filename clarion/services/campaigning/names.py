"""Who the officials of a wave are: campaigns knows them by id alone."""

from collections.abc import Iterable
from typing import Any

from clarion.runtime.database import Connection, load_queries
from clarion.services.campaigning.desk import PACKAGE

QUERIES = load_queries(PACKAGE)
LOOKED_AT = 1_000
"""Of officials found by a few letters, at most so many are looked at."""
UNKNOWN = "somebody who is no longer known"


async def names_of(ledger: Connection, officials: Iterable[str]) -> dict[str, str]:
    """The names of officials by id, as their mails address them; `ledger` is notifications' connection."""
    rows = QUERIES.names_of_officials(ledger, officials=sorted(set(officials)))
    return {row["id"]: row["name"] async for row in rows}


async def officials_like(
    directory: Connection, division: str, wanted: str, at_most: int = LOOKED_AT
) -> list[dict[str, Any]]:
    """Who is in office in a division and answers to these beginnings of words, of the name or the city."""
    rows = QUERIES.officials_of_division(directory, division=division, wanted=wanted, at_most=at_most)
    return [dict(row) async for row in rows]
