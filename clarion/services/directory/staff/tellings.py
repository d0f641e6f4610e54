"""What somebody is mailed of their account: that there is one, and that it goes by another address now."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from clarion.runtime.database import Transaction, mailbox_key
from clarion.runtime.ids import new_id
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.runtime.staff.rights import Role, Staff
from clarion.schemas.mailboxes import mailbox
from clarion.schemas.messages import MessageBatch, NoticeContent, Recipient
from clarion.schemas.topics import DIRECTORY_NOTICES

OF_USE_FOR = timedelta(days=7)
ROLES = {
    Role.ADMIN: "administrator",
    Role.STATE: "state team",
    Role.MANAGER: "manager",
    Role.VIEWER: "viewer",
}
NOT_ASKED = "You know nothing of this? Then tell whoever keeps accounts there."


@dataclass(frozen=True, slots=True)
class Site:
    """Where accounts are used: the base of its addresses."""

    public_url: str

    async def tell_added(self, tx: Transaction, staff: Staff) -> None:
        """Tell somebody that there is an account."""
        told = f"You have an account at {self.name} now, as {ROLES[staff.role]}. You sign in by a link in a mail."
        await self._mail(tx, staff, staff.email, f"Your account at {self.name}", [told, NOT_ASKED])

    async def tell_moved(self, tx: Transaction, before: Staff, after: Staff) -> None:
        """Tell both addresses, so that nobody's account is led away unseen."""
        subject = f"Your account at {self.name} has another address"
        to_old = f"Your account at {self.name} goes by another address from now on: this one signs in no more."
        to_new = f"Your account at {self.name} goes by this address from now on. You sign in by a link in a mail."
        await self._mail(tx, before, before.email, subject, [to_old, NOT_ASKED])
        await self._mail(tx, after, after.email, subject, [to_new, NOT_ASKED])

    @property
    def name(self) -> str:
        """The site as people know it."""
        return urlsplit(self.public_url).netloc

    async def _mail(self, tx: Transaction, staff: Staff, address: str, subject: str, paragraphs: list[str]) -> None:
        url = f"{self.public_url.rstrip('/')}/sign-in"
        content = NoticeContent(subject=subject, paragraphs=paragraphs, url=url, button="Sign in")
        to = mailbox(address, await mailbox_key(tx.connection))
        batch = MessageBatch(
            matter=f"staff:{staff.id}:{new_id()}",
            revision=1,
            template="notice",
            lane="registration",
            not_after=tx.clock() + OF_USE_FOR,
            facts=[],
            content=content.model_dump(mode="json"),
            recipients=[Recipient(mailbox=to, address=address, name=staff.name)],
        )
        await enqueue(tx, [Outgoing(DIRECTORY_NOTICES, to, "messages.requested", batch)])
