"""What people look at: lists of messages and the story of one."""

from typing import Any
from uuid import UUID

from clarion.runtime.database import Connection
from clarion.services.notifications.domain.messages import joined, message_name
from clarion.services.notifications.repository import Projection, queries


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


async def find_story(connection: Connection, thread_id: UUID, revision: int) -> dict[str, Any] | None:
    """Everything kept of one message, with the names and addresses of its officials; None if there is none."""
    row = await queries.find_message(connection, thread_id=thread_id, revision=revision)
    if row is None:
        return None
    recipient = joined(row["mailbox"], row["parts"])
    known = await Projection(connection).officials(recipient.officials)
    kept = ("matter", "revision", "newest_revision", "mailbox", "template", "lane", "subscription", "state")
    times = ("state_at", "queued_at", "due_at", "not_after")
    counts = ("reason", "last_reply", "attempts", "doubts", "left_at", "suppressed")
    return {
        "id": message_name(thread_id, revision),
        **{name: row[name] for name in (*kept, *times, *counts)},
        "to": recipient.address or next((one.email for one in known.values() if one.active), None),
        "officials": [known[one].name if one in known else one for one in recipient.officials],
        "asks": [f"{ask.kind}: {ask.bill}" for ask in recipient.asks],
        "reasons": [reason.text for reason in recipient.reasons],
        "facts": [f"{fact['label']}: {fact['text']}" for fact in row["facts"]],
    }
