"""Keeping the accounts of staff: one use case each, recorded in the same transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from clarion.runtime.database import Transaction, load_queries, mailbox_key
from clarion.runtime.ids import new_id
from clarion.runtime.staff.accounts import (
    Account,
    find_account,
    find_account_by_email,
    lock_administrators,
    remove_account,
    restore_account,
    save_account,
)
from clarion.runtime.staff.audit import Actor, record
from clarion.runtime.staff.rights import Role, Staff
from clarion.runtime.staff.sessions import end_sessions
from clarion.schemas.mailboxes import mailbox
from clarion.services.directory.staff.admission import Unfit, Wish, admitted, differences
from clarion.services.directory.staff.sign_ins import queries
from clarion.services.directory.staff.tellings import Site

LAST_ADMINISTRATOR = "this is the last administrator: make somebody else one first"
NOBODY = "there is no such account"


class UnknownAccount(Exception):
    """There is no account of this id or address, or it was removed."""


class LastAdministrator(Exception):
    """Without this one nobody could manage staff any more."""

    def __init__(self) -> None:
        super().__init__(LAST_ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Hand:
    """Who keeps accounts, and when; with a `site`, whose account it is hears of it."""

    actor: Actor
    now: datetime
    site: Site | None = None


async def known_divisions(tx: Transaction) -> dict[str, str]:
    """All divisions, slug and name, by name."""
    rows = [row async for row in load_queries("clarion.services.directory").named(tx.connection, kind="division")]
    return {row["id"]: row["name"] for row in sorted(rows, key=lambda row: (row["name"], row["id"]))}


async def add_staff(tx: Transaction, hand: Hand, wish: Wish) -> Staff:
    """Make an account; one of that address that was removed is back, as it is wished now.

    Raises:
        Unfit: it cannot be, or the address has an account.
    """
    fit = admitted(wish, new_id(), await known_divisions(tx))
    there = await find_account_by_email(tx.connection, fit.email)
    if there is not None and there.removed_at is None:
        raise Unfit({"email": f"{fit.email} has an account already"})
    staff = fit if there is None else admitted(wish, there.staff.id, await known_divisions(tx))
    await save_account(tx.connection, staff, hand.now)
    await note(tx, hand, "staff.added", staff, {"role": str(staff.role), "again": there is not None})
    if hand.site is not None:
        await hand.site.tell_added(tx, staff)
    return staff


async def change_staff(tx: Transaction, hand: Hand, staff_id: str, wish: Wish) -> Staff:
    """Bring an account to what is wished; what it may do changes at the next request.

    Raises:
        UnknownAccount: there is none.
        Unfit: it cannot be, or the address is another's.
        LastAdministrator: it would be no administrator any more.
    """
    before = await active(tx, staff_id)
    after = admitted(wish, staff_id, await known_divisions(tx))
    there = await find_account_by_email(tx.connection, after.email)
    if there is not None and there.staff.id != staff_id:
        raise Unfit({"email": f"{after.email} has an account already"})
    await keep_an_administrator(tx, before, stays=after.role is Role.ADMIN)
    changes = differences(before, after)
    if changes:
        await save_account(tx.connection, after, hand.now)
        await note(tx, hand, "staff.changed", after, {**changes}, also=before.divisions | before.deputy_in)
    if before.email != after.email:
        await queries.end_links(tx.connection, staff_id=staff_id, now=hand.now)
        if hand.site is not None:
            await hand.site.tell_moved(tx, before, after)
    return after


async def sign_out_staff(tx: Transaction, hand: Hand, staff_id: str) -> int:
    """End all sessions and links of somebody; gives how many sessions that were.

    Raises:
        UnknownAccount: there is no such account.
    """
    staff = await active(tx, staff_id)
    ended = await end_sessions(tx.connection, staff_id)
    await queries.end_links(tx.connection, staff_id=staff_id, now=hand.now)
    await note(tx, hand, "staff.signed-out", staff, {"ended": ended})
    return ended


async def remove_staff(tx: Transaction, hand: Hand, staff_id: str) -> Staff:
    """End an account with all its sessions and links, from the commit on.

    Raises:
        UnknownAccount: there is none.
        LastAdministrator: nobody could manage staff any more.
    """
    staff = await active(tx, staff_id)
    await keep_an_administrator(tx, staff, stays=False)
    await remove_account(tx.connection, staff_id, hand.now)
    ended = await end_sessions(tx.connection, staff_id)
    await queries.end_links(tx.connection, staff_id=staff_id, now=hand.now)
    await note(tx, hand, "staff.removed", staff, {"sessions": ended})
    return staff


async def restore_staff(tx: Transaction, hand: Hand, staff_id: str) -> Staff:
    """Undo a removal: the account is back with its rights, its sessions are not.

    Raises:
        UnknownAccount: there never was one.
    """
    account = await find_account(tx.connection, staff_id)
    if account is None:
        raise UnknownAccount(NOBODY)
    if account.removed_at is not None:
        await restore_account(tx.connection, staff_id)
        await note(tx, hand, "staff.restored", account.staff, {})
    return account.staff


async def find_by_address(tx: Transaction, email: str) -> Account:
    """The account of an address, also one that was removed.

    Raises:
        UnknownAccount: there is none.
    """
    account = await find_account_by_email(tx.connection, email.strip())
    if account is None:
        raise UnknownAccount(f"there is no account of {email.strip()}")
    return account


async def active(tx: Transaction, staff_id: str) -> Staff:
    """The account of this id.

    Raises:
        UnknownAccount: there is none, or it was removed.
    """
    account = await find_account(tx.connection, staff_id)
    if account is None or account.removed_at is not None:
        raise UnknownAccount(NOBODY if account is None else f"the account of {account.staff.email} was removed")
    return account.staff


async def keep_an_administrator(tx: Transaction, staff: Staff, *, stays: bool) -> None:
    """Go on unless this takes away the last administrator, also if two are taken away at once.

    Raises:
        LastAdministrator: it would.
    """
    if staff.role is Role.ADMIN and not stays and await lock_administrators(tx.connection) <= {staff.id}:
        raise LastAdministrator


async def note(
    tx: Transaction,
    hand: Hand,
    act: str,
    staff: Staff,
    details: Mapping[str, JsonValue],
    *,
    also: frozenset[str] = frozenset(),
) -> None:
    """Record what was done to an account, for whom it concerns: its owner, who manages its divisions, and `also`."""
    await record(
        tx.connection,
        hand.actor,
        act,
        f"staff:{staff.id}",
        at=hand.now,
        details=details,
        divisions=sorted(staff.divisions | staff.deputy_in | also),
        mailbox=mailbox(staff.email, await mailbox_key(tx.connection)),
    )
