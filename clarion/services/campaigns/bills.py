"""What became of the bills: the newest state of each, as positions and campaigns show it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection, Transaction, load_queries
from clarion.schemas.legislation import BillProgress
from clarion.services.campaigns.domain.model import Position

QUERIES = load_queries(__package__)
SHOWN = ("bill", "status", "text", "title", "author", "amended_on", "committee", "stated_at", "revision", "changed")


async def save_bills(tx: Transaction, states: Sequence[BillProgress]) -> list[tuple[str, str, str]]:
    """Keep the newest state of these bills, whatever order they come in; jurisdiction, session, key of what is new."""
    if not states:
        return []
    rows = QUERIES.save_bills(
        tx.connection,
        jurisdictions=[state.jurisdiction for state in states],
        sessions=[state.session for state in states],
        bill_keys=[state.bill_key for state in states],
        revisions=[state.revision for state in states],
        states=[state.model_dump_json() for state in states],
    )
    return [(row["jurisdiction"], row["session"], row["bill_key"]) async for row in rows]


async def progress_on(connection: Connection, positions: Sequence[Position]) -> list[dict[str, Any] | None]:
    """What became of the bill of each of these positions, in their order; None where nobody told."""
    rows = QUERIES.find_bills(
        connection,
        jurisdictions=[position.jurisdiction for position in positions],
        sessions=[position.session for position in positions],
        bill_keys=[position.bill_key for position in positions],
    )
    found = {(row["jurisdiction"], row["session"], row["bill_key"]): shown(row["state"]) async for row in rows}
    return [found.get((each.jurisdiction, each.session, each.bill_key)) for each in positions]


async def progress_in(connection: Connection, campaign: str) -> list[dict[str, Any]]:
    """What became of the bills on the agenda of a campaign's hearing."""
    return [shown(row["state"]) async for row in QUERIES.bills_of_campaign(connection, campaign=campaign)]


async def coming_hearings(connection: Connection, position: Position, now: datetime) -> list[dict[str, Any]]:
    """The hearings ahead on whose agenda the bill is, each with its campaign if there is one."""
    rows = QUERIES.coming_hearings_of_bill(
        connection,
        bill_key=position.bill_key,
        jurisdiction=position.jurisdiction,
        session=position.session,
        now=now,
    )
    return [dict(row) async for row in rows]


def shown(state: dict[str, Any]) -> dict[str, Any]:
    """A bill's state as people and machines are shown it; `committee` is the name of the one that hears it next."""
    committee = state["committee"]
    return {name: state[name] for name in SHOWN} | {"committee": committee and committee["name"]}


def summary(progress: dict[str, Any] | None) -> dict[str, Any]:
    """A bill's progress for people, as the columns that go with a position."""
    names = ("status", "amended_on", "committee")
    return {name: progress[name] if progress else None for name in names}
