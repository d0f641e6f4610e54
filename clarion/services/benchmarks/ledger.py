"""`clarion bench ledger`: what claims, marks and looks mail up, with no past in the ledger and with years of it."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from statistics import median
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Connection, Database, load_queries, migrate
from clarion.runtime.database.pool import connect_login
from clarion.runtime.embedded import EmbeddedStack
from clarion.runtime.ids import new_id
from clarion.runtime.output import print_fields, say
from clarion.runtime.telemetry import configure_logs
from clarion.schemas.messages import MessageBatch
from clarion.services.benchmarks.ceilings import LEASE, work_off
from clarion.services.notifications import operations
from clarion.services.notifications.reports import find_story
from clarion.services.notifications.repository import Workers
from clarion.services.notifications.settings import STEADY_PLANS

SECOND = "past"
TURNS = 30
WARMING_TURNS = 3
MESSAGES = 1_000
BATCH = 250
ROUND = 50
LOOKED_UP = 50
PEOPLE = 100_000
ROWS_AT_ONCE = 1_000_000
CONTENT = {"committee": "Senate Housing", "when": "Wednesday", "letters_due": "Monday", "bills": []}


def ledger(
    rows: Annotated[int, typer.Option(min=1, max=200_000_000, help="past messages")] = 5_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    """Requests, claims, marks and look-ups a second with no past mail and with so many, on a PostgreSQL of its own.

    Example: clarion bench ledger --rows 50000000
    """
    configure_logs("ERROR", as_json=False)
    tell = (lambda _: None) if as_json else say
    print_fields(asyncio.run(measure(rows, tell)), as_json=as_json)


@dataclass(slots=True)
class Side:
    """A ledger with a sender at work on it, and its messages a second in each turn, by what was done with them."""

    database: Database
    worker: UUID = field(default_factory=lambda: UUID(new_id()))
    rates: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, messages: int, seconds: float) -> None:
        """So many messages in so many seconds, in one turn."""
        self.rates.setdefault(name, []).append(messages / seconds)


async def measure(rows: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """The same work on a ledger without a past and on one that has it, in turns, so that both meet the same machine."""
    async with two_ledgers() as (none, past):
        began = time.monotonic()
        async with past.database.connection() as connection:
            await make_past(connection, rows, tell)
        made_in = time.monotonic() - began
        for side in (none, past):
            async with side.database.transaction() as tx:
                await Workers(tx.connection).enlist(side.worker, LEASE)
        for number in range(-WARMING_TURNS, TURNS):
            if number == 0:
                await start_even(none)
                await start_even(past)
            for side in (none, past) if number % 2 else (past, none):
                await take_turn(side, number)
    return {
        "rows": rows,
        "seconds_to_make_them": round(made_in, 1),
        **{f"{name}_per_second_with_none": round(median(found)) for name, found in none.rates.items()},
        **{f"{name}_per_second": round(median(found)) for name, found in past.rates.items()},
        **{f"{name}_ratio": round(ratio(past.rates[name], found), 2) for name, found in none.rates.items()},
    }


async def start_even(side: Side) -> None:
    """Plans are made by now; what the server does of itself at times, it has just done on both sides."""
    login = await connect_login(side.database.url)
    await login.execute("ANALYZE notifications.ledger")
    await login.execute("CHECKPOINT")
    await login.close()
    side.rates.clear()


def ratio(with_past: Sequence[float], with_none: Sequence[float]) -> float:
    """That of most turns: whatever else the machine does at times slows down one side of some."""
    return median(past / none for past, none in zip(with_past, with_none, strict=True))


@asynccontextmanager
async def two_ledgers() -> AsyncIterator[tuple[Side, Side]]:
    """Two ledgers on one PostgreSQL of their own."""
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="clarion-bench-")))
        stack = EmbeddedStack(folder / "data", mail=False, kafka=False, remove_at_end=True)
        embedded = await opened.enter_async_context(stack)
        if embedded.postgres is None:
            raise RuntimeError("the stack lacks a server")
        url = embedded.postgres.url
        login = await connect_login(url)
        await load_queries(__package__).bench_second_database(login)
        await login.close()
        sides = [await _side(each, opened) for each in (url, urlsplit(url)._replace(path=f"/{SECOND}").geturl())]
        yield sides[0], sides[1]


async def _side(url: str, opened: AsyncExitStack) -> Side:
    await migrate(url, ["notifications"])
    side = Side(await Database.connect(url, "notifications", session=STEADY_PLANS))
    opened.push_async_callback(side.database.close)
    async with side.database.transaction() as tx:
        # A year's mail was vacuumed long ago; the server would begin that now, beside what is measured.
        await load_queries(__package__).bench_leave_unvacuumed(tx.connection)
    return side


async def make_past(connection: Connection, rows: int, tell: Callable[[str], None]) -> None:
    """So many messages that were sent, one each 31 seconds back from now, 5,000 to a matter."""
    queries = load_queries(__package__)
    for start in range(0, rows, ROWS_AT_ONCE):
        await queries.bench_past(connection, first=start + 1, last=min(rows, start + ROWS_AT_ONCE))
        tell(f"{min(rows, start + ROWS_AT_ONCE):,} of {rows:,} messages")
    await connection.execute("ANALYZE ledger")


async def take_turn(side: Side, number: int) -> None:
    """Messages asked for, claimed, marked and settled, and some of them looked up."""
    first = (number + WARMING_TURNS) * MESSAGES
    batches = [_batch(f"turn {number}", start) for start in range(first, first + MESSAGES, BATCH)]
    began = time.monotonic()
    async with side.database.transaction() as tx:
        await operations.register(tx, batches, system_clock())
    side.note("requests", MESSAGES, time.monotonic() - began)
    worked = await work_off(side.database, side.worker, ROUND)
    side.note("claims", len(worked.held), worked.claiming_seconds)
    side.note("marks_and_outcomes", len(worked.held), worked.marking_seconds)
    began = time.monotonic()
    async with side.database.connection() as connection:
        for one in worked.held[:LOOKED_UP]:
            await find_story(connection, one.message.thread_id, None)
    side.note("look_ups", LOOKED_UP, time.monotonic() - began)


def _mailbox(number: int) -> str:
    """One of those that got mail before."""
    return md5(f"m{number % PEOPLE}".encode(), usedforsecurity=False).hexdigest()


def _batch(matter: str, start: int) -> MessageBatch:
    recipients = [
        {"mailbox": _mailbox(number), "address": f"p{number}@city.example"} for number in range(start, start + BATCH)
    ]
    return MessageBatch.model_validate(
        {
            "matter": f"bench:{matter}",
            "revision": 1,
            "template": "call",
            "subscription": "calls",
            "lane": "call",
            "facts": [],
            "content": CONTENT,
            "recipients": recipients,
        }
    )
