"""One recipient's mail of a batch that may or may not be sent, for the pages and commands of all services."""

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from clarion.runtime.database import Database
from clarion.runtime.settings import Settings
from clarion.schemas.messages import MessageBatch, Recipient
from clarion.services.notifications.rendering.showing import Unshown, render_shown, showing_renderer

__all__ = ["RenderedMail", "Unshown", "read_mail", "rendered"]


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A mail as people see it, and how many bytes it has on its way."""

    subject: str
    html: str
    text: str
    bytes_: int


async def rendered(
    ledger: Database, settings: Settings, batch: MessageBatch, recipient: Recipient, now: datetime
) -> RenderedMail:
    """The mail of one recipient as the sender would write it now; nothing is sent, and its links lead nowhere.

    `ledger` is the database of notifications. What the mailbox was told of the matter before counts, as in a mail.

    Raises:
        Unshown: the recipient would get no mail; the text says why.
    """
    async with ledger.connection() as connection:
        return read_mail(await render_shown(connection, showing_renderer(settings), batch, recipient, now))


def read_mail(mail: bytes) -> RenderedMail:
    """A mail's bytes as people see it."""
    message: EmailMessage = message_from_bytes(mail, policy=default)
    return RenderedMail(str(message["Subject"] or ""), _part(message, "html"), _part(message, "plain"), len(mail))


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")
