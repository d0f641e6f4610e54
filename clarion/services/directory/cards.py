"""Cards: what entities are found by, written right behind whatever changed them."""

import asyncio

from clarion.runtime.beats import beat
from clarion.runtime.database import Database, load_queries
from clarion.runtime.database.pool import role_of
from clarion.schemas.roles import LETTER_ROLES

QUERIES = load_queries("clarion.services.directory")
CHANNEL = "cards"
CARDS_AT_ONCE = 5_000
POLL_SECONDS = 1.0


async def write_cards(database: Database) -> int:
    """Write some of the cards that are due; returns how many entities those were."""
    async with database.transaction() as tx:
        row = await QUERIES.take_cards(tx.connection, at_most=CARDS_AT_ONCE, roles=sorted(LETTER_ROLES))
    return int(row["taken"])


class CardWriter:
    """Writes cards as soon as something changed; any number may run, one writes at a time."""

    name = "cards"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until told to stop, woken by each change."""
        async with self._database.listen(f"{role_of(self._database.service)}_{CHANNEL}") as wakeups:
            while not stopping.is_set():
                beat()
                if not await write_cards(self._database):
                    await wakeups.wait(POLL_SECONDS)
