"""A hearing is heard of, a position adopted, the directory changed: each time the same decision is made."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clarion.runtime.clock import Clock
from clarion.runtime.database import Transaction
from clarion.runtime.messaging import Received, Rejected
from clarion.schemas.legislation import HearingAlert
from clarion.services.campaigns import planning, repository
from clarion.services.campaigns.amendments import amend
from clarion.services.campaigns.approving import following
from clarion.services.campaigns.domain import words
from clarion.services.campaigns.domain.decision import NOBODY, Decision, Situation, decide, held
from clarion.services.campaigns.domain.model import (
    Campaign,
    CommitteeFound,
    Counts,
    Status,
    own_positions,
)
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.planning import State
from clarion.services.campaigns.positions.repository import positions_on_agenda
from clarion.services.campaigns.projection import project
from clarion.services.campaigns.rules.resolving import resolved
from clarion.services.campaigns.starting import drafting
from clarion.services.campaigns.starting.progress import progress_of

QUERIES = repository.QUERIES
QUIET = timedelta(seconds=2)
"""How long the directory must be quiet before launched campaigns look at it again; it streams in by thousands."""
IMPATIENCE = timedelta(seconds=30)
"""How long that is put off at most."""
AT_ONCE = 10
"""On how many hearings one transaction decides again; the others are put off for the worker, which does as many."""


async def hear(tx: Transaction, alerts: Sequence[HearingAlert], clock: Clock) -> None:
    """Keep the newest state of these hearings and decide on each that is new.

    Raises:
        Rejected: a hearing's zone is unknown.
    """
    await QUERIES.lock_decisions(tx.connection)
    for occasion in map(Occasion.of, alerts):
        _check_zone(occasion)
        if await repository.save_hearing(tx.connection, occasion):
            await decide_on(tx, occasion, clock())
            await _release_origins(tx, occasion)


async def _release_origins(tx: Transaction, occasion: Occasion) -> None:
    """Hearings from which bills came here may tell that they went."""
    origins = [each.hearing_id for each in occasion.counterparts if each.direction == "came_from"]
    if origins:
        await QUERIES.release_jobs(tx.connection, hearings=origins)
        tx.notify("fanout")


def _check_zone(occasion: Occasion) -> None:
    try:
        ZoneInfo(occasion.zone)
    except (KeyError, ValueError, OSError) as error:
        raise Rejected(f"unknown zone {occasion.zone!r}: name one of the IANA time zone database") from error


async def follow_directory(tx: Transaction, events: Sequence[Received[Any]], clock: Clock) -> None:
    """Project a batch of the directory; once an import is complete, decide again on what was not launched.

    What was launched is decided on again once the directory is quiet (`review`).
    """
    completed = await project(tx, events)
    await QUERIES.note_directory_change(tx.connection, now=clock())
    if completed:
        await reconsider_coming(tx, clock)


async def reconsider_coming(tx: Transaction, clock: Clock) -> None:
    """Decide again on the coming hearings whose campaign was not launched: on some now, on the others in `review`."""
    await QUERIES.lock_decisions(tx.connection)
    for occasion in await repository.put_off_not_launched(tx.connection, clock(), AT_ONCE):
        await decide_on(tx, occasion, clock())


async def review(tx: Transaction, clock: Clock) -> bool:
    """Do what time does: close what is over, follow the directory once it is quiet or whole. True if there is more."""
    connection, now = tx.connection, clock()
    # The note before the lock on decisions, in the order in which `follow_directory` takes them.
    if await QUERIES.claim_directory_change(connection, quiet_since=now - QUIET, noted_before=now - IMPATIENCE):
        await QUERIES.lock_decisions(connection)
        await QUERIES.mark_launched(connection, now=now, waiting=False)
    if await QUERIES.any_ended(connection, now=now):
        await QUERIES.lock_decisions(connection)
        for occasion in await repository.hearings_ended(connection, now):
            await decide_on(tx, occasion, now)
            await drafting.draft_after(tx, occasion, now)
    if await QUERIES.any_waits_for_directory(connection, now=now) and not await repository.directory_gaps(connection):
        await reconsider_coming(tx, clock)
        await QUERIES.mark_launched(connection, now=now, waiting=True)
    if await QUERIES.any_letters_expired(connection, now=now):
        await QUERIES.lock_decisions(connection)
        await QUERIES.reconsider_expired(connection, now=now)
    return await reconsider_some(tx, now)


async def reconsider_some(tx: Transaction, now: datetime) -> bool:
    """Decide again on some hearings for which a position or the directory changed; False if there was none."""
    if not await QUERIES.any_to_reconsider(tx.connection):
        return False
    await QUERIES.lock_decisions(tx.connection)
    occasions = await repository.take_to_reconsider(tx.connection, AT_ONCE)
    for occasion in occasions:
        await decide_on(tx, occasion, now)
    if occasions:
        tx.notify("fanout")
    return bool(occasions)


async def decide_on(tx: Transaction, occasion: Occasion, now: datetime) -> None:
    """Bring the campaign of a hearing to the state in which it should be."""
    situation = await _situation(tx, occasion, now)
    decision = decide(situation) if situation else None
    if situation is None or decision is None:
        return
    occasion, campaign = situation.occasion, situation.campaign
    if campaign is not None and campaign.launched_at is not None:
        await following.withhold(tx, occasion, campaign.id, decision, now)
        await following.follow_held(tx, occasion, campaign.id, decision, held=held(situation, campaign), now=now)
        await amend(tx, occasion, campaign, decision, now)
    else:
        await _settle(tx, occasion, campaign, decision, now)


async def _situation(tx: Transaction, occasion: Occasion, now: datetime) -> Situation | None:
    connection = tx.connection
    positions = [*await positions_on_agenda(connection, occasion), *own_positions(occasion)]
    campaign = await repository.find_campaign(connection, occasion.hearing_id)
    if campaign is None and not positions:
        return None
    committees = await _committees(tx, occasion, campaign)
    return Situation(
        occasion=await resolved(connection, occasion, committees[0] if len(committees) == 1 else None),
        positions=positions,
        committees=committees,
        missing=await repository.directory_gaps(connection),
        campaign=campaign,
        now=now,
        progress=await progress_of(connection, occasion, now),
    )


async def _committees(tx: Transaction, occasion: Occasion, campaign: Campaign | None) -> list[CommitteeFound]:
    """The committees that the hearing's reference fits; what the same reference meant at the launch stays."""
    if not occasion.is_hearing:
        return []
    found = await repository.find_committees(tx.connection, occasion)
    if len(found) == 1 or campaign is None or campaign.launched_at is None or campaign.committee is None:
        return found
    if campaign.message.get("committee") != occasion.committee.model_dump(mode="json"):
        return found
    known = await repository.find_committee(tx.connection, campaign.committee)
    return [known] if known else found


async def _settle(
    tx: Transaction, occasion: Occasion, campaign: Campaign | None, decision: Decision, now: datetime
) -> None:
    campaign_id = campaign.id if campaign else await drafting.id_of_next(tx, occasion)
    if campaign is None:
        # The plan, and what was chosen before, refer to the campaign's row.
        await _save(tx, occasion, State(campaign_id, 1, replace(decision, status=Status.WAITING), Counts()), now)
        await drafting.carry_over(tx, campaign_id, occasion, decision.launch, now)
    counts = Counts()
    if decision.status in {Status.DRAFTED, Status.LAUNCHED}:
        decision, counts = await _plan(tx, occasion, campaign_id, decision)
    state = State(campaign_id, campaign.revision + 1 if campaign else 1, decision, counts)
    if decision.status is Status.DRAFTED:
        state = replace(state, message=planning.message_of(occasion, state, words.facts(occasion, decision), {}))
        await following.begin_waiting(tx, campaign_id, decision, now)
    elif decision.status is Status.LAUNCHED:
        problem = await following.still_waiting(tx.connection, campaign_id)
        state = replace(state, decision=replace(decision, problem=problem))
    if campaign is not None and not planning.differs(campaign, occasion, state):
        return
    if decision.status is Status.LAUNCHED:
        await _launch(tx, occasion, state, now)
    else:
        await _save(tx, occasion, state, now)
    await planning.announce(tx, occasion, state, now)


async def _plan(tx: Transaction, occasion: Occasion, campaign_id: str, decision: Decision) -> tuple[Decision, Counts]:
    """Work out who is affected and why; a campaign with nobody to ask waits."""
    problem = planning.too_long(occasion, decision)
    if problem is not None:
        return replace(decision, status=Status.WAITING, problem=problem), Counts()
    counts = await planning.plan(tx, occasion, campaign_id, decision)
    if counts.officials == 0:
        return replace(decision, status=Status.WAITING, problem=NOBODY), counts
    return decision, counts


async def _launch(tx: Transaction, occasion: Occasion, state: State, now: datetime) -> None:
    facts = words.facts(occasion, state.decision)
    launched = replace(
        state,
        told_revision=1,
        facts_revision=1,
        told_bills=frozenset(each.position.bill_key for each in state.decision.positions),
        message=planning.message_of(occasion, state, facts, {}),
    )
    await _save(tx, occasion, launched, now)
    await planning.record_told(tx, launched, facts, [], now)
    await planning.fan_out(tx, state.campaign_id)


async def _save(tx: Transaction, occasion: Occasion, state: State, now: datetime) -> None:
    await QUERIES.save_campaign(
        tx.connection,
        hearing=occasion.hearing_id,
        launched_at=now if state.told_revision else None,
        **planning.fields(occasion, state, now),
    )
