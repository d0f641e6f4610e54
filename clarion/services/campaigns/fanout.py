"""The fan-out: jobs per wave and bucket become calls and batches of messages, in one transaction each time."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import structlog

from clarion.runtime.clock import Clock
from clarion.runtime.database import Connection, Database, Transaction
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.schemas.messages import Ask, CallContent, Fact, MessageBatch, Reason, Recipient
from clarion.schemas.topics import CAMPAIGNS_CALLS
from clarion.services.campaigns.domain import words
from clarion.services.campaigns.domain.decision import letters_open, not_after
from clarion.services.campaigns.domain.model import Asked, Division, Reasons
from clarion.services.campaigns.domain.names import LETTER_ROLES
from clarion.services.campaigns.operations import review
from clarion.services.campaigns.repository import QUERIES, divisions_by_slug

log = structlog.get_logger(__name__)

RECIPIENTS_PER_MESSAGE = 250
BYTES_PER_MESSAGE = 900_000
OFFICIALS_PER_TRANSACTION = 5_000
JOBS_PER_TRANSACTION = 500
POLL_SECONDS = 0.5
TOLD_REVISION = 1
"""The revision of the matter that a launch tells; one more for each change that a reader would act on."""


@dataclass(frozen=True, slots=True)
class Job:
    """A wave's share of one bucket, with how many officials it had at the launch."""

    campaign: str
    division: str
    bucket: int
    officials: int


@dataclass(frozen=True, slots=True)
class Message:
    """What all calls of a campaign have in common."""

    campaign: str
    jurisdiction: str
    facts: Sequence[Fact]
    content: CallContent
    letters_due_at: datetime | None
    ends_at: datetime
    cities: Mapping[str, Reasons]


class FanOut:
    """Turns the jobs of launched campaigns into calls, several at a time; any number of workers may run."""

    name = "fan-out"

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until told to stop, woken by each launch."""
        async with self._database.listen("clarion_campaigns_fanout") as wakeups:
            while not stopping.is_set():
                if not await fan_out(self._database, self._clock):
                    await wakeups.wait(POLL_SECONDS)


class Review:
    """Closes what is over and launches what waited for the directory, as time goes by."""

    name = "review"

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Look again every half second until told to stop."""
        while not stopping.is_set():
            async with self._database.transaction() as tx:
                await review(tx, self._clock)
            try:
                await asyncio.wait_for(stopping.wait(), POLL_SECONDS)
            except TimeoutError:
                continue


async def fan_out(database: Database, clock: Clock) -> int:
    """Do as many jobs as one transaction should hold; 0 if none is left for now.

    A death before the commit leaves the jobs as they were, one after it leaves them done.
    """
    async with database.transaction() as tx:
        jobs = await claim_jobs(tx.connection, clock())
        if jobs:
            await QUERIES.plan_afresh(tx.connection)
        for campaign, its_jobs in groupby(jobs, key=lambda job: job.campaign):
            await _do(tx, campaign, list(its_jobs), clock())
        return len(jobs)


async def claim_jobs(connection: Connection, now: datetime) -> list[Job]:
    """Open jobs that nobody else works on, locked until the transaction ends, up to a fair size."""
    jobs: list[Job] = []
    officials = 0
    async for row in QUERIES.claim_jobs(connection, now=now, most=JOBS_PER_TRANSACTION):
        job = Job(**dict(row))
        if jobs and officials + job.officials > OFFICIALS_PER_TRANSACTION:
            break
        officials += job.officials
        jobs.append(job)
    return jobs


async def _do(tx: Transaction, campaign: str, jobs: Sequence[Job], now: datetime) -> None:
    message = await _message(tx.connection, campaign)
    asked = await _insert_calls(tx.connection, message, jobs, now)
    divisions = await divisions_by_slug(tx.connection, sorted({each.division for each in asked if each.division}))
    batches = [
        Outgoing(CAMPAIGNS_CALLS, f"{campaign}/{bucket}", "messages.requested", batch, subject=f"campaign:{campaign}")
        for bucket, batch in batches_of(message, asked, divisions, now)
    ]
    await enqueue(tx, batches)
    await QUERIES.finish_jobs(
        tx.connection,
        campaign=campaign,
        divisions=[job.division for job in jobs],
        buckets=[job.bucket for job in jobs],
        now=now,
    )
    log.info("campaigns.fanned_out", campaign=campaign, jobs=len(jobs), mailboxes=len(asked), batches=len(batches))


async def _message(connection: Connection, campaign: str) -> Message:
    row = await QUERIES.campaign_message(connection, campaign=campaign)
    cities = {each["city"]: dict(each) async for each in QUERIES.cities_of_campaign(connection, campaign=campaign)}
    return Message(
        campaign=campaign,
        jurisdiction=row["jurisdiction"],
        facts=[Fact.model_validate(fact) for fact in row["message"]["facts"]],
        content=CallContent.model_validate(row["message"]["content"]),
        letters_due_at=row["letters_due_at"],
        ends_at=row["ends_at"],
        cities=cities,
    )


async def _insert_calls(connection: Connection, message: Message, jobs: Sequence[Job], now: datetime) -> list[Asked]:
    rows = QUERIES.insert_calls(
        connection,
        campaign=message.campaign,
        divisions=[job.division for job in jobs],
        buckets=[job.bucket for job in jobs],
        letters_open=letters_open(message.letters_due_at, now),
        letter_roles=sorted(LETTER_ROLES),
        now=now,
    )
    return [_asked(row) async for row in rows]


def _asked(row: Mapping[str, Any]) -> Asked:
    return Asked(
        mailbox=row["mailbox"],
        division=row["division"],
        bucket=row["bucket"],
        officials=tuple(row["officials"]),
        cities=tuple(row["cities"]),
        letter=row["letter"],
        testimony=row["testimony"],
    )


def batches_of(
    message: Message, asked: Iterable[Asked], divisions: Mapping[str, Division], now: datetime
) -> Iterator[tuple[int, MessageBatch]]:
    """Batches with their bucket: one wave each, and apart where letters end before the hearing."""
    apart = message.letters_due_at is not None

    def batch_key(each: Asked) -> tuple[int, str, bool]:
        return each.bucket, each.division, each.letter and apart

    recipients = Recipients(message)
    for (bucket, slug, _), group in groupby(sorted(asked, key=batch_key), key=batch_key):
        members = list(group)
        division = divisions.get(slug)
        for chunk in _chunks([recipients.of(each) for each in members], message):
            yield (
                bucket,
                MessageBatch(
                    matter=f"campaign:{message.campaign}",
                    revision=TOLD_REVISION,
                    template="call",
                    subscription="calls",
                    lane="call",
                    reply_to=words.contact(division),
                    not_after=not_after(message.letters_due_at, message.ends_at, now, letter=members[0].letter),
                    facts=list(message.facts),
                    content=_content(message, division, now),
                    recipients=chunk,
                ),
            )


def _content(message: Message, division: Division | None, now: datetime) -> dict[str, Any]:
    content = message.content.model_copy(
        update={
            "division": division and division.name,
            "letters_open": letters_open(message.letters_due_at, now),
        }
    )
    return content.model_dump(mode="json")


class Recipients:
    """Makes recipients of mailboxes; what is equal for all of a city is made once."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._reasons: dict[tuple[str, ...], tuple[list[Reason], list[str]]] = {}
        self._asks: dict[tuple[tuple[str, ...], bool, bool], list[Ask]] = {}

    def of(self, asked: Asked) -> Recipient:
        """The recipient of a mailbox, with its reasons and what it is asked for."""
        if asked.cities not in self._reasons:
            cities = [self._message.cities[city] for city in asked.cities]
            bills = [each.bill for each in self._message.content.bills if any(each.bill in c["bills"] for c in cities)]
            self._reasons[asked.cities] = words.reasons_told(cities, self._message.jurisdiction), bills
        reasons, bills = self._reasons[asked.cities]
        key = (asked.cities, asked.letter, asked.testimony)
        if key not in self._asks:
            self._asks[key] = words.asks(asked, bills)
        return Recipient(mailbox=asked.mailbox, officials=list(asked.officials), reasons=reasons, asks=self._asks[key])


def _chunks(recipients: Sequence[Recipient], message: Message) -> Iterator[list[Recipient]]:
    shared = len(message.content.model_dump_json()) + sum(len(fact.text) + 100 for fact in message.facts)
    chunk: list[Recipient] = []
    size = shared
    for recipient in recipients:
        length = recipient_bytes(recipient)
        if chunk and (len(chunk) == RECIPIENTS_PER_MESSAGE or size + length > BYTES_PER_MESSAGE):
            yield chunk
            chunk, size = [], shared
        chunk.append(recipient)
        size += length
    if chunk:
        yield chunk


def recipient_bytes(recipient: Recipient) -> int:
    """About how long a recipient is on the wire, never less."""
    officials = sum(len(official.encode()) + 3 for official in recipient.officials)
    reasons = sum(len(reason.text.encode()) + 40 for reason in recipient.reasons)
    return 150 + officials + reasons + sum(len(ask.bill.encode()) + 40 for ask in recipient.asks)
