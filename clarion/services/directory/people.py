"""What the directory keeps of a person, forgetting it, and holding back imports that name them again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.runtime.messaging.people import parts_about, without
from clarion.runtime.people import Erased, Person
from clarion.schemas.topics import DIRECTORY_ENTITIES
from clarion.services.directory import repository
from clarion.services.directory.repository import queries


async def readers(connection: Connection, mailbox: str) -> dict[str, str]:
    """The officials whose address a mailbox is, with their names by their ids."""
    found = queries.readers_of_mailbox(connection, mailbox=mailbox)
    return {row["id"]: row["name"] async for row in found}


async def export(connection: Connection, who: Person) -> dict[str, JsonValue]:
    """The official's entry with what was corrected in it, memberships, and what else names the address."""
    asked = _asked(who)
    found = {
        "officials": queries.officials_kept(connection, **asked),
        "corrections": queries.corrections_kept(connection, **asked),
        "memberships": queries.memberships_kept(connection, **asked),
        "manages": queries.divisions_kept(connection, **asked),
        "uploads": queries.uploads_kept(connection, **asked),
    }
    kept: dict[str, Any] = {name: [dict(row) async for row in rows] for name, rows in found.items()}
    partners = [row async for row in queries.partners_kept(connection, **asked)]
    kept["partners"] = [{"id": row["id"], "said": list(parts_about(row["state"], who))} for row in partners]
    return dict(to_jsonable_python(kept))


async def erase(tx: Transaction, who: Person, at: datetime) -> Erased:
    """Take the person out of the directory, and tell everyone that they are gone; imports that name them are held."""
    connection, asked = tx.connection, _asked(who)
    await repository.lock_imports(tx)
    await repository.prepare_staging(tx)
    await queries.hold_back(connection, **asked, at=at)
    corrections = await _all(queries.forget_corrections(connection, **asked))
    gone = [row async for row in queries.forget_entities(connection, **asked)]
    await queries.forget_named_members(connection, **asked)
    divisions = [row["id"] async for row in queries.divisions_kept(connection, **asked)]
    await queries.forget_managers(connection, ids=divisions, at=at)
    partners = await _forget_partners(connection, who, at)
    uploads = [row["id"] async for row in queries.uploads_kept(connection, **asked)]
    await _all(queries.forget_uploads(connection, ids=uploads))
    await repository.enqueue_altered(tx)
    # Also of who was gone from here before: whoever still has them is to forget them.
    await enqueue(tx, [_tombstone(one) for one in who.officials])
    counts = {kind: sum(row["kind"] == kind for row in gone) for kind in ("official", "membership")}
    counts["corrections"] = len(corrections)
    return Erased({**counts, "managers": len(divisions), "partners": partners, "uploads": len(uploads)})


async def let_in(tx: Transaction, mailbox: str, officials: Sequence[str] = ()) -> bool:
    """Let imports bring somebody back who was erased; False if they are not held."""
    return bool(await _all(queries.let_in(tx.connection, mailbox=mailbox, ids=officials)))


async def _forget_partners(connection: Connection, who: Person, at: datetime) -> int:
    partners = [row async for row in queries.partners_kept(connection, **_asked(who))]
    for row in partners:
        await queries.describe_partner(connection, id=row["id"], state=without(row["state"], who), at=at)
    return len(partners)


def _tombstone(official: str) -> Outgoing:
    return Outgoing(DIRECTORY_ENTITIES, f"official:{official}", "official.changed", None, subject=official)


def _asked(who: Person) -> dict[str, Any]:
    return {"mailbox": who.mailbox, "address": who.address, "ids": list(who.officials), "alone": who.alone}


async def _all(rows: Any) -> list[Any]:
    return [row async for row in rows]
