"""Each part of the pipeline for itself, in mails a second: what none of them lets the whole exceed.

They run in one process, on the messages of the run, with the very code of the run.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, load_queries, open_database
from clarion.runtime.ids import new_id
from clarion.runtime.settings import Settings
from clarion.runtime.web.links import SignedLinks
from clarion.schemas.messages import MessageBatch, Recipient
from clarion.services.benchmarks.sinks import NoSink, Sink
from clarion.services.notifications import operations
from clarion.services.notifications.channels.relays import Relay
from clarion.services.notifications.channels.smtp import Mail, SmtpConnection
from clarion.services.notifications.domain.holds import Hold, Key, key_of
from clarion.services.notifications.domain.messages import Addressed, Claimed, address
from clarion.services.notifications.domain.outcomes import Accepted, Outcome, Verdict
from clarion.services.notifications.domain.telling import Unneeded, tell
from clarion.services.notifications.operations import Ready
from clarion.services.notifications.rendering.mail import Renderer
from clarion.services.notifications.repository import Round, Settled, Workers
from clarion.services.notifications.sender import held_of
from clarion.services.notifications.settings import STEADY_PLANS
from clarion.services.notifications.shelf import Held

MESSAGES = 10_000
RECIPIENTS_PER_BATCH = 250
AT_ONCE = 20
LEASE = timedelta(minutes=10)
CLAIMED_AT_ONCE = 600


async def measure_ceilings(settings: Settings, sink: Sink, recipients: int, connections: int) -> dict[str, int]:
    """Rendering, SMTP, the ledger (all it writes for a mail, from request to outcome) and the bare fan-out."""
    messages = min(recipients, MESSAGES)
    database = await Database.connect(str(settings.database_url), "notifications", session=STEADY_PLANS)
    try:
        asking = await _ask_again(database, messages)
        worker = UUID(new_id())
        async with database.transaction() as tx:
            await Workers(tx.connection).enlist(worker, LEASE)
        worked = await work_off(database, worker, connections)
        began = time.monotonic()
        mails = _render(settings, worked.held)
        rendering = time.monotonic() - began
        began = time.monotonic()
        await _send(sink, mails, connections)
        sending = time.monotonic() - began
    finally:
        await database.close()
    return {
        "render": round(len(worked.held) / rendering),
        "smtp": round(len(mails) / sending),
        "ledger": round(len(worked.held) / (asking + worked.claiming_seconds + worked.marking_seconds)),
        "fan_out": round(recipients / await _fan_out(settings, recipients)),
    }


async def _ask_again(database: Database, messages: int) -> float:
    """Messages of the run once more, as another matter: how many seconds the ledger takes to write them down."""
    queries = load_queries(__package__)
    async with database.transaction() as tx:
        rows = [row async for row in queries.bench_messages(tx.connection, most=messages)]
        shared = await queries.bench_content(tx.connection, content_id=rows[0]["content_id"])
        batches = [
            MessageBatch.model_validate(
                {
                    **dict(shared),
                    # A contract takes times as text alone.
                    "not_after": shared["not_after"].isoformat(),
                    "matter": "bench:again",
                    "revision": 1,
                    "recipients": _recipients(rows[start:]),
                }
            )
            for start in range(0, len(rows), RECIPIENTS_PER_BATCH)
        ]
        began = time.monotonic()
        for start in range(0, len(batches), AT_ONCE):
            await operations.register(tx, batches[start : start + AT_ONCE], system_clock())
    return time.monotonic() - began


def _recipients(rows: Sequence[object]) -> list[Recipient]:
    found = [dict(row) for row in rows[:RECIPIENTS_PER_BATCH]]  # type: ignore[call-overload]
    return [Recipient.model_validate({**row["part"], "mailbox": row["mailbox"]}) for row in found]


@dataclass(slots=True)
class Worked:
    """Messages that went from the claim to the outcome, and how long that took."""

    held: list[Held] = field(default_factory=list)
    claiming_seconds: float = 0.0
    marking_seconds: float = 0.0


async def work_off(database: Database, worker: UUID, size: int) -> Worked:
    """All that is due, claimed with what is needed to write it, then marked and settled in rounds of `size`."""
    worked = Worked()
    while True:
        began = time.monotonic()
        now = system_clock()
        async with database.transaction() as tx:
            claimed = await operations.claim(tx, worker, CLAIMED_AT_ONCE, now)
            worked.held += await held_of(tx, claimed, {})
        claimed_at = time.monotonic()
        worked.claiming_seconds += claimed_at - began
        if not claimed:
            return worked
        await _mark_and_settle(database, worker, claimed, size)
        worked.marking_seconds += time.monotonic() - claimed_at


async def _mark_and_settle(database: Database, worker: UUID, claimed: Sequence[Claimed], size: int) -> None:
    """In rounds, each in one transaction with the outcomes of the last."""
    settled: list[Settled] = []
    holds: dict[Key, Hold] = {key_of(one): Hold(one.claim, system_clock()) for one in claimed}
    for start in range(0, len(claimed) + size, size):
        round_ = claimed[start : start + size]
        async with database.transaction() as tx:
            now = system_clock()
            await operations.begin_turn(tx)
            await operations.settle(tx, worker, settled, now, holds)
            ready = [Ready(one, one.recipient.officials) for one in round_]
            holds |= await operations.mark(tx, Round(worker, 0, {}), ready, now, holds)
        settled = [Settled(one, Verdict("sent", 1, 0, reply="250 2.0.0 Ok")) for one in round_]


def _render(settings: Settings, held: Sequence[Held]) -> list[tuple[str, Sequence[bytes]]]:
    renderer = Renderer(
        SignedLinks(settings.secret_key),
        mail_from=str(settings.mail_from),
        public_url=str(settings.public_url),
        postal_address=settings.postal_address,
    )
    mails: list[tuple[str, Sequence[bytes]]] = []
    now = system_clock()
    for one in held:
        to = address(one.message, one.officials, now)
        if not isinstance(to, Addressed):
            continue
        readers = [official.id for official in to.officials]
        telling = tell(one.content, one.told, one.message.recipient.told_elsewhere, readers)
        if not isinstance(telling, Unneeded):
            mails.append((to.address, renderer.write(one.message, one.content, to, now, telling)))
    return mails


async def _send(sink: Sink, mails: Sequence[tuple[str, Sequence[bytes]]], connections: int) -> None:
    """Every connection takes the next mail as soon as it is free."""
    relay = Relay.from_url(sink.url)
    left = len(mails)
    over = asyncio.get_running_loop().create_future()

    def ended(outcome: Outcome) -> None:
        nonlocal left
        left -= 1
        if not isinstance(outcome, Accepted) and not over.done():
            over.set_exception(NoSink(f"the sink does not take its mail: {outcome}"))
        elif not left:
            over.set_result(None)

    waiting = iter([Mail("calls@clarion.example", to, mail, ended) for to, mail in mails])
    opened = [SmtpConnection(relay) for _ in range(connections)]
    await asyncio.gather(*(connection.open() for connection in opened))
    for connection in opened:
        connection.hand_over(waiting)
    await over
    await asyncio.gather(*(connection.quit() for connection in opened))


async def _fan_out(settings: Settings, recipients: int) -> float:
    queries = load_queries(__package__)
    async with open_database(settings, "campaigns") as database, database.transaction() as tx:
        began = time.monotonic()
        await queries.bench_insert_calls(tx.connection, campaign="bare", most=recipients)
        return time.monotonic() - began
