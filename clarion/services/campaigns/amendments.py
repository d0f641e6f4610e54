"""A launched campaign follows its hearing, its positions and the directory: what differs is told again, once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from clarion.runtime.database import Transaction
from clarion.schemas.messages import Fact
from clarion.services.campaigns import planning
from clarion.services.campaigns.approving import following
from clarion.services.campaigns.domain import amending
from clarion.services.campaigns.domain.amending import Change
from clarion.services.campaigns.domain.decision import NOBODY, Decision
from clarion.services.campaigns.domain.model import Campaign, Counts, Status
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.planning import QUERIES, State

PATIENCE = timedelta(seconds=10)
"""How long a hearing that a bill left waits for the alert of the one to which it went: both come of one transaction."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is new about a launched campaign: the facts, those that differ, and whether anything is to be told."""

    facts: Sequence[Fact]
    changed: Sequence[Change]
    told_again: bool
    fans_out: bool


async def amend(tx: Transaction, occasion: Occasion, campaign: Campaign, decision: Decision, now: datetime) -> None:
    """Bring a launched campaign to the state in which it should be, and tell what differs from what was told last."""
    tellable = decision.told_until > now
    problem = planning.too_long(occasion, decision) if decision.calling else None
    if problem is not None:
        decision, tellable = replace(decision, problem=problem), False
    decision, counts = await _counted(tx, occasion, campaign, decision, replans=tellable and decision.replans)
    decision = await _awaited(tx, campaign, decision, now)
    amendment = await _amendment(tx, occasion, campaign, decision, tellable=tellable)
    state = _state(occasion, campaign, decision, counts, amendment, tellable=tellable)
    if amendment.fans_out:
        await planning.fan_out(tx, campaign.id, await _due_at(tx, state, now))
    if amendment.told_again:
        await planning.record_told(tx, state, amendment.facts, amendment.changed, now)
    if planning.differs(campaign, occasion, state):
        await QUERIES.amend_campaign(tx.connection, **planning.fields(occasion, state, now))
        await planning.announce(tx, occasion, state, now)


async def _counted(
    tx: Transaction, occasion: Occasion, campaign: Campaign, decision: Decision, *, replans: bool
) -> tuple[Decision, Counts]:
    if occasion.status == "cancelled":
        return decision, Counts()
    if not replans:
        return decision, campaign.counts
    counts = await planning.plan(tx, occasion, campaign.id, decision)
    if counts.officials == 0 and decision.problem is None:
        return replace(decision, problem=NOBODY), counts
    return decision, counts


async def _awaited(tx: Transaction, campaign: Campaign, decision: Decision, now: datetime) -> Decision:
    """Divisions that came to it wait for approval like the others; where nothing else is the matter, that is said."""
    if not decision.calling or decision.status is not Status.LAUNCHED:
        return decision
    await following.begin_waiting(tx, campaign.id, decision, now)
    if decision.problem is not None:
        return decision
    return replace(decision, problem=await following.still_waiting(tx.connection, campaign.id))


async def _amendment(
    tx: Transaction, occasion: Occasion, campaign: Campaign, decision: Decision, *, tellable: bool
) -> Amendment:
    told = amending.told_facts(campaign)
    if not tellable:
        return Amendment(told, (), told_again=False, fans_out=False)
    facts = amending.amended_facts(occasion, decision, told)
    changed = amending.changes(told, facts)
    if changed:
        return Amendment(facts, changed, told_again=True, fans_out=True)
    if decision.waits_for_directory:
        return Amendment(told, (), told_again=False, fans_out=False)
    row = await QUERIES.threads_due(
        tx.connection,
        campaign=campaign.id,
        calling=decision.calling,
        letters_open=decision.letters_open,
        heard=occasion.is_hearing,
        letter_roles=occasion.letter_roles,
        told=campaign.told_revision,
    )
    return Amendment(told, (), told_again=row["again"], fans_out=row["due"])


def _state(
    occasion: Occasion,
    campaign: Campaign,
    decision: Decision,
    counts: Counts,
    amendment: Amendment,
    *,
    tellable: bool,
) -> State:
    told_revision = campaign.told_revision + amendment.told_again
    state = State(
        campaign_id=campaign.id,
        revision=campaign.revision + 1,
        decision=decision,
        counts=counts,
        told_revision=told_revision,
        facts_revision=told_revision if amendment.changed else campaign.facts_revision,
        told_bills=campaign.told_bills | {each.position.bill_key for each in decision.positions},
        message=campaign.message,
    )
    if not tellable:
        return state
    message = planning.message_of(occasion, state, amendment.facts, campaign.message)
    if amendment.told_again:
        message["withdrawal"] = amending.withdrawal_reason(amendment.changed, occasion, decision)
    return replace(state, message=message)


async def _due_at(tx: Transaction, state: State, now: datetime) -> datetime | None:
    """Wait for the hearings to which bills went, so that who is called there is not told here as well."""
    departures = state.message["departures"] if state.message else []
    awaited = await QUERIES.any_unheard(
        tx.connection,
        hearings=[each["hearing"] for each in departures],
        bill_keys=[each["bill_key"] for each in departures],
    )
    return now + PATIENCE if awaited else None
