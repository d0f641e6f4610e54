"""The database: whether it is there, safe and at this version, its clock, and the work that waits in it."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from clarion.runtime.database import Connection, load_queries, pending
from clarion.runtime.database.home import is_at_home
from clarion.runtime.database.pool import connect_login
from clarion.runtime.database.reaching import ADDRESS, reach_database
from clarion.schemas.commands import Finding
from clarion.services.builders import BUILDERS
from clarion.services.doctor.findings import Patient, bad, is_loopback, warn, well
from clarion.services.doctor.wordings import look_at_wordings

OLDEST_VERSION = 150_000
SKEW_NOTED = timedelta(seconds=2)
SKEW_TOO_FAR = timedelta(seconds=30)
LATE_SECONDS = 60
VERY_LATE_SECONDS = 600

queries = load_queries("clarion.services.doctor")


async def look_at_database(patient: Patient) -> list[Finding]:
    """Everything that the database can tell. Raises MissingSetting, Refused, Unreachable."""
    await reach_database(patient.settings)
    connection = await connect_login(str(patient.settings.database_url))
    try:
        findings = [finding async for finding in _server(connection, patient)]
        missing = await pending(str(patient.settings.database_url))
        if missing:
            named = ", ".join(f"{one.schema}/{one.name}" for one in missing[:3])
            findings.append(bad("database", f"{len(missing)} migrations are missing ({named} ...)", "clarion migrate"))
            return findings
        findings.append(well("database", "its schemas are at this version"))
        if not await is_at_home(connection):
            said = "it is a copy, restored or moved: what it takes for unsent may have been sent"
            findings.append(bad("database", said, "clarion restored, as docs/backup.md has it"))
        return [*findings, *[finding async for finding in _work(connection)]]
    finally:
        await connection.close()


async def _server(connection: Connection, patient: Patient) -> AsyncIterator[Finding]:
    row = await queries.server(connection)
    address = urlsplit(str(patient.settings.database_url))
    if row["version_number"] < OLDEST_VERSION:
        yield bad(
            "database", f"PostgreSQL {row['version']} is too old", "bring it to 15 or newer; 18 is what we test on"
        )
    else:
        yield well("database", f"PostgreSQL {row['version']} answers, {row['bytes'] / 1_000_000:,.0f} MB")
    if row["encrypted"]:
        yield well("database", f"the connection to it is encrypted ({row['tls']})")
    elif not is_loopback(address.hostname):
        yield warn("database", "the connection to it is not encrypted", f"add sslmode=verify-full to {ADDRESS}")
    if not row["safe"]:
        yield warn(
            "database",
            "a crash of its machine may lose what was committed",
            "set fsync, full_page_writes and synchronous_commit to on",
        )
    if row["connections"] > row["connections_at_most"] * 0.8:
        yield warn(
            "database",
            f"{row['connections']} of {row['connections_at_most']} connections are in use",
            "raise max_connections, or run fewer replicas",
        )
    yield await _clock(connection, patient)
    for finding in await _roles(connection):
        yield finding


async def _roles(connection: Connection) -> list[Finding]:
    rows = [row async for row in queries.roles(connection, services=list(BUILDERS))]
    absent = [row["service"] for row in rows if not row["present"]]
    barred = [row["service"] for row in rows if row["present"] and not row["usable"]]
    if absent:
        return [
            bad("database", f"no role for {', '.join(absent)}", "clarion migrate, as a login that may create roles")
        ]
    if barred:
        return [
            bad(
                "database",
                f"this login may not take on the roles of {', '.join(barred)}",
                f"GRANT them to it: {ADDRESS}",
            )
        ]
    return [well("database", f"the roles of {len(rows)} services are there")]


async def _clock(connection: Connection, patient: Patient) -> Finding:
    asked_at = patient.clock()
    there = await queries.database_now(connection)
    answered_at = patient.clock()
    skew = abs(there - (asked_at + (answered_at - asked_at) / 2))
    said = f"its clock and this machine's are {skew.total_seconds():.1f} seconds apart"
    if skew > SKEW_TOO_FAR:
        return bad("database", said, "set both clocks by NTP: what is late and who has died is judged by them")
    if skew > SKEW_NOTED:
        return warn("database", said, "set both clocks by NTP")
    return well("database", said)


async def _work(connection: Connection) -> AsyncIterator[Finding]:
    messaging = load_queries("clarion.runtime.messaging")
    letters: dict[str, int] = {}
    late: dict[str, Any] = {}
    jobs: dict[str, list[Any]] = {}
    for service in BUILDERS:
        async with connection.transaction():
            await messaging.assume_service(connection, service=service)
            letters[service] = await messaging.count_open(connection)
            late[service] = await queries.oldest_unpublished(connection)
            jobs[service] = [row async for row in queries.troubled_jobs(connection)]
    for finding in [*_outboxes(late), *_letters(letters), *_jobs(jobs)]:
        yield finding
    async with connection.transaction():
        await messaging.assume_service(connection, service="notifications")
        senders = await queries.senders(connection)
        wordings = [finding async for finding in look_at_wordings(connection)]
    for finding in [*_senders(senders), *wordings]:
        yield finding
    seen = {row["service"]: row["seconds"] async for row in queries.processes(connection)}
    for finding in _processes(seen):
        yield finding


def _outboxes(waiting: dict[str, Any]) -> Iterator[Finding]:
    late = {name: row for name, row in waiting.items() if (row["seconds"] or 0) > LATE_SECONDS}
    for name, row in late.items():
        level = bad if row["seconds"] > VERY_LATE_SECONDS else warn
        yield level(
            "work",
            f"{row['messages']} messages of {name} wait for the broker, the oldest for {row['seconds']:.0f} seconds",
            f"is a process with {name} running, and can it reach the broker? its log says why it waits",
        )
    if not late:
        yield well("work", "no outbox waits for the broker")


def _letters(letters: dict[str, int]) -> Iterator[Finding]:
    for name, count in letters.items():
        if count:
            yield warn(
                "work", f"{count} dead letters of {name} are open", f"clarion dead-letters list --service {name}"
            )
    if not any(letters.values()):
        yield well("work", "no dead letter is open")


def _jobs(troubled: dict[str, list[Any]]) -> Iterator[Finding]:
    for name, rows in troubled.items():
        for row in rows:
            said = f"did not end well ({row['error']})" if row["error"] else "is overdue"
            yield warn(
                "work",
                f"the upkeep of {name}'s {row['name']} {said}: old rows stay",
                f"is a process with {name} running? its log says more",
            )


def _senders(row: Any) -> Iterator[Finding]:
    if row["stale"]:
        yield warn(
            "work",
            f"{row['stale']} senders died and nobody took over what they held",
            "start a process with notifications: clarion serve notifications",
        )
    if (row["waiting_seconds"] or 0) > VERY_LATE_SECONDS:
        yield warn(
            "work",
            f"mail has been due for {row['waiting_seconds']:.0f} seconds",
            "clarion relays says what blocks it; more replicas of notifications send more at once",
        )
    elif not row["stale"]:
        yield well("work", f"{row['alive']} senders at work, no mail waits")


def _processes(seen: dict[str, float]) -> Iterator[Finding]:
    silent = [name for name in BUILDERS if seen.get(name, LATE_SECONDS + 1) > LATE_SECONDS]
    if silent:
        yield warn("work", f"no process runs {', '.join(silent)}", f"clarion serve {' '.join(silent)}")
    else:
        yield well("work", "every service runs somewhere")


async def last_broker(patient: Patient) -> str | None:
    """The Kafka cluster last seen, if the database can tell."""
    with contextlib.suppress(OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection = await connect_login(str(patient.settings.database_url or ""))
        try:
            known: str | None = await queries.last_broker(connection)
            return known
        finally:
            await connection.close()
    return None
