"""Mail about a new address: to it, that it is to be confirmed; to the old one, that somebody asked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clarion.runtime.database import Transaction
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.runtime.web.links import SignedLinks
from clarion.schemas.messages import MessageBatch, NoticeContent, Recipient
from clarion.schemas.topics import DIRECTORY_NOTICES
from clarion.services.directory.domain.corrections import Correction, masked

CONFIRM_PURPOSE = "person-address"
UNDO_PURPOSE = "person-undo"
GOOD_FOR = {CONFIRM_PURPOSE: timedelta(days=3), UNDO_PURPOSE: timedelta(days=30)}
"""How long the links are good, and so until when it is of use to send them."""
NOT_YOU = "If that is not you, do nothing: no mail comes here then."
WAITS = "Nothing has changed yet: who reads the new address has to confirm it first."


@dataclass(frozen=True, slots=True)
class Notices:
    """How links are signed, and where they lead."""

    links: SignedLinks
    public_url: str

    async def ask_new_address(self, tx: Transaction, said: Correction, name: str, old_address: str) -> None:
        """Mail both addresses: the new one for a yes, the old one so that nobody's mail is led away unseen."""
        box, address = str(said.overlay["mailbox"]), str(said.overlay["email"])
        to_new, to_old = self._to_new(said, name), self._to_old(said, name, address)
        new, old = Recipient(mailbox=box, address=address), Recipient(mailbox=said.mailbox, address=old_address)
        now = tx.clock()
        wanted = [
            _request(f"{said.id}:new", to_new, new, now + GOOD_FOR[CONFIRM_PURPOSE]),
            _request(f"{said.id}:old", to_old, old, now + GOOD_FOR[UNDO_PURPOSE]),
        ]
        await enqueue(tx, wanted)

    def _to_new(self, said: Correction, name: str) -> NoticeContent:
        token = self.links.sign(CONFIRM_PURPOSE, {"correction": said.id})
        return NoticeContent(
            subject="Is this your new address?",
            paragraphs=[f"Somebody asked that mail to {name} comes to this address from now on.", NOT_YOU],
            url=f"{self.public_url}/me/address/{token}",
            button="Look at it, and confirm",
        )

    def _to_old(self, said: Correction, name: str, address: str) -> NoticeContent:
        token = self.links.sign(UNDO_PURPOSE, {"correction": said.id})
        asked = f"Somebody who had the link of a mail to you asked that mail to {name} goes to {masked(address)}."
        return NoticeContent(
            subject="Your mail is asked to go elsewhere",
            paragraphs=[asked, WAITS, "Was it not you? Then stop it, now or later."],
            url=f"{self.public_url}/me/undo/{token}",
            button="Look at it, and stop it",
        )


def _request(what: str, content: NoticeContent, to: Recipient, not_after: datetime) -> Outgoing:
    batch = MessageBatch(
        matter=f"correction:{what}",
        revision=1,
        template="notice",
        lane="sign-in",
        not_after=not_after,
        facts=[],
        content=content.model_dump(),
        recipients=[to],
    )
    return Outgoing(DIRECTORY_NOTICES, key=to.mailbox, type="messages.requested", data=batch)
