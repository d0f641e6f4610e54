"""Exporting and erasing: each service in turn, and every step may be done twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import mailbox_key, open_database
from clarion.runtime.database.pool import connect_login
from clarion.runtime.ids import new_id
from clarion.runtime.messaging import people as messages
from clarion.runtime.people import Erased, Held, Person
from clarion.runtime.staff import people as accounts
from clarion.runtime.staff.accounts import queries
from clarion.runtime.staff.audit import Actor, record
from clarion.schemas.mailboxes import mailbox
from clarion.schemas.people import PersonKept
from clarion.schemas.topics import TOPICS, Topic
from clarion.services.campaigns import people as campaigns
from clarion.services.directory import people as directory
from clarion.services.directory.domain.addresses import address as normal
from clarion.services.notifications import people as notifications
from clarion.services.registrations import people as registrations
from clarion.services.registrations.desk import open_desk

if TYPE_CHECKING:
    from clarion.runtime.database import Connection, Database, Transaction
    from clarion.runtime.settings import Settings

SERVICES = ("directory", "campaigns", "notifications", "registrations", "legislation")
PERSONAL_TOPICS = (
    "directory.entities.v1",
    "directory.notices.v1",
    "registrations.requests.v1",
    "registrations.notices.v1",
    "campaigns.calls.v1",
    "notifications.deliveries.v1",
    "legislation.updates.v1",
)
"""What may say something of a person: name, address and answers, or an id and the keyed hash of an address.

The last only if an integration put it there.
"""
TRIES = 60
PAUSE_SECONDS = 0.5


class NobodyKnown(Exception):
    """Nothing is kept about this address."""


class SeveralKnown(Exception):
    """Several people share the address; `readers` are their names by their ids."""

    def __init__(self, readers: dict[str, str]) -> None:
        super().__init__("several people share this address")
        self.readers = readers


class InUse(Exception):
    """The address is that of staff who still have an account."""


class NotFinished(Exception):
    """Mail to the person was still on its way after half a minute; the same call goes on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure is going to do, counted, and what it leaves where it is until when."""

    who: Person
    kept: dict[str, dict[str, int]]
    held: Sequence[Held]
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody asked to be erased: the mailbox, and who is known to read it."""

    mailbox: str
    asked_at: datetime
    address: str | None
    names: list[str]


@dataclass(frozen=True, slots=True)
class Done:
    """What an erasure took away, by service and by what it was, and which topics still hold something until when."""

    id: str
    counts: dict[str, dict[str, int]]
    held: Sequence[Held] = field(default_factory=tuple)


async def find(settings: Settings, given: str, officials: Sequence[str] = (), *, everyone: bool = False) -> Person:
    """Who is meant by an address: all who read it if `everyone`, or of several the named ids.

    Raises:
        ValueError: it is no address, or one of the ids does not read it.
        SeveralKnown: several people share it, and nobody said which is meant.
    """
    address = normal(given)
    async with open_database(settings, "directory", size=1) as database, database.connection() as connection:
        box = mailbox(address, await mailbox_key(connection))
        readers = await directory.readers(connection, box)
    if strangers := [one for one in officials if one not in readers]:
        raise ValueError(f"{', '.join(strangers)}: no official of this id reads the address")
    if len(readers) > 1 and not officials and not everyone:
        raise SeveralKnown(readers)
    meant = tuple(officials) or tuple(readers)
    names = tuple(readers[one] for one in meant)
    return Person(address, box, meant, names, alone=set(meant) == set(readers))


async def reader_of(settings: Settings, box: str) -> Person | None:
    """Everyone who reads a mailbox, by the address that notifications has for it; None if it has none."""
    async with open_database(settings, "notifications", size=1) as database, database.connection() as connection:
        address = await notifications.address_of(connection, box)
    return None if address is None else await find(settings, address, everyone=True)


async def wishes(settings: Settings) -> list[Wish]:
    """Who asked to be erased by the link in a mail, the longest first."""
    async with open_database(settings, "notifications", size=1) as database, database.connection() as connection:
        return [Wish(**wish) for wish in await notifications.wishes_for_erasure(connection)]


async def export(
    settings: Settings, who: Person, *, by: Actor | None = None, clock: Clock = system_clock
) -> PersonKept:
    """Everything that is kept about a person, as one document; `by` is who takes it out, if that is somebody else."""
    now = clock()
    kept: dict[str, Any] = {}
    for service in SERVICES:
        async with open_database(settings, service, size=1) as database, database.connection() as connection:
            found = await EXPORTS[service](connection, who) if service in EXPORTS else {}
            kept[service] = found | await messages.export(connection, who)
    async with _login(settings) as login:
        kept["staff"] = await accounts.export(login, who)
        if by is not None:
            await record(login, by, "person.exported", f"mailbox:{who.mailbox}", at=now, mailbox=who.mailbox)
    return PersonKept(
        version=1,
        exported_at=now,
        address=who.address,
        mailbox=who.mailbox,
        officials=list(who.officials),
        shared=not who.alone,
        **kept,
        topics=[{"topic": one.topic, "until": one.until} for one in held_until(now)],
    )


EXPORTS = {
    "directory": directory.export,
    "campaigns": campaigns.export,
    "notifications": notifications.export,
    "registrations": registrations.export,
}


async def plan(settings: Settings, who: Person, *, clock: Clock = system_clock) -> Plan:
    """What erasing this person would take away; nothing is changed.

    Raises:
        InUse: they are staff with an account.
    """
    async with _login(settings) as login:
        resumed = await _unfinished(login, who.mailbox) is not None
        if await accounts.is_staff(login, who.address):
            raise InUse("this is the address of a staff account: clarion staff remove it first, then erase")
    kept = (await export(settings, who, clock=clock)).model_dump(mode="json")
    counted = {name: _counted(kept[name]) for name in (*SERVICES, "staff")}
    return Plan(who, {name: counts for name, counts in counted.items() if counts}, held_until(clock()), resumed)


def _counted(kept: dict[str, Any]) -> dict[str, int]:
    sizes = {name: len(value) if isinstance(value, list) else int(value is not None) for name, value in kept.items()}
    return {name: size for name, size in sizes.items() if size}


async def unfinished(settings: Settings, given: str) -> Person | None:
    """Whose erasure was begun by this address and did not come to its end, if there is one."""
    address = normal(given)
    async with _login(settings) as login:
        row = await _unfinished(login, mailbox(address, await mailbox_key(login)))
    return None if row is None else _person(row["who"])


async def erase(settings: Settings, who: Person, actor: Actor, *, clock: Clock = system_clock) -> Done:
    """Erase a person from everything. Killed at any moment, the same call with their address goes on.

    Mail stops with the first step. What the topics of Kafka still hold goes in their own time, which `held` says.

    Raises:
        InUse: they are staff with an account.
        NotFinished: a mail to them is under way for half a minute already.
        OSError, asyncpg.PostgresError: the database is not there.
    """
    async with _login(settings) as login:
        if await accounts.is_staff(login, who.address):
            raise InUse("this is the address of a staff account: clarion staff remove it first, then erase")
        begun = await _begin(login, who, actor, clock())
        erasure, who = begun["id"], _person(begun["who"])
        counts = dict(begun["counts"])
        for service in ("notifications", "registrations", "directory", "campaigns", "legislation"):
            async with open_database(settings, service, clock) as database:
                taken = await _from_service(settings, database, who, clock)
            counts[service] = _added(counts.get(service, {}), taken)
            await queries().note_erased(login, id=erasure, counts={service: counts[service]})
        async with login.transaction():
            counts["staff"] = _added(counts.get("staff", {}), (await accounts.erase(login, who)).counts)
            await _end(login, erasure, actor, clock(), counts)
    return Done(erasure, {name: gone for name, gone in counts.items() if gone}, held_until(clock()))


async def readmit(
    settings: Settings, given: str, officials: Sequence[str] = (), *, by: Actor, clock: Clock = system_clock
) -> bool:
    """Let an address that was erased be imported and written to again; False if it was not held.

    Raises:
        ValueError: it is no address.
    """
    address = normal(given)
    async with open_database(settings, "directory", clock, size=1) as database, database.transaction() as tx:
        box = mailbox(address, await mailbox_key(tx.connection))
        held = await directory.let_in(tx, box, officials)
    async with open_database(settings, "notifications", clock, size=1) as database, database.transaction() as tx:
        held = await notifications.let_in(tx, box) or held
        if held:
            await record(tx.connection, by, "person.readmitted", f"mailbox:{box}", at=clock(), mailbox=box)
    return held


def held_until(now: datetime) -> list[Held]:
    """The topics that may still say something of a person who was erased now, and when that is over at the latest."""
    named = [topic for topic in TOPICS if topic.name in PERSONAL_TOPICS]
    return [one for topic in named for one in (_held(topic, now), _held(topic.dead, now))]


def _held(topic: Topic, now: datetime) -> Held:
    return Held(topic.name, now + timedelta(seconds=topic.retention_seconds))


async def _from_service(settings: Settings, database: Database, who: Person, clock: Clock) -> dict[str, int]:
    """What was taken away of one service, over as many tries as mail under way needs, or who changes the same rows."""
    taken: dict[str, int] = {}
    for _ in range(TRIES):
        with contextlib.suppress(asyncpg.DeadlockDetectedError):
            async with database.transaction() as tx:
                step = await _erase(settings, database, tx, who, clock())
                swept = await messages.erase(tx, who)
            taken = _added(taken, _added(dict(step.counts), swept.counts))
            if not step.unfinished:
                return taken
        await asyncio.sleep(PAUSE_SECONDS)
    raise NotFinished("a mail to them is on its way for half a minute now: give the same command again in a while")


async def _erase(settings: Settings, database: Database, tx: Transaction, who: Person, now: datetime) -> Erased:
    match tx.service:
        case "notifications":
            return await notifications.erase(tx, who, now)
        case "registrations":
            return await registrations.erase(tx, await open_desk(database, settings.public_url or "", tx.clock), who)
        case "directory":
            return await directory.erase(tx, who, now)
        case "campaigns":
            return await campaigns.erase(tx, who)
    return Erased()


def _added(counts: dict[str, int], more: Any) -> dict[str, int]:
    summed = {name: counts.get(name, 0) + more.get(name, 0) for name in {**counts, **more}}
    return {name: count for name, count in summed.items() if count}


async def _unfinished(login: Connection, box: str) -> Any:
    return await queries().open_erasure(login, mailbox=box)


async def _begin(login: Connection, who: Person, actor: Actor, now: datetime) -> Any:
    """The erasure that was begun for this mailbox, or a new one: whom it means is kept until it is done."""
    begun = await _unfinished(login, who.mailbox)
    if begun is None:
        await queries().begin_erasure(
            login, id=new_id(), mailbox=who.mailbox, who=asdict(who), asked_by=f"{actor.kind}:{actor.id}", now=now
        )
        begun = await _unfinished(login, who.mailbox)
    return begun


async def _end(login: Connection, erasure: str, actor: Actor, now: datetime, counts: dict[str, Any]) -> None:
    await queries().note_erased(login, id=erasure, counts={"staff": counts["staff"]})
    await queries().end_erasure(login, id=erasure, now=now)
    await record(login, actor, "person.erased", f"erasure:{erasure}", at=now, details={"counts": counts})


def _person(kept: dict[str, Any]) -> Person:
    return Person(**{**kept, "officials": tuple(kept["officials"]), "names": tuple(kept["names"])})


@contextlib.asynccontextmanager
async def _login(settings: Settings) -> AsyncIterator[Connection]:
    settings.need("database_url")
    connection = await connect_login(str(settings.database_url))
    try:
        yield connection
    finally:
        await connection.close()
