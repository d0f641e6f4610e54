"""What people look at: lists of messages and the story of one."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from clarion.runtime.database import Connection
from clarion.services.notifications.domain.changes import line, ordered
from clarion.services.notifications.domain.messages import joined, message_name
from clarion.services.notifications.domain.states import TOLD, UNSENT
from clarion.services.notifications.domain.telling import Again, Amended, Ended, Telling, Told, Unneeded, tell
from clarion.services.notifications.repository import Projection, content_of, queries


async def list_messages(
    connection: Connection, matter: str | None, state: str | None, limit: int
) -> list[dict[str, Any]]:
    """Messages without addresses, oldest first."""
    rows = queries.list_messages(connection, matter=matter, state=state, room=limit)
    return [
        {
            "id": message_name(row["thread_id"], row["revision"]),
            "matter": row["matter"],
            "revision": row["revision"],
            "mailbox": row["mailbox"],
            "officials": row["officials"],
            "state": row["state"],
            "state_at": row["state_at"],
            "reason": row["reason"],
            "attempts": row["attempts"],
            "doubts": row["doubts"],
        }
        async for row in rows
    ]


async def find_story(connection: Connection, thread_id: UUID, revision: int | None) -> dict[str, Any] | None:
    """Everything kept of one message, with the names and addresses of its officials, and how its thread went.

    Without a revision it is the thread's newest; None if there is none.
    """
    if revision is None:
        revision = await queries.newest_message(connection, thread_id=thread_id)
    row = await queries.find_message(connection, thread_id=thread_id, revision=revision)
    if row is None:
        return None
    recipient = joined(row["mailbox"], row["parts"])
    known = await Projection(connection).officials(recipient.officials)
    kept = ("matter", "revision", "newest_revision", "mailbox", "template", "lane", "subscription", "state")
    times = ("state_at", "queued_at", "due_at", "not_after")
    counts = ("reason", "last_reply", "attempts", "doubts", "sequence", "left_at", "suppressed")
    return {
        "id": message_name(thread_id, row["revision"]),
        **{name: row[name] for name in (*kept, *times, *counts)},
        "to": recipient.address or next((one.email for one in known.values() if one.active), None),
        "officials": [known[one].name if one in known else one for one in recipient.officials],
        "asks": [f"{ask.kind}: {ask.bill}" for ask in recipient.asks],
        "reasons": [reason.text for reason in recipient.reasons],
        "facts": [f"{fact['label']}: {fact['text']}" for fact in row["facts"]],
        "thread": [revision async for revision in _revisions(connection, thread_id)],
    }


async def _revisions(connection: Connection, thread_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Each revision that reached the thread: what became of it, and what it tells whoever was told those before."""
    told: list[Told] = []
    async for row in queries.thread_story(connection, thread_id=thread_id):
        content = content_of(row)
        kept = ("revision", "state", "state_at", "queued_at", "reason", "attempts", "doubts", "sequence")
        elsewhere = joined(row["mailbox"], row["parts"]).told_elsewhere
        says = spoken(tell(content, told, elsewhere, row["readers"])) if row["state"] not in UNSENT else []
        yield {**{name: row[name] for name in kept}, "says": says}
        if row["state"] in TOLD:
            told.insert(
                0, Told(row["revision"], content, row["sure"], row["sequence"], frozenset(row["named"]), row["resend"])
            )


def spoken(telling: Telling | Unneeded) -> list[str]:
    """What a message tells, in a line for each change."""
    if isinstance(telling, Unneeded):
        return [telling.reason]
    match telling.wording:
        case Amended(_, found):
            return [str(line(change, "as told before")) for change in ordered(found)]
        case Again():
            return ["concerns them again"]
        case Ended():
            return ["no longer concerns them"]
        case _ if telling.readers:
            return ["the newest state, to who joined"]
        case _:
            return ["the newest state, to who was told nothing yet"]
