"""`kill -9` of all services at chosen moments of a run: nobody is missing. test_chaos kills the servers too."""

import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.settings import Settings
from clarion.services.expectation import on_the_wire
from clarion.services.legislation.publication import publish_file
from clarion.services.sample import sample_notice
from tests.conftest import Until
from tests.whole.world import World, world

RECIPIENTS = int(os.environ.get("TEST_KILL_RECIPIENTS", "300"))
PATIENCE_SECONDS = 60 + RECIPIENTS / 20

LAUNCHED = "SELECT count(*) FROM campaigns.fanout_jobs"
REPORTED = "SELECT count(*) FROM campaigns.calls WHERE outcome IS NOT NULL"


async def publish(settings: Settings, folder: Path) -> None:
    """Publish the sample notice as `clarion publish` does."""
    path = folder / "notice.json"
    path.write_text(json.dumps({"type": "hearing.scheduled", "data": sample_notice(system_clock())}))
    async with open_database(settings, "legislation") as database:
        with path.open("rb") as content:
            await publish_file(database, content, "/tests", system_clock, lambda _: None)


def moments(here: World, everyone: int) -> list[tuple[str, Callable[[], Awaitable[bool]]]]:
    """The moments of a run at which something is killed."""

    async def fanning_out() -> bool:
        return bool(await here.value(LAUNCHED))

    async def sending() -> bool:
        return here.catcher.store.count() > everyone // 3

    async def publishing_deliveries() -> bool:
        return bool(await here.value(REPORTED)) or here.catcher.store.count() >= everyone

    return [("fan-out", fanning_out), ("sending", sending), ("publishing deliveries", publishing_deliveries)]


@pytest.mark.slow
@pytest.mark.timeout(120 + PATIENCE_SECONDS * 4)
async def test_a_kill_of_all_services_loses_nobody_and_doubles_only_the_uncertain(
    settings: Settings, tmp_path: Path, until: Until
) -> None:
    async with world(settings, tmp_path, RECIPIENTS) as here:
        expected = here.expectation()
        here.start_services()
        await until(here.is_ready, 40)
        await publish(here.settings, tmp_path)
        for _, moment in moments(here, len(expected.addresses)):
            await until(moment, PATIENCE_SECONDS)
            await here.restart()
        await until(here.is_ready, 40)

        async def settled() -> bool:
            told = await here.value("SELECT count(*) FROM notifications.ledger")
            heard = await here.value(REPORTED)
            return (
                told == len(expected.addresses) and heard == len(expected.officials) and await here.open_messages() == 0
            )

        await until(settled, PATIENCE_SECONDS)
        await check_everyone_is_told(here)
        assert here.end_services(signal.SIGTERM) == 0


async def check_everyone_is_told(here: World) -> None:
    """Every recipient has one final row and one mail; two mails only where the ledger says that it was in doubt."""
    expected = here.expectation()
    caught = here.caught()
    rows = await here.rows("SELECT mailbox, officials, state, doubts FROM notifications.ledger")
    mailboxes = await here.rows("SELECT DISTINCT mailbox, email FROM notifications.officials")
    addresses: dict[str, str] = {row["mailbox"]: on_the_wire(row["email"]) for row in mailboxes}
    assert sorted(addresses[row["mailbox"]] for row in rows) == sorted(expected.addresses)
    assert {official for row in rows for official in row["officials"]} == expected.officials
    assert {row["state"] for row in rows} <= {"sent", "unknown"}
    assert caught.keys() == expected.addresses
    twice = {address for address, times in caught.items() if times > 1}
    in_doubt = {addresses[row["mailbox"]] for row in rows if row["doubts"]}
    assert twice <= in_doubt
    assert max(caught.values()) <= 2
    assert not await here.rows(
        "SELECT 1 FROM campaigns.dead_letters UNION ALL SELECT 1 FROM notifications.dead_letters"
    )
