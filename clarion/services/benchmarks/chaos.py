"""`clarion bench chaos`: calls to many, while sender, fan-out, broker and database are killed at random moments."""

import asyncio
import contextlib
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import asyncpg
import typer

from clarion.runtime.database import is_transient, load_queries, open_database
from clarion.runtime.embedded.server import EmbeddedServer
from clarion.runtime.ids import new_id
from clarion.runtime.output import fail, print_fields, say
from clarion.runtime.telemetry import configure_logs
from clarion.services.benchmarks.pipeline import Stage, send_alert, set_up, staged
from clarion.services.benchmarks.processes import ServiceDied, Serving, serving
from clarion.services.benchmarks.sink_process import Sink as SinkProtocol
from clarion.services.benchmarks.sink_process import Tally
from clarion.services.notifications.domain.messages import message_name
from clarion.services.notifications.domain.states import FINAL

KINDS = ("sender", "fan-out", "broker", "database")
SERVED = {"sender": "notifications", "fan-out": "campaigns"}
LEASE_SECONDS = 3.0
SUPERVISED_SECONDS = 30.0
"""How long a service is started again that ends at once, as when the database is not back yet."""
POLL_SECONDS = 0.02
LOOK_SECONDS = 0.5
MESSAGE_ID = re.compile(rb"^Message-ID: <([^@>]+)@", re.IGNORECASE | re.MULTILINE)


class Stalled(Exception):
    """Nothing goes on; the message says since which moment."""


class Names(Tally):
    """How often each message came, by its Message-ID."""

    reads = True

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()

    def take(self, content: bytes) -> None:
        """A mail came."""
        self.mails += 1
        found = MESSAGE_ID.search(content)
        self.came[found[1].decode() if found else ""] += 1


@dataclass(frozen=True, slots=True)
class Kill:
    """What is killed once so large a share of a round's mail has come, and how long after."""

    kind: str
    share: float
    delay_seconds: float


@dataclass
class Found:
    """What came of one round."""

    kills: Sequence[Kill]
    seconds: float = 0.0
    messages: int = 0
    lost: int = 0
    doubled: int = 0
    doubled_outside_doubt: int = 0
    doubts: int = 0
    states: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        """Whether nobody is missing, and none got two mails but those in doubt."""
        return not (self.lost or self.doubled_outside_doubt)


def plan(dice: random.Random) -> list[Kill]:
    """One to three kills at random moments of a round, from its first mail to its last."""
    kills = [Kill(dice.choice(KINDS), dice.random(), dice.uniform(0, 0.3)) for _ in range(dice.randint(1, 3))]
    return sorted(kills, key=lambda kill: kill.share)


def judge(rows: Sequence[Any], came: Counter[str], expected: int, kills: Sequence[Kill]) -> Found:
    """Compare what the ledger says of each message with how often it came."""
    found = Found(kills, messages=len(rows), lost=expected - len(rows))
    for row in rows:
        times = came[message_name(row["thread_id"], row["revision"])]
        found.states[row["state"]] += 1
        found.doubts += row["doubts"]
        # One that ended `unknown` is said to be perhaps lost; every other end must be true.
        found.lost += times == 0 and row["state"] != "unknown"
        found.doubled += times > 1
        found.doubled_outside_doubt += times > 1 and (not row["doubts"] or times > 1 + row["doubts"])
    return found


class Installation:
    """Servers that come back by themselves, and two services that are started again when they were killed."""

    def __init__(self, stage: Stage) -> None:
        self.settings = stage.settings.model_copy(
            update={"sender_lease_seconds": LEASE_SECONDS, "kafka_instance": "chaos"}
        )
        self.servers = stage.servers
        self._services: dict[str, tuple[Serving, contextlib.AsyncExitStack]] = {}

    async def start(self, kind: str) -> None:
        """Start the service that does this, again and again if need be, and wait until it is ready."""
        give_up_at = time.monotonic() + SUPERVISED_SECONDS
        while True:
            ending = contextlib.AsyncExitStack()
            try:
                service = await ending.enter_async_context(serving(self.settings, SERVED[kind]))
            except ServiceDied:
                if time.monotonic() > give_up_at:
                    raise
            else:
                self._services[kind] = (service, ending)
                return

    async def stop(self) -> None:
        """End the services."""
        for _, ending in self._services.values():
            await ending.aclose()

    async def kill(self, kind: str) -> None:
        """`kill -9`, and what an operator's supervisor does then."""
        match kind:
            case "broker" if self.servers.kafka:
                await kill_server(self.servers.kafka)
            case "database" if self.servers.postgres:
                await kill_server(self.servers.postgres)
            case _:
                service, ending = self._services[kind]
                os.kill(service.pid, signal.SIGKILL)
                await ending.aclose()
                await self.start(kind)

    def check(self) -> None:
        """Raises ServiceDied if a service ended by itself."""
        for service, _ in self._services.values():
            service.check()


async def kill_server(server: EmbeddedServer) -> None:
    """As soon as it runs: it may have been killed a moment ago, and its number may be another's by now.

    Raises:
        TimeoutError: it does not come back.
    """
    async with asyncio.timeout(SUPERVISED_SECONDS):
        while not server.is_running:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(POLL_SECONDS)
    os.kill(server.pid, signal.SIGKILL)


@contextlib.asynccontextmanager
async def installed(stage: Stage) -> AsyncIterator[Installation]:
    """The services at work until the end of the block."""
    here = Installation(stage)
    try:
        for kind in SERVED:
            await here.start(kind)
        yield here
    finally:
        await here.stop()


@contextlib.asynccontextmanager
async def naming_sink() -> AsyncIterator[tuple[Names, str]]:
    """A mail server in this process that keeps the names of what it takes, and its URL."""
    names = Names()
    server = await asyncio.get_running_loop().create_server(lambda: SinkProtocol(names), "127.0.0.1", 0)
    try:
        yield names, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}?starttls=none"
    finally:
        server.close()


class Round:
    """One hearing that calls everyone, with its kills."""

    def __init__(self, here: Installation, names: Names, recipients: int, kills: Sequence[Kill], stall: float) -> None:
        self.here = here
        self.names = names
        self.recipients = recipients
        self.kills = kills
        self.stall_seconds = stall
        self.queries = load_queries(__package__)

    async def run(self) -> Found:
        """From the alert until every message and every outcome is at its end.

        Raises:
            Stalled: nothing went on for a long time.
        """
        self.names.came.clear()
        started, before, hearing = time.monotonic(), self.names.mails, f"chaos-{new_id()}"
        await send_alert(self.here.settings, hearing)
        for kill in self.kills:
            await self._until(self._came(before + int(kill.share * self.recipients)), POLL_SECONDS)
            await asyncio.sleep(kill.delay_seconds)
            await self.here.kill(kill.kind)
        matter: list[str] = []
        await self._until(self._settled(hearing, matter), LOOK_SECONDS)
        async with open_database(self.here.settings, "notifications") as database, database.connection() as connection:
            rows = [row async for row in self.queries.chaos_messages(connection, matter=matter[0])]
        found = judge(rows, self.names.came, self.recipients, self.kills)
        found.seconds = time.monotonic() - started
        return found

    def _came(self, mails: int) -> Callable[[], Awaitable[bool]]:
        async def came() -> bool:
            return self.names.mails >= mails

        return came

    def _settled(self, hearing: str, matter: list[str]) -> Callable[[], Awaitable[bool]]:
        async def settled() -> bool:
            try:
                async with asyncio.timeout(self.stall_seconds):
                    return await self._is_settled(hearing, matter)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                if not is_transient(error):
                    raise
                return False

        return settled

    async def _is_settled(self, hearing: str, matter: list[str]) -> bool:
        async with open_database(self.here.settings, "campaigns") as database, database.connection() as connection:
            found = await self.queries.chaos_matter(connection, hearing=hearing)
            reported = await self.queries.chaos_reported(connection, matter=found) if found else 0
        if reported < self.recipients:
            return False
        async with open_database(self.here.settings, "notifications") as database, database.connection() as connection:
            row = await self.queries.chaos_open(connection, matter=found, final=sorted(FINAL))
        matter[:] = [found]
        return bool(row["messages"] >= self.recipients and not row["waiting"])

    async def _until(self, done: Callable[[], Awaitable[bool]], every_seconds: float) -> None:
        seen, changed_at = -1, time.monotonic()
        while not await done():
            self.here.check()
            if self.names.mails != seen:
                seen, changed_at = self.names.mails, time.monotonic()
            if time.monotonic() - changed_at > self.stall_seconds:
                kills = ", ".join(f"{kill.kind} at {kill.share:.0%}" for kill in self.kills)
                raise Stalled(f"{self.names.came.total()} of {self.recipients} mails came; kills: {kills}")
            await asyncio.sleep(every_seconds)


def chaos(  # noqa: PLR0917 - its options
    rounds: Annotated[int, typer.Option(min=1, help="hearings, one after the other")] = 10,
    recipients: Annotated[int, typer.Option(min=1, max=1_000_000, help="mailboxes that each calls")] = 2_000,
    seed: Annotated[int | None, typer.Option(help="the same kills again; drawn and printed if left out")] = None,
    connections: Annotated[int, typer.Option(min=1, max=200, help="connections of the sender")] = 20,
    stall_seconds: Annotated[float, typer.Option(min=1, help="give up when nothing goes on for so long")] = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    """Call everyone, round by round, and `kill -9` what is at work: sender, fan-out, broker or database.

    Each round has one to three kills at random moments. Counted are the lost, the doubled and those in doubt.
    On servers of its own, removed at the end.

    Example: clarion bench chaos --rounds 100 --recipients 20000

    Exit code 1 if a message is lost, or came twice without having been in doubt.
    """
    configure_logs("CRITICAL", as_json=False)
    drawn = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    try:
        report = asyncio.run(run_rounds(rounds, recipients, drawn, connections, stall_seconds, quiet=as_json))
    except Stalled as stall:
        fail(f"nothing went on for {stall_seconds:.0f} s: {stall}; again with --seed {drawn}")
    except ServiceDied as death:
        fail(f"{death}\nagain with --seed {drawn}")
    print_fields(report, as_json=as_json)
    raise typer.Exit(0 if not (report["lost"] or report["doubled_outside_doubt"]) else 1)


async def run_rounds(
    rounds: int, recipients: int, seed: int, connections: int, stall_seconds: float, *, quiet: bool
) -> dict[str, Any]:
    """All rounds on one installation, so that each finds the ledger of those before it."""
    dice = random.Random(seed)  # noqa: S311 - the same kills can be had again
    founds = []
    async with (
        naming_sink() as (names, url),
        staged(url, connections) as stage,
        installed(stage) as here,
    ):
        await set_up(stage.settings, recipients, quiet=quiet)
        for number in range(rounds):
            found = await Round(here, names, recipients, plan(dice), stall_seconds).run()
            founds.append(found)
            if not quiet:
                say(line(number + 1, found))
    return summary(founds, recipients, seed)


def line(number: int, found: Found) -> str:
    """A round in a line."""
    kills = ", ".join(f"{kill.kind} at {kill.share:.0%}" for kill in found.kills)
    ends = ", ".join(f"{count:,} {state}" for state, count in found.states.most_common())
    return (
        f"{number}: {kills}: {ends}; lost {found.lost}, doubled {found.doubled}"
        f" ({found.doubled_outside_doubt} without doubt), in doubt {found.doubts}, {found.seconds:.1f} s"
    )


def summary(founds: Sequence[Found], recipients: int, seed: int) -> dict[str, Any]:
    """All rounds together."""
    kills = Counter(kill.kind for found in founds for kill in found.kills)
    states = sum((found.states for found in founds), Counter[str]())
    return {
        "rounds": len(founds),
        "recipients": recipients,
        "messages": sum(found.messages for found in founds),
        "kills": kills.total(),
        "kills_of": dict(kills),
        "states": dict(states),
        "lost": sum(found.lost for found in founds),
        "doubled": sum(found.doubled for found in founds),
        "doubled_outside_doubt": sum(found.doubled_outside_doubt for found in founds),
        "in_doubt": sum(found.doubts for found in founds),
        "in_doubt_per_kill": round(sum(found.doubts for found in founds) / max(kills.total(), 1), 2),
        "most_in_doubt_per_kill": max((found.doubts / len(found.kills) for found in founds), default=0),
        "seconds": round(sum(found.seconds for found in founds), 1),
        "seed": seed,
    }
