"""The whole site over all services on a real PostgreSQL, on loopback, with a key of every scope."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest

from clarion.runtime.process import Running
from clarion.runtime.settings import Settings
from clarion.runtime.watch import Watch
from clarion.runtime.web.keys import SCOPES, create_key
from clarion.services.running import listen, open_services, serving
from clarion.services.web import build_site
from tests.conftest import TEMPLATE, cloned

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Site:
    """Where it is, and a key that may do everything."""

    url: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


@asynccontextmanager
async def opened_site(postgres_url: str) -> AsyncIterator[Site]:
    """The site, on a database of its own."""
    listener = listen(LOOPBACK, 0)
    url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    async with cloned(postgres_url, TEMPLATE) as database_url:
        settings = Settings(
            _env_file=None,
            database_url=database_url,
            kafka_bootstrap="127.0.0.1:9",
            smtp_url="smtp://127.0.0.1:9",
            public_url=url,
            secret_key=("test-secret-key-of-some-length",),
            mail_from="Clarion <calls@clarion.example>",
        )
        async with (
            open_services(settings) as services,
            serving(build_site(services, Watch(Running(), settings, services)), listener),
        ):
            async with services[0].database.transaction() as tx:
                _, key = await create_key(tx.connection, "everything", list(SCOPES))
            yield Site(url, key)


@pytest.fixture(scope="module")
def site(postgres_url: str) -> Iterator[Site]:
    """It runs on a thread of its own, so that clients that know nothing of asyncio can ask it."""
    with on_thread(opened_site(postgres_url)) as found:
        yield found


class on_thread:  # noqa: N801 - read as a word in `with`
    """Keeps an asynchronous context open on a thread's own event loop, for as long as the block."""

    def __init__(self, context: AbstractAsyncContextManager[Site]) -> None:
        self.context = context
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="site", daemon=True)

    def __enter__(self) -> Site:
        self.thread.start()
        return asyncio.run_coroutine_threadsafe(self.context.__aenter__(), self.loop).result(60)

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self.context.__aexit__(None, None, None), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()
