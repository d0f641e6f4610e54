"""What came back, as rows and values; decides nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from clarion.runtime.database import Connection
from clarion.schemas.deliveries import Delivery
from clarion.services.notifications.bounces.return_path import About
from clarion.services.notifications.bounces.said import Conclusion
from clarion.services.notifications.domain.messages import message_name
from clarion.services.notifications.domain.states import State
from clarion.services.notifications.repository import queries
from clarion.services.notifications.rows import delivery_of


@dataclass(frozen=True, slots=True)
class Return:
    """Something that came back, as it is kept until it is handled."""

    id: int
    way: str
    about: About | None
    content: bytes
    received_at: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class ReturnedMail:
    """The mail that a report is about, as it stands in the ledger."""

    thread_id: UUID
    revision: int
    mailbox: str
    matter: str
    wave: str
    subscription: str | None
    state: State
    resend: int
    doubts: int

    @property
    def id(self) -> str:
        """The name of the message."""
        return message_name(self.thread_id, self.revision, self.resend)


class Returns:
    """The table of what came back, and what it needs of the ledger."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def keep(self, way: str, digest: str, about: About | None, content: bytes, now: datetime) -> bool:
        """Keep what came; False if the same came before."""
        found = await queries.keep_return(
            self._connection,
            way=way,
            digest=digest,
            thread_id=about and about.thread_id,
            revision=about and about.revision,
            content=content,
            now=now,
        )
        return found is not None

    async def take(self, now: datetime) -> Return | None:
        """One that is due; others see it no more until this transaction ends."""
        row = await queries.take_return(self._connection, now=now)
        if row is None:
            return None
        about = About(row["thread_id"], row["revision"]) if row["thread_id"] else None
        content = bytes(row["content"] or b"")
        return Return(row["id"], row["way"], about, content, row["received_at"], row["tries"])

    async def next_due(self) -> datetime | None:
        """When the next one is due."""
        found: datetime | None = await queries.next_return_due(self._connection)
        return found

    async def postpone(self, one: Return, due_at: datetime, said: str) -> None:
        """Look at it again then."""
        await queries.postpone_return(self._connection, id=one.id, due_at=due_at, said=said)

    async def close(self, one: Return, found: Conclusion, did: str, about: About | None, mailbox: str | None) -> None:
        """It is handled."""
        await queries.close_return(
            self._connection,
            id=one.id,
            kind=found.kind,
            said=found.why or None,
            did=did,
            mailbox=mailbox,
            thread_id=about and about.thread_id,
            revision=about and about.revision,
        )

    async def mail(self, about: About) -> ReturnedMail | None:
        """The mail; None if there is none, or none any more."""
        row = await queries.find_returned_mail(self._connection, thread_id=about.thread_id, revision=about.revision)
        return None if row is None else ReturnedMail(**dict(row))

    async def newest_sent_to(self, mailbox: str, before: datetime) -> About | None:
        """The last mail that went to a mailbox."""
        row = await queries.newest_sent_to(self._connection, mailbox=mailbox, before=before)
        return None if row is None else About(row["thread_id"], row["revision"])

    async def bounce(self, mail: ReturnedMail, reason: str, now: datetime) -> list[Delivery]:
        """The mail did not arrive; gives that outcome, or nothing if it was known."""
        rows = queries.bounce(
            self._connection, thread_id=mail.thread_id, revision=mail.revision, reason=reason, now=now
        )
        return [delivery_of(row) async for row in rows]

    async def soft_bounces(self, mailbox: str, since: datetime) -> tuple[int, int]:
        """Of how many mails, on how many days, the mailbox took nothing."""
        row = await queries.soft_bounces(self._connection, mailbox=mailbox, since=since)
        return row["mails"], row["days"]

    async def list(self, kind: str | None, limit: int) -> list[dict[str, Any]]:
        """What came back, newest first."""
        return [dict(row) async for row in queries.list_returns(self._connection, kind=kind, room=limit)]

    async def find(self, return_id: int) -> dict[str, Any] | None:
        """One, with what it was as long as that is kept."""
        row = await queries.find_return(self._connection, id=return_id)
        return None if row is None else dict(row)

    async def set_aside(self, return_id: int, did: str) -> bool:
        """A person has read it; False if there is nothing of it to read."""
        return await queries.set_return_aside(self._connection, id=return_id, did=did) is not None

    async def open(self) -> tuple[int, int]:
        """How many wait to be handled, and how many for a person to read them."""
        row = await queries.returns_open(self._connection)
        return row["waiting"], row["unread"]
