"""What every operation needs beside its transaction, and how answers are handed to the teller."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, Transaction, mailbox_key
from clarion.runtime.web.pages import Imprint
from clarion.schemas.mailboxes import mailbox
from clarion.services.registrations import repository
from clarion.services.registrations.domain.admission import Answer
from clarion.services.registrations.precedence import Precedence
from clarion.services.registrations.repository import Event, Telling

SOURCE = "/clarion/registrations"
TELLINGS = "tellings"
ANSWERS_PER_TELLING = 500


@dataclass(frozen=True, slots=True)
class Desk:
    """Whom addresses stand for, where the pages are, what time it is, and whether requests are being answered."""

    mailbox_key: bytes
    public_url: str
    clock: Clock
    requests: Precedence = field(default_factory=Precedence)
    imprint: Imprint = field(default_factory=Imprint)

    def mailbox(self, email: str) -> str:
        """The mailbox of an address in its normal form."""
        return mailbox(email, self.mailbox_key)


async def open_desk(database: Database, public_url: str, clock: Clock, imprint: Imprint | None = None) -> Desk:
    """The desk over this database; `imprint` stands at the foot of its pages."""
    async with database.connection() as connection:
        key = await mailbox_key(connection)
    return Desk(key, public_url.rstrip("/"), clock, imprint=imprint or Imprint())


async def tell(
    tx: Transaction, desk: Desk, event: Event, answers: Sequence[Answer], announced: str | None = None
) -> None:
    """Have what became of one event, and these answers, told: the teller publishes and mails them after the commit.

    `announced` is "moved" or "cancelled" where the event itself changed.
    """
    if not answers and announced is None:
        return
    whole = Telling(
        event_id=event.id,
        status=event.status,
        revision=event.revision,
        webinar=event.webinar,
        said=event.said,
        answers=answers[:ANSWERS_PER_TELLING],
        decided_at=desk.clock(),
        announced=announced,
    )
    await repository.insert_telling(tx.connection, whole)
    for start in range(ANSWERS_PER_TELLING, len(answers), ANSWERS_PER_TELLING):
        rest = replace(whole, answers=answers[start : start + ANSWERS_PER_TELLING], announced=None)
        await repository.insert_telling(tx.connection, rest)
    tx.notify(TELLINGS)
