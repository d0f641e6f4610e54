"""What people look at: lists of messages and the story of one."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from clarion.runtime.database import Connection
from clarion.services.notifications.domain.changes import line, ordered
from clarion.services.notifications.domain.lanes import ORDER
from clarion.services.notifications.domain.messages import WITHDRAWAL, joined, message_name
from clarion.services.notifications.domain.states import TOLD, UNSENT
from clarion.services.notifications.domain.telling import Again, Amended, Ended, Telling, Told, Unneeded, tell
from clarion.services.notifications.repository import Projection, queries
from clarion.services.notifications.rows import content_of

PROJECTS = "the project's own"
"""What is said of a mail in no wording of staff's."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages are looked at: those that fit all that is given; asked for from `since` on and before `until`."""

    matter: str | None = None
    wave: str | None = None
    mailboxes: Sequence[str] | None = None
    official: str | None = None
    state: str | None = None
    lane: int | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_messages(
    connection: Connection, wanted: Filter, limit: int, after: tuple[UUID, int] | None = None
) -> list[dict[str, Any]]:
    """Messages without addresses, oldest first; those that follow `after`, the last one of a page, if it is given."""
    thread_id, revision = after or (None, None)
    rows = queries.list_messages(
        connection, **asdict(wanted), after_thread=thread_id, after_revision=revision, room=limit
    )
    kept = ("matter", "wave", "revision", "mailbox", "officials")
    outcome = ("queued_at", "state", "state_at", "reason", "attempts", "doubts")
    return [
        {
            "id": message_name(row["thread_id"], row["revision"], row["resend"]),
            **{name: row[name] for name in kept},
            "lane": ORDER[row["lane"]],
            **{name: row[name] for name in outcome},
        }
        async for row in rows
    ]


async def count_messages(connection: Connection, wanted: Filter) -> dict[str, int]:
    """How many messages fit, by state."""
    return {row["state"]: row["messages"] async for row in queries.count_messages(connection, **asdict(wanted))}


async def find_story(connection: Connection, thread_id: UUID, revision: int | None) -> dict[str, Any] | None:
    """Everything kept of one message, with the names and addresses of its officials, and how its thread went.

    Without a revision it is the thread's newest; None if there is none.
    """
    if revision is None:
        revision = await queries.newest_message(connection, thread_id=thread_id)
    row = await queries.find_message(connection, thread_id=thread_id, revision=revision)
    if row is None:
        return None
    recipient = joined(row["mailbox"], row["officials"], row["parts"])
    known = await Projection(connection).officials(recipient.officials)
    kept = ("matter", "wave", "revision", "newest_revision", "resend", "mailbox", "template", "subscription", "state")
    times = ("state_at", "queued_at", "due_at", "not_after")
    counts = ("reason", "relay", "last_reply", "attempts", "doubts", "sequence", "left_at", "suppressed", "paused")
    return {
        "id": message_name(thread_id, row["revision"], row["resend"]),
        **{name: row[name] for name in (*kept, *times, *counts)},
        "wording": await _wording(connection, thread_id, row),
        "lane": ORDER[row["lane"]],
        "to": recipient.address or next((one.email for one in known.values() if one.active), None),
        "officials": [known[one].name if one in known else one for one in recipient.officials],
        "named": [known[one].name if one in known else one for one in row["named"]],
        "asks": [f"{ask.kind}: {ask.bill}" for ask in recipient.asks],
        "reasons": [reason.text for reason in recipient.reasons],
        "facts": [f"{fact['label']}: {fact['text']}" for fact in row["facts"]],
        "moves": [dict(move) for move in row["moves"]],
        "came_back": [dict(one) async for one in _returned(connection, thread_id, row["revision"])],
        "thread": [revision async for revision in _revisions(connection, thread_id)],
    }


async def _wording(connection: Connection, thread_id: UUID, row: Any) -> str:
    """In whose words the mail is: of which version, or why in the project's own."""
    story = [one async for one in queries.thread_story(connection, thread_id=thread_id)]
    before = next((one["template"] for one in reversed(story) if one["template"] != WITHDRAWAL), None)
    content = next(content_of(one) for one in story if one["revision"] == row["revision"])
    template = content.worded_as(before)
    found = await queries.version_in_edition(connection, template=template, edition=content.edition)
    if found is None or found["body"] is None:
        return PROJECTS
    version = f"version {found['version']} of {template}" if found["version"] else f"{template}, only tried out"
    fallback = await queries.fallback_of(connection, content_id=content.id)
    return version if fallback is None else f"{PROJECTS}: {version} could not be used, {fallback['reason']}"


def _returned(connection: Connection, thread_id: UUID, revision: int) -> AsyncIterator[Any]:
    """The bounces and complaints of one message."""
    found: AsyncIterator[Any] = queries.returns_of_message(connection, thread_id=thread_id, revision=revision)
    return found


async def _revisions(connection: Connection, thread_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Each revision that reached the thread: what became of it, and what it tells whoever was told those before."""
    told: list[Told] = []
    async for row in queries.thread_story(connection, thread_id=thread_id):
        content = content_of(row)
        kept = ("revision", "state", "state_at", "queued_at", "reason", "attempts", "doubts", "sequence")
        elsewhere = joined(row["mailbox"], row["readers"], row["parts"]).told_elsewhere
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
