"""Rows of the ledger's tables as values."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from clarion.schemas.deliveries import Delivery
from clarion.schemas.messages import CalendarEntry, Contact, Fact
from clarion.services.notifications.domain.messages import NOTHING, NOTHING_ELSE, Claimed, Common, Content, joined
from clarion.services.notifications.wordings.editions import Edition
from clarion.services.notifications.wordings.wording import Draft


def delivery_of(row: Any) -> Delivery:
    """A row that ended, as it is told."""
    return Delivery.of_valid(
        matter=row["matter"],
        revision=row["revision"],
        mailbox=row["mailbox"],
        officials=row["officials"],
        state=row["state"],
        at=row["state_at"],
        reason=row["reason"],
    )


def claimed_of(row: Any, commons: Mapping[UUID, Common]) -> Claimed:
    """A row of the ledger that was claimed, with what it has in common with others."""
    # By their places: a sender reads thousands of these in a second.
    thread_id, revision, matter, mailbox, lane, content_id, subscription, officials, common_id, parts, *rest = row
    recipient = joined(mailbox, officials, parts or NOTHING_ELSE, commons.get(common_id, NOTHING))
    return Claimed(thread_id, revision, matter, mailbox, lane, content_id, subscription, recipient, *rest)


def wording_of(row: Any) -> Edition:
    """A row of wordings as a value."""
    template, subject, body = row["template"], row["subject"], row["body"]
    draft = None if body is None else Draft(template, subject, body)
    return Edition(row["edition"], template, row["version"], draft)


def content_of(row: Any) -> Content:
    """A row of contents as a value."""
    reply_to, calendar = row["reply_to"], row["calendar"]
    return Content(
        id=row["id"],
        matter=row["matter"],
        template=row["template"],
        reply_to=Contact.model_validate(reply_to) if reply_to else None,
        content=row["content"],
        facts=tuple(Fact.model_validate(fact) for fact in row["facts"]),
        calendar=CalendarEntry.model_validate(calendar) if calendar else None,
        edition=row["edition"],
    )
