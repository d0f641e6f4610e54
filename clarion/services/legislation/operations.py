"""What can be done with updates: take them in, hear what they say, and tell of what has waited long enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clarion.runtime.database import Transaction
from clarion.runtime.ids import new_id
from clarion.runtime.logs import Logger
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.schemas.legislation import BillProgress, HearingAlert
from clarion.schemas.topics import LEGISLATION_ALERTS, LEGISLATION_UPDATES
from clarion.services.legislation import repository
from clarion.services.legislation.bills import load_bills, save_bills
from clarion.services.legislation.domain.amendments import Amendment, event_type
from clarion.services.legislation.domain.bills import bill_ids_in
from clarion.services.legislation.domain.statements import Decision, Statement
from clarion.services.legislation.domain.subjects import jurisdictions_in
from clarion.services.legislation.domain.world import World
from clarion.services.legislation.splitting import parts_of
from clarion.services.legislation.update import Update

log = Logger(__name__)

SETTLED_AT_ONCE = 50


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
    named = {(update.source, update.id): update for update in reversed(updates)}
    parts = {one: parts_of(update) for one, update in named.items()}
    statements = [(part.statement(received_at), len(of_one)) for of_one in parts.values() for part in of_one]
    fresh = await repository.receive_updates(tx.connection, statements, received_at)
    new = [one for one in dict.fromkeys((update.source, update.id) for update in updates) if one in fresh]
    await enqueue(tx, [published_update(part) for one in new for part in parts[one]])
    return Intake(len(new), len(updates) - len(new))


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
    *,
    settle: timedelta = timedelta(0),
    draw_id: Callable[[], str] = new_id,
) -> list[Decision]:
    """Take statements in, in this order, and alert of every hearing and bill of which they leave something new to tell.

    Several changes of one are told as one. A withdrawal waits for `settle`, and so does a new hearing that may prove to
    be one that is withdrawn.
    """
    readable = [statement for statement in statements if statement.rejection is None]
    await repository.lock_jurisdictions(tx.connection, jurisdictions_in(readable))
    world = World(now, draw_id, settle)
    await repository.load(world, tx.connection, readable)
    await load_bills(world.docket, tx.connection, bill_ids_in(readable))
    for statement in statements:
        world.hear(statement)
    amendments = await tell(tx, world)
    await tell_of_bills(tx, world)
    decisions = world.decisions(amendments)
    await repository.record_outcomes(tx.connection, list(zip(statements, decisions, strict=True)))
    return decisions


async def settle_due(tx: Transaction, now: datetime, settle: timedelta) -> int:
    """Tell of withdrawals and new hearings that have waited long enough, a few hundred; how many there were."""
    jurisdictions = await repository.find_jurisdictions_due(tx.connection, now)
    if not jurisdictions:
        return 0
    await repository.lock_jurisdictions(tx.connection, jurisdictions)
    due = await repository.find_due(tx.connection, jurisdictions, now, SETTLED_AT_ONCE)
    world = World(now, new_id, settle)
    await repository.load_due(world, tx.connection, due)
    world.touched |= dict.fromkeys(due)
    await tell(tx, world)
    return len(due)


async def tell(tx: Transaction, world: World) -> dict[str, Amendment]:
    """Alert of what there is to tell of the hearings of a world, all in this transaction, and keep it."""
    await repository.load_losing(world, tx.connection)
    amendments = world.amendments()
    await repository.save(world, tx.connection, amendments, world.now)
    alerts = [one.alert for one in amendments.values() if one.alert is not None]
    await enqueue(tx, [published_alert(alert, world.now) for alert in alerts])
    if alerts:
        log.info("legislation.alerted", hearing_ids=[alert.hearing_id for alert in alerts])
    return amendments


async def tell_of_bills(tx: Transaction, world: World) -> None:
    """Alert of what became of the bills of a world, in this transaction, and keep it."""
    progressed = list(world.docket.progress().values())
    await save_bills(world.docket, tx.connection, progressed, world.now)
    await enqueue(tx, [published_progress(state, world.now) for state in progressed])


def published_progress(state: BillProgress, now: datetime) -> Outgoing:
    """The state of a bill as it travels."""
    return Outgoing(
        LEGISLATION_ALERTS,
        key=state.bill_id,
        type="bill.progressed",
        data=state,
        id=f"{state.bill_id}.{state.revision}",
        subject=state.bill_id,
        time=now,
    )


def published_alert(alert: HearingAlert, now: datetime) -> Outgoing:
    """An alert as it travels."""
    return Outgoing(
        LEGISLATION_ALERTS,
        key=alert.hearing_id,
        type=event_type(alert),
        data=alert,
        id=f"{alert.hearing_id}.{alert.revision}",
        subject=alert.hearing_id,
        time=now,
    )
