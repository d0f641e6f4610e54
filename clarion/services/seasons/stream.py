"""`clarion bench stream`: a season's updates go through the real services, and what they end with is checked."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import load_queries, open_database
from clarion.runtime.embedded import EmbeddedStack
from clarion.runtime.ids import new_secret
from clarion.runtime.output import print_fields, say
from clarion.runtime.process import run_services
from clarion.runtime.settings import Settings
from clarion.runtime.telemetry import configure_logs
from clarion.schemas.legislation import bill_key
from clarion.services.campaigns.domain.times import spoken_start
from clarion.services.legislation.publication import publish_file
from clarion.services.running import open_services, prepare
from clarion.services.sample import BILL, ZONE, adopt_sample_position
from clarion.services.seasons.season import Facts, Season, facts_of

SERVICES = ("legislation", "campaigns")
SETTLE_SECONDS = 1
POLL_SECONDS = 0.2
LINES_PER_SECOND_AT_LEAST = 50
MEGABYTE = 1_000_000

queries = load_queries("clarion.services.seasons")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a stream. Seconds count from the first line published to the last state at campaigns.

    `differing` counts hearings of which legislation or campaigns do not say what was said last, and campaigns that do
    not. Memory is this process's, which generates, publishes, runs the services and checks.
    """

    hearings: int
    lines: int
    lines_per_second: int
    seconds_to_consistent: float
    peak_memory_mb: int
    grown_memory_mb: int
    differing: int


def stream(
    hearings: Annotated[int, typer.Option(min=1, max=100_000, help="hearings of the season")] = 5_000,
    lines: Annotated[int, typer.Option(min=1, max=10_000_000, help="updates, repetitions counted")] = 50_000,
    seed: Annotated[int, typer.Option(help="the same seed makes the same changes")] = 1,
    out: Annotated[Path | None, typer.Option(help="only write the lines there, for clarion publish")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    """Moves, other rooms and bills, cancellations, lists and repetitions, out of order: what stands in the end?

    On a Kafka and a PostgreSQL of its own; removed at the end.

    Example: clarion bench stream --hearings 5000 --lines 50000

    Exit code 1 if a hearing does not end as what was said of it last.
    """
    configure_logs("ERROR", as_json=False)
    season = Season(hearings, lines, seed, system_clock())
    if out is not None:
        write_lines(season, out)
        return
    if not as_json:
        say("starting a Kafka and a PostgreSQL of its own")
    taken = asyncio.run(measure(season))
    print_fields(asdict(taken), as_json=as_json)
    raise typer.Exit(1 if taken.differing else 0)


def write_lines(lines: Iterable[str], path: Path) -> None:
    """Write JSON Lines."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


async def measure(season: Season) -> Taken:
    """Take the season in on an embedded stack that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="clarion-bench-") as folder:
        async with EmbeddedStack(Path(folder) / "data", mail=False, remove_at_end=True) as embedded:
            if embedded.postgres is None or embedded.kafka is None:
                raise RuntimeError("the stack lacks a server")
            settings = Settings(
                _env_file=None,
                database_url=embedded.postgres.url,
                kafka_bootstrap=embedded.kafka.bootstrap,
                secret_key=(new_secret(),),
                public_url="http://clarion.example",
                settle_seconds=SETTLE_SECONDS,
            )
            await prepare(settings)
            return await take_in(settings, season, Path(folder) / "season.jsonl")


async def take_in(settings: Settings, season: Season, path: Path) -> Taken:
    """Publish the season by way of a file, and wait until legislation and campaigns have made of it what they can."""
    await adopt_sample_position(settings, statewide=True)
    write_lines(season, path)
    expected = season.facts()
    async with running(settings):
        memory = Memory()
        began = time.monotonic()
        async with open_database(settings, "legislation") as database:
            with path.open("rb") as file:
                published = await publish_file(database, file, None, system_clock, lambda _: None)
            lines = published.published + published.seen_before
            patience = 60 + lines / LINES_PER_SECOND_AT_LEAST
            while time.monotonic() - began < patience:
                memory.look()
                async with database.connection() as connection:
                    heard = await queries.statements_heard(connection)
                if heard >= season.statements and not await differing(settings, expected):
                    break
                await asyncio.sleep(POLL_SECONDS)
        seconds = time.monotonic() - began
        memory.look()
        return Taken(
            hearings=len(expected),
            lines=lines,
            lines_per_second=round(lines / seconds),
            seconds_to_consistent=round(seconds, 1),
            peak_memory_mb=memory.peak // MEGABYTE,
            grown_memory_mb=(memory.peak - memory.first) // MEGABYTE,
            differing=len(await differing(settings, expected)),
        )


class Memory:
    """This process's resident memory in bytes: at first, and the most seen."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.first = self.peak = int(self._process.memory_info().rss)

    def look(self) -> None:
        """Look again."""
        self.peak = max(self.peak, int(self._process.memory_info().rss))


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """The services at work until the end of the block."""
    stopping, ready = asyncio.Event(), asyncio.Event()
    async with open_services(settings, SERVICES) as services:
        task = asyncio.create_task(run_services(services, settings, stopping=stopping, ready=ready.set))
        try:
            await ready.wait()
            yield
        finally:
            stopping.set()
            await task


async def differing(settings: Settings, expected: Mapping[str, Facts | None]) -> set[str]:
    """The hearings that do not stand everywhere as was said of them last."""
    async with open_database(settings, "legislation") as database, database.connection() as connection:
        known = {alias: row async for row in queries.hearings_known(connection) for alias in row["state"]["aliases"]}
    async with open_database(settings, "campaigns") as database, database.connection() as connection:
        told = {alias: row async for row in queries.hearings_told(connection) for alias in row["state"]["aliases"]}
    return {
        name
        for name, facts in expected.items()
        if not (stands(known.get(name), facts) and stands(told.get(name), facts) and shows(told.get(name), facts))
    }


def stands(row: Mapping[str, Any] | None, facts: Facts | None) -> bool:
    """Whether a hearing's state is what was said last; of one that is not held nobody need have heard."""
    if row is None:
        return facts is None
    cancelled = row["state"]["status"] == "cancelled"
    return cancelled if facts is None else not cancelled and facts_of(row["state"]) == facts


def shows(row: Mapping[str, Any] | None, facts: Facts | None) -> bool:
    """Whether a campaign says so too, where the hearing is held and has the bill that a position is on."""
    if facts is None or bill_key(BILL) not in facts.bills:
        return True
    return row is not None and row["held"] == spoken_start(facts.starts_at, str(ZONE), None) and row["bills"] != []
