"""What whoever watches is told of what comes back."""

from collections.abc import Mapping

from clarion.runtime.database import Connection
from clarion.runtime.process import Look
from clarion.runtime.readings import Family, Reading
from clarion.services.notifications.bounces.repository import Returns

RETURNS = Family(
    "clarion_returns_total", "What came back and was news, by how it came and what it was", ("way", "kind"), "counter"
)
REFUSED = Family("clarion_returns_refused_total", "Mail to the bounce address that was not taken", ("why",), "counter")
OPEN = Family("clarion_returns_open", "What came back and waits: to be handled, or for a person to read", ("state",))
FAMILIES = (RETURNS, REFUSED, OPEN)


def look_at_returns(counted: Mapping[tuple[str, str], int], refused: Mapping[str, int]) -> Look:
    """What a watch asks of bounces and complaints."""

    async def look(connection: Connection) -> list[Reading]:
        waiting, unread = await Returns(connection).open()
        return [
            *(Reading(RETURNS, count, labels) for labels, count in counted.items()),
            *(Reading(REFUSED, count, (why,)) for why, count in refused.items()),
            Reading(OPEN, waiting, ("waiting",)),
            Reading(OPEN, unread, ("unread",)),
        ]

    return look


def together(*looks: Look) -> Look:
    """All of them, one after another."""

    async def look(connection: Connection) -> list[Reading]:
        return [reading for one in looks for reading in await one(connection)]

    return look
