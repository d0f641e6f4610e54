"""A disk that is really full: requests wait with Kafka, mail waits in the ledger, and nothing is lost or doubled."""

import asyncio
import contextlib
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database.pool import connect_login
from clarion.runtime.messaging.consumption import Consumption, DatabaseUnavailable
from clarion.runtime.messaging.record import Record
from clarion.schemas.cloudevents import EventAttributes
from clarion.schemas.topics import CAMPAIGNS_CALLS
from clarion.services.notifications.handlers import subscriptions
from tests.conftest import require
from tests.services.notifications.conftest import House, batch, official

TABLES = ("threads", "contents", "inbox", "outbox_default", "workers", *(f"ledger_{number}" for number in range(8)))


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of a few megabytes, in memory."""
    folder = Path(tempfile.mkdtemp(prefix="clarion-disk-", dir="/tmp"))
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)], check=False)
    if made.returncode != 0:
        folder.rmdir()
        require("a disk of its own (the right to mount)")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


@contextlib.asynccontextmanager
async def tables_on(folder: Path, url: str) -> AsyncIterator[asyncpg.Connection]:
    """The ledger's tables on that disk."""
    connection = await connect_login(url)
    place = folder / "space"
    place.mkdir()
    owner = Path(f"/proc/{await connection.fetchval('SELECT pg_backend_pid()')}").stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    folder.chmod(0o755)
    name = folder.name.replace("-", "_")
    await connection.execute(f"CREATE TABLESPACE {name} LOCATION '{place}'")
    try:
        for table in TABLES:
            await connection.execute(f"ALTER TABLE notifications.{table} SET TABLESPACE {name}")
        await connection.execute(f"CREATE TABLE ballast (filler text STORAGE PLAIN) TABLESPACE {name}")
        yield connection
    finally:
        for table in TABLES:
            await connection.execute(f"ALTER TABLE notifications.{table} SET TABLESPACE pg_default")
        await connection.execute("DROP TABLE ballast")
        await connection.execute(f"DROP TABLESPACE {name}")
        await connection.close()


async def fill(connection: asyncpg.Connection) -> None:
    """Until not one more page goes in."""
    for pages_at_once in (8, 1):
        with contextlib.suppress(asyncpg.DiskFullError):
            while True:
                await connection.execute(
                    "INSERT INTO ballast SELECT repeat('x', 7000) FROM generate_series(1, $1)", pages_at_once
                )


def request(event_id: str, numbers: range) -> Record:
    body = batch(numbers, matter=f"campaign:{event_id}").model_dump_json().encode()
    attributes = EventAttributes(
        id=event_id, source="/clarion/campaigns", type="messages.requested", time=system_clock()
    )
    headers = tuple((name, value.encode()) for name, value in attributes.to_headers().items())
    return Record(CAMPAIGNS_CALLS.name, 0, 1, b"c1", headers, body, system_clock())


@pytest.mark.slow
async def test_while_the_disk_is_full_requests_and_mail_wait_and_then_all_goes_on(
    house: House, small_disk: Path, until: Any
) -> None:
    [calls] = [one for one in subscriptions(system_clock) if one.topic == CAMPAIGNS_CALLS]
    consumption = Consumption(house.database, calls)
    await house.know(*(official(number) for number in range(900)))
    async with tables_on(small_disk, house.database.url) as connection:
        await consumption.handle([request("first", range(300))])
        await fill(connection)
        with pytest.raises(DatabaseUnavailable, match="No space left"):
            await consumption.handle([request("second", range(300, 900))])
        assert await house.rows("SELECT FROM dead_letters") == []
        assert (await house.states())["queued"] == 300

        async with house.sending(lease=timedelta(seconds=5)):
            await asyncio.sleep(1)
            await connection.execute("TRUNCATE ballast")
            await consumption.handle([request("second", range(300, 900))])

            async def all_sent() -> bool:
                return await house.states() == {"sent": 900}

            await until(all_sent, 40)
    assert {row["doubts"] for row in await house.rows()} == {0}
    twice = Counter(row["mailbox"] for row in await house.rows("SELECT mailbox FROM threads")).most_common(1)[0][1]
    assert twice == 1
