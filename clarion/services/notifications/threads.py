"""Threads by the ids that they have."""

from uuid import UUID

from clarion.runtime.database import Connection, load_queries
from clarion.services.notifications.domain.messages import thread_key
from clarion.services.notifications.domain.registration import Asked

queries = load_queries("clarion.services.notifications")


async def as_known(connection: Connection, asked: Asked) -> Asked:
    """The same threads; those from before ids began with their matter by the ids that they keep."""
    found = queries.scattered_threads(connection, matters=asked.matters, mailboxes=asked.mailboxes)
    ids = {(row["matter"], row["mailbox"]): row["id"].hex async for row in found}
    return asked.named(ids) if ids else asked


async def thread_id_of(connection: Connection, matter: str, mailbox: str) -> UUID:
    """The thread of a matter with a mailbox, there or to be."""
    asked = Asked()
    asked.add({thread_key(matter, mailbox): mailbox}, matter=matter)
    (found,) = (await as_known(connection, asked)).thread_ids
    return UUID(found)
