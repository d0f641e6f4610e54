"""`clarion serve` as a process: what it says when it is refused, that it ends while it waits, and keeps replicas."""

import asyncio
import re
import signal
from pathlib import Path

import psutil
import pytest

from clarion.runtime.embedded import MailCatcher
from clarion.runtime.messaging.topics import ensure_topics
from clarion.runtime.settings import Settings
from clarion.schemas.topics import TOPICS
from tests.conftest import Until
from tests.whole.fleet import Replica
from tests.whole.world import World

PASSWORD = "guessed-at-random"


def served(settings: Settings, catcher: MailCatcher, folder: Path, *words: str, **others: str) -> Replica:
    """A process that serves legislation, started."""
    here = World(None, catcher, settings.model_copy(update={"smtp_url": catcher.url}), folder / "log", 0)
    environment = here.environment() | {f"CLARION_{name}": value for name, value in others.items()}
    folder.mkdir(exist_ok=True)
    name = others.get("KAFKA_INSTANCE", "legislation-0")
    replica = Replica("legislation", name, ["serve", "legislation", *words], environment, folder / "log")
    replica.start()
    return replica


async def ended(replica: Replica) -> int:
    """Its exit code once it ends by itself."""
    assert replica.process is not None
    return await asyncio.to_thread(replica.process.wait, 60)


async def test_a_refused_login_ends_it_with_words_to_act_on_and_without_the_password(
    settings: Settings, mail_catcher: MailCatcher, tmp_path: Path
) -> None:
    wrong = re.sub(r":[^:@]*@", f":{PASSWORD}@", str(settings.database_url))
    replica = served(settings, mail_catcher, tmp_path, DATABASE_URL=wrong, KAFKA_BOOTSTRAPS="kafka.example:9092")
    assert await ended(replica) == 1
    slip, *_, last = replica.said().splitlines()
    assert '"variable": "CLARION_KAFKA_BOOTSTRAPS"' in slip
    assert '"did_you_mean": "CLARION_KAFKA_BOOTSTRAP"' in slip
    assert last == "the database refuses the login: look at user and password in CLARION_DATABASE_URL"
    assert PASSWORD not in replica.said()
    assert "Traceback" not in replica.said()


async def test_while_it_waits_for_a_server_it_can_be_told_to_end(
    settings: Settings, mail_catcher: MailCatcher, tmp_path: Path, until: Until
) -> None:
    replica = served(settings, mail_catcher, tmp_path, KAFKA_BOOTSTRAP="127.0.0.1:1")
    try:
        await until(lambda: '"event": "server.waited_for"' in replica.said(), 60)
        assert "CLARION_KAFKA_BOOTSTRAP is wrong" in replica.said()
        assert await replica.answers("healthz")
        assert not await replica.answers("readyz")
        assert await replica.end() == 0
    finally:
        replica.kill()


@pytest.mark.slow
async def test_a_replica_that_died_is_started_again_and_all_end_with_the_first(
    settings: Settings, mail_catcher: MailCatcher, tmp_path: Path, until: Until
) -> None:
    await ensure_topics(settings, TOPICS)
    replica = served(settings, mail_catcher, tmp_path, "--workers", "2")
    assert replica.process is not None

    def said_ready() -> int:
        return sum(event["event"] == "ready" for event in replica.events())

    try:
        await until(lambda: said_ready() == 2, 60)
        (second,) = psutil.Process(replica.process.pid).children()
        second.send_signal(signal.SIGKILL)
        await until(lambda: said_ready() == 3, 60)
        (third,) = psutil.Process(replica.process.pid).children()
        assert third.pid != second.pid
        assert [event["exit_code"] for event in replica.events() if event["event"] == "replica.ended"] == [-9]
        assert await replica.end() == 0
        assert not third.is_running()
    finally:
        replica.kill()


@pytest.mark.slow
async def test_two_of_one_name_do_not_fight_for_it_and_the_next_takes_it_when_the_first_is_gone(
    settings: Settings, mail_catcher: MailCatcher, tmp_path: Path, until: Until
) -> None:
    await ensure_topics(settings, TOPICS)
    hasty = {"KAFKA_INSTANCE": "same", "KAFKA_SESSION_SECONDS": "1"}
    replicas = [served(settings, mail_catcher, tmp_path / str(number), **hasty) for number in range(2)]
    try:
        for replica in replicas:
            await until(replica.answers, 60)
        told = [[event for event in one.events() if event["event"] == "replica.name_is_taken"] for one in replicas]
        assert sorted(map(len, told)) == [0, 1]
        first = replicas[0] if not told[0] else replicas[1]
        assert await first.end(signal.SIGKILL) == -signal.SIGKILL
        begins_at = len(first.said())
        first.start()
        await until(first.answers, 60)
        assert "replica.name_is_taken" not in first.said()[begins_at:]
        assert not any("member_id was not recognized" in event["event"] for one in replicas for event in one.events())
    finally:
        for replica in replicas:
            replica.kill()
