"""Rows of hearings, statements and the history, and the values the rules work on."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection, load_queries
from clarion.schemas.legislation import HearingAlert
from clarion.services.legislation.domain import Alias, Decision, Statement


def queries() -> Any:
    """This service's named SQL."""
    return load_queries(__package__)


async def claim_aliases(connection: Connection, proposed: Mapping[Alias, str]) -> None:
    """Take the aliases that nobody has for the hearings of these ids.

    Waits for whoever else is about to take one; afterwards `find_hearings` sees what they made of it.
    """
    if proposed:
        await queries().claim_aliases(
            connection,
            jurisdictions=[jurisdiction for jurisdiction, _ in proposed],
            aliases=[alias for _, alias in proposed],
            hearing_ids=list(proposed.values()),
        )


async def find_hearings(connection: Connection, aliases: Collection[Alias]) -> dict[Alias, HearingAlert]:
    """The states of the hearings that are known under these aliases, locked until the transaction ends."""
    rows = queries().find_hearings(
        connection,
        jurisdictions=[jurisdiction for jurisdiction, _ in aliases],
        aliases=[alias for _, alias in aliases],
    )
    return {(row["jurisdiction"], row["alias"]): HearingAlert.model_validate(row["state"]) async for row in rows}


async def insert_hearings(connection: Connection, alerts: Sequence[HearingAlert], now: datetime) -> None:
    """Keep the states of new hearings."""
    if alerts:
        await queries().insert_hearings(
            connection,
            ids=[alert.hearing_id for alert in alerts],
            jurisdictions=[alert.jurisdiction for alert in alerts],
            revisions=[alert.revision for alert in alerts],
            statuses=[alert.status for alert in alerts],
            states=[alert.model_dump(mode="json") for alert in alerts],
            now=now,
        )


async def save_statements(connection: Connection, said: Sequence[tuple[str, Statement]]) -> None:
    """Keep each source's last statement per hearing; of several in the sequence the last one."""
    last = {(hearing_id, statement.source): statement for hearing_id, statement in said}
    if last:
        await queries().save_statements(
            connection,
            hearing_ids=[hearing_id for hearing_id, _ in last],
            sources=[source for _, source in last],
            event_ids=[statement.event_id for statement in last.values()],
            bodies=[body(statement) for statement in last.values()],
            stated_ats=[statement.stated_at for statement in last.values()],
            received_ats=[statement.received_at for statement in last.values()],
        )


async def receive_updates(
    connection: Connection, statements: Sequence[Statement], received_at: datetime
) -> set[tuple[str, str]]:
    """Put updates into the history as received; the sources and ids of those that were not there yet."""
    rows = queries().receive_updates(
        connection,
        sources=[statement.source for statement in statements],
        event_ids=[statement.event_id for statement in statements],
        types=[statement.type for statement in statements],
        bodies=[body(statement) for statement in statements],
        stated_ats=[statement.stated_at for statement in statements],
        received_at=received_at,
    )
    return {(row["source"], row["event_id"]) async for row in rows}


async def record_outcomes(connection: Connection, decided: Sequence[tuple[Statement, Decision]]) -> None:
    """Say in the history what became of updates."""
    statements = [statement for statement, _ in decided]
    await queries().record_outcomes(
        connection,
        sources=[statement.source for statement in statements],
        event_ids=[statement.event_id for statement in statements],
        types=[statement.type for statement in statements],
        bodies=[body(statement) for statement in statements],
        stated_ats=[statement.stated_at for statement in statements],
        received_ats=[statement.received_at for statement in statements],
        outcomes=[decision.outcome for _, decision in decided],
        notes=[decision.note for _, decision in decided],
        hearing_ids=[decision.hearing_id for _, decision in decided],
    )


async def find_update(connection: Connection, source: str, event_id: str) -> dict[str, Any] | None:
    """What the history says of an update of this source."""
    row = await queries().find_update(connection, source=source, event_id=event_id)
    return None if row is None else dict(row)


def body(statement: Statement) -> dict[str, Any] | None:
    """What a statement says, as it is kept."""
    return statement.data.model_dump(mode="json") if statement.data is not None else None
