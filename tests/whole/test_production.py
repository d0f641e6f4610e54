"""An installation as docker-compose.yml runs it, over TLS and logins: a replica dies, a new version is rolled out."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from tests.conftest import Until
from tests.secure import PASSWORD, secure_broker, secure_front
from tests.whole.fleet import ONCE, Fleet, Replica
from tests.whole.test_kills import REPORTED, check_everyone_is_told, publish
from tests.whole.world import World, load

OFFICIALS = 500
MAILS_A_SECOND = 25
UPDATED = ("campaigns", "notifications")
CONNECTIONS = 5
SECRET = "a-secret-that-signs-links"

# What the expanding half of the next release's migrations may do while this release runs.
TABLES = """
SELECT format('ALTER TABLE %I.%I ADD COLUMN next_release text', schemaname, tablename) AS expansion
  FROM pg_tables WHERE schemaname = ANY($1) AND NOT EXISTS (
    SELECT FROM pg_inherits WHERE inhrelid = format('%I.%I', schemaname, tablename)::regclass)
"""
SCHEMAS = ["legislation", "directory", "campaigns", "notifications", "registrations"]


@dataclass
class Installation:
    """The fleet, and the world in which it works."""

    fleet: Fleet
    world: World
    encrypted_sessions: int = 0


@contextlib.asynccontextmanager
async def installed(empty_url: str, catcher: MailCatcher, folder: Path, until: Until) -> AsyncIterator[Installation]:
    """Broker and database want TLS and a login; everything of ours is started by the commands of the file."""
    async with (
        secure_broker(folder) as broker,
        secure_front(broker.authority.issue("database"), empty_url, broker.authority) as (front, url),
    ):
        variables = broker.variables() | {
            "DATABASE_URL": url,
            "SMTP_URL": f"{catcher.url}?name=catcher",
            "SMTP_LIMITS": f"relay:catcher={MAILS_A_SECOND}/s",
            "SMTP_CONNECTIONS": str(CONNECTIONS),
            "SENDER_LEASE_SECONDS": "3",
            "KAFKA_SESSION_SECONDS": "3",
            "SECRET_KEY": SECRET,
            "MAIL_FROM": "Clarion <calls@clarion.example>",
            "PUBLIC_URL": "http://clarion.example",
        }
        fleet = Fleet(folder, {f"CLARION_{name}": value for name, value in variables.items()})
        settings = Settings(
            _env_file=None,
            database_url=empty_url,
            kafka_bootstrap=broker.server.bootstrap,
            secret_key=SECRET,
            public_url="http://clarion.example",
            data_dir=folder / "data",
        )
        try:
            await asyncio.gather(*(asyncio.to_thread(fleet.once, name) for name in ONCE))
            await load(settings, OFFICIALS, statewide=True)
            await fleet.start(until)
            yield Installation(fleet, World(None, catcher, settings, folder / "log", OFFICIALS), front.sessions)
        finally:
            fleet.kill()


async def expand(here: World) -> None:
    """A column more in every table, as a release that is about to come would have it."""
    connection = await asyncpg.connect(here.settings.database_url)
    try:
        await connection.execute("SET lock_timeout = '5s'")
        for row in await connection.fetch(TABLES, SCHEMAS):
            await connection.execute(row["expansion"])
    finally:
        await connection.close()


async def roll_out(replicas: list[Replica], catcher: MailCatcher, until: Until) -> list[int]:
    """Replace the replicas of one service, one after the other; how many mails were out when each was told to end."""
    sent = []
    for replica in replicas:
        sent.append(catcher.store.count())
        assert await replica.replace(until) == 0, replica.said()[-3000:]
    return sent


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_killed_replica_and_an_update_in_a_running_campaign_lose_nobody_and_double_only_who_was_in_doubt(
    empty_url: str, mail_catcher: MailCatcher, tmp_path: Path, until: Until
) -> None:
    async with installed(empty_url, mail_catcher, tmp_path, until) as here:
        everyone = len(here.world.expectation().addresses)
        await publish(here.world.settings, tmp_path)
        await until(lambda: mail_catcher.store.count() > 20, 60)

        victim = here.fleet.of("notifications")[1]
        assert await victim.end(signal.SIGKILL) == -signal.SIGKILL
        victim.start()
        await expand(here.world)
        sent = await asyncio.gather(*(roll_out(here.fleet.of(service), mail_catcher, until) for service in UPDATED))
        assert max(max(each) for each in sent) < everyone, "the campaign was over before the update was"

        async def settled() -> bool:
            heard = await here.world.value(REPORTED)
            return heard == len(here.world.expectation().officials) and await here.world.open_messages() == 0

        await until(settled, 120)
        await check_everyone_is_told(here.world)
        doubts = await here.world.value("SELECT coalesce(sum(doubts), 0) FROM notifications.ledger")
        assert doubts <= CONNECTIONS
        assert here.encrypted_sessions >= len(here.fleet.replicas)
        check_logs(here.fleet)
        assert set(await asyncio.gather(*(replica.end() for replica in here.fleet.replicas))) == {0}


def check_logs(fleet: Fleet) -> None:
    """Every line is for machines, no task failed for a reason of ours, and no secret is in any of them."""
    for replica in fleet.replicas:
        failed = {event["error"] for event in replica.events() if event["event"] == "process.task_failed"}
        # A statement that was prepared before the table had one more column is prepared anew.
        assert failed <= {"InvalidCachedStatementError"}
        assert PASSWORD not in replica.said()
        assert SECRET not in replica.said()
