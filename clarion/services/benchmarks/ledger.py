"""`clarion bench ledger`: what claims, marks and looks mail up, with no past in the ledger and with years of it."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Connection, Database, load_queries, migrate
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

MESSAGES = 6_000
BATCH = 250
ROUND = 50
LOOKED_UP = 500
ROWS_AT_ONCE = 1_000_000
CONTENT = {"committee": "Senate Housing", "when": "Wednesday", "letters_due": "Monday", "bills": []}


def ledger(
    rows: Annotated[int, typer.Option(min=1, max=200_000_000, help="past messages")] = 5_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for machines")] = False,
) -> None:
    """Claims, marks and look-ups a second with no past mail and with so many, on a PostgreSQL of its own.

    Example: clarion bench ledger --rows 50000000
    """
    configure_logs("ERROR", as_json=False)
    tell = (lambda _: None) if as_json else say
    print_fields(asyncio.run(measure(rows, tell)), as_json=as_json)


async def measure(rows: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """The same work before and after the past is made."""
    with tempfile.TemporaryDirectory(prefix="clarion-bench-") as folder:
        stack = EmbeddedStack(Path(folder) / "data", mail=False, kafka=False, remove_at_end=True)
        async with stack as embedded:
            if embedded.postgres is None:
                raise RuntimeError("the stack lacks a server")
            await migrate(embedded.postgres.url, ["notifications"])
            database = await Database.connect(embedded.postgres.url, "notifications", session=STEADY_PLANS)
            try:
                await work(database, "warm-up")
                with_none = await work(database, "none")
                began = time.monotonic()
                async with database.connection() as connection:
                    await make_past(connection, rows, tell)
                    # A year's mail was vacuumed long ago; the server would begin that now, beside what is measured.
                    await connection.execute("VACUUM (ANALYZE) ledger")
                made_in = time.monotonic() - began
                await work(database, "warm-up again")
                with_past = await work(database, "past")
            finally:
                await database.close()
    return {
        "rows": rows,
        "seconds_to_make_them": round(made_in, 1),
        **{f"{name}_per_second_with_none": rate for name, rate in with_none.items()},
        **{f"{name}_per_second": rate for name, rate in with_past.items()},
        **{f"{name}_ratio": round(with_past[name] / rate, 2) for name, rate in with_none.items()},
    }


async def make_past(connection: Connection, rows: int, tell: Callable[[str], None]) -> None:
    """So many messages that were sent, one each 31 seconds back from now; indexes are made afterwards, all at once."""
    queries = load_queries(__package__)
    indexes = [dict(row) async for row in queries.bench_ledger_indexes(connection)]
    for index in indexes:
        await connection.execute(f'DROP INDEX "{index["name"]}"')
    for start in range(0, rows, ROWS_AT_ONCE):
        await queries.bench_past(connection, first=start + 1, last=min(rows, start + ROWS_AT_ONCE))
        tell(f"{min(rows, start + ROWS_AT_ONCE):,} of {rows:,} messages")
    for index in indexes:
        # Of a partitioned table the server names the index of the parent alone.
        await connection.execute(index["definition"].replace(" ON ONLY ", " ON "))
    await connection.execute("ANALYZE ledger")


async def work(database: Database, matter: str) -> dict[str, int]:
    """Messages claimed, marked and settled, and looked up, a second each."""
    batches = [_batch(matter, start) for start in range(0, MESSAGES, BATCH)]
    worker = UUID(new_id())
    async with database.transaction() as tx:
        await operations.register(tx, batches, system_clock())
        await Workers(tx.connection).enlist(worker, LEASE)
    worked = await work_off(database, worker, ROUND)
    began = time.monotonic()
    async with database.connection() as connection:
        for one in worked.held[:LOOKED_UP]:
            await find_story(connection, one.message.thread_id, None)
    looking_seconds = time.monotonic() - began
    return {
        "claims": round(len(worked.held) / worked.claiming_seconds),
        "marks_and_outcomes": round(len(worked.held) / worked.marking_seconds),
        "look_ups": round(LOOKED_UP / looking_seconds),
    }


def _batch(matter: str, start: int) -> MessageBatch:
    recipients = [
        {"mailbox": f"{number * 2_654_435_761 % 2**32:08x}{number:024x}", "address": f"p{number}@city.example"}
        for number in range(start, start + BATCH)
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
