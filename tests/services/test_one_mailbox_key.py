"""An installation whose directory and registrations had a key of mailboxes each gets one, and loses nobody."""

import hashlib
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from clarion.runtime.database import mailbox_key, migrate
from clarion.runtime.database.pool import connect
from clarion.schemas.mailboxes import mailbox
from clarion.services.notifications.threads import thread_id_of
from clarion.services.registrations.repository import find_active

DIRECTORYS, REGISTRATIONS = "directory-" + "d" * 33, "registrations-" + "r" * 29
PEOPLE = ["Ada@city.example", "bo@town.example"]
BEFORE = """
DELETE FROM clarion.migrations WHERE name LIKE '%mailbox_key.sql' OR name LIKE '%threads_of_%.sql';
DROP FUNCTION notifications.threads_of, notifications.first_thread, notifications.last_thread;
ALTER TABLE notifications.threads DROP COLUMN scattered, ADD UNIQUE (matter, mailbox);
DROP FUNCTION clarion.mailbox;
DROP TABLE clarion.mailbox_key;
DELETE FROM directory.mailbox_key;
DELETE FROM registrations.mailbox_key;
"""
REGISTER = """
INSERT INTO registrations.registrations (id, event_id, mailbox, token, name, email, own, status, received_at)
VALUES ($1, 'event', $2, $1, 'Ada', $1, true, 'confirmed', now())
"""
TELL = """
WITH thread AS (
    INSERT INTO notifications.threads (id, matter, mailbox, revision)
    VALUES (gen_random_uuid(), 'registration:' || $1, $2, 1)
    RETURNING *)
INSERT INTO notifications.ledger (thread_id, revision, content_id, matter, mailbox, lane, officials, parts, state,
    state_at, queued_at, due_at)
SELECT id, 1, 1, matter, mailbox, 1, '{}', jsonb_build_array(jsonb_build_object('address', $1::text)), 'sent',
    now(), now(), now()
FROM thread
"""


@pytest.fixture
async def login(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A database as the release before left it, but for the keys."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(BEFORE)
    yield connection
    await connection.close()


def thread_before(matter: str, mailbox: str) -> UUID:
    """The id of a thread before ids began with their matter."""
    return UUID(hashlib.sha256(f"{matter}\n{mailbox}".encode()).hexdigest()[:32])


async def keep(login: "asyncpg.Connection[asyncpg.Record]", service: str, key: str) -> None:
    await login.execute(f"INSERT INTO {service}.mailbox_key (key) VALUES ($1)", key)


async def key_of(url: str, service: str) -> str:
    connection = await connect(url, service)
    try:
        return (await mailbox_key(connection)).decode()
    finally:
        await connection.close()


async def test_who_registered_before_is_found_and_stays_unsubscribed_and_suppressed(
    login: "asyncpg.Connection[asyncpg.Record]", database_url: str
) -> None:
    await keep(login, "directory", DIRECTORYS)
    await keep(login, "registrations", REGISTRATIONS)
    for email in PEOPLE:
        before = mailbox(email, REGISTRATIONS.encode())
        await login.execute(REGISTER, email, before)
        await login.execute(TELL, email, before)
        await login.execute("INSERT INTO notifications.unsubscribed VALUES ($1, 'news', now())", before)
        await login.execute("INSERT INTO notifications.suppressions VALUES ($1, 'asked by phone', now())", before)
    ada = mailbox(PEOPLE[0], DIRECTORYS.encode())
    await login.execute("INSERT INTO notifications.suppressions VALUES ($1, 'first', now())", ada)
    await migrate(database_url)
    assert {await key_of(database_url, one) for one in ("directory", "registrations", "notifications")} == {DIRECTORYS}
    wanted = {mailbox(email, DIRECTORYS.encode()) for email in PEOPLE}
    for table in ("threads", "ledger", "unsubscribed", "suppressions"):
        rows = await login.fetch(f"SELECT mailbox FROM notifications.{table}")
        assert sorted(row["mailbox"] for row in rows) == sorted(wanted), table
    threads = {thread_before(f"registration:{email}", mailbox(email, DIRECTORYS.encode())) for email in PEOPLE}
    assert {row["id"] for row in await login.fetch("SELECT id FROM notifications.threads")} == threads
    assert {row["thread_id"] for row in await login.fetch("SELECT thread_id FROM notifications.ledger")} == threads
    assert await login.fetchval("SELECT reason FROM notifications.suppressions WHERE mailbox = $1", ada) == "first"
    notifications = await connect(database_url, "notifications")
    for email in PEOPLE:
        matter, known = f"registration:{email}", mailbox(email, DIRECTORYS.encode())
        assert await thread_id_of(notifications, matter, known) == thread_before(matter, known)
    await notifications.close()
    registrations = await connect(database_url, "registrations")
    found = await find_active(registrations, "event", ada)
    await registrations.close()
    assert found is not None
    assert found.email == PEOPLE[0]


async def test_where_only_registrations_had_a_key_it_is_the_one(
    login: "asyncpg.Connection[asyncpg.Record]", database_url: str
) -> None:
    await keep(login, "registrations", REGISTRATIONS)
    before = mailbox(PEOPLE[0], REGISTRATIONS.encode())
    await login.execute(REGISTER, PEOPLE[0], before)
    await migrate(database_url)
    assert await key_of(database_url, "directory") == REGISTRATIONS
    assert await login.fetchval("SELECT mailbox FROM registrations.registrations") == before


async def test_a_new_installation_draws_its_key_once(
    login: "asyncpg.Connection[asyncpg.Record]", database_url: str
) -> None:
    await migrate(database_url)
    drawn = await key_of(database_url, "directory")
    await migrate(database_url)
    assert await key_of(database_url, "registrations") == drawn
    assert len(set(drawn)) > 8
    # Whatever the services of the release before look at is the same key.
    for service in ("directory", "registrations"):
        assert await login.fetchval(f"SELECT key FROM {service}.mailbox_key") == drawn


@pytest.mark.parametrize("email", ["ada@city.example", "ADA.B+c@City.Example", "ä@city.example"])
async def test_migrations_and_services_turn_an_address_into_the_same_mailbox(database_url: str, email: str) -> None:
    connection = await connect(database_url, "registrations")
    by_migration = await connection.fetchval("SELECT clarion.mailbox($1)", email)
    assert by_migration == mailbox(email, await mailbox_key(connection))
    await connection.close()
