"""A server of a test's own, for one that kills it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from clarion.runtime.embedded import KafkaServer, PostgresServer

Kind = Literal["kafka", "postgres"]


@asynccontextmanager
async def own_server(kind: Kind | None, folder: Path) -> AsyncIterator[KafkaServer | PostgresServer | None]:
    """A server of that kind, if any, until the end of the block."""
    match kind:
        case None:
            yield None
        case "kafka":
            kafka = KafkaServer(folder / "kafka", keep_records_for_ever=True)
            try:
                await kafka.start()
                yield kafka
            finally:
                await kafka.stop()
        case "postgres":
            postgres = PostgresServer(folder / "postgres")
            try:
                await postgres.start()
                yield postgres
            finally:
                await postgres.remove()
