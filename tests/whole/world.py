"""A whole installation for one test: a server of its own that can be killed, and the services in their own process."""

import contextlib
import functools
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.embedded import KafkaServer, MailCatcher, MailStore, PostgresServer
from clarion.runtime.settings import Settings
from clarion.services.directory.operations import load_sample
from clarion.services.directory.roster import fictional_officials
from clarion.services.directory.sample import SEED, california_cities
from clarion.services.expectation import Expectation, expected_recipients
from clarion.services.running import prepare
from clarion.services.sample import AUTHOR, adopt_sample_position, open_sample_webinar
from tests.servers import Kind, own_server

SERVICES = ("legislation", "directory", "campaigns", "notifications", "registrations")
FINAL = ("sent", "failed", "suppressed", "expired", "superseded", "unneeded", "unknown", "bounced")


@dataclass
class World:
    """One installation: settings, the server that is its own, and the process that runs the services."""

    server: KafkaServer | PostgresServer | None
    catcher: MailCatcher
    settings: Settings
    log: Path
    officials: int
    process: subprocess.Popen[bytes] | None = None
    log_begins_at: int = 0

    def environment(self) -> dict[str, str]:
        """What the services' process is told."""
        given = {
            "DATABASE_URL": self.settings.database_url,
            "KAFKA_BOOTSTRAP": self.settings.kafka_bootstrap,
            "KAFKA_PREFIX": self.settings.kafka_prefix,
            "KAFKA_INSTANCE": "replica-0",
            "SMTP_URL": self.settings.smtp_url,
            "SECRET_KEY": ",".join(self.settings.secret_key),
            "PUBLIC_URL": self.settings.public_url,
            "MAIL_FROM": self.settings.mail_from,
            "SENDER_LEASE_SECONDS": str(self.settings.sender_lease_seconds),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CLARION_")}
        return kept | {f"CLARION_{name}": str(value) for name, value in given.items()}

    def start_services(self) -> None:
        """Start the process; it is ready when its log says so."""
        self.log_begins_at = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "clarion", "serve", *SERVICES],
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_ready(self) -> bool:
        """Whether the newest process has joined its groups."""
        assert self.process is not None
        said = self.log.read_bytes()[self.log_begins_at :].decode()
        assert self.process.poll() is None, said[-3000:]
        return '"event": "ready"' in said

    def end_services(self, number: int = signal.SIGKILL) -> int:
        """Signal the process and wait for its end; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=40)

    async def restart(self) -> None:
        """`kill -9` of the services, or of the server that is the installation's own, and its return."""
        if self.server is None:
            self.end_services()
            self.start_services()
            return
        os.kill(self.server.pid, signal.SIGKILL)
        await self.server.wait_stopped()
        await self.server.start()

    def expectation(self) -> Expectation:
        """Who ought to be told, by the tables alone."""
        return expectation_of(self.officials, statewide=True)

    def caught(self) -> Counter[str]:
        """How many mails came to each address."""
        mails = self.catcher.store.list(limit=self.catcher.store.count() or 1)
        return Counter(address.casefold() for mail in mails for address in mail.recipients)

    async def value(self, query: str, *arguments: Any) -> Any:
        """One value of the database, or None while it is away."""
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            connection = await asyncpg.connect(self.settings.database_url, timeout=5)
            try:
                return await connection.fetchval(query, *arguments)
            finally:
                await connection.close()
        return None

    async def rows(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows of the database."""
        connection = await asyncpg.connect(self.settings.database_url, timeout=5)
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    async def open_messages(self) -> int | None:
        """How many messages are not at their end; None while the database is away."""
        count = await self.value("SELECT count(*) FROM notifications.ledger WHERE NOT state = ANY($1)", FINAL)
        return None if count is None else int(count)


@contextlib.asynccontextmanager
async def world(settings: Settings, folder: Path, officials: int, *, own: Kind | None = None) -> AsyncIterator[World]:
    """An installation with the sample association and its position, which concerns all; no service is started yet.

    It is on the run's servers, but for the one that is to be its `own`.
    """
    catcher = MailCatcher(MailStore())
    await catcher.start()
    async with own_server(own, folder) as server:
        here = {"smtp_url": catcher.url, "sender_lease_seconds": 3, "data_dir": folder / "data"}
        if isinstance(server, PostgresServer):
            here["database_url"] = server.url
        if isinstance(server, KafkaServer):
            here["kafka_bootstrap"] = server.bootstrap
        settings = settings.model_copy(update=here)
        await prepare(settings)
        made = World(server, catcher, settings, folder / "services.log", officials)
        await load(settings, officials, statewide=True)
        try:
            yield made
        finally:
            if made.process is not None and made.process.poll() is None:
                made.end_services()
    await catcher.stop()


@functools.cache
def expectation_of(officials: int, *, statewide: bool = False) -> Expectation:
    """Whom the sample notice concerns among so many fictional officials; who waits asks again and again."""
    roster = fictional_officials(california_cities(), officials, SEED)
    return expected_recipients(roster, committee="Housing", chamber="upper", author=AUTHOR, statewide=statewide)


async def load(settings: Settings, officials: int, *, statewide: bool = False) -> None:
    """The sample association, its position and its webinar."""
    async with open_database(settings, "directory") as database:
        await load_sample(database, officials, clock=system_clock)
    await adopt_sample_position(settings, statewide=statewide)
    await open_sample_webinar(settings)
