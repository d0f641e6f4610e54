"""What the reader of a mailbox sees of it and asks for, by the link in a mail."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.ids import new_id
from clarion.schemas.messages import MessageBatch, Recipient
from clarion.services.notifications import operations
from clarion.services.notifications.domain.subscriptions import about, offered, title_of
from clarion.services.notifications.repository import Ledger, queries

Wish = Literal["export", "erasure"]

EXPORT_PURPOSE = "export"
"""What the link in the mail with which an export is asked for is signed for."""
EXPORT_LASTS = timedelta(days=1)
AGAIN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Choice:
    """A subscription as its reader sees it."""

    name: str
    title: str
    about: str
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a mailbox gets. `readers` are the people whom mail to it named, none where that was nobody.

    `suppressed` is why it gets nothing at all, if so: hard-bounce, complaint, hand, import or erased, and since when.
    """

    choices: list[Choice]
    readers: list[str]
    suppressed: tuple[str, datetime] | None
    wishes: dict[str, datetime]

    @property
    def names(self) -> list[str]:
        """The subscriptions that there are for it."""
        return [choice.name for choice in self.choices]


async def standing(connection: Connection, mailbox: str, subscription: str) -> Standing:
    """What a mailbox gets; `subscription` is that of the mail whose link was opened."""
    left = await Ledger(connection).left(mailbox)
    asked = {row["subscription"] async for row in queries.lists_of_mailbox(connection, mailbox=mailbox)}
    suppressed = await queries.suppression_of(connection, mailbox=mailbox)
    return Standing(
        choices=[
            Choice(name, title_of(name), about(name), left.get(name)) for name in offered(subscription, asked, left)
        ],
        readers=[row["name"] async for row in queries.named_before(connection, mailbox=mailbox)],
        suppressed=(suppressed["kind"], suppressed["since"]) if suppressed else None,
        wishes={row["wish"]: row["asked_at"] async for row in queries.wishes_of(connection, mailbox=mailbox)},
    )


async def wish_for_export(tx: Transaction, mailbox: str, link: Callable[[str], str], now: datetime) -> bool:
    """Send the mailbox itself a link to all that is kept about it; False if one is on its way, or nobody reads it.

    The link that was opened may stand in a mail that was handed on, so what is kept is not shown for it.
    """
    recipient = await _reader(tx.connection, mailbox)
    if recipient is None or not await _wish(tx.connection, mailbox, "export", now):
        return False
    until = now + EXPORT_LASTS
    await operations.register(tx, [_mail(recipient, link(mailbox), until)], now)
    return True


async def wish_for_erasure(tx: Transaction, mailbox: str, now: datetime) -> bool:
    """Tell staff that a reader of the mailbox wants to be erased; False if they were told within the hour."""
    return await _wish(tx.connection, mailbox, "erasure", now)


async def take_back_erasure(tx: Transaction, mailbox: str) -> bool:
    """Nobody wants to be erased any more; False if nobody did."""
    return await queries.take_back_wish(tx.connection, mailbox=mailbox, wish="erasure") is not None


async def _wish(connection: Connection, mailbox: str, wish: Wish, now: datetime) -> bool:
    asked = queries.wish(connection, mailbox=mailbox, wish=wish, now=now, again_after=now - AGAIN_AFTER)
    return await asked is not None


async def _reader(connection: Connection, mailbox: str) -> Recipient | None:
    """To whom mail for the mailbox goes: its officials, or the address that it was last written to."""
    found = await queries.readers_of(connection, mailbox=mailbox)
    if found["officials"]:
        return Recipient(mailbox=mailbox, officials=found["officials"])
    if found["part"] is None:
        return None
    return Recipient.model_validate({**found["part"], "mailbox": mailbox})


def _mail(recipient: Recipient, link: str, until: datetime) -> MessageBatch:
    spoken = until.strftime("%B %-d, %Y, %H:%M UTC")
    return MessageBatch(
        matter=f"kept:{new_id()}",
        revision=1,
        template="kept",
        lane="sign-in",
        not_after=until,
        facts=[],
        content={"url": link, "until": spoken},
        recipients=[recipient],
    )
