"""Whether a database is where it was, or a copy that does not know what went out since it was made."""

import contextlib
from datetime import datetime

import asyncpg

from clarion.runtime.database.pool import Connection, connect_login
from clarion.runtime.database.queries import load_queries
from clarion.runtime.refusals import Refused


async def check_home(url: str) -> None:
    """Remember where a database lives, and refuse to work on one that was restored elsewhere.

    Raises:
        Refused: it is a copy, and nobody said yet what became of the mail that it takes for unsent.
        OSError or asyncpg's errors: there is no database.
    """
    connection = await connect_login(url)
    try:
        # Without the table it is of a version before: which migrations it lacks is told elsewhere.
        with contextlib.suppress(asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
            await _settle_in(connection)
            if not await is_at_home(connection):
                raise Refused(
                    "this database was restored from a dump, or moved: mail that it takes for unsent may have been sent"
                    " since, so nothing is sent before that is settled: run clarion restored"
                )
    finally:
        await connection.close()


async def _settle_in(connection: Connection) -> None:
    # A hosted server may keep its number to itself; then nobody can tell a copy.
    with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
        await load_queries("clarion.runtime.database").settle_in(connection)


async def is_at_home(connection: Connection) -> bool:
    """Whether it is where it was, as far as anybody can tell."""
    try:
        return bool(await load_queries("clarion.runtime.database").at_home(connection))
    except asyncpg.InsufficientPrivilegeError:
        return True


async def begin_taking_up(connection: Connection, now: datetime) -> datetime:
    """When somebody first began to settle what became of a copy's mail: now, or before an attempt was killed."""
    await _settle_in(connection)
    began_at: datetime | None = await load_queries("clarion.runtime.database").begin_taking_up(connection, now=now)
    return began_at or now


async def move_in(connection: Connection) -> None:
    """All is settled: from now on it lives here."""
    with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
        await load_queries("clarion.runtime.database").move_in(connection)
