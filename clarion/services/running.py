"""Puts services together into processes: what `serve` runs against real infrastructure and `up` on one machine."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI

from clarion.runtime.database import AppliedMigration, migrate
from clarion.runtime.database.home import check_home
from clarion.runtime.garbage import uncollected
from clarion.runtime.messaging.replay import ReplayReport, replay_if_new_broker
from clarion.runtime.messaging.topics import ensure_topics, wait_for_groups
from clarion.runtime.process import Running, Service, run_services
from clarion.runtime.settings import Settings
from clarion.runtime.watch import Watch, watching
from clarion.runtime.web.fences import MOST_HEAD_BYTES
from clarion.runtime.web.patience import PatientProtocol
from clarion.schemas.topics import TOPICS
from clarion.services.builders import BUILDERS, NEEDED, REPUBLISH, WEB
from clarion.services.health import health_app
from clarion.services.naming import own_name
from clarion.services.reaching import Explanations, Waiting, wait_for_servers
from clarion.services.replicas import replicas, stop_with_the_first
from clarion.services.starting import starting_app

log = structlog.get_logger(__name__)

MOST_CONNECTIONS = 1_000


class PortInUse(Exception):
    """Another program listens on the port that the site was to have."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What had to be done before services could start."""

    migrations: Sequence[AppliedMigration]
    topics: Sequence[str]
    replay: ReplayReport | None


async def prepare(settings: Settings) -> Preparation:
    """Bring schemas and topics to this version; on a broker that lost everything, publish again what it needs.

    Raises:
        MissingSetting: the database or the broker is not named.
    """
    settings.need("database_url", "kafka_bootstrap")
    applied, topics, _ = await asyncio.gather(
        migrate(str(settings.database_url)), ensure_topics(settings, TOPICS), wait_for_groups(settings)
    )
    await check_home(str(settings.database_url))
    replay = await replay_if_new_broker(settings, list(BUILDERS), REPUBLISH)
    return Preparation(applied, topics.created, replay)


@contextlib.asynccontextmanager
async def open_services(settings: Settings, names: Sequence[str] = tuple(BUILDERS)) -> AsyncIterator[list[Service]]:
    """The named services, built and with their pools open until the end of the block."""
    services: list[Service] = []
    try:
        for name in names:
            services.append(await BUILDERS[name](settings))  # noqa: PERF401 - those built are closed if one fails
        yield services
    finally:
        for service in services:
            await service.close()


def listen(host: str, port: int, chosen_with: str = "--port") -> socket.socket:
    """A listening socket for the site, taken before anything slow begins. Port 0 is any free one.

    Raises:
        PortInUse: the port is taken.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortInUse(
            f"port {port} on {host} is taken ({error.strerror}): choose another with {chosen_with}"
        ) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """Where a socket listens, as a browser has it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class SiteServer(uvicorn.Server):
    """uvicorn without its own signal handlers: the process stops everything in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


@contextlib.asynccontextmanager
async def serving(site: FastAPI, listener: socket.socket) -> AsyncIterator[None]:
    """Serve the site on the socket until the end of the block; requests in flight are finished."""
    config = uvicorn.Config(
        site,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
        server_header=False,
        # Whom a proxy names is believed by the site itself, of proxies that it knows.
        proxy_headers=False,
        http=PatientProtocol,
        ws="none",
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        limit_concurrency=MOST_CONNECTIONS,
    )
    server = SiteServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="site")
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn tells it by a flag alone
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await task


def stop_on_signals() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    return stopping


def away(watch: Watch) -> list[str]:
    """The servers that do not answer."""
    return [name for name, trouble in (("database", watch.database), ("kafka", watch.kafka)) if trouble]


async def reached(settings: Settings, stopping: asyncio.Event, health: socket.socket) -> bool:
    """Wait for database and broker; whoever asks at the port meanwhile hears that it lives, and what it waits for."""
    told = Waiting()
    async with serving(starting_app(lambda: told.why), health.dup()):
        return await wait_for_servers(settings, list(BUILDERS), stopping, told=told)


async def serve_until_stopped(
    settings: Settings, names: Sequence[str], *, host: str, port: int, workers: int = 1, follow: bool = False
) -> None:
    """Run the named services against real infrastructure until SIGINT or SIGTERM, then drain.

    `web` serves the pages and API of all services; the others' consumers and workers run only where they are named, in
    so many processes. With `follow` this is one of those, which ends with its standard input. Servers that are not
    there are waited for.

    Raises:
        MissingSetting, WrongSetting: a variable that this needs is not set, or cannot be used.
        PortInUse: the site's port is taken.
        Refused: database or broker are there and will not have us.
        MigrationError, TopicError: they are not at this version.
    """
    settings.need(*NEEDED)
    stopping = stop_on_signals()
    if follow:
        stop_with_the_first(stopping)
    listener = listen(host, port) if WEB in names else None
    health = listen(settings.health_host, settings.health_port, "CLARION_HEALTH_PORT")
    if not await reached(settings, stopping, health):
        return
    working = [name for name in BUILDERS if name in names]
    async with (
        own_name(settings, working, stopping) as named,
        replicas(named, working, workers - 1),
        open_services(named, tuple(BUILDERS) if listener else working) as services,
    ):
        await _run(named, names, services, stopping, listener=listener, health=health)


def _site(services: Sequence[Service], watch: Watch) -> FastAPI:
    """The site; its code is read by who serves it."""
    with uncollected():
        from clarion.services.web import build_site  # noqa: PLC0415 - see above
    return build_site(services, watch)


def _operators(watch: Watch) -> APIRouter:
    """The operators' page, likewise."""
    with uncollected():
        from clarion.services.operators.pages import operators_router  # noqa: PLC0415 - see above
    return operators_router(watch, everywhere=True)


async def _run(
    settings: Settings,
    names: Sequence[str],
    services: Sequence[Service],
    stopping: asyncio.Event,
    *,
    listener: socket.socket | None,
    health: socket.socket,
) -> None:
    """The work of those that are named, the site if it has a socket, and the answers at the health port."""
    site_closed = asyncio.Event()
    working = [service for service in services if service.name in names]
    watch = Watch(Running(), settings, services if listener else working, names)
    site = serving(_site(services, watch), listener) if listener else contextlib.nullcontext()

    async def serve_site() -> None:
        async with site:
            await stopping.wait()
        site_closed.set()

    asked = health_app(watch, [_operators(watch)] if listener else [])
    async with watching(watch), serving(asked, health):
        # The site goes first: a request in flight still needs the pools that run_services closes.
        await asyncio.gather(
            serve_site(),
            Explanations(settings, partial(away, watch)).run(stopping),
            run_services(
                working,
                settings,
                stopping=site_closed,
                running=watch.running,
                ready=lambda: log.info("ready", services=list(names), health=address_of(health)),
            ),
        )
