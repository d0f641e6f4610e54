"""Which database failures pass by themselves, so that waiting and trying again is right."""

import asyncpg

from clarion.runtime.database.pool import Connection

# SQLSTATE classes: connection, insufficient resources, operator intervention short of a cancelled query.
_TRANSIENT_CLASSES = ("08", "53")
_TRANSIENT_STATES = frozenset(
    {
        "40001",  # serialization failure
        "40P01",  # deadlock
        "55P03",  # lock not available in time
        "57P01",  # administrator shut the server down
        "57P02",  # another backend crashed
        "57P03",  # starting up or shutting down
        "57P05",  # idle session ended
        "25P03",  # idle transaction ended
    }
)


def is_transient(error: BaseException, connection: Connection | None = None) -> bool:
    """Whether `error` says that the database, not the statement, is at fault.

    `connection` is the one it was raised on, if there was one: whatever is raised after the server closed it is the
    server's doing. Without one, lost and refused connections count.
    """
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        # A migration changed a table under a prepared statement: the next try prepares it anew.
        stale = isinstance(error, asyncpg.InvalidCachedStatementError)
        return stale or state in _TRANSIENT_STATES or state.startswith(_TRANSIENT_CLASSES)
    if connection is not None and connection.is_closed():
        return True
    # asyncpg's own state is torn when the server dies in the middle of an answer; the pool drops such a connection.
    if isinstance(error, TimeoutError | asyncpg.InternalClientError):
        return True
    if connection is not None:
        return False
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError)
    return isinstance(error, OSError)
