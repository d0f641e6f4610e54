"""Everything on one machine: embedded servers for what the environment does not set, all services and the site."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from fastapi import FastAPI

from clarion.runtime.embedded import EmbeddedStack
from clarion.runtime.ids import new_secret
from clarion.runtime.process import Running, Service, run_services
from clarion.runtime.settings import EMBEDDED_MAIL_FROM, Settings, write_private
from clarion.runtime.watch import Watch, watching
from clarion.services.running import Preparation, listen, open_services, prepare, serving
from clarion.services.web import build_site

Say = Callable[[str], None]
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class RunningStack:
    """What runs, and the settings under which it does."""

    settings: Settings
    embedded: EmbeddedStack
    services: Sequence[Service]
    preparation: Preparation
    site: str
    watch: Watch

    def addresses(self) -> dict[str, str | None]:
        """Where everything is, as up.json says it."""
        return {
            "site": self.site,
            "kafka": self.settings.kafka_bootstrap,
            "database": self.settings.database_url,
            "smtp": self.settings.smtp_url,
            "mail": f"{self.site}/mail" if self.embedded.mail else None,
        }

    def shown_addresses(self) -> list[tuple[str, str]]:
        """Where everything is, for people: the database without its password."""
        named = [(name, address) for name, address in self.addresses().items() if address]
        hidden = [(name, without_password(address) if name == "database" else address) for name, address in named]
        return [*hidden, ("data", str(self.settings.data_dir.resolve())), ("version", version("clarion"))]


def without_password(url: str) -> str:
    """A DSN that may be shown."""
    return re.sub(r"(?<=://)([^:@/]*):[^@/]*@", r"\1@", url)


def kept_secret(settings: Settings) -> tuple[str, ...]:
    """The secret of this data dir, made at the first start and kept, so that old links stay good."""
    path = settings.data_dir / "secret_key"
    if not path.exists():
        write_private(path, new_secret())
    return (path.read_text(encoding="utf-8").strip(),)


def completed(settings: Settings, embedded: EmbeddedStack, site: str) -> Settings:
    """The settings with the embedded servers' addresses where the environment is silent."""
    filled = {
        "public_url": settings.public_url or site,
        "secret_key": settings.secret_key or kept_secret(settings),
        "mail_from": settings.mail_from or EMBEDDED_MAIL_FROM,
    }
    if embedded.postgres:
        filled["database_url"] = embedded.postgres.url
    if embedded.kafka:
        filled["kafka_bootstrap"] = embedded.kafka.bootstrap
    if embedded.mail:
        filled["smtp_url"] = embedded.mail.url
    return settings.model_copy(update=filled)


def tell_preparation(preparation: Preparation, say: Say) -> None:
    """Say what had to be done before the services could start."""
    if preparation.migrations:
        say(f"database: {len(preparation.migrations)} migrations applied")
    if preparation.topics:
        say(f"broker: {len(preparation.topics)} topics made")
    if preparation.replay:
        messages, entities = (
            sum(counts.values()) for counts in (preparation.replay.messages, preparation.replay.entities)
        )
        say(
            f"broker: its data are new beside a used database, so {messages:,} messages and {entities:,} directory"
            " entries are published again; nobody gets a second mail"
        )


@contextlib.asynccontextmanager
async def running_stack(
    settings: Settings, listener: socket.socket, say: Say, *, throw_away: bool = False
) -> AsyncIterator[RunningStack]:
    """Start everything, yield once it is ready, and stop it in order.

    With `throw_away` the database does not wait for the disk, and the data dir is removed at the end.

    Raises:
        EmbeddedError: an embedded server cannot start; it says what to do.
    """
    site = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with EmbeddedStack(
        settings.data_dir,
        kafka=not settings.kafka_bootstrap,
        postgres=not settings.database_url,
        mail=not settings.smtp_url,
        fsync=not throw_away,
        remove_at_end=throw_away,
    ) as embedded:
        settings = completed(settings, embedded, site)
        preparation = await prepare(settings)
        tell_preparation(preparation, say)
        async with open_services(settings) as services:
            watch = Watch(Running(), settings, services)
            stack = RunningStack(settings, embedded, services, preparation, site, watch)
            async with watching(watch), running_services(stack), serving(site_of(stack), listener):
                yield stack


def site_of(stack: RunningStack) -> FastAPI:
    """The site over this stack."""
    catcher = stack.embedded.mail
    return build_site(
        stack.services, stack.watch, addresses=stack.shown_addresses(), mail=catcher.store if catcher else None
    )


@contextlib.asynccontextmanager
async def running_services(stack: RunningStack) -> AsyncIterator[None]:
    """Consumers, relays and workers until the end of the block, then drained."""
    stopping, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(
        run_services(stack.services, stack.settings, stopping=stopping, ready=ready.set, running=stack.watch.running),
        name="services",
    )
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield
    finally:
        waiting.cancel()
        stopping.set()
        await task


def open_port(port: int) -> socket.socket:
    """The site's socket on loopback."""
    return listen(LOOPBACK, port)
