"""The key of mailboxes: one for the installation, so that an address is the same mailbox in every service."""

from clarion.runtime.database.pool import Connection
from clarion.runtime.database.queries import load_queries


async def mailbox_key(connection: Connection) -> bytes:
    """The key that turns an address into its mailbox; the first `migrate` made it."""
    return str(await load_queries("clarion.runtime.database").mailbox_key(connection)).encode()
