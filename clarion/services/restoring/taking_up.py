"""Brings a restored database to where its services can go on: works off what it knew, with nobody sending."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import JsonValue

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Connection, load_queries, migrate, open_database
from clarion.runtime.database.home import begin_taking_up, is_at_home, move_in
from clarion.runtime.database.pool import connect_login
from clarion.runtime.messaging.lag import Reader, standings
from clarion.runtime.messaging.replay import replay_if_new_broker
from clarion.runtime.messaging.topics import ensure_topics, wait_for_groups
from clarion.runtime.process import Service, run_services
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import Actor, record
from clarion.runtime.staff.sessions import end_all
from clarion.services.builders import BUILDERS, REPUBLISH
from clarion.services.notifications import restoring
from clarion.services.notifications.restoring import Name
from clarion.services.notifications.sender import Sender
from clarion.services.running import open_services

LOOK_SECONDS = 0.5
QUIET_LOOKS = 3

Say = Callable[[str], None]


class StillRunning(Exception):
    """Somebody works on this database, so it is none that was just restored."""


class NotWorkedOff(Exception):
    """What the dump knew did not reach the ledger in time; the call can be made again."""


@dataclass(frozen=True, slots=True)
class TakenUp:
    """What became of the mail that the dump took for unsent: by a log it was sent, nobody knows, or it waits."""

    sent: int
    unknown: Counter[str]
    waiting: Counter[str]


async def take_up(
    settings: Settings,
    dumped_at: datetime,
    sent: Sequence[Name],
    *,
    by: Actor,
    send_the_rest: bool,
    within_seconds: float,
    say: Say,
    clock: Clock = system_clock,
) -> TakenUp:
    """Settle what waits in a restored ledger; afterwards services may start. Made again after a kill, it goes on.

    Mail that `sent` names counts as sent. Other mail that waited in the dump counts as unknown, so that nobody gets it
    twice and staff decide; with `send_the_rest` it is sent, for a log that is whole. What only now comes of events
    that the dump knew is unknown always: the services of then may have told it under another name.

    Raises:
        StillRunning, NotWorkedOff, Refused, Unreachable, KafkaError, OSError, asyncpg.PostgresError.
    """
    await refuse_if_running(settings)
    await migrate(str(settings.database_url))
    why = f"restored from a dump of {dumped_at.isoformat(timespec='seconds')}: nobody knows whether it was sent since"
    async with _login(settings) as login, open_database(settings, "notifications") as database:
        began_at = await begin_taking_up(login, clock())
        async with database.transaction() as tx:
            await restoring.forget_senders(tx)
        known = await restoring.settle_sent(database, sent, clock())
        until = began_at if send_the_rest else None
        unknown = await restoring.settle_unknown(database, clock(), why, since=until)
        say("what the dump knew is worked off, with nobody sending")
        await work_off(settings, within_seconds)
        known += await restoring.settle_sent(database, sent, clock())
        unknown += await restoring.settle_unknown(database, clock(), why, since=began_at)
        async with login.transaction():
            await move_in(login)
            # Who signed out since the dump, or was removed, would be signed in again.
            await end_all(login)
            details: dict[str, JsonValue] = {
                "dumped_at": dumped_at.isoformat(),
                "sent": known,
                "unknown": sum(unknown.values()),
            }
            await record(login, by, "restored.taken-up", "database:home", at=clock(), details=details)
        return TakenUp(known, unknown, await restoring.count_waiting(database))


async def refuse_if_running(settings: Settings) -> None:
    """Raises StillRunning if a process says that it works on this database, and not on the one it was copied from."""
    async with _login(settings) as login:
        rows = load_queries("clarion.services.restoring").alive(login)
        found = [row["who"] async for row in rows] if await is_at_home(login) else []
    if found:
        raise StillRunning(
            f"{', '.join(found)} works on this database: this is for one that was just restored. Stop every process;"
            " half a minute later it can be taken up"
        )


async def work_off(settings: Settings, within_seconds: float) -> None:
    """Publish, read and handle all that the database and an empty broker make one another do, but send nothing."""
    await asyncio.gather(ensure_topics(settings), wait_for_groups(settings))
    await replay_if_new_broker(settings, list(BUILDERS), REPUBLISH)
    stopping, ready = asyncio.Event(), asyncio.Event()
    async with open_services(settings) as services:
        silent = [_without_senders(service) for service in services]
        task = asyncio.create_task(run_services(silent, settings, stopping=stopping, ready=ready.set))
        try:
            async with asyncio.timeout(within_seconds):
                await ready.wait()
                await _quiet(settings, silent)
        except TimeoutError as error:
            raise NotWorkedOff(f"not within {within_seconds:.0f} seconds: call it again, with more --within") from error
        finally:
            stopping.set()
            await task


def _without_senders(service: Service) -> Service:
    return replace(service, workers=[worker for worker in service.workers if not isinstance(worker, Sender)])


async def _quiet(settings: Settings, services: Sequence[Service]) -> None:
    """Wait until nothing is left to do and to read, several looks in a row."""
    readers = [Reader(one.name, subscription.topic) for one in services for subscription in one.subscriptions]
    queries = load_queries("clarion.services.restoring")
    looks = 0
    async with _login(settings) as login, standings(settings) as broker:
        while looks < QUIET_LOOKS:
            busy = await queries.work_left(login)
            busy = busy or sum(standing.lag for standing in (await broker.look(readers)).values())
            looks = 0 if busy else looks + 1
            await asyncio.sleep(LOOK_SECONDS)


@contextlib.asynccontextmanager
async def _login(settings: Settings) -> AsyncIterator[Connection]:
    connection = await connect_login(str(settings.database_url))
    try:
        yield connection
    finally:
        connection.terminate()
