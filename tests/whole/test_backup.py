"""A dump is made while mail goes out, all is lost, and the restored installation goes on: nobody twice, nobody lost."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.embedded import KafkaServer, PostgresServer, seat
from clarion.runtime.settings import Settings
from clarion.schemas.commands import RestoredPrinted
from clarion.services.legislation.publication import publish_file
from clarion.services.sample import sample_notice
from tests.conftest import Until
from tests.staff import signed_in
from tests.whole.quiet import is_quiet
from tests.whole.test_kills import REPORTED, publish
from tests.whole.world import World, world

OFFICIALS = 400


def run(here: World, *words: str) -> subprocess.CompletedProcess[str]:
    """A `clarion` command in a process of its own."""
    command = [sys.executable, "-m", "clarion", *words]
    return subprocess.run(command, env=here.environment(), capture_output=True, text=True, check=False, timeout=150)


def killed_halfway(here: World, *words: str) -> int:
    """A `clarion` command that is killed when it has said its first word; its exit code."""
    command = [sys.executable, "-m", "clarion", *words]
    with subprocess.Popen(command, env=here.environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert b"worked off" in process.stderr.readline()
        process.kill()
        return process.wait()


def tool(name: str, *words: str) -> str:
    """One of PostgreSQL's own programs, of the version that is embedded."""
    program = seat._site() / seat._INSTALLATION / "bin" / name
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 or name == "psql", done.stderr
    return done.stdout


def dump(here: World, folder: Path) -> datetime:
    """As docs/backup.md has it: the roles and the database, while everything runs. When it began."""
    began_at = system_clock()
    url = str(here.settings.database_url)
    roles = tool("pg_dumpall", "--roles-only", "--no-role-passwords", "-d", url)
    (folder / "roles.sql").write_text(roles)
    tool("pg_dump", "--format=custom", f"--file={folder / 'clarion.dump'}", url)
    return began_at


def restore(folder: Path, url: str) -> None:
    """Into an empty database; that its own login is there already does not matter."""
    tool("psql", "--quiet", f"--file={folder / 'roles.sql'}", url)
    tool("pg_restore", "--exit-on-error", f"--dbname={url}", str(folder / "clarion.dump"))


def log_of_the_relay(here: World, path: Path) -> Path:
    """What a relay keeps of each mail that it took."""
    mails = here.catcher.store.list(limit=100_000)
    path.write_text("".join(f"Apr  2 03:00:01 relay cleanup[7]: 4F: message-id={one.message_id}\n" for one in mails))
    return path


@contextlib.asynccontextmanager
async def elsewhere(here: World, folder: Path) -> AsyncIterator[None]:
    """An empty server and an empty broker, which the installation is to go on with."""
    postgres, kafka = PostgresServer(folder / "postgres"), KafkaServer(folder / "kafka", keep_records_for_ever=True)
    try:
        await asyncio.gather(postgres.start(), kafka.start())
        here.settings = here.settings.model_copy(
            update={"database_url": postgres.url, "kafka_bootstrap": kafka.bootstrap}
        )
        yield
    finally:
        if here.process is not None and here.process.poll() is None:
            here.end_services()
        await kafka.stop()
        await postgres.remove()


async def move_hearing(settings: Settings, folder: Path) -> None:
    """The hearing moves by a day."""
    notice = sample_notice(system_clock())
    notice["starts_at"] = (datetime.fromisoformat(notice["starts_at"]) + timedelta(days=1)).isoformat()
    path = folder / "moved.json"
    path.write_text(json.dumps({"type": "hearing.rescheduled", "data": notice}))
    async with open_database(settings, "legislation") as database:
        with path.open("rb") as content:
            await publish_file(database, content, "/tests", system_clock, lambda _: None)


async def calm(here: World) -> bool:
    return await is_quiet(here.settings)


async def check_it_is_not_taken_for_restored(here: World, until: Until) -> None:
    """An installation at work is refused, and so are words that make no sense."""

    async def at_work() -> Any:
        return await here.value("SELECT count(*) FROM clarion.processes")

    await until(at_work, 30)
    done = await asyncio.to_thread(run, here, "restored", "--dumped-at", "2020-01-01T00:00")
    assert (done.returncode, "works on this database" in done.stderr) == (1, True), done.stderr
    wrong = await asyncio.to_thread(run, here, "restored", "--dumped-at", "2020-01-01T00:00", "--send-the-rest")
    assert wrong.returncode == 2
    ahead = await asyncio.to_thread(run, here, "restored", "--dumped-at", "2999-01-01T00:00")
    assert ahead.returncode == 2


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_restored_dump_with_the_relays_log_goes_on_with_nobody_told_twice_and_nobody_lost(
    settings: Settings, tmp_path: Path, until: Until
) -> None:
    async with world(settings, tmp_path, OFFICIALS) as here:
        everyone = here.expectation()
        here.start_services()
        await until(here.is_ready, 60)
        await publish(here.settings, tmp_path)
        await until(lambda: here.catcher.store.count() > len(everyone.addresses) // 4, 90)
        dumped_at = await asyncio.to_thread(dump, here, tmp_path)
        await until(lambda: here.catcher.store.count() >= len(everyone.addresses), 90)
        here.end_services()
        async with elsewhere(here, tmp_path / "elsewhere"):
            await asyncio.to_thread(restore, tmp_path, str(here.settings.database_url))
            refused = await asyncio.to_thread(run, here, "serve", "notifications")
            assert (refused.returncode, "run clarion restored" in refused.stderr) == (1, True), refused.stderr
            log = log_of_the_relay(here, tmp_path / "mail.log")
            words = ["restored", "--dumped-at", f"{dumped_at:%Y-%m-%dT%H:%M:%S}", "--sent", str(log)]
            done = await asyncio.to_thread(run, here, *words, "--send-the-rest", "--json")
            assert done.returncode == 0, done.stderr
            printed = RestoredPrinted.model_validate_json(done.stdout)
            assert printed.sent > 0
            assert (printed.unknown, printed.waiting) == ({}, {})
            here.start_services()
            await until(here.is_ready, 60)
            await publish(here.settings, tmp_path)
            await until(lambda: calm(here), 90)
            assert here.caught() == Counter(dict.fromkeys(everyone.addresses, 1))
            assert await here.value(REPORTED) == len(everyone.officials)

            await move_hearing(here.settings, tmp_path)
            await until(lambda: here.catcher.store.count() >= 2 * len(everyone.addresses), 90)
            await until(lambda: calm(here), 90)
            assert here.caught() == Counter(dict.fromkeys(everyone.addresses, 2))
            assert here.end_services(signal.SIGTERM) == 0


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_without_a_log_nobody_gets_it_twice_until_staff_decide(
    settings: Settings, tmp_path: Path, until: Until
) -> None:
    async with world(settings, tmp_path, OFFICIALS) as here:
        everyone = here.expectation()
        here.start_services()
        await until(here.is_ready, 60)
        await check_it_is_not_taken_for_restored(here, until)
        async with httpx.AsyncClient(base_url="http://clarion.example") as browser:
            await signed_in(browser, here.settings)
        await publish(here.settings, tmp_path)
        await until(lambda: here.catcher.store.count() > len(everyone.addresses) // 4, 90)
        dumped_at = await asyncio.to_thread(dump, here, tmp_path)
        here.end_services()
        before = here.caught()
        async with elsewhere(here, tmp_path / "elsewhere"):
            await asyncio.to_thread(restore, tmp_path, str(here.settings.database_url))
            words = ["restored", "--dumped-at", f"{dumped_at:%Y-%m-%dT%H:%M:%S}", "--json"]
            first = await asyncio.to_thread(killed_halfway, here, *words)
            done = await asyncio.to_thread(run, here, *words)
            assert done.returncode == 0, done.stderr
            printed = RestoredPrinted.model_validate_json(done.stdout)
            assert (first, printed.sent, printed.waiting) == (-9, 0, {})
            assert await here.value("SELECT count(*) FROM clarion.staff") == 1
            assert await here.value("SELECT count(*) FROM clarion.sessions") == 0
            matter = str(await here.value("SELECT DISTINCT matter FROM notifications.ledger WHERE state = 'unknown'"))
            unknown = await here.value("SELECT count(*) FROM notifications.ledger WHERE state = 'unknown'")
            here.start_services()
            await until(here.is_ready, 60)
            await until(lambda: calm(here), 90)
            assert here.caught() == before
            rows = await here.rows("SELECT state, count(*) AS n FROM notifications.ledger GROUP BY 1")
            states = {row["state"]: row["n"] for row in rows}
            assert states == {"sent": len(everyone.addresses) - unknown, "unknown": unknown}

            again = await asyncio.to_thread(
                run, here, "campaigns", "resend", matter.removeprefix("campaign:"), "--in-doubt", "--yes", "--json"
            )
            assert again.returncode == 0, again.stderr
            assert json.loads(again.stdout)["sent_again"] == unknown
            await until(lambda: calm(here), 90)
            caught: Counter[str] = here.caught()
            assert caught.keys() == everyone.addresses
            assert max(caught.values()) <= 2
            assert sum(caught.values()) == sum(before.values()) + unknown
