"""A campaign as it is to be kept and told: whom it affects, what its calls say, and the jobs that make them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from clarion.runtime.database import Transaction
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.runtime.messaging.following import keep_trace
from clarion.schemas.campaigns import CampaignChanged
from clarion.schemas.messages import Fact
from clarion.schemas.topics import BUCKETS, CAMPAIGNS_LIFECYCLE
from clarion.services.campaigns import repository
from clarion.services.campaigns.domain import amending, words
from clarion.services.campaigns.domain.decision import Decision
from clarion.services.campaigns.domain.model import Campaign, Counts, Status
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.domain.times import spoken_start
from clarion.services.campaigns.starting.audiences import plan_audience

QUERIES = repository.QUERIES
MESSAGE_BYTES = 600_000
"""How long the facts and texts of a call may be, so that a batch of recipients fits beside them."""


@dataclass(frozen=True, slots=True)
class State:
    """A campaign as it is to be kept and told; `message` is what its calls have in common."""

    campaign_id: str
    revision: int
    decision: Decision
    counts: Counts
    told_revision: int = 0
    facts_revision: int = 0
    told_bills: frozenset[str] = frozenset()
    message: Mapping[str, Any] | None = None


def too_long(occasion: Occasion, decision: Decision) -> str | None:
    """What is wrong with texts that fit no message; None if they fit."""
    size = sum(len(fact.text) for fact in words.facts(occasion, decision))
    size += len(words.content(occasion, decision).model_dump_json().encode())
    if size <= MESSAGE_BYTES:
        return None
    return f"its texts make {size:,} bytes, more than the {MESSAGE_BYTES:,} that fit a call: shorten them"


def differs(campaign: Campaign, occasion: Occasion, state: State) -> bool:
    """Whether a campaign is to be kept and told as something else than it is."""
    decision = state.decision
    ids = tuple(each.id for each in decision.positions)
    before = (campaign.status, campaign.problem, campaign.hearing_revision, campaign.positions, campaign.not_after)
    after = (decision.status, decision.problem, occasion.revision, ids, decision.not_after)
    if decision.status is Status.DRAFTED and state.message != campaign.message:
        return True
    told = (campaign.told_revision, campaign.waits_for_directory, campaign.counts, campaign.due)
    now_told = (state.told_revision, decision.waits_for_directory, state.counts, occasion.due)
    return before != after or told != now_told


async def plan(tx: Transaction, occasion: Occasion, campaign_id: str, decision: Decision) -> Counts:
    """Work out who is affected and why, from the facts as they are now."""
    connection = tx.connection
    await QUERIES.clear_plan(connection, campaign=campaign_id)
    await plan_audience(connection, occasion, campaign_id, decision)
    await QUERIES.plan_waves(
        connection,
        campaign=campaign_id,
        heard=occasion.is_hearing,
        letter_roles=occasion.letter_roles,
    )
    return Counts(**dict(await QUERIES.plan_counts(connection, campaign=campaign_id)))


async def fan_out(tx: Transaction, campaign_id: str, due_at: datetime | None = None) -> None:
    """Have every wave and bucket brought to the campaign's state; not before `due_at` if that is given."""
    await keep_trace(tx.connection, [campaign_id])
    await QUERIES.plan_jobs(tx.connection, campaign=campaign_id, buckets=BUCKETS, due_at=due_at)
    tx.notify("fanout")


def message_of(occasion: Occasion, state: State, facts: Sequence[Fact], before: Mapping[str, Any]) -> dict[str, Any]:
    """What the calls of a campaign have in common; `before` is what the last ones had."""
    decision = state.decision
    told = [Fact.model_validate(fact) for fact in before.get("facts", [])]
    return {
        "facts": [fact.model_dump(mode="json") for fact in facts],
        "content": words.content(occasion, decision).model_dump(mode="json"),
        "calendar": amending.calendar(occasion, decision, state.campaign_id).model_dump(mode="json"),
        "calling": decision.calling,
        "first_ask": occasion.first_ask,
        "heard": occasion.is_hearing,
        "letter_roles": occasion.letter_roles,
        "committee": occasion.committee.model_dump(mode="json"),
        "withdrawal": before.get("withdrawal", amending.NOT_CONCERNED),
        "arrivals": amending.arrivals(occasion, decision, before),
        "departures": amending.departures(occasion, told, before),
    }


def fields(occasion: Occasion, state: State, now: datetime) -> dict[str, Any]:
    """A campaign's row, all but what only its first state has."""
    decision = state.decision
    return {
        "id": state.campaign_id,
        "revision": state.revision,
        "status": decision.status,
        "problem": decision.problem,
        "waits_for_directory": decision.waits_for_directory,
        "title": words.title(occasion, decision),
        "bills": [each.position.bill for each in decision.positions],
        "committee": decision.committee and decision.committee.id,
        "held": spoken_start(occasion.starts_at, occasion.zone, occasion.time_note),
        "letters_due_at": occasion.letters_due_at,
        "due": occasion.due and occasion.due.model_dump(mode="json"),
        "not_after": decision.not_after,
        "ends_at": decision.ends_at,
        "hearing_revision": occasion.revision,
        "positions": [each.id for each in decision.positions],
        "message": state.message,
        "told_revision": state.told_revision,
        "facts_revision": state.facts_revision,
        "told_until": decision.told_until if state.told_revision else None,
        "told_bills": sorted(state.told_bills),
        "launch": decision.launch,
        "now": now,
        **asdict(state.counts),
    }


async def record_told(
    tx: Transaction, state: State, facts: Sequence[Fact], changed: Sequence[amending.Change], now: datetime
) -> None:
    """Keep what a revision told."""
    await QUERIES.insert_told(
        tx.connection,
        campaign=state.campaign_id,
        revision=state.told_revision,
        now=now,
        changed=list(changed),
        facts=[fact.model_dump(mode="json") for fact in facts],
    )


async def announce(tx: Transaction, occasion: Occasion, state: State, now: datetime) -> None:
    """Tell whoever follows campaigns."""
    decision = state.decision
    kind = "drafted" if decision.status is Status.WAITING else str(decision.status)
    if decision.status is Status.LAUNCHED and state.told_revision > 1:
        kind = "amended"
    changed = CampaignChanged(
        campaign_id=state.campaign_id,
        revision=state.revision,
        status=str(decision.status),
        hearing_id=occasion.hearing_id,
        title=words.title(occasion, decision),
        bills=[each.position.bill for each in decision.positions],
        problem=decision.problem,
        at=now,
        not_after=decision.not_after,
        **asdict(state.counts),
    )
    event = Outgoing(CAMPAIGNS_LIFECYCLE, state.campaign_id, f"campaign.{kind}", changed, subject=state.campaign_id)
    await enqueue(tx, [event])
