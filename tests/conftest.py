"""The servers of a test run, started once by whoever controls it, and what every test stands on."""

import asyncio
import gc
import inspect
import logging
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import hypothesis
import pytest
import structlog

from clarion.runtime.database import migrate
from clarion.runtime.embedded import KafkaServer, PostgresServer
from clarion.runtime.embedded.mailcatcher import MailCatcher
from clarion.runtime.embedded.mailstore import MailStore
from clarion.runtime.garbage import MORE_BEFORE_A_LOOK
from clarion.runtime.settings import Settings
from tests.fields import read_once
from tests.templates import compile_once

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
TEMPLATE = "clarion_template"
POLL_SECONDS, RARELY_SECONDS = 0.01, 0.3
PROGRAMS = {"browser": "chromium", "curl": "curl"}
MEMORY_DISK = Path("/dev/shm")
MEMORY_DISK_BYTES = 8_000_000_000

Until = Callable[..., Awaitable[Any]]

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")

compile_once()
read_once()

# On loopback nobody listens in: to ask the server for TLS takes each of thousands of connections a third of its time.
os.environ.setdefault("PGSSLMODE", "disable")

# All that is read while tests are collected is kept.
gc.disable()


@dataclass
class Servers:
    """The embedded servers of this run; each is started when the first test asks for it."""

    directory: Path
    postgres: PostgresServer | None = None
    kafka: KafkaServer | None = None

    def postgres_url(self) -> str:
        """Of the server, whose template database is migrated by then."""
        if self.postgres is None:
            self.postgres = PostgresServer(self.directory / "postgres", fsync=False)
            asyncio.run(self._start_postgres(self.postgres))
        return self.postgres.url

    def kafka_bootstrap(self) -> str:
        """Of the broker."""
        if self.kafka is None:
            self.kafka = KafkaServer(self.directory / "kafka", keep_records_for_ever=True)
            asyncio.run(self.kafka.start())
        return self.kafka.bootstrap

    async def _start_postgres(self, server: PostgresServer) -> None:
        await server.start()
        connection = await asyncpg.connect(server.url)
        await connection.execute(f"CREATE DATABASE {TEMPLATE}")
        await make_logins_cheap(connection, server.url)
        await connection.close()
        await migrate(with_database(server.url, TEMPLATE))

    def stop(self) -> None:
        """End what was started and remove its data."""
        asyncio.run(self._stop())
        shutil.rmtree(self.directory, ignore_errors=True)

    async def _stop(self) -> None:
        if self.kafka is not None:
            await self.kafka.stop()
        if self.postgres is not None:
            await self.postgres.remove()


SERVERS = pytest.StashKey[Servers]()


async def make_logins_cheap(connection: asyncpg.Connection, url: str) -> None:
    """The password is hashed once: thousands of connections would hash it four thousand times each."""
    await connection.execute("SET scram_iterations = 1")
    await connection.execute(f"ALTER ROLE CURRENT_USER PASSWORD '{urlsplit(url).password}'")


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def pytest_configure(config: pytest.Config) -> None:
    """Whoever controls the run has the servers; a worker of xdist is told where they are."""
    if not hasattr(config, "workerinput"):
        servers = config.stash[SERVERS] = Servers(Path(tempfile.mkdtemp(prefix="clarion-tests-", dir=memory_disk())))
        # A test that runs as somebody else has its folder in it.
        servers.directory.chmod(0o711)
        if memory_disk() is not None:
            work_in(servers.directory)


def work_in(directory: Path) -> None:
    """What is temporary is there, also that of xdist's workers: servers that tests start wait for no disk."""
    for variable in ("PYTEST_DEBUG_TEMPROOT", "TMPDIR"):
        os.environ.setdefault(variable, str(directory))


def memory_disk() -> Path | None:
    """Where the servers' data need no disk, if there is such a place with room enough."""
    if MEMORY_DISK.is_dir() and shutil.disk_usage(MEMORY_DISK).free > MEMORY_DISK_BYTES:
        return MEMORY_DISK
    return None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each worker's share, which is a row of items, begins with what takes long: the last ones to run are quick.

    Tests that share a server of their own are one such thing, so that one worker starts it, and once.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    long = [list(group) for _, group in groupby(sorted(filter(takes_long, items), key=place), key=place)]
    order = {id(item): number for number, item in enumerate(items)}
    long.sort(key=lambda group: order[id(group[0])])
    quick = iter([item for item in items if not takes_long(item)])
    ordered: list[pytest.Item] = []
    for number in range(workers):
        own = [item for group in long[number::workers] for item in group]
        share = (len(items) - len(ordered)) // (workers - number)
        ordered += [*own, *islice(quick, max(0, share - len(own)))]
    items[:] = [*ordered, *quick]


def shares_server(item: pytest.Item) -> bool:
    """Whether it stands on something that the tests of its file start together."""
    found = getattr(item, "_fixtureinfo", None)
    return found is not None and any(
        definition.scope == "module" and definition.baseid.startswith("tests")
        for definitions in found.name2fixturedefs.values()
        for definition in definitions[-1:]
    )


def takes_long(item: pytest.Item) -> bool:
    """Whether it is to run early."""
    return item.get_closest_marker("slow") is not None or shares_server(item)


def place(item: pytest.Item) -> str:
    """What is the same for tests that are to stay together."""
    return str(item.path) if shares_server(item) else item.nodeid


def pytest_collection_finish() -> None:
    """From here on there is garbage, but not among what was read; it is looked for as seldom as by the services."""
    gc.freeze()
    gc.set_threshold(MORE_BEFORE_A_LOOK)
    gc.enable()


class StartForWorkers:
    """Starts both servers before the first worker of xdist, which cannot start them."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        servers = node.config.stash[SERVERS]
        node.workerinput["postgres_url"] = servers.postgres_url()
        node.workerinput["kafka"] = servers.kafka_bootstrap()


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    """Hooks of xdist exist only where it is in use."""
    if type(plugin).__name__ == "DSession":
        manager.register(StartForWorkers())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Also after Ctrl-C."""
    if SERVERS in config.stash:
        config.stash[SERVERS].stop()
        del config.stash[SERVERS]


def require(what: str) -> None:
    """Skip where `what` is missing; fail where `CLARION_REQUIRE` (comma separated) says that it must be there."""
    if what == "data" and SHARED_DATA.is_dir():
        return
    if what in PROGRAMS and shutil.which(PROGRAMS[what]):
        return
    if what in os.environ.get("CLARION_REQUIRE", "").split(","):
        pytest.fail(f"{what} is required here and missing")
    pytest.skip(f"needs {what}")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real public data."""
    require("data")
    return SHARED_DATA


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> str:
    """The server of this run."""
    given = getattr(request.config, "workerinput", None)
    return given["postgres_url"] if given else request.config.stash[SERVERS].postgres_url()


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> str:
    """The broker of this run, as host:port."""
    given = getattr(request.config, "workerinput", None)
    return given["kafka"] if given else request.config.stash[SERVERS].kafka_bootstrap()


@pytest.fixture
async def database_url(postgres_url: str) -> AsyncIterator[str]:
    """A database of this test's own, fully migrated."""
    async with cloned(postgres_url, TEMPLATE) as url:
        yield url


@pytest.fixture
async def empty_url(postgres_url: str) -> AsyncIterator[str]:
    """A database of this test's own in which nothing is."""
    async with cloned(postgres_url, "template1") as url:
        yield url


@asynccontextmanager
async def cloned(postgres_url: str, template: str) -> AsyncIterator[str]:
    """A fresh database like `template`, dropped at the end."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        yield with_database(postgres_url, name)
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture
def kafka_prefix() -> str:
    """Stands before the topics and groups of this test."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture
def settings(database_url: str, kafka: str, kafka_prefix: str, tmp_path: Path) -> Settings:
    """Settings with this test's database and the run's broker."""
    return Settings(
        _env_file=None,
        database_url=database_url,
        kafka_bootstrap=kafka,
        kafka_prefix=kafka_prefix,
        kafka_replication=1,
        secret_key=("test-secret-key-of-some-length",),
        public_url="http://clarion.example",
        mail_from="Clarion <calls@clarion.example>",
        data_dir=tmp_path / "data",
        settle_seconds=0,
    )


@pytest.fixture
async def mail_catcher() -> AsyncIterator[MailCatcher]:
    """A mail server of this test's own; `.url`, `.store` and `.reply_to`."""
    store = MailStore()
    catcher = MailCatcher(store)
    await catcher.start()
    yield catcher
    await catcher.stop()
    store.close()


@pytest.fixture
def own_logs() -> Iterator[None]:
    """How this process logs is set up by the test, and afterwards as it was."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


@pytest.fixture
def tried_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wording is tried out in this process: to start one takes longer than all that it does."""
    trial = import_module("clarion.services.notifications.wordings.trial")

    async def here(wanted: str, _seconds: float) -> str:
        return await asyncio.to_thread(trial.written, wanted)

    monkeypatch.setattr(trial, "written_apart", here)


@pytest.fixture
def until() -> Until:
    """Wait for a condition: `await until(lambda: seen == 3)`, also with an async one; at most `seconds`."""

    async def wait(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
        try:
            async with asyncio.timeout(seconds):
                while True:
                    asked_at = time.monotonic()
                    outcome = condition()
                    found = await outcome if inspect.isawaitable(outcome) else outcome
                    if found:
                        return found
                    # Who waits for long with dear questions would take the processor from what is waited for.
                    took = time.monotonic() - asked_at
                    await asyncio.sleep(max(POLL_SECONDS, min(10 * took, RARELY_SECONDS)))
        except TimeoutError:
            pytest.fail(f"not within {seconds} seconds: {inspect.getsource(condition).strip()}")

    return wait
