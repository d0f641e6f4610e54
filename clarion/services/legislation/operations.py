"""What can be done with updates: take them in, and hear what they say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from clarion.runtime.database import Transaction
from clarion.runtime.ids import new_id
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.schemas.legislation import HearingAlert
from clarion.schemas.topics import LEGISLATION_ALERTS, LEGISLATION_UPDATES
from clarion.services.legislation import repository
from clarion.services.legislation.domain import Decision, Outcome, Statement, decide_all, may_create
from clarion.services.legislation.intake import Update

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Intake:
    """How many updates were new, and how many had been seen before."""

    published: int
    seen_before: int


async def take_in(tx: Transaction, updates: Sequence[Update], received_at: datetime) -> Intake:
    """Publish the updates that were not seen before and put them into the history, so that they can be asked for.

    Raises:
        MessageTooLarge: one is larger than the topic allows.
    """
    statements = [update.statement(received_at) for update in updates]
    fresh = await repository.receive_updates(tx.connection, statements, received_at)
    published = len(fresh)
    outgoing = []
    for update in updates:
        if (update.source, update.id) in fresh:
            fresh.discard((update.source, update.id))
            outgoing.append(published_update(update))
    await enqueue(tx, outgoing)
    return Intake(published, len(updates) - published)


def published_update(update: Update) -> Outgoing:
    """An update as it travels to whoever handles it."""
    return Outgoing(
        LEGISLATION_UPDATES,
        key=update.data.jurisdiction,
        type=update.type,
        data=update.data,
        id=update.id,
        source=update.source,
        subject=update.subject,
        time=update.time,
    )


async def hear(
    tx: Transaction,
    statements: Sequence[Statement],
    now: datetime,
    draw_id: Callable[[], str] = new_id,
) -> list[Decision]:
    """Decide what becomes of each statement, keep it, and alert of every hearing that is new."""
    proposed = {statement.alias: draw_id() for statement in statements if statement.alias and may_create(statement)}
    await repository.claim_aliases(tx.connection, proposed)
    aliases = {statement.alias for statement in statements if statement.alias}
    known = await repository.find_hearings(tx.connection, aliases)
    decisions = decide_all(statements, known, proposed, now)

    decided = list(zip(statements, decisions, strict=True))
    alerts = [decision.alert for decision in decisions if decision.alert]
    await repository.insert_hearings(tx.connection, alerts, now)
    handled = (Outcome.ALERTED, Outcome.UNCHANGED)
    said = [(one.hearing_id, said) for said, one in decided if one.hearing_id and one.outcome in handled]
    await repository.save_statements(tx.connection, said)
    await repository.record_outcomes(tx.connection, decided)
    await enqueue(tx, [published_alert(alert, now) for alert in alerts])
    if alerts:
        log.info("legislation.alerted", hearing_ids=[alert.hearing_id for alert in alerts])
    return decisions


def published_alert(alert: HearingAlert, now: datetime) -> Outgoing:
    """The alert of a hearing's first state."""
    return Outgoing(
        LEGISLATION_ALERTS,
        key=alert.hearing_id,
        type="bill-hearing.scheduled",
        data=alert,
        id=f"{alert.hearing_id}.{alert.revision}",
        subject=alert.hearing_id,
        time=now,
    )
