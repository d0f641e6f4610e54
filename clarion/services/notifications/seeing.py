"""What notifications says of itself to whoever watches: what waits, what is held back, what sending came to."""

from clarion.runtime.clock import Clock
from clarion.runtime.database import Connection, Database
from clarion.runtime.process import Look
from clarion.runtime.readings import Family, Reading
from clarion.services.notifications.domain import lanes
from clarion.services.notifications.repository import queries
from clarion.services.notifications.sendings import Sendings

COUNTED_AT_MOST = 100_000
LEDGER = Family(
    "clarion_ledger_messages", f"Messages that wait, counted to {COUNTED_AT_MOST} of a lane", ("lane", "state")
)
OLDEST_DUE = Family("clarion_ledger_oldest_due_seconds", "How long the longest due message has been due", ("lane",))
HELD_BACK = Family("clarion_mail_held_back", "Relays and domains that block us, and pauses", ("what",))
SENDERS = Family("clarion_senders", "Senders with a lease, in all processes")
IN_HAND = Family("clarion_sender_messages", "Messages that senders hold, and those of them being sent", ("state",))
RELAY_UP = Family("clarion_relay_up", "Whether senders last reached the relay", ("relay",))
TRIES = Family(
    "clarion_mail_tries_total", "Tries to hand over a mail, by what they came to", ("relay", "outcome"), "counter"
)
OUTCOMES = Family(
    "clarion_mail_outcomes_total", "States into which messages went after a try", ("lane", "state"), "counter"
)
FALLBACKS = Family(
    "clarion_wording_fallbacks_total",
    "Contents told in the project's wording, since staff's own made no mail of them",
    ("template",),
    "counter",
)
LEDGER_POOL = Family("clarion_ledger_pool_connections", "Connections of the senders' pool", ("state",))
FAMILIES = (LEDGER, OLDEST_DUE, HELD_BACK, SENDERS, IN_HAND, RELAY_UP, TRIES, OUTCOMES, FALLBACKS, LEDGER_POOL)


def look_at(sendings: Sendings, ledger: Database, clock: Clock) -> Look:
    """What a watch asks of notifications; `ledger` is the senders' database, whose plans follow indexes."""

    async def look(connection: Connection) -> list[Reading]:
        usage = ledger.usage
        async with ledger.connection() as steady:
            waits = await waiting(steady, clock)
        return [
            *waits,
            *await held_back(connection),
            *(Reading(TRIES, count, labels) for labels, count in sendings.tries.items()),
            *(Reading(OUTCOMES, count, labels) for labels, count in sendings.outcomes.items()),
            *(Reading(FALLBACKS, count, (template,)) for template, count in sendings.fallbacks.items()),
            Reading(LEDGER_POOL, usage.busy, ("busy",)),
            Reading(LEDGER_POOL, usage.idle, ("idle",)),
            Reading(LEDGER_POOL, usage.most, ("most",)),
        ]

    return look


async def waiting(connection: Connection, clock: Clock) -> list[Reading]:
    """What waits by lane and state, and since when the longest has been due; a lane where nothing is due says 0."""
    numbers, now = list(range(len(lanes.ORDER))), clock()
    counted = queries.waiting_by_lane(connection, lanes=numbers, at_most=COUNTED_AT_MOST)
    found = [Reading(LEDGER, row["messages"], (lanes.ORDER[row["lane"]], row["state"])) async for row in counted]
    oldest = queries.oldest_due_by_lane(connection, lanes=numbers, now=now)
    due = {row["lane"]: (now - row["due_at"]).total_seconds() async for row in oldest}
    return found + [Reading(OLDEST_DUE, due.get(number, 0.0), (lanes.ORDER[number],)) for number in numbers]


async def held_back(connection: Connection) -> list[Reading]:
    """Who takes no mail from us, and what we hold back ourselves."""
    row = await queries.held_back(connection)
    relays = [
        Reading(RELAY_UP, each["state"] == "up", (each["name"],)) async for each in queries.list_relays(connection)
    ]
    return [
        Reading(HELD_BACK, row["relays"], ("relays",)),
        Reading(HELD_BACK, row["domains"], ("domains",)),
        Reading(HELD_BACK, row["pauses"], ("pauses",)),
        Reading(SENDERS, row["senders"]),
        Reading(IN_HAND, row["in_hand"], ("held",)),
        Reading(IN_HAND, row["under_way"], ("sending",)),
        *relays,
    ]
