"""What services do about a database and a broker that are away, that will not have them or are of another version."""

import asyncio
import dataclasses
import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from clarion.runtime.backoff import Backoff
from clarion.runtime.database import MigrationError, migrate
from clarion.runtime.messaging.topics import TopicError, ensure_topics
from clarion.runtime.refusals import Refused
from clarion.runtime.settings import Settings
from clarion.schemas.topics import TOPICS
from clarion.services.builders import BUILDERS
from clarion.services.reaching import Explanations, wait_for_servers
from tests.certificates import Authority
from tests.conftest import Until
from tests.secure import Front, secure_front

SERVICES = list(BUILDERS)


def hasty() -> Backoff:
    """Tries again at once."""
    return Backoff(first_seconds=0.02, limit_seconds=0.05)


async def test_a_database_that_is_not_there_is_waited_for_in_words(
    settings: Settings, tmp_path: Path, until: Until
) -> None:
    await ensure_topics(settings, TOPICS)
    authority = Authority(tmp_path)
    async with secure_front(authority.issue("database"), str(settings.database_url), authority) as (front, url):
        await front.stop()
        away = settings.model_copy(update={"database_url": url})
        with capture_logs() as logs:
            waiting = asyncio.create_task(wait_for_servers(away, SERVICES, asyncio.Event(), backoff=hasty()))
            await until(lambda: len(logs) > 2)
            assert not waiting.done()
            await front.start()
            assert await waiting is True
    assert {entry["event"] for entry in logs} == {"server.waited_for"}
    assert all("the database cannot be reached" in entry["why"] for entry in logs)


async def test_whoever_is_told_to_stop_waits_no_longer(settings: Settings, until: Until) -> None:
    stopping = asyncio.Event()
    away = settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    with capture_logs() as logs:
        waiting = asyncio.create_task(wait_for_servers(away, SERVICES, stopping))
        await until(lambda: logs)
        stopping.set()
        assert await waiting is False


async def test_a_login_that_is_refused_is_not_tried_for_ever(settings: Settings) -> None:
    wrong = re.sub(r":[^:@]*@", ":guessed@", str(settings.database_url))
    with pytest.raises(Refused, match="refuses the login"):
        await wait_for_servers(settings.model_copy(update={"database_url": wrong}), SERVICES, asyncio.Event())


async def test_a_database_that_is_older_than_the_code_is_refused(settings: Settings, empty_url: str) -> None:
    older = settings.model_copy(update={"database_url": empty_url})
    with pytest.raises(MigrationError, match=r"the database lacks \d+ migrations .*: run clarion migrate"):
        await wait_for_servers(older, SERVICES, asyncio.Event())
    await migrate(empty_url, ["legislation"])
    with pytest.raises(TopicError, match="run clarion topics"):
        await wait_for_servers(older, ["legislation"], asyncio.Event())


async def test_a_topic_with_another_number_of_partitions_is_refused_with_what_to_do(settings: Settings) -> None:
    first, *others = TOPICS
    await ensure_topics(settings, [dataclasses.replace(first, partitions=first.partitions + 1), *others])
    with pytest.raises(TopicError, match=rf"has {first.partitions + 1} partitions, not {first.partitions}: stop the"):
        await wait_for_servers(settings, SERVICES, asyncio.Event())


async def test_an_outage_is_explained_once_and_its_end_is_told(
    settings: Settings, tmp_path: Path, until: Until
) -> None:
    authority = Authority(tmp_path)
    good = authority.issue("database")
    expired = authority.issue("expired", starts=-2, ends=-1)
    suspects: list[str] = []
    stopping = asyncio.Event()
    async with secure_front(good, str(settings.database_url), authority) as (front, url):
        explanations = Explanations(settings.model_copy(update={"database_url": url}), lambda: suspects, 0.01)
        with capture_logs() as logs:
            running = asyncio.create_task(explanations.run(stopping))
            await front.stop()
            suspects.append("database")
            await until(lambda: len(logs) == 1)
            renewed = Front(expired, front.backend_port, front.port)
            await renewed.start()
            await until(lambda: len(logs) == 2)
            await renewed.stop()
            suspects.clear()
            await until(lambda: len(logs) == 3)
            stopping.set()
            await running
    away, refused, back = logs
    assert (away["event"], away["refused"]) == ("server.trouble", False)
    assert (refused["event"], refused["refused"]) == ("server.trouble", True)
    assert "expired: renew it there" in refused["why"]
    assert (back["event"], back["server"]) == ("server.back", "database")
