"""What the operators' page tells: gathered from the watch, the services' tables and the list of processes."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clarion.runtime.clock import Clock
from clarion.runtime.database import load_queries
from clarion.runtime.database.pool import connect_login
from clarion.runtime.messaging import DeadLetters
from clarion.runtime.messaging.depths import LETTERS_OPEN, OUTBOX_OLDEST, OUTBOX_WAITING, depths
from clarion.runtime.process import Service
from clarion.runtime.watch import Watch
from clarion.services.notifications.channels.relays import read_relays
from clarion.services.notifications.limit_reports import list_relays
from clarion.services.notifications.repository import queries as notifications
from clarion.services.notifications.seeing import LEDGER, OLDEST_DUE, waiting

SILENT_SECONDS = 30.0
LETTERS_SHOWN = 20
PAUSES_SHOWN = 50
STATE_WORDS = {"uncertain": "in doubt"}


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a service is behind on a topic."""

    service: str
    topic: str
    records: int


@dataclass(frozen=True, slots=True)
class Depth:
    """What waits in a service's outbox, and how many dead letters are open."""

    service: str
    waiting: int
    oldest_seconds: float
    letters: int


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane of the ledger: what waits, by state, and for how long the longest has been due."""

    name: str
    states: dict[str, int]
    oldest_seconds: float

    @property
    def waiting(self) -> int:
        """All that waits."""
        return sum(self.states.values())

    @property
    def said(self) -> str:
        """How many are in which state."""
        return ", ".join(f"{count:,} {STATE_WORDS.get(state, state)}" for state, count in self.states.items())


def process_of(row: Any) -> dict[str, Any]:
    """A process as the page shows it: its state in a word, and everything that is wrong with it."""
    report = row["report"]
    services = report["services"]
    troubles = [*report["troubles"], *(f"{one['name']}: {why}" for one in services for why in one["troubles"])]
    waits = [*report["waits"], *(f"{one['name']}: {why}" for one in services for why in one["waits"])]
    failed = [
        f"{task['name']} failed {task['failures']} times and began anew, last with {task['error']}"
        for one in services
        for task in one["tasks"]
        if task["failures"]
    ]
    silent = row["silent_seconds"] > SILENT_SECONDS
    if silent:
        state, tone = f"silent for {spoken_seconds(row['silent_seconds'])}", "bad"
    elif troubles:
        state, tone = "stuck", "bad"
    elif waits:
        state, tone = "waiting", "warn"
    else:
        state, tone = "well", "good"
    return {**dict(row), "state": state, "tone": tone, "why": [*troubles, *waits, *failed]}


async def processes(watch: Watch) -> list[dict[str, Any]]:
    """All processes of this installation, by their own word."""
    connection = await connect_login(str(watch.settings.database_url))
    try:
        rows = [row async for row in load_queries("clarion.runtime.database").list_processes(connection)]
    finally:
        await connection.close()
    return [process_of(row) for row in rows]


def lags(watch: Watch) -> list[Lag]:
    """How far each service is behind on each topic that it reads."""
    return [Lag(service, topic, standing.lag) for (service, topic), standing in sorted(watch.standings.items())]


async def depth_of(service: Service) -> Depth:
    """What waits in a service's own tables."""
    async with service.database.connection() as connection:
        readings = await depths(connection, service.name)
    sums: dict[str, float] = defaultdict(float)
    for reading in readings:
        sums[reading.family.name] += reading.value
    return Depth(service.name, int(sums[OUTBOX_WAITING.name]), sums[OUTBOX_OLDEST.name], int(sums[LETTERS_OPEN.name]))


async def letters(
    services: Sequence[Service], state: str = "open", at_most: int = LETTERS_SHOWN
) -> list[dict[str, Any]]:
    """The newest dead letters of all services."""
    rows = [
        {**row, "id": f"{service.name}-{row['id']}"}
        for service in services
        for row in await DeadLetters(service.database).list(state=state, at_most=at_most)  # type: ignore[arg-type]
    ]
    return sorted(rows, key=lambda row: row["last_seen_at"], reverse=True)[:at_most]


async def mail(service: Service, smtp_url: str | None, clock: Clock) -> dict[str, Any]:
    """What waits in the ledger by lane, what the relays say and block, and what is paused."""
    names = [relay.name for relay in read_relays(smtp_url)] if smtp_url else []
    async with service.database.connection() as connection:
        readings = await waiting(connection, clock)
        relays = await list_relays(connection, names)
        rows = notifications.open_pauses(connection, at_most=PAUSES_SHOWN)
        pauses = [dict(row) async for row in rows]
        senders = dict(await notifications.held_back(connection))
    lanes = [
        Lane(
            oldest.labels[0],
            {
                one.labels[1]: int(one.value)
                for one in readings
                if one.family is LEDGER and one.labels[0] == oldest.labels[0]
            },
            oldest.value,
        )
        for oldest in readings
        if oldest.family is OLDEST_DUE
    ]
    return {"lanes": lanes, "relays": relays, "pauses": pauses, "senders": senders}


async def overview(watch: Watch, clock: Clock) -> dict[str, Any]:
    """Everything that the page shows."""
    services = list(watch.services)
    sender = next((service for service in services if service.name == "notifications"), None)
    return {
        "processes": await processes(watch),
        "lags": lags(watch),
        "looked_seconds": time.monotonic() - watch.looked_at,
        "kafka": watch.kafka,
        "depths": [await depth_of(service) for service in services],
        "letters": await letters(services),
        "mail": await mail(sender, watch.settings.smtp_url, clock) if sender else None,
    }


def spoken_seconds(seconds: float) -> str:
    """A length of time as people say it."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:.0f} seconds" if round(seconds) != 1 else "1 second"
