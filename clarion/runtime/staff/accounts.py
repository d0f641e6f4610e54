"""The accounts of staff: rows to values and back. Who was removed keeps the row, so that the record says who it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection, load_queries
from clarion.runtime.staff.rights import Role, Staff


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody's account: who they are and what they may, since when, and until when if it has ended."""

    staff: Staff
    added_at: datetime
    removed_at: datetime | None = None


def queries() -> Any:
    """The statements of this package."""
    return load_queries(__package__)


def staff_of(row: Mapping[str, Any]) -> Staff:
    """A row as the one who acts."""
    return Staff(
        id=row["id"],
        name=row["name"],
        email=row["email"],
        role=Role(row["role"]),
        divisions=frozenset(row["divisions"]),
        deputy_in=frozenset(row["deputy_in"]),
    )


def account_of(row: Mapping[str, Any] | None) -> Account | None:
    """A row as an account."""
    return None if row is None else Account(staff_of(row), row["added_at"], row["removed_at"])


async def find_account(connection: Connection, staff_id: str) -> Account | None:
    """The account of this id, also one that was removed."""
    return account_of(await queries().find_account(connection, id=staff_id))


async def find_account_by_email(connection: Connection, email: str) -> Account | None:
    """The account of this address, whatever its case, also one that was removed."""
    return account_of(await queries().find_account_by_email(connection, email=email.casefold()))


async def list_accounts(connection: Connection, *, removed: bool = False) -> list[Account]:
    """All accounts by name; those that were `removed` only if asked for, at the end."""
    rows = [row async for row in queries().list_accounts(connection, removed=removed)]
    return [Account(staff_of(row), row["added_at"], row["removed_at"]) for row in rows]


async def lock_administrators(connection: Connection) -> frozenset[str]:
    """The ids of all administrators; nobody else can take one away until this transaction ends."""
    return frozenset([row["id"] async for row in queries().lock_administrators(connection)])


async def save_account(connection: Connection, staff: Staff, now: datetime) -> None:
    """Make an account, or bring it to this state; one that was removed is back with it."""
    await queries().save_account(
        connection, id=staff.id, email=staff.email.casefold(), name=staff.name, role=str(staff.role), now=now
    )
    held = {**dict.fromkeys(staff.deputy_in, "deputy"), **dict.fromkeys(staff.divisions, "manager")}
    await queries().save_divisions(connection, id=staff.id, divisions=list(held), as_what=list(held.values()))


async def remove_account(connection: Connection, staff_id: str, now: datetime) -> None:
    """End an account: its sessions are good for nothing from the commit on."""
    await queries().remove_account(connection, id=staff_id, now=now)


async def restore_account(connection: Connection, staff_id: str) -> None:
    """Bring back an account that was removed, with the rights that it had."""
    await queries().restore_account(connection, id=staff_id)
