"""`clarion bench fanout`: one alert to so many officials, beside the bare INSERT ... SELECT of as many rows.

Both in the same database, in turns. The alert takes the way it takes in the service: the decision, its plan with the
reasons of every city, and the fan-out's own workers, which store calls and threads and put the batches of messages,
each with its reasons, into the outbox. What the relay, Kafka and the ledger do with them is no part of it.
"""

import asyncio
import gc
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, load_queries, migrate
from clarion.runtime.embedded import EmbeddedStack
from clarion.runtime.output import print_fields, say
from clarion.runtime.process import GC_THRESHOLDS
from clarion.runtime.telemetry import configure_logs
from clarion.services.benchmarks.association import alert, officials_of_campaigns, project_directory
from clarion.services.campaigns.fanout import fan_outs
from clarion.services.campaigns.operations import hear
from clarion.services.campaigns.positions.operations import adopt_position
from clarion.services.directory.operations import load_sample
from clarion.services.sample import sample_position

MOST_TIMES_BARE = 5.0
POLL_SECONDS = 0.03
PATIENCE_SECONDS = 200.0


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds for the bare rows, and for an alert until its last call and message are committed; `first` the first."""

    bare: float
    alert: float
    first: float


def fanout(
    recipients: Annotated[int, typer.Option(min=100, max=1_000_000, help="mailboxes to be called")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="alerts, each beside bare rows; the median counts")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    """One alert to so many officials, in times of the bare INSERT ... SELECT, on a PostgreSQL of its own.

    Exit code 1 if it takes more than five times as long. Example: clarion bench fanout --recipients 100000
    """
    configure_logs("ERROR", as_json=False)
    found = asyncio.run(measure(recipients, rounds, (lambda _: None) if as_json else say))
    print_fields(found, as_json=as_json)
    raise typer.Exit(1 if found["times_bare"] > MOST_TIMES_BARE else 0)


async def measure(recipients: int, rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """On an embedded server that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="clarion-bench-") as folder:
        stack = EmbeddedStack(Path(folder) / "data", mail=False, kafka=False, remove_at_end=True)
        async with stack as embedded:
            if embedded.postgres is None:
                raise RuntimeError("the stack lacks a server")
            url = embedded.postgres.url
            await migrate(url, ["directory", "campaigns"])
            directory = await Database.connect(url, "directory", max_size=1)
            campaigns = await Database.connect(url, "campaigns")
            try:
                await load_sample(directory, 1, clock=system_clock)
                await project_directory(directory, campaigns)
                await officials_of_campaigns(campaigns, recipients)
                return await measure_on(campaigns, recipients, rounds, tell)
            finally:
                await campaigns.close()
                await directory.close()


async def measure_on(database: Database, recipients: int, rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """The same on a database whose directory is whole; the first round, which warms up, does not count."""
    async with database.transaction() as tx:
        await adopt_position(tx, sample_position(system_clock(), statewide=True), system_clock)
    gc.set_threshold(*GC_THRESHOLDS)
    stopping = asyncio.Event()
    working = [asyncio.create_task(one.run(stopping)) for one in fan_outs(database, system_clock)]
    try:
        found = [await _round(database, number, recipients, tell) for number in range(rounds + 1)][1:]
    finally:
        stopping.set()
        await asyncio.gather(*working)
    bare, whole = median(one.bare for one in found), median(one.alert for one in found)
    return {
        "recipients": recipients,
        "rounds": rounds,
        "bare_seconds": round(bare, 3),
        "alert_seconds": round(whole, 3),
        "seconds_to_first": round(median(one.first for one in found), 3),
        "calls_per_second": round(recipients / whole),
        "times_bare": round(median(one.alert / one.bare for one in found), 2),
        "times_bare_of_rounds": [round(one.alert / one.bare, 2) for one in found],
    }


async def _round(database: Database, number: int, recipients: int, tell: Callable[[str], None]) -> Round:
    await _tidy(database)
    bare = await _bare(database, f"bare-{number}", recipients)
    hearing = f"bench-{number}"
    began = time.monotonic()
    async with database.transaction() as tx:
        await hear(tx, [alert(hearing)], system_clock)
    first = await _reached(database, hearing, "bench_begun") - began
    whole = await _reached(database, hearing, "bench_fanned_out") - began
    await _refuse_other(database, hearing, recipients)
    tell(f"bare {bare:.2f} s, alert {whole:.2f} s: {whole / bare:.2f} times")
    return Round(bare, whole, first)


async def _tidy(database: Database) -> None:
    """What the last round wrote is vacuumed; the server would begin that by itself, beside what is measured."""
    async with database.connection() as connection:
        await connection.execute("VACUUM (ANALYZE) calls, threads, fanout_jobs, campaign_cities")


async def _reached(database: Database, hearing: str, what: str) -> float:
    """When this was so."""
    is_so = getattr(load_queries(__package__), what)
    async with asyncio.timeout(PATIENCE_SECONDS), database.connection() as connection:
        while not await is_so(connection, hearing=hearing):  # noqa: ASYNC110 - a worker does it
            await asyncio.sleep(POLL_SECONDS)
    return time.monotonic()


async def _refuse_other(database: Database, hearing: str, recipients: int) -> None:
    """Raise RuntimeError unless everyone was called and stands in a message with reasons."""
    async with database.connection() as connection:
        called = await load_queries(__package__).bench_called(connection, hearing=hearing)
        if (called["calls"], called["asked"]) != (recipients, called["threads"]):
            raise RuntimeError(f"{recipients} officials, but: {dict(called)}")


async def _bare(database: Database, campaign: str, recipients: int) -> float:
    """Seconds for one row for each official in the same table, without any rule."""
    queries = load_queries(__package__)
    async with database.connection() as connection:
        began = time.monotonic()
        await queries.bench_insert_calls(connection, campaign=campaign, most=recipients)
        return time.monotonic() - began
