"""What campaigns keeps of a person, and forgetting it."""

from typing import Any

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.people import Erased, Person
from clarion.services.campaigns.repository import QUERIES


async def export(connection: Connection, who: Person) -> dict[str, JsonValue]:
    """The official as campaigns knows them, each call with its reasons and outcome, and positions they speak for."""
    asked = _asked(who)
    found = {
        "officials": QUERIES.officials_kept(connection, **asked),
        "calls": QUERIES.calls_kept(connection, **asked),
        "choices": QUERIES.choices_kept(connection, **asked),
        "audiences": QUERIES.audiences_kept(connection, **asked),
        "manages": QUERIES.divisions_kept(connection, **asked),
        "represents": QUERIES.representatives_kept(connection, **asked),
    }
    return {name: to_jsonable_python([dict(row) async for row in rows]) for name, rows in found.items()}


async def erase(tx: Transaction, who: Person) -> Erased:
    """Forget who was called: the calls stay as counts."""
    asked = _asked(who)
    found = {
        "officials": QUERIES.forget_officials_kept(tx.connection, **asked),
        "memberships": QUERIES.forget_memberships(tx.connection, **asked),
        "choices": QUERIES.forget_choices(tx.connection, **asked),
        "audiences": QUERIES.forget_audiences(tx.connection, **asked),
        "named": QUERIES.forget_names_in_audiences(tx.connection, **asked),
        "managers": QUERIES.forget_manager(tx.connection, **asked),
        "representatives": QUERIES.forget_representative(tx.connection, **asked),
        "calls": QUERIES.make_calls_nobodys(tx.connection, **asked),
        "threads": QUERIES.make_threads_nobodys(tx.connection, **asked),
    }
    return Erased({name: len([row async for row in rows]) for name, rows in found.items()})


def _asked(who: Person) -> dict[str, Any]:
    return {"mailbox": who.mailbox, "address": who.address, "ids": list(who.officials), "alone": who.alone}
