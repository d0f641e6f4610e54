"""Echo and its listener as a process that can be killed."""

import asyncio
import signal
from collections.abc import Sequence
from typing import Any

from clarion.runtime.database import Database, Transaction
from clarion.runtime.messaging import Received, Subscription
from clarion.runtime.process import Service, run_services
from clarion.runtime.settings import Settings
from tests.runtime.messaging.conftest import ECHO


async def write_down(tx: Transaction, events: Sequence[Received[Any]]) -> None:
    numbers = [(event.data.number,) for event in events]
    await tx.connection.executemany("INSERT INTO heard VALUES ($1)", numbers)


async def main() -> None:
    settings = Settings(_env_file=None)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    url = settings.database_url or ""
    listens = [Subscription(ECHO, write_down, batch_size=50)]
    services = [
        Service("echo", await Database.connect(url, "echo")),
        Service("listener", await Database.connect(url, "listener"), listens),
    ]
    await run_services(services, settings, stopping=stopping)


if __name__ == "__main__":
    asyncio.run(main())
