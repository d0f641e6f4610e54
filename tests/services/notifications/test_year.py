"""A year of mail: what claims, marks and looks messages up finds them by their keys, as if the ledger were empty."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database, Transaction
from clarion.services.benchmarks.ledger import make_past
from clarion.services.notifications import operations
from clarion.services.notifications.domain.holds import Hold, key_of
from clarion.services.notifications.domain.outcomes import Verdict
from clarion.services.notifications.operations import Ready
from clarion.services.notifications.reports import find_story
from clarion.services.notifications.repository import Ledger, Round, Settled, Workers
from clarion.services.notifications.settings import STEADY_PLANS
from tests.services.notifications.conftest import House, opened_house

ROWS = 1_000_000
ROUND = 50
WAITING = 5_000
DEPTH = 15
"""Pages on the way to one row by its key. A ledger that holds next to nothing may be read whole in fewer."""
WORKER = UUID(int=7)
T = TypeVar("T")


@pytest.fixture
async def house(database_url: str, mail_catcher: Any) -> AsyncIterator[House]:
    """Notifications with senders' own plans."""
    async with opened_house(database_url, mail_catcher.url) as opened:
        steady = await Database.connect(database_url, "notifications", session=STEADY_PLANS)
        yield House(steady, opened.renderer, opened.links, opened.relay_url)
        await steady.close()


class Undone(Exception):
    """Takes back what was only looked at."""


async def explained(house: House, act: Callable[[Transaction], Awaitable[T]]) -> tuple[T, list[Any]]:
    """Do it, and give the plans of all its statements as they were carried out just before."""
    statements: list[tuple[str, Any]] = []
    plans = []
    with contextlib.suppress(Undone):
        async with house.database.transaction() as tx:
            with tx.connection.query_logger(lambda record: statements.append((record.query, record.args))):
                await act(tx)
            raise Undone
    with contextlib.suppress(Undone):
        async with house.database.transaction() as tx:
            for statement, values in statements:
                (row,) = await tx.connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *values)
                plans.append(row[0][0]["Plan"])
            raise Undone
    async with house.database.transaction() as tx:
        return await act(tx), plans


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan and all plans in it."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


async def bury_all(tx: Transaction, now: datetime) -> None:
    """Whatever is marked is in doubt, as if its worker had died."""
    await Ledger(tx.connection).stop_marks()
    await Ledger(tx.connection).bury(now, now)


async def work(house: House) -> dict[str, tuple[int, set[str]]]:
    """A round of a sender and a look at one message: the pages of each, and the tables it read from end to end."""
    found = {}

    async def done(name: str, act: Callable[[Transaction], Awaitable[T]]) -> T:
        given, plans = await explained(house, act)
        every = [node for plan in plans for node in nodes(plan)]
        pages = sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans)
        found[name] = pages, {node["Relation Name"] for node in every if node["Node Type"] == "Seq Scan"}
        return given

    now = system_clock()
    claimed = await done("claim", lambda tx: operations.claim(tx, WORKER, ROUND, now))
    assert len(claimed) == ROUND
    ready = [Ready(one, one.recipient.officials) for one in claimed]
    turn = Round(WORKER, 0, {})
    assert len(await done("mark", lambda tx: operations.mark(tx, turn, ready, now))) == ROUND
    unsure = [one._replace(message=one.message._replace(grounds=None)) for one in ready]
    assert len(await done("mark after a change", lambda tx: operations.mark(tx, turn, unsure, now))) == ROUND
    await done("told", lambda tx: Ledger(tx.connection).told(claimed))
    verdict = Verdict("sent", 1, 0, reply="250 2.0.0 Ok")
    settled = [Settled(one, verdict) for one in claimed]
    holds = {key_of(one): Hold(one.claim, now, now) for one in claimed}
    await done("settle", lambda tx: operations.settle(tx, WORKER, settled, now, holds))
    await done("expire", lambda tx: operations.expire(tx, now, 1_000))
    await done("hand back", lambda tx: operations.hand_back(tx, WORKER, claimed, holds, now))
    await done("bury", lambda tx: bury_all(tx, now))
    await done("leave", lambda tx: operations.leave(tx, claimed[0].mailbox, ["calls"], now))
    await done("find", lambda tx: find_story(tx.connection, claimed[0].thread_id, None))
    return found


async def test_a_year_of_mail_leaves_claiming_and_looking_up_as_they_were(house: House) -> None:
    await house.call(range(3 * ROUND))
    async with house.database.transaction() as tx:
        await Workers(tx.connection).enlist(WORKER, timedelta(minutes=5))
    with_none = await work(house)
    await house.execute("DROP TRIGGER moves ON ledger")
    async with house.database.connection() as connection:
        await make_past(connection, ROWS, lambda _: None)
    with_a_year = await work(house)
    for name, (pages, read_whole) in with_a_year.items():
        assert not {table for table in read_whole if table.startswith("ledger")}, name
        assert pages <= 2 * with_none[name][0] + DEPTH * ROUND, (
            f"{name}: {with_none[name][0]} pages with none, {pages} with a year"
        )


async def test_a_claim_reads_its_own_messages_however_many_wait_and_the_statistics_know_it(house: House) -> None:
    for start in range(0, WAITING, ROUND):
        await house.call(range(start, start + ROUND))
    async with house.database.transaction() as tx:
        await Workers(tx.connection).enlist(WORKER, timedelta(minutes=5))
        await tx.connection.execute("ANALYZE ledger")
    now = system_clock()
    claimed, plans = await explained(house, lambda tx: operations.claim(tx, WORKER, ROUND, now))
    assert len(claimed) == ROUND
    every = [node for plan in plans for node in nodes(plan)]
    read = [node for node in every if node.get("Relation Name", "").startswith("ledger")]
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in read) < WAITING / 4, read
