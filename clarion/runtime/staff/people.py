"""What the accounts and the record of acts hold of a person, and forgetting it; on a connection of the login itself."""

from typing import Any

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from clarion.runtime.database import Connection
from clarion.runtime.people import Erased, Person
from clarion.runtime.staff.accounts import queries

NOBODY = ""


async def export(connection: Connection, who: Person) -> dict[str, JsonValue]:
    """The account with its sessions, and every act that was theirs or concerned them."""
    account = await queries().account_kept(connection, address=who.address)
    staff_id = account["id"] if account else NOBODY
    found = {
        "sessions": queries().sessions_kept(connection, staff_id=staff_id),
        "sign_ins": queries().sign_ins_kept(connection, staff_id=staff_id),
        "acts": queries().acts_kept(connection, **_asked(who, staff_id)),
    }
    kept = {name: [dict(row) async for row in rows] for name, rows in found.items()}
    return dict(to_jsonable_python({"account": dict(account) if account else None, **kept}))


async def is_staff(connection: Connection, address: str) -> bool:
    """Whether the address is that of an account that is in use."""
    account = await queries().account_kept(connection, address=address)
    return account is not None and account["removed_at"] is None


async def erase(connection: Connection, who: Person) -> Erased:
    """Forget who the account was and whom the acts concerned; that there was one and what was done stays."""
    account = await queries().account_kept(connection, address=who.address)
    acts = queries().make_acts_nobodys(connection, **_asked(who, account["id"] if account else NOBODY))
    count = len([row async for row in acts])
    if account is not None:
        await queries().forget_account(connection, staff_id=account["id"])
    return Erased({"accounts": int(account is not None), "acts": count})


def _asked(who: Person, staff_id: str) -> dict[str, Any]:
    return {
        "staff_id": staff_id,
        "mailbox": who.mailbox,
        "alone": who.alone,
        "subjects": [f"official:{one}" for one in who.officials],
    }
