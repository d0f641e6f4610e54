"""Reads what comes to the bounce address by mail. Values in, values out; it never raises, whatever the bytes are.

Delivery reports are of RFC 3464, with the fields of RFC 3461; complaints of RFC 5965 and RFC 6430; automatic replies of
RFC 3834. Of those that follow no standard only two are known, by marks that nobody else leaves; the rest is unclear.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

from clarion.services.notifications.bounces.said import Meaning, Said, status_in

READ_OCTETS = 65_536
"""Reports come before what they return, so the beginning has them; and nobody can make reading it expensive."""
RECIPIENTS = 50
FIELD = 1_000
ACTIONS: Mapping[str, Meaning] = {
    "failed": "failed",
    "delayed": "delayed",
    "delivered": "delivered",
    "relayed": "delivered",
    "expanded": "delivered",
}
FEEDBACK: Mapping[str, Meaning] = {
    "abuse": "complaint",
    "not-spam": "not-spam",
    "opt-out": "opt-out",
    "opt-out-list": "opt-out",
}
"""Other kinds of feedback (fraud, virus, other, auth-failure) are for people to read."""
QMAIL = re.compile(r"^Hi\. This is the qmail-send program", re.MULTILINE)
QMAIL_RECIPIENT = re.compile(r"^<([^<>\s]{3,320})>:\s*$\n((?:[^\n]+\n?){1,20})", re.MULTILINE)
EXIM_FAILED = "X-Failed-Recipients"
ANGLED = re.compile(r"<([^<>\s]{3,320})>")


def read_mail(content: bytes) -> list[Said]:
    """What a mail says, recipient by recipient; at least one thing."""
    try:
        message = BytesParser(policy=compat32).parsebytes(content[:READ_OCTETS])
        return read_message(message)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError) as error:
        # The standard library's parser promises not to raise; what is nested or broken enough makes it.
        return [Said("unclear", why=f"it cannot be read: {type(error).__name__}")]


def read_message(message: Message) -> list[Said]:
    """The same of a mail that was parsed."""
    parts = children(message)
    quoted = quoted_senders(parts)
    feedback = next((part for part in parts if part.get_content_type() == "message/feedback-report"), None)
    if feedback is not None:
        return [complaint(feedback, quoted)]
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    if status is not None:
        return delivery_status(status, quoted) or [Said("unclear", why="its delivery status names no recipient")]
    return unstructured(message, parts)


def children(message: Message) -> Sequence[Message]:
    """The parts of a mail itself: what it returns or forwards may hold reports too, which are of others."""
    payload = message.get_payload() if message.is_multipart() else None
    return [part for part in payload if isinstance(part, Message)][:RECIPIENTS] if isinstance(payload, list) else []


def field(message: Message, name: str) -> str:
    """A header in one line and of bounded length; empty if there is none."""
    value = message.get(name)
    return "" if value is None else " ".join(str(value)[:FIELD].split())


def fields_of(part: Message) -> Sequence[Message]:
    """The groups of fields in a report's part."""
    return children(part) or [part]


def delivery_status(part: Message, quoted: Sequence[str]) -> list[Said]:
    """What a delivery report says of each recipient (RFC 3464, 2.3)."""
    found = []
    for group in fields_of(part)[:RECIPIENTS]:
        action = field(group, "Action").partition(" ")[0].lower()
        final = address_in(field(group, "Final-Recipient"))
        if not action and final is None:
            continue
        meaning = ACTIONS.get(action)
        status = status_in(field(group, "Status"), field(group, "Diagnostic-Code"))
        original = address_in(field(group, "Original-Recipient"))
        if meaning is None:
            found.append(
                Said("unclear", final, original, status, why="its delivery status has no action", quoted=quoted)
            )
        else:
            why = f"{action} ({status})" if status and meaning != "failed" else ""
            found.append(Said(meaning, final, original, status, why, quoted=quoted))
    return found


def complaint(part: Message, quoted: Sequence[str]) -> Said:
    """What a feedback report says (RFC 5965, 3.1)."""
    group = fields_of(part)[0]
    kind = field(group, "Feedback-Type").lower()
    senders = [*angled(field(group, "Original-Mail-From")), *quoted]
    meaning = FEEDBACK.get(kind, "unclear")
    why = f"feedback of the kind {kind[:40]!a}" if kind else "feedback without a kind"
    return Said(meaning, why=why, quoted=senders)


def address_in(value: str) -> str | None:
    """The address of "rfc822; ada@city.example" (RFC 3464, 2.1.2)."""
    kind, separator, address = value.partition(";")
    if not separator or kind.strip().lower() not in {"rfc822", "utf-8"}:
        return None
    return address.strip().strip("<>") or None


def angled(value: str) -> list[str]:
    """The address in angle brackets, or alone."""
    found = ANGLED.findall(value)
    return found or ([value] if "@" in value and " " not in value else [])


def quoted_senders(parts: Sequence[Message]) -> list[str]:
    """The envelope senders that the returned mail, or its headers, name."""
    found: list[str] = []
    for part in parts:
        kind = part.get_content_type()
        if kind in {"message/rfc822", "message/global"}:
            returned: Sequence[Message] = children(part)
        elif kind in {"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"}:
            returned = [
                BytesParser(policy=compat32).parsebytes(text_of(part).encode("utf-8", "replace"), headersonly=True)
            ]
        else:
            continue
        found += [sender for one in returned for sender in angled(field(one, "Return-Path"))]
    return found


def text_of(part: Message) -> str:
    """The text of a part that has no parts, as far as it can be decoded."""
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def unstructured(message: Message, parts: Sequence[Message]) -> list[Said]:
    """What a mail without a report in it is."""
    text = text_of(next((part for part in parts if part.get_content_type() == "text/plain"), message))
    text = text.replace("\r\n", "\n")
    found = list(qmail(text)) if QMAIL.search(text) else list(exim(message, text))
    if found:
        return found
    if message.get_content_type() == "multipart/report":
        return [Said("unclear", why="its report is missing, or too far down")]
    if answers_by_itself(message):
        return [Said("auto-reply")]
    return [Said("unclear", why="it is no report and no automatic reply")]


def answers_by_itself(message: Message) -> bool:
    """Whether it is an automatic reply (RFC 3834, 5), or says so in the older ways."""
    submitted = field(message, "Auto-Submitted").partition(";")[0].strip().lower()
    if submitted:
        return submitted != "no"
    older = field(message, "Precedence").lower() in {"auto_reply", "auto-reply"}
    return older or any(field(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponse"))


def qmail(text: str) -> Iterator[Said]:
    """qmail's bounce messages: a paragraph for each recipient, with the reason below the address."""
    for found in list(QMAIL_RECIPIENT.finditer(text))[:RECIPIENTS]:
        yield Said("failed", found[1], status=status_in("", found[2]))


def exim(message: Message, text: str) -> Iterator[Said]:
    """Older Exims' bounce messages: the recipients in a header; what each was refused for stands in the text."""
    recipients = [one.strip() for one in field(message, EXIM_FAILED).split(",") if "@" in one]
    for recipient in recipients[:RECIPIENTS]:
        _, _, reason = text.partition(recipient)
        yield Said("failed", recipient, status=status_in("", reason[:FIELD]))
