"""A database that is killed while mail goes out: the senders live on, nobody is missed."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clarion.runtime.database import migrate
from clarion.runtime.embedded import PostgresServer
from tests.services.notifications.conftest import opened_house

CONNECTIONS = 6


@pytest.mark.slow
async def test_a_database_killed_while_mail_goes_out_loses_and_doubles_nobody(
    tmp_path: Path, mail_catcher: Any, until: Callable[..., Any]
) -> None:
    server = PostgresServer(tmp_path / "postgres")
    await server.start()
    try:
        await migrate(server.url, ["notifications"])
        async with opened_house(server.url, mail_catcher.url) as house:
            await house.call(range(300))
            async with house.sending(connections=CONNECTIONS, lease=timedelta(seconds=6), senders=2):
                for at in (40, 160):
                    await until(lambda at=at: mail_catcher.store.count() >= at, 40)
                    os.kill(server.pid, signal.SIGKILL)
                    await server.wait_stopped()
                    await server.start()

                async def all_ended() -> bool:
                    return (await house.states()).keys() <= {"sent", "unknown"}

                await until(all_ended, 60)
            rows = await house.rows()
    finally:
        await server.remove()
    received = Counter(mail.recipients[0] for mail in mail_catcher.store.list(limit=1_000))
    assert len(rows) == len(received) == 300
    # The senders lived, so they could tell what became of each mail: none is in doubt, none came twice.
    assert [row["doubts"] for row in rows] == [0] * 300
    assert max(received.values()) == 1
