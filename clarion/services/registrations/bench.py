"""`clarion bench registrations`: a rush for seats through a real Kafka, measured beside the bare database."""

import asyncio
import contextlib
import tempfile
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, load_queries, migrate
from clarion.runtime.embedded import EmbeddedStack
from clarion.runtime.ids import new_id, new_secret
from clarion.runtime.messaging.topics import ensure_topics, wait_for_groups
from clarion.runtime.output import print_fields, say
from clarion.runtime.process import Service, run_services
from clarion.runtime.settings import Settings
from clarion.runtime.telemetry import configure_logs
from clarion.schemas.registrations import Webinar
from clarion.schemas.topics import REGISTRATIONS_NOTICES, REGISTRATIONS_OUTCOMES, REGISTRATIONS_REQUESTS
from clarion.services.registrations import repository
from clarion.services.registrations.app import build
from clarion.services.registrations.crowd import PATIENCE_SECONDS, POLL_SECONDS, load
from clarion.services.registrations.desk import open_desk
from clarion.services.registrations.domain.admission import Admission, Registration
from clarion.services.registrations.handlers import BATCH_SIZE
from clarion.services.registrations.hosting import create_webinar
from clarion.services.registrations.operations import keep
from clarion.services.registrations.repository import Event
from clarion.services.registrations.sample import sample_webinar

WARM_UP_REQUESTS = 500

bench = typer.Typer(help="The performance harness.", no_args_is_help=True, rich_markup_mode=None)
queries = load_queries("clarion.services.registrations")


@bench.callback()
def _group() -> None:
    """The performance harness."""


@dataclass(frozen=True, slots=True)
class Rush:
    """What a rush for seats came to. Seconds count from when a request was sent to its outcome in the database.

    `offered_per_second` is the steady rate at which they were sent, None for as fast as they could be: then the
    waits are those of a queue that holds nearly all of them.
    """

    seats: int
    requests: int
    offered_per_second: int | None
    registrations_per_second: int
    p50_seconds: float
    p99_seconds: float
    seconds_to_last: float
    seconds_to_last_published: float
    confirmed: int
    oversold: int
    unanswered: int
    database_ceiling_per_second: int
    ratio_to_database_ceiling: float


@bench.command("registrations", epilog="Example: clarion bench registrations --seats 1000 --requests 20000")
def registrations(
    seats: Annotated[int, typer.Option(min=0, max=1_000_000, help="seats of the event")] = 1_000,
    requests: Annotated[int, typer.Option(min=1, max=1_000_000, help="people who ask for one")] = 20_000,
    rate: Annotated[int | None, typer.Option(min=1, help="requests offered a second; all at once without")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    """So many people rush for so many seats, in on a Kafka of its own; removed at the end.

    Exit code 1 if a seat was sold twice or a request is unanswered.
    """
    configure_logs("ERROR", as_json=False)
    if not as_json:
        say("starting a Kafka and a PostgreSQL of its own")
    rush = asyncio.run(measure(seats, requests, rate))
    print_fields(asdict(rush), as_json=as_json)
    raise typer.Exit(1 if rush.oversold or rush.unanswered else 0)


async def measure(seats: int, requests: int, rate: int | None = None) -> Rush:
    """Run the rush on an embedded stack that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="clarion-bench-") as folder:
        async with EmbeddedStack(Path(folder) / "data", mail=False, remove_at_end=True) as embedded:
            if embedded.postgres is None or embedded.kafka is None:
                raise RuntimeError("the stack lacks a server")
            settings = Settings(
                database_url=embedded.postgres.url,
                kafka_bootstrap=embedded.kafka.bootstrap,
                secret_key=(new_secret(),),
                public_url="http://clarion.example",
            )
            topics = [REGISTRATIONS_REQUESTS, REGISTRATIONS_OUTCOMES, REGISTRATIONS_NOTICES]
            await asyncio.gather(
                migrate(str(settings.database_url), ["registrations"]),
                ensure_topics(settings, topics),
                wait_for_groups(settings),
            )
            return await rush(settings, seats, requests, rate)


async def rush(settings: Settings, seats: int, requests: int, rate: int | None = None) -> Rush:
    """Measure on these servers, which nobody else uses: the bare database first, then all of it."""
    database = await Database.connect(str(settings.database_url), "registrations", max_size=2)
    try:
        ceiling = await database_ceiling(database, await make_event(database, "ceiling", seats), requests)
        warm_up = await make_event(database, "warm-up", WARM_UP_REQUESTS)
        event = await make_event(database, "rush", seats)
        async with running(await build(settings), settings):
            with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as crowd:
                await asyncio.wrap_future(crowd.submit(load, settings, warm_up.id, WARM_UP_REQUESTS, None))
                sent, decided = await asyncio.wrap_future(crowd.submit(load, settings, event.id, requests, rate))
            published_at = await all_published(database)
        async with database.connection() as connection:
            tally = await queries.bench_tally(connection, event_id=event.id, outcomes=REGISTRATIONS_OUTCOMES.name)
    finally:
        await database.close()
    waits = sorted(latencies(sent, decided))
    seconds = decided[-1][0] - sent[0]
    reached = requests / seconds
    return Rush(
        seats=seats,
        requests=requests,
        offered_per_second=rate,
        registrations_per_second=round(reached),
        p50_seconds=round(waits[len(waits) // 2], 3),
        p99_seconds=round(waits[int(len(waits) * 0.99)], 3),
        seconds_to_last=round(seconds, 3),
        seconds_to_last_published=round(published_at - sent[0], 3),
        confirmed=tally["confirmed"],
        oversold=max(tally["confirmed"] - seats, 0),
        unanswered=requests - min(tally["decided"], tally["told"]),
        database_ceiling_per_second=round(ceiling),
        ratio_to_database_ceiling=round(reached / ceiling, 3),
    )


@contextlib.asynccontextmanager
async def running(service: Service, settings: Settings) -> AsyncIterator[None]:
    """The service at work until the end of the block."""
    stopping, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(run_services([service], settings, stopping=stopping, ready=ready.set))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await ready.wait()
        yield
    finally:
        stopping.set()
        await task


async def make_event(database: Database, slug: str, seats: int) -> Event:
    """An event like the sample's."""
    webinar: Webinar = sample_webinar(system_clock()).model_copy(update={"slug": slug, "capacity": seats})
    desk = await open_desk(database, "http://clarion.example", system_clock)
    async with database.transaction() as tx:
        return await create_webinar(tx, desk, webinar)


async def database_ceiling(database: Database, event: Event, requests: int) -> float:
    """Registrations a second when only the database works: the same rows by the same statements, decided before."""
    admission = Admission(event.seats)
    now = system_clock()
    batches = []
    for start in range(0, requests, BATCH_SIZE):
        admission.touched = {}
        for number in range(start, min(start + BATCH_SIZE, requests)):
            admission.request(stranger(event, number, now), "")
        batches.append((admission.touched, replace(admission.seats)))
    began = time.monotonic()
    for touched, seats in batches:
        admission.touched, admission.seats = touched, seats
        async with database.transaction() as tx:
            await repository.lock_webinars(tx.connection, [event.id])
            await keep(tx, admission, now)
    return requests / (time.monotonic() - began)


def stranger(event: Event, number: int, now: datetime) -> Registration:
    """Somebody who asks for a seat."""
    return Registration(
        id=new_id(),
        event_id=event.id,
        mailbox=f"{number:032x}",
        token=new_secret(18),
        name=f"Person {number}",
        email=f"person.{number}@city.example",
        received_at=now,
    )


async def all_published(database: Database) -> float:
    """When the last outcome and notice were on their topics."""
    async with database.connection() as connection, asyncio.timeout(PATIENCE_SECONDS):
        while await queries.bench_backlog(connection):  # noqa: ASYNC110 - another process may publish it
            await asyncio.sleep(POLL_SECONDS)
    return time.monotonic()


def latencies(sent: Sequence[float], decided: Sequence[tuple[float, int]]) -> list[float]:
    """For each request, in the topic's order, the seconds from sending it until its outcome was in the database."""
    counts = [count for _, count in decided]
    return [decided[bisect_left(counts, number)][0] - at for number, at in enumerate(sent, 1)]
