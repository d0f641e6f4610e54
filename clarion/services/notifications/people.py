"""What notifications keeps of a person, stopping their mail, and forgetting them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.messaging.people import without
from clarion.runtime.people import Erased, Person
from clarion.schemas.deliveries import Delivery
from clarion.services.notifications import operations
from clarion.services.notifications.domain.lanes import ORDER
from clarion.services.notifications.repository import Ledger, queries


async def export(connection: Connection, who: Person) -> dict[str, JsonValue]:
    """The official, each mail with what it said and what came of it, subscriptions left, and why nothing is sent."""
    asked = _asked(who)
    threads = [row async for row in queries.threads_kept(connection, **asked)]
    messages = queries.messages_kept(connection, thread_ids=[row["id"] for row in threads])
    found = {
        "officials": queries.officials_kept(connection, **asked),
        "left": queries.choices_kept(connection, **asked),
        "suppressed": queries.suppressions_kept(connection, **asked),
        "wishes": queries.wishes_kept(connection, **asked),
        "came_back": queries.returns_kept(connection, **asked),
        "named_in": queries.answers_kept(connection, **asked),
    }
    kept = {name: [dict(row) async for row in rows] for name, rows in found.items()}
    mails = [{**dict(row), "lane": ORDER[row["lane"]]} async for row in messages]
    return dict(to_jsonable_python({**kept, "threads": [dict(row) for row in threads], "messages": mails}))


async def address_of(connection: Connection, mailbox: str) -> str | None:
    """The address that a mailbox was last known by, if it is known at all."""
    found: str | None = await queries.address_of(connection, mailbox=mailbox)
    return found


async def wishes_for_erasure(connection: Connection) -> list[dict[str, Any]]:
    """Who asked to be erased: mailbox, time, address and the names of who reads it."""
    return [dict(row) async for row in queries.wishes_for_erasure(connection)]


async def erase(tx: Transaction, who: Person, now: datetime) -> Erased:
    """Send nothing more, and leave of all mail only how much there was, of which matter and what came of it.

    What is on its way at this moment is left as it is, and `unfinished` says so.
    """
    connection, asked = tx.connection, _asked(who)
    await Ledger(connection).stop_marks()
    stopped = await _count(queries.stop_mail(connection, **asked, now=now))
    threads = [row async for row in queries.threads_kept(connection, **asked)]
    ids = [row["id"] for row in threads]
    waiting = queries.end_waiting(connection, thread_ids=ids, **asked, now=now)
    ended = [Delivery.model_validate({**dict(row), "at": row["state_at"]}) async for row in waiting]
    await operations.announce(tx, ended)
    if await queries.under_way_of(connection, thread_ids=ids):
        return Erased({"mail_stopped": len(ended)}, unfinished=True)
    counts = {"suppressions": stopped, "mail_stopped": len(ended)}
    counts |= await _forget_mail(connection, who, {row["id"]: row["matter"] for row in threads})
    await _forget_texts(connection, who)
    return Erased(counts | await _forget_rest(connection, asked))


async def let_in(tx: Transaction, mailbox: str) -> bool:
    """Send to a mailbox again that was erased; False if it was not."""
    return bool(await _count(queries.let_in(tx.connection, mailbox=mailbox)))


async def erase_late(tx: Transaction, now: datetime) -> int:
    """Forget what came to mailboxes after they were erased, from topics that still held it; how much that was."""
    connection = tx.connection
    threads = [row async for row in queries.threads_of_erased(connection)]
    if not threads:
        return 0
    await Ledger(connection).stop_marks()
    ids = [row["id"] for row in threads]
    waiting = queries.end_waiting(connection, thread_ids=ids, alone=True, ids=[], now=now)
    await operations.announce(
        tx, [Delivery.model_validate({**dict(row), "at": row["state_at"]}) async for row in waiting]
    )
    if await queries.under_way_of(connection, thread_ids=ids):
        return 0
    await _count(queries.blank_contents(connection, thread_ids=ids, matters=[row["matter"] for row in threads]))
    return await _count(queries.make_messages_nobodys(connection, thread_ids=ids))


async def _forget_mail(connection: Connection, who: Person, threads: dict[UUID, str]) -> dict[str, int]:
    own = [one for one in threads if who.alone] or await _written_by_name(connection, who)
    matters = [threads[one] for one in own]
    blank = await _count(queries.blank_contents(connection, thread_ids=own, matters=matters))
    messages = await _count(queries.make_messages_nobodys(connection, thread_ids=own))
    shared = [one for one in threads if one not in own]
    messages += await _count(queries.take_out_of_messages(connection, thread_ids=shared, ids=list(who.officials)))
    return {"messages": messages, "contents": blank}


async def _written_by_name(connection: Connection, who: Person) -> list[UUID]:
    """Of a mailbox that several share, the threads that were written to one of them alone."""
    asked = {**_asked(who), "ids": []}
    return [row["id"] async for row in queries.threads_kept(connection, **asked)]


async def _forget_rest(connection: Connection, asked: dict[str, Any]) -> dict[str, int]:
    counts = {
        "officials": await _count(queries.forget_officials_kept(connection, **asked)),
        "subscriptions": await _count(queries.forget_choices(connection, **asked)),
        "wishes": await _count(queries.forget_wishes(connection, **asked)),
        "contacts": await _count(queries.forget_answers(connection, **asked)),
        "came_back": await _count(queries.forget_returns(connection, **asked))
        + await _count(queries.forget_returns_naming(connection, **asked)),
    }
    await queries.forget_last_words(connection, **asked)
    return counts


async def _forget_texts(connection: Connection, who: Person) -> None:
    """What others were told stays, without the address in it."""
    async for row in queries.contents_naming(connection, **_asked(who)):
        facts, content = without(row["facts"], who), without(row["content"], who)
        await queries.say_again(connection, id=row["id"], facts=facts, content=content)


def _asked(who: Person) -> dict[str, Any]:
    return {
        "mailbox": who.mailbox,
        "address": who.address,
        "ids": list(who.officials),
        "names": who.folded_names,
        "alone": who.alone,
    }


async def _count(rows: Any) -> int:
    return len([row async for row in rows])
