"""A process that sends until it is killed: `python -m ... DATABASE_URL SMTP_URL LEASE_SECONDS CONNECTIONS`."""

import asyncio
import signal
import sys
from datetime import timedelta

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database
from clarion.runtime.web.links import SignedLinks
from clarion.services.notifications.caretaker import Caretaker
from clarion.services.notifications.channels.relays import read_relays
from clarion.services.notifications.rendering.mail import Renderer
from clarion.services.notifications.sender import Sender
from clarion.services.notifications.settings import SendingSettings


async def send(database_url: str, smtp_url: str, lease_seconds: float, connections: int) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    database = await Database.connect(database_url, "notifications")
    renderer = Renderer(
        SignedLinks(["test-secret-key-of-some-length"]),
        mail_from="Clarion <calls@clarion.example>",
        public_url="https://clarion.example",
        postal_address=None,
    )
    settings = SendingSettings(connections=connections, lease=timedelta(seconds=lease_seconds))
    sender = Sender(database, renderer, read_relays(smtp_url), settings, system_clock)
    await asyncio.gather(sender.run(stopping), Caretaker(database, settings.lease, system_clock).run(stopping))
    await database.close()


if __name__ == "__main__":
    asyncio.run(send(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])))
