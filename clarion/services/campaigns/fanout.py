"""The fan-out: jobs per wave and bucket become calls and batches of messages, in one transaction each time."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

import structlog
from asyncpg import UniqueViolationError

from clarion.runtime import traces
from clarion.runtime.beats import beat
from clarion.runtime.clock import Clock
from clarion.runtime.database import Connection, Database, Transaction
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.runtime.messaging.following import kept_traces
from clarion.schemas.messages import MessageBatch, Reason, Withdrawal
from clarion.schemas.roles import LETTER_ROLES
from clarion.schemas.topics import BUCKETS, CAMPAIGNS_CALLS
from clarion.schemas.topics import bucket as bucket_of
from clarion.services.campaigns.approving.repository import QUERIES as APPROVING
from clarion.services.campaigns.domain.amending import reason_to_end
from clarion.services.campaigns.domain.batches import City, Elsewhere, Message, batches_of, message_from, withdrawals_of
from clarion.services.campaigns.domain.decision import letters_open
from clarion.services.campaigns.domain.jobs import END, Job, within
from clarion.services.campaigns.domain.model import Asked, Withdrawn
from clarion.services.campaigns.operations import review
from clarion.services.campaigns.repository import QUERIES, divisions_by_slug

log = structlog.get_logger(__name__)

OFFICIALS_PER_TRANSACTION = 10_000
FIRST_OFFICIALS = 1_000
"""The first calls of a launch are to be under way soon; after them fewer transactions cost less."""
JOBS_PER_TRANSACTION = 500
WORKERS = 2
ALL_BUCKETS = range(BUCKETS)
POLL_SECONDS = 0.5


class FanOut:
    """Turns the jobs of launched campaigns into calls, several at a time; any number of workers may run.

    Each has buckets of its own, so that none waits for what another does.
    """

    def __init__(
        self, database: Database, clock: Clock, buckets: Sequence[int] = ALL_BUCKETS, name: str = "fan-out"
    ) -> None:
        self.name = name
        self._database = database
        self._clock = clock
        self._buckets = buckets

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until told to stop, woken by each launch."""
        async with self._database.listen("clarion_campaigns_fanout") as wakeups:
            most = FIRST_OFFICIALS
            while not stopping.is_set():
                beat()
                if await fan_out(self._database, self._clock, most, self._buckets):
                    most = OFFICIALS_PER_TRANSACTION
                else:
                    most = FIRST_OFFICIALS
                    await wakeups.wait(POLL_SECONDS)


def fan_outs(database: Database, clock: Clock) -> list[FanOut]:
    """The workers of one process: while one of them writes its messages, the database works for the other."""
    return [FanOut(database, clock, ALL_BUCKETS[number::WORKERS], f"fan-out-{number + 1}") for number in range(WORKERS)]


class Review:
    """Closes what is over and follows the directory, as time goes by."""

    name = "review"

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Look again every half second until told to stop."""
        while not stopping.is_set():
            beat()
            async with self._database.transaction() as tx:
                more = await review(tx, self._clock)
            if more:
                continue
            try:
                await asyncio.wait_for(stopping.wait(), POLL_SECONDS)
            except TimeoutError:
                continue


async def fan_out(
    database: Database, clock: Clock, most: int | None = None, buckets: Sequence[int] = ALL_BUCKETS
) -> int:
    """Do as many jobs of these buckets as one transaction should hold, of about `most` officials; 0 if none is left.

    A death before the commit leaves the jobs as they were, one after it leaves them done.
    """
    try:
        return await _fan_out(database, clock, most, buckets)
    except UniqueViolationError:
        # Somebody whose address has changed was called at the other one; now each call is looked for.
        return await _fan_out(database, clock, most, buckets, thorough=True)


async def _fan_out(
    database: Database, clock: Clock, most: int | None, buckets: Sequence[int], *, thorough: bool = False
) -> int:
    async with database.transaction() as tx:
        jobs = await claim_jobs(tx.connection, clock(), most, buckets)
        if jobs:
            await QUERIES.plan_afresh(tx.connection)
        followed = await kept_traces(tx.connection, [job.campaign for job in jobs])
        for campaign, its_jobs in groupby(jobs, key=lambda job: job.campaign):
            with traces.span("campaigns fans out", [followed[campaign]] if campaign in followed else []):
                await _do(tx, campaign, list(its_jobs), clock(), thorough=thorough)
        return len(jobs)


async def claim_jobs(
    connection: Connection, now: datetime, most: int | None = None, buckets: Sequence[int] = ALL_BUCKETS
) -> list[Job]:
    """Open jobs that nobody else works on, locked until the transaction ends, of about `most` officials."""
    await QUERIES.claim_in_order(connection)
    rows = QUERIES.claim_jobs(connection, now=now, most=JOBS_PER_TRANSACTION, buckets=buckets)
    return within([Job(**dict(row)) async for row in rows], most or OFFICIALS_PER_TRANSACTION)


async def _do(tx: Transaction, campaign: str, jobs: Sequence[Job], now: datetime, *, thorough: bool = False) -> None:
    """Jobs of one campaign, all for the same range of mailboxes."""
    message = await message_of_campaign(tx.connection, campaign)
    asked, withdrawn = await _bring_up_to_date(tx.connection, message, jobs, now, thorough=thorough)
    mailboxes = [each.mailbox for each in asked] + [each.mailbox for each in withdrawn]
    elsewhere = await elsewhere_of(tx.connection, message, mailboxes, now)
    divisions = await divisions_by_slug(tx.connection, sorted({each.division for each in asked if each.division}))
    requests = [
        _outgoing(message, bucket, "messages.requested", batch)
        for bucket, batch in batches_of(message, asked, divisions, elsewhere, now)
    ]
    ends = [
        _outgoing(message, bucket, "messages.withdrawn", withdrawal)
        for bucket, withdrawal in withdrawals_of(message, await _with_reasons(tx, campaign, withdrawn, now), elsewhere)
    ]
    await enqueue(tx, [*requests, *ends])
    await QUERIES.finish_jobs(
        tx.connection,
        campaign=campaign,
        divisions=[job.division for job in jobs],
        buckets=[job.bucket for job in jobs],
        upto=jobs[0].upto,
        end=END,
        now=now,
    )
    log.info(
        "campaigns.fanned_out",
        campaign=campaign,
        revision=message.revision,
        jobs=len(jobs),
        asked=len(asked),
        withdrawn=len(withdrawn),
    )


async def _with_reasons(
    tx: Transaction, campaign: str, withdrawn: Sequence[Withdrawn], now: datetime
) -> list[Withdrawn]:
    """The same with why each was withdrawn, where somebody decided so."""
    if not withdrawn:
        return []
    rows = APPROVING.reasons_to_end(
        tx.connection,
        campaign=campaign,
        buckets=sorted({each.bucket for each in withdrawn}),
        mailboxes=[each.mailbox for each in withdrawn],
        now=now,
    )
    reasons = {row["mailbox"]: reason_to_end(row["left_out"], row["stopped"]) async for row in rows}
    return [replace(each, reason=reasons.get(each.mailbox)) for each in withdrawn]


def _outgoing(message: Message, bucket: int, kind: str, data: MessageBatch | Withdrawal) -> Outgoing:
    return Outgoing(CAMPAIGNS_CALLS, f"{message.campaign}/{bucket}", kind, data, subject=message.matter)


async def message_of_campaign(connection: Connection, campaign: str) -> Message:
    """What its calls have in common, as they are or would be."""
    row = await QUERIES.campaign_message(connection, campaign=campaign)
    cities = {
        each["city"]: City(each["name"], tuple(each["bills"]), each["reasons"])
        async for each in QUERIES.cities_of_campaign(connection, campaign=campaign)
    }
    paragraphs = {
        each["division"]: each["paragraph"]
        async for each in QUERIES.paragraphs_of_campaign(connection, campaign=campaign)
    }
    return message_from(row, cities, paragraphs)


async def _bring_up_to_date(
    connection: Connection, message: Message, jobs: Sequence[Job], now: datetime, *, thorough: bool
) -> tuple[list[Asked], list[Withdrawn]]:
    """Who is to be asked, and who is not any more; `thorough` looks for calls of mailboxes that were told nothing."""
    buckets = sorted({job.bucket for job in jobs})
    reached, upto = jobs[0].reached, jobs[0].upto
    any_told = thorough or await QUERIES.any_told(
        connection, campaign=message.campaign, buckets=buckets, reached=reached, upto=upto
    )
    rows = QUERIES.bring_up_to_date(
        connection,
        campaign=message.campaign,
        divisions=[job.division for job in jobs],
        buckets=[job.bucket for job in jobs],
        in_buckets=buckets,
        reached=reached,
        upto=upto,
        any_told=any_told,
        calling=message.calling,
        letters_open=letters_open(message.letters_due_at, now),
        heard=message.heard,
        letter_roles=message.letter_roles,
        told=message.revision,
        facts=message.facts_revision,
        now=now,
    )
    asked, withdrawn = [], []
    async for row in rows:
        if row["officials"] is None:
            withdrawn.append(Withdrawn(row["mailbox"], row["bucket"]))
        else:
            asked.append(_asked(row))
    return asked, withdrawn


def _asked(row: Iterable[Any]) -> Asked:
    mailbox, division, bucket, officials, cities, letter, testimony, phone, own = row
    return Asked(
        mailbox,
        division,
        bucket,
        _each_once(officials),
        _each_once(cities),
        letter,
        testimony,
        phone,
        tuple(Reason.model_validate(one) for each in own for one in each) if own else (),
    )


def _each_once(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(names) if len(names) == 1 else tuple(sorted(set(names)))


async def elsewhere_of(connection: Connection, message: Message, mailboxes: Sequence[str], now: datetime) -> Elsewhere:
    """What these mailboxes know or hear of other hearings, where bills came from one or went to one."""
    called: dict[str, set[str]] = defaultdict(set)
    came: dict[str, set[str]] = defaultdict(set)
    if message.departures:
        rows = QUERIES.called_at_other_hearings(
            connection,
            hearings=[each["hearing"] for each in message.departures],
            bill_keys=[each["bill_key"] for each in message.departures],
            bills=[each["bill"] for each in message.departures],
            mailboxes=mailboxes,
            letter_roles=sorted(LETTER_ROLES),
            now=now,
        )
        async for row in rows:
            called[row["mailbox"]].add(row["bill_key"])
    if message.arrivals:
        origins = sorted({each["hearing"] for each in message.arrivals})
        buckets = sorted({bucket_of(mailbox) for mailbox in mailboxes})
        async for row in QUERIES.called_before_at(connection, hearings=origins, mailboxes=mailboxes, buckets=buckets):
            came[row["mailbox"]].add(row["hearing"])
    return Elsewhere(called, came)
