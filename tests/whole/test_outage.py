"""Broker and database both away in the middle of a campaign: the services wait, say so, and go on."""

import asyncio
import os
from pathlib import Path

import pytest

from clarion.runtime.embedded import KafkaServer, MailCatcher, PostgresServer
from clarion.runtime.messaging.consumer import GIVE_UP_SECONDS
from clarion.runtime.settings import Settings
from clarion.services.running import prepare
from tests.conftest import Until
from tests.whole.fleet import Replica
from tests.whole.test_kills import REPORTED, check_everyone_is_told, publish
from tests.whole.world import SERVICES, World, load

# Long enough that every consumer is given up and made anew, and that the broker has forgotten its member.
OUTAGE_SECONDS = float(os.environ.get("TEST_OUTAGE_SECONDS", GIVE_UP_SECONDS + 4))
OFFICIALS = 300
MAILS_A_SECOND = 25


@pytest.mark.slow
@pytest.mark.timeout(200 + OUTAGE_SECONDS)
async def test_a_broker_and_a_database_that_come_back_after_long_find_the_services_waiting(
    tmp_path: Path, mail_catcher: MailCatcher, until: Until
) -> None:
    kafka = KafkaServer(tmp_path / "kafka", keep_records_for_ever=True)
    postgres = PostgresServer(tmp_path / "postgres", fsync=False)
    try:
        await asyncio.gather(kafka.start(), postgres.start())
        here = World(None, mail_catcher, of(kafka, postgres, mail_catcher, tmp_path), tmp_path / "log", OFFICIALS)
        await prepare(here.settings)
        await load(here.settings, OFFICIALS, statewide=True)
        replica = Replica("all", "all-0", ["serve", *SERVICES], environment(here), tmp_path / "log")
        replica.start()
        try:
            await until(replica.answers, 60)
            await publish(here.settings, tmp_path)
            await until(lambda: mail_catcher.store.count() > 20, 60)
            await asyncio.gather(kafka.stop(), postgres.stop())
            await waits(replica, until)
            await asyncio.gather(kafka.start(), postgres.start())
            await goes_on(here, replica, until)
            assert await replica.end() == 0
        finally:
            replica.kill()
    finally:
        await kafka.stop()
        await postgres.remove()


def of(kafka: KafkaServer, postgres: PostgresServer, catcher: MailCatcher, folder: Path) -> Settings:
    """Settings with these servers."""
    return Settings(
        _env_file=None,
        database_url=postgres.url,
        kafka_bootstrap=kafka.bootstrap,
        smtp_url=f"{catcher.url}?name=catcher",
        secret_key="a-secret-that-signs-links",
        public_url="http://clarion.example",
        mail_from="Clarion <calls@clarion.example>",
        sender_lease_seconds=3,
        data_dir=folder / "data",
    )


def environment(here: World) -> dict[str, str]:
    """What the process is told."""
    return here.environment() | {"CLARION_SMTP_LIMITS": f"relay:catcher={MAILS_A_SECOND}/s"}


async def waits(replica: Replica, until: Until) -> None:
    """All through the outage it lives, takes no part, and has said once of each server what is wrong."""
    over_at = asyncio.get_running_loop().time() + OUTAGE_SECONDS
    await until(lambda: {one["server"] for one in troubles(replica)} == {"database", "kafka"}, 30)

    async def over() -> bool:
        assert await replica.answers("healthz"), "an orchestrator would have ended it, though a restart mends nothing"
        assert not await replica.answers("readyz")
        return asyncio.get_running_loop().time() > over_at

    await until(over, OUTAGE_SECONDS + 30)
    said = [one["why"] for one in troubles(replica)]
    assert all("it is not running, or CLARION_" in why for why in said), said
    assert len(said) == 2, said


def troubles(replica: Replica) -> list[dict[str, str]]:
    """What it said of servers that are away."""
    return [event for event in replica.events() if event["event"] == "server.trouble"]


async def goes_on(here: World, replica: Replica, until: Until) -> None:
    """It takes part again, and everyone gets their mail."""
    await until(replica.answers, 60)

    def back() -> set[str]:
        return {event["server"] for event in replica.events() if event["event"] == "server.back"}

    await until(lambda: back() == {"database", "kafka"}, 30)

    async def settled() -> bool:
        heard = await here.value(REPORTED)
        return heard == len(here.expectation().officials) and await here.open_messages() == 0

    await until(settled, 90)
    await check_everyone_is_told(here)
