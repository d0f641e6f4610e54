"""Mails as they come back, and a house to which they do."""

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from clarion.runtime.clock import system_clock
from clarion.schemas.mailboxes import mailbox
from clarion.services.notifications.bounces import operations
from clarion.services.notifications.bounces.repository import Returns
from clarion.services.notifications.bounces.return_path import About, ReturnPath
from tests.services.notifications.conftest import SECRET, House, batch, official, recipient

PATH = ReturnPath("bounces@mail.league.example", [SECRET])


def recipient_fields(
    final: str = "o1@city.example", action: str = "failed", status: str = "5.1.1", **more: str
) -> list[tuple[str, str]]:
    """What a delivery report says of one recipient."""
    fields = [("Final-Recipient", f"rfc822; {final}"), ("Action", action), ("Status", status)]
    return [*fields, *((name.replace("_", "-"), value) for name, value in more.items())]


def report(kind: str, part_type: str, groups: Sequence[Sequence[tuple[str, str]]], *rest: tuple[str, str]) -> bytes:
    """A multipart/report, made by hand so that it is what servers send."""
    part = "\r\n".join("".join(f"{name}: {value}\r\n" for name, value in group) for group in groups)
    parts = [("text/plain; charset=us-ascii", "This is the mail system.\r\n"), (part_type, part), *rest]
    body = "".join(f"--b1\r\nContent-Type: {kind}\r\n\r\n{text}\r\n" for kind, text in parts)
    return (
        "From: MAILER-DAEMON@mx.city.example\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b1"\r\n\r\n{body}--b1--\r\n'
    ).encode()


def dsn(*recipients: Sequence[tuple[str, str]], returned: str = "") -> bytes:
    """A delivery report of RFC 3464."""
    first = [("Reporting-MTA", "dns; mx.city.example"), ("Arrival-Date", "Fri, 2 Apr 2027 09:30:00 -0700")]
    rest = [("text/rfc822-headers", returned)] if returned else []
    return report("delivery-status", "message/delivery-status", [first, *recipients], *rest)


def arf(kind: str, *, sender: str | None = None, returned: str = "") -> bytes:
    """A feedback report of RFC 5965."""
    fields = [("Feedback-Type", kind), ("User-Agent", "SomeGenerator/1.0"), ("Version", "1")]
    fields += [("Original-Mail-From", f"<{sender}>")] if sender else []
    rest = [("message/rfc822", returned)] if returned else []
    return report("feedback-report", "message/feedback-report", [fields], *rest)


def plain(text: str, **headers: str) -> bytes:
    """Any other mail."""
    message = EmailMessage()
    message["From"] = "Ada <o1@city.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


async def came(house: House, way: str, content: bytes, about: About | None = None, at: datetime | None = None) -> Any:
    """It comes and is handled; gives its row."""
    async with house.database.transaction() as tx:
        await operations.keep(tx, way, content, at or system_clock(), about=about)
    while await handled(house, at):
        pass
    return (await house.rows("SELECT * FROM returns ORDER BY id DESC LIMIT 1"))[0]


async def handled(house: House, at: datetime | None = None) -> bool:
    """Handle the next one, if one is due."""
    now = at or system_clock()
    async with house.database.transaction() as tx:
        one = await Returns(tx.connection).take(now)
        if one is not None:
            await operations.handle(tx, one, PATH, now)
        return one is not None


async def about(house: House, number: int = 1) -> About:
    """The mail to a mayor."""
    found = {row["officials"][0]: About(row["thread_id"], row["revision"]) for row in await house.rows()}
    return found[f"o{number}"]


async def told(house: House, key: bytes, *numbers: int) -> None:
    """Mayors who have their mailboxes' real keys were sent a call, as far as the relay knows."""
    mayors = [official(one, mailbox=mailbox(f"o{one}@city.example", key)) for one in numbers]
    await house.know(*mayors)
    await house.ask(
        batch(
            numbers,
            recipients=[recipient(one, mailbox=mayor.mailbox) for one, mayor in zip(numbers, mayors, strict=True)],
        )
    )
    await house.pretend("claimed", "sending", "sent")


async def suppressed(house: House) -> list[tuple[str, str]]:
    return [tuple(row) for row in await house.rows("SELECT kind, reason FROM suppressions ORDER BY kind, reason")]
