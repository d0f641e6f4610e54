"""A hearing is heard of, a position adopted, the directory changed: each time the same decision is made."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from clarion.runtime.clock import Clock
from clarion.runtime.database import Transaction
from clarion.runtime.ids import new_id
from clarion.runtime.messaging import Outgoing, Received, Rejected, enqueue
from clarion.schemas.campaigns import CampaignChanged
from clarion.schemas.legislation import HearingAlert
from clarion.schemas.topics import BUCKETS, CAMPAIGNS_LIFECYCLE
from clarion.services.campaigns import repository
from clarion.services.campaigns.domain import words
from clarion.services.campaigns.domain.affected import author_chambers, sources
from clarion.services.campaigns.domain.decision import NOBODY, Decision, Situation, decide
from clarion.services.campaigns.domain.model import AdoptedPosition, Campaign, Counts, Position, Status
from clarion.services.campaigns.domain.names import LETTER_ROLES
from clarion.services.campaigns.domain.times import spoken_start
from clarion.services.campaigns.projection import project

QUERIES = repository.QUERIES
MESSAGE_BYTES = 600_000
"""How long the facts and texts of a call may be, so that a batch of recipients fits beside them."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """The position in force now; `is_new` is False if just that had been adopted before."""

    adopted: AdoptedPosition
    is_new: bool


@dataclass(frozen=True, slots=True)
class State:
    """A campaign as it is to be kept and told."""

    campaign_id: str
    revision: int
    decision: Decision
    counts: Counts


async def adopt_position(tx: Transaction, position: Position, clock: Clock) -> Adoption:
    """Make this the position on its bill, and decide again on every coming hearing of the bill.

    The same position again changes nothing; a different one is a new version.
    """
    await QUERIES.lock_decisions(tx.connection)
    known = await repository.find_position(tx.connection, position)
    if known is not None and replace(known.position, bill=position.bill) == position:
        return Adoption(known, is_new=False)
    adopted = AdoptedPosition(new_id(), known.version + 1 if known else 1, clock(), position)
    await repository.insert_position(tx.connection, adopted)
    for alert in await repository.coming_hearings_with(tx.connection, position, clock()):
        await decide_on(tx, alert, clock())
    return Adoption(adopted, is_new=True)


async def hear(tx: Transaction, alerts: Sequence[HearingAlert], clock: Clock) -> None:
    """Keep the newest state of these hearings and decide on each that is new.

    Raises:
        Rejected: a hearing's zone is unknown.
    """
    await QUERIES.lock_decisions(tx.connection)
    for alert in alerts:
        _check_zone(alert)
        if await repository.save_hearing(tx.connection, alert):
            await decide_on(tx, alert, clock())


def _check_zone(alert: HearingAlert) -> None:
    try:
        ZoneInfo(alert.zone)
    except (KeyError, ValueError, OSError) as error:
        raise Rejected(f"unknown zone {alert.zone!r}: name one of the IANA time zone database") from error


async def follow_directory(tx: Transaction, events: Sequence[Received[Any]], clock: Clock) -> None:
    """Project a batch of the directory; once an import is complete, decide again on all coming hearings."""
    if await project(tx, events):
        await reconsider_coming(tx, clock)


async def reconsider_coming(tx: Transaction, clock: Clock) -> None:
    """Decide again on every coming hearing whose campaign was not launched."""
    await QUERIES.lock_decisions(tx.connection)
    for alert in await repository.coming_hearings_not_launched(tx.connection, clock()):
        await decide_on(tx, alert, clock())


async def review(tx: Transaction, clock: Clock) -> None:
    """Do what time does: close what is over, and launch what waited for a directory that is whole now."""
    connection, now = tx.connection, clock()
    if await repository.hearings_ended(connection, now):
        await QUERIES.lock_decisions(connection)
        for alert in await repository.hearings_ended(connection, now):
            await decide_on(tx, alert, now)
    if await QUERIES.any_waits_for_directory(connection, now=now) and not await repository.directory_gaps(connection):
        await reconsider_coming(tx, clock)


async def decide_on(tx: Transaction, alert: HearingAlert, now: datetime) -> None:
    """Bring the campaign of a hearing to the state in which it should be."""
    situation = await _situation(tx, alert, now)
    decision = decide(situation)
    if decision is None:
        return
    campaign = situation.campaign
    if campaign is not None and campaign.launched_at is not None:
        await _change_launched(tx, alert, campaign, decision, now)
    else:
        await _settle(tx, alert, campaign, decision, now)


async def _situation(tx: Transaction, alert: HearingAlert, now: datetime) -> Situation:
    connection = tx.connection
    return Situation(
        alert=alert,
        positions=await repository.positions_on_agenda(connection, alert),
        committees=await repository.find_committees(connection, alert),
        missing=await repository.directory_gaps(connection),
        campaign=await repository.find_campaign(connection, alert.hearing_id),
        now=now,
    )


async def _change_launched(
    tx: Transaction, alert: HearingAlert, campaign: Campaign, decision: Decision, now: datetime
) -> None:
    if (decision.status, decision.problem) == (campaign.status, campaign.problem):
        return
    state = State(campaign.id, campaign.revision + 1, decision, campaign.counts)
    await QUERIES.change_launched_campaign(
        tx.connection,
        id=campaign.id,
        revision=state.revision,
        status=decision.status,
        problem=decision.problem,
        now=now,
    )
    await _tell(tx, alert, state, now)


async def _settle(
    tx: Transaction, alert: HearingAlert, campaign: Campaign | None, decision: Decision, now: datetime
) -> None:
    campaign_id = campaign.id if campaign else new_id()
    if campaign is None:
        # The plan refers to the campaign's row.
        await _save(tx, alert, State(campaign_id, 1, replace(decision, status=Status.WAITING), Counts()), now)
    counts = Counts()
    if decision.status in {Status.DRAFTED, Status.LAUNCHED}:
        decision, counts = await _plan(tx, alert, campaign_id, decision)
    if campaign is not None and not _differs(campaign, alert, decision, counts):
        return
    state = State(campaign_id, campaign.revision + 1 if campaign else 1, decision, counts)
    await _save(tx, alert, state, now)
    if decision.status is Status.LAUNCHED:
        await _fan_out(tx, campaign_id, decision)
    await _tell(tx, alert, state, now)


def _differs(campaign: Campaign, alert: HearingAlert, decision: Decision, counts: Counts) -> bool:
    before = (campaign.status, campaign.problem, campaign.hearing_revision, campaign.positions, campaign.not_after)
    ids = tuple(each.id for each in decision.positions)
    after = (decision.status, decision.problem, alert.revision, ids, decision.not_after)
    return before != after or campaign.counts != counts


async def _plan(tx: Transaction, alert: HearingAlert, campaign_id: str, decision: Decision) -> tuple[Decision, Counts]:
    """Work out who is affected and why; a campaign with nobody to ask waits."""
    connection = tx.connection
    size = sum(len(fact.text) for fact in words.facts(alert, decision))
    size += len(words.content(alert, decision).model_dump_json().encode())
    if size > MESSAGE_BYTES:
        problem = f"its texts make {size:,} bytes, more than the {MESSAGE_BYTES:,} that fit a call: shorten them"
        return replace(decision, status=Status.WAITING, problem=problem), Counts()
    members = await repository.members_of(connection, decision.committee.id) if decision.committee else []
    chambers = author_chambers(alert, decision.positions)
    legislators = await repository.legislators_of(connection, sorted(chambers))
    await QUERIES.clear_plan(connection, campaign=campaign_id)
    await QUERIES.plan_cities(
        connection,
        campaign=campaign_id,
        sources=sources(alert, decision.positions, members, legislators),
        bills=[each.position.bill for each in decision.positions],
    )
    roles = sorted(LETTER_ROLES)
    await QUERIES.plan_waves(connection, campaign=campaign_id, letters_open=decision.letters_open, letter_roles=roles)
    counts = Counts(**dict(await QUERIES.plan_counts(connection, campaign=campaign_id)))
    if counts.officials == 0:
        return replace(decision, status=Status.WAITING, problem=NOBODY), counts
    return decision, counts


async def _fan_out(tx: Transaction, campaign_id: str, decision: Decision) -> None:
    await QUERIES.plan_jobs(
        tx.connection,
        campaign=campaign_id,
        letters_open=decision.letters_open,
        letter_roles=sorted(LETTER_ROLES),
        buckets=BUCKETS,
    )
    tx.notify("fanout")


async def _save(tx: Transaction, alert: HearingAlert, state: State, now: datetime) -> None:
    decision = state.decision
    launched = decision.status is Status.LAUNCHED
    await QUERIES.save_campaign(
        tx.connection,
        id=state.campaign_id,
        hearing=alert.hearing_id,
        revision=state.revision,
        status=decision.status,
        problem=decision.problem,
        waits_for_directory=decision.waits_for_directory,
        title=words.title(alert, decision),
        bills=[each.position.bill for each in decision.positions],
        committee=decision.committee and decision.committee.id,
        held=spoken_start(alert.starts_at, alert.zone, alert.time_note),
        letters_due_at=alert.letters_due_at,
        not_after=decision.not_after,
        ends_at=decision.ends_at,
        hearing_revision=alert.revision,
        positions=[each.id for each in decision.positions],
        message=_message(alert, decision) if launched else None,
        launched_at=now if launched else None,
        now=now,
        **asdict(state.counts),
    )


def _message(alert: HearingAlert, decision: Decision) -> dict[str, Any]:
    return {
        "facts": [fact.model_dump(mode="json") for fact in words.facts(alert, decision)],
        "content": words.content(alert, decision).model_dump(mode="json"),
    }


async def _tell(tx: Transaction, alert: HearingAlert, state: State, now: datetime) -> None:
    decision = state.decision
    kind = "drafted" if decision.status is Status.WAITING else str(decision.status)
    changed = CampaignChanged(
        campaign_id=state.campaign_id,
        revision=state.revision,
        status=str(decision.status),
        hearing_id=alert.hearing_id,
        title=words.title(alert, decision),
        bills=[each.position.bill for each in decision.positions],
        problem=decision.problem,
        at=now,
        not_after=decision.not_after,
        **asdict(state.counts),
    )
    event = Outgoing(CAMPAIGNS_LIFECYCLE, state.campaign_id, f"campaign.{kind}", changed, subject=state.campaign_id)
    await enqueue(tx, [event])
