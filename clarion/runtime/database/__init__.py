"""PostgreSQL: one pool, role and schema per service, transactions, migrations, named SQL and wake-ups."""

from clarion.runtime.database.failures import is_transient
from clarion.runtime.database.mailboxes import mailbox_key
from clarion.runtime.database.migrate import (
    AppliedMigration,
    MigrationChangedError,
    MigrationError,
    discover_services,
    migrate,
    pending,
)
from clarion.runtime.database.pool import Connection, Database, Transaction, open_database
from clarion.runtime.database.queries import load_queries
from clarion.runtime.database.wakeups import Wakeups

__all__ = [
    "AppliedMigration",
    "Connection",
    "Database",
    "MigrationChangedError",
    "MigrationError",
    "Transaction",
    "Wakeups",
    "discover_services",
    "is_transient",
    "load_queries",
    "mailbox_key",
    "migrate",
    "open_database",
    "pending",
]
