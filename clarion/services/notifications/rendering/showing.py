"""A mail as its sender would write it, for who only wants to see it: nothing in it is good for anything."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from clarion.schemas.messages import MessageBatch, Recipient
from clarion.services.notifications.domain import lanes
from clarion.services.notifications.domain.messages import Addressed, Claimed, Content, address, thread_of
from clarion.services.notifications.domain.telling import Telling, Unneeded, tell
from clarion.services.notifications.rendering.mail import Renderer

if TYPE_CHECKING:
    from clarion.runtime.database import Connection
    from clarion.runtime.settings import Settings

NO_TOKEN = "only-a-preview"  # noqa: S105 - what stands where a token would
MAIL_FROM = "Clarion <calls@clarion.invalid>"


class Unshown(Exception):
    """There is no mail to show; its text says why."""


class NoLinks:
    """Signs nothing: whoever looks at somebody else's mail must not be able to act as them."""

    def signer(self, _purpose: str) -> Callable[[Any, datetime], str]:
        """What stands where a token would."""
        return lambda _payload, _at: NO_TOKEN


def showing_renderer(settings: "Settings") -> Renderer:
    """A renderer as the senders have it, but for the links."""
    return Renderer(
        NoLinks(),
        mail_from=settings.mail_from or MAIL_FROM,
        public_url=settings.public_url or "",
        postal_address=settings.postal_address,
        filings_url=settings.filings_url,
    )


async def render_shown(
    connection: "Connection", renderer: Renderer, batch: MessageBatch, recipient: Recipient, now: datetime
) -> bytes:
    """The mail that one recipient of a batch would get now, after all that their mailbox was told before.

    Raises:
        Unshown: they would get none.
    """
    from clarion.services.notifications.repository import Ledger, Projection  # noqa: PLC0415 - a trial has no database
    from clarion.services.notifications.threads import thread_id_of  # noqa: PLC0415

    renderer.editions.add(await Ledger(connection).wordings_after(renderer.editions.newest))
    edition = renderer.editions.newest_in_force
    thread_id = await thread_id_of(connection, batch.matter, recipient.mailbox)
    message = claimed(batch, recipient, now)._replace(thread_id=thread_id)
    known = await Projection(connection).officials(recipient.officials)
    told = (await Ledger(connection).told([message])).get(message.thread_id, [])
    content = content_of_batch(batch, edition, number_of(batch))
    to = address(message, known, now)
    if not isinstance(to, Addressed):
        raise Unshown("none of them is known here with this mailbox")
    telling = tell(content, told, recipient.told_elsewhere, [official.id for official in to.officials])
    match telling:
        case Unneeded(reason):
            raise Unshown(reason)
        case Telling(readers=readers):
            return renderer.render(message, content, to if readers is None else to.only(readers), now, telling)


def claimed(batch: MessageBatch, recipient: Recipient, now: datetime) -> Claimed:
    """A recipient of a batch as a sender would have it in hand."""
    return Claimed(
        thread_id=thread_of(batch.matter, recipient.mailbox),
        revision=batch.revision,
        matter=batch.matter,
        mailbox=recipient.mailbox,
        lane=lanes.number(batch.lane),
        content_id=0,
        subscription=batch.subscription,
        recipient=recipient,
        not_after=batch.not_after,
        queued_at=now,
        claim=0,
        attempts=0,
        doubts=0,
    )


def number_of(batch: MessageBatch) -> int:
    """Tells batches apart, so that one renderer can show several: by its content's number it knows what it has kept."""
    said = batch.model_dump_json(exclude={"recipients"})
    return int.from_bytes(hashlib.sha256(said.encode()).digest()[:8])


def content_of_batch(batch: MessageBatch, edition: int, number: int = 0) -> Content:
    """What the messages of a batch share."""
    return Content(
        number, batch.matter, batch.template, batch.reply_to, batch.content, tuple(batch.facts), batch.calendar, edition
    )
