"""`clarion bench pipeline`: one alert on Kafka becomes so many mails at a sink, by the real services."""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import load_queries, open_database
from clarion.runtime.embedded import EmbeddedStack
from clarion.runtime.ids import new_id, new_secret
from clarion.runtime.messaging.connection import topic_name
from clarion.runtime.messaging.relay import make_producer
from clarion.runtime.output import fail, print_fields, say
from clarion.runtime.settings import Settings
from clarion.runtime.telemetry import configure_logs
from clarion.schemas.cloudevents import EventAttributes
from clarion.schemas.topics import LEGISLATION_ALERTS
from clarion.services.benchmarks.association import alert, load_association
from clarion.services.benchmarks.ceilings import measure_ceilings
from clarion.services.benchmarks.meters import Meter, interpreter, watched_memory
from clarion.services.benchmarks.processes import serving
from clarion.services.benchmarks.sinks import OURS, NoSink, Sink, opened_sink
from clarion.services.running import prepare

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 60.0


Meters = dict[str, Meter]


@dataclass(frozen=True, slots=True)
class Stage:
    """What the services need while they are measured, and what that costs."""

    settings: Settings
    servers: EmbeddedStack
    sink: Sink
    meters: Meters


def pipeline(
    recipients: Annotated[int, typer.Option(min=1, max=2_000_000, help="mailboxes that the alert calls")] = 100_000,
    sink: Annotated[str, typer.Option(help="ours, smtp-sink (Postfix's), or the URL of a mail server")] = OURS,
    workers: Annotated[int, typer.Option(min=1, max=32, help="processes that send")] = 1,
    connections: Annotated[int, typer.Option(min=1, max=200, help="connections of each to the sink")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    """One alert on Kafka, so many mails at a sink: by the real services, on servers of its own, removed at the end.

    Example: clarion bench pipeline --recipients 100000 --sink smtp-sink

    Exit code 1 if a mail is missing.
    """
    configure_logs("ERROR", as_json=False)
    try:
        report = asyncio.run(measure(recipients, sink, workers, connections, quiet=as_json))
    except NoSink as reason:
        fail(str(reason))
    print_fields(report, as_json=as_json)
    raise typer.Exit(0 if report["missing"] == 0 else 1)


async def measure(recipients: int, sink: str, workers: int, connections: int, *, quiet: bool) -> dict[str, Any]:
    """Set everything up, run it, and then measure its parts for themselves."""
    async with staged(sink, connections) as stage:
        async with running(stage, workers) as meters:
            await set_up(stage.settings, recipients, quiet=quiet)
            report = await run(stage, meters, recipients)
        if not quiet:
            say("now each part for itself")
        ceilings = await measure_ceilings(stage.settings, stage.sink, recipients, connections)
    rate = report["mails_per_second"]
    return report | {
        "ceilings": ceilings,
        "ratios": {name: round(rate / ceiling, 3) for name, ceiling in ceilings.items()},
        "ratio_to_slowest_ceiling": round(rate / min(ceilings.values()), 3),
        "workers": workers,
        "connections": connections,
        "sink": sink,
        "interpreter": interpreter(),
    }


async def set_up(settings: Settings, recipients: int, *, quiet: bool) -> None:
    """The association, with a word on how it goes."""
    started = time.monotonic()

    def progress(done: int) -> None:
        if not quiet and sys.stdout.isatty():
            say(f"officials: {done:,} of {recipients:,}")

    await load_association(settings, recipients, progress)
    if not quiet:
        say(f"{recipients:,} mailboxes are known after {time.monotonic() - started:.0f} s; now the alert")


@contextlib.asynccontextmanager
async def staged(kind: str, connections: int) -> AsyncIterator[Stage]:
    """Servers of its own and a sink."""
    async with contextlib.AsyncExitStack() as ending:
        sink = await ending.enter_async_context(opened_sink(kind))
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="clarion-bench-")))
        embedded = await ending.enter_async_context(EmbeddedStack(folder / "data", mail=False, remove_at_end=True))
        if embedded.postgres is None or embedded.kafka is None:
            raise RuntimeError("the stack lacks a server")
        settings = Settings(
            database_url=embedded.postgres.url,
            kafka_bootstrap=embedded.kafka.bootstrap,
            smtp_url=sink.url,
            secret_key=(new_secret(),),
            public_url="http://clarion.example",
            mail_from="Clarion <calls@clarion.example>",
            data_dir=folder,
            smtp_connections=connections,
        )
        await prepare(settings)
        meters = {
            "broker": Meter([embedded.kafka.pid]),
            "database": Meter([embedded.postgres.pid]),
            "sink": Meter([sink.pid] if sink.pid else []),
        }
        yield Stage(settings, embedded, sink, meters)


@contextlib.asynccontextmanager
async def running(stage: Stage, workers: int) -> AsyncIterator[Meters]:
    """The services at work, in processes of their own; what they and the servers cost."""
    async with (
        serving(stage.settings, "campaigns") as campaigns,
        serving(stage.settings, "notifications", workers=workers) as notifications,
    ):
        yield {"ours": Meter([campaigns.pid, notifications.pid]), **stage.meters}
        campaigns.check()
        notifications.check()


async def run(stage: Stage, meters: Meters, recipients: int) -> dict[str, Any]:
    """From the alert until every outcome is known to campaigns."""
    before = stage.sink.taken
    async with watched_memory(meters["ours"]) as peak:
        spent = {name: meter.cpu_seconds() for name, meter in meters.items()}
        alerted_at = await send_alert(stage.settings)
        await arrivals(stage.sink, before + recipients)
        await recorded(stage.settings, recipients)
        recorded_at = time.monotonic()
        cost = {name: meter.cpu_seconds() - spent[name] for name, meter in meters.items()}
    sent = await sent_to(stage.settings)
    taken = stage.sink.taken - before if stage.sink.counts else sent

    def seconds_to(count: int) -> float:
        seen = stage.sink.since(before, count) if stage.sink.counts and taken else recorded_at
        return round(seen - alerted_at, 3)

    each = {name: round(seconds / recipients * 1_000, 3) for name, seconds in cost.items()}
    return {
        "recipients": recipients,
        "mails": taken,
        "missing": max(recipients - taken, recipients - sent),
        "mails_per_second": round(taken / seconds_to(taken)),
        "seconds_to_first": seconds_to(1),
        "seconds_to_half": seconds_to(max(taken // 2, 1)),
        "seconds_to_last": seconds_to(taken),
        "seconds_to_recorded": round(recorded_at - alerted_at, 3),
        "cpu_seconds_per_1000": round(each["ours"] + each["database"], 3),
        "cpu_seconds_per_1000_of": each,
        "peak_memory_mb": round(peak.megabytes),
    }


async def send_alert(settings: Settings, hearing_id: str | None = None) -> float:
    """Put the alert on its topic, of the sample's hearing or of another that is like it; when that was."""
    event = alert(hearing_id)
    attributes = EventAttributes(id=new_id(), source="/bench", type="bill-hearing.scheduled", time=system_clock())
    headers = [(name, value.encode()) for name, value in attributes.to_headers().items()]
    body = event.model_dump_json().encode()
    async with make_producer(settings) as producer:
        alerted_at = time.monotonic()
        await producer.send(topic_name(settings, LEGISLATION_ALERTS), body, event.hearing_id.encode(), headers=headers)
    return alerted_at


async def arrivals(sink: Sink, mails: int) -> None:
    """Wait until so many mails came, or none came for a while; counting in the database would be measured too."""
    taken, changed_at = -1, time.monotonic()
    while sink.counts and sink.taken < mails and time.monotonic() - changed_at < PATIENCE_SECONDS:
        if sink.taken != taken:
            taken, changed_at = sink.taken, time.monotonic()
        await asyncio.sleep(POLL_SECONDS)


async def recorded(settings: Settings, recipients: int) -> None:
    """Wait until campaigns knows what became of every call, or nothing goes on.

    Looking is measured too, so it ends at the first call of which nothing is known yet.
    """
    queries = load_queries(__package__)
    known, changed_at = "", time.monotonic()
    async with open_database(settings, "campaigns") as database, database.connection() as connection:
        while time.monotonic() - changed_at < PATIENCE_SECONDS:
            unknown = await queries.bench_unknown(connection)
            if unknown is None and await queries.bench_calls(connection) >= recipients:
                return
            if unknown != known:
                known, changed_at = unknown, time.monotonic()
            await asyncio.sleep(POLL_SECONDS)


async def sent_to(settings: Settings) -> int:
    """How many mailboxes were sent to, as campaigns knows it."""
    async with open_database(settings, "campaigns") as database, database.connection() as connection:
        sent: int = await load_queries(__package__).bench_sent_to(connection)
        return sent
