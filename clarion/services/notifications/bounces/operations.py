"""One use case each, within the caller's transaction: keep what came back, and do what follows from it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from clarion.runtime.database import Transaction, mailbox_key
from clarion.runtime.staff.audit import Actor, record
from clarion.schemas.mailboxes import mailbox
from clarion.services.notifications import operations
from clarion.services.notifications.bounces.mail_reports import read_mail
from clarion.services.notifications.bounces.providers import read_postmark, read_ses
from clarion.services.notifications.bounces.repository import Return, ReturnedMail, Returns
from clarion.services.notifications.bounces.return_path import About, ReturnPath
from clarion.services.notifications.bounces.rules import CONSEQUENCES, SOFT_WINDOW, look_again, too_often, went_out
from clarion.services.notifications.bounces.said import Conclusion, Kind, Said, conclude
from clarion.services.notifications.domain.suppressions import SuppressionKind
from clarion.services.notifications.repository import Ledger

RETURNED = "returns"
Reader: TypeAlias = Callable[[bytes], list[Said]]
READERS: Mapping[str, Reader] = {
    "mail": read_mail,
    "ses": read_ses,
    "postmark": read_postmark,
}
SYSTEM = Actor("system", "notifications", "bounces and complaints", "")
NOTHING_KEPT = "of its mail nothing is kept any more"
NO_MAIL_NAMED = "it names no mail of ours"
UNKNOWN = "nothing: no such mail is known; it was never sent, or was erased since"
NEVER_SENT = "nothing: that mail never went out"
KNOWN = "nothing: it was known"
AGAIN = "it is looked at again: what became of its mail is not written down yet"


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of something that came back; `news` if it did anything, or was worth counting."""

    way: str
    kind: Kind
    news: bool


async def keep(
    tx: Transaction, way: str, content: bytes, now: datetime, *, about: About | None = None, digest: str | None = None
) -> bool:
    """Keep what came until it is handled; `digest` is what makes it the same when it comes again. False if it is."""
    named = f"{about.thread_id}.{about.revision}\n".encode() if about else b""
    made = digest or hashlib.sha256(named + content).hexdigest()
    tx.notify(RETURNED)
    return await Returns(tx.connection).keep(way, made, about, content, now)


async def handle(tx: Transaction, one: Return, return_path: ReturnPath | None, now: datetime) -> Handled | None:
    """Do what follows from something that was taken; None if it was put off."""
    returns = Returns(tx.connection)
    said = READERS[one.way](one.content)
    key = await mailbox_key(tx.connection)
    about = one.about or named_by(said, return_path) or await _by_address(returns, said, key, one)
    mail = await returns.mail(about) if about else None
    found = conclude(said, lambda address: mail is None or mailbox(address, key) == mail.mailbox)
    wait = look_again(mail.state, one.tries) if mail and CONSEQUENCES[found.kind] else None
    if wait is not None:
        await returns.postpone(one, now + wait, AGAIN)
        return None
    found = with_its_mail(found, named=about is not None, known=mail is not None)
    doing = Doing(tx, one, mail, now)
    did = await doing.what_follows(found)
    await returns.close(one, found, did, about, mail.mailbox if mail else None)
    if found.kind == "soft":
        await doing.leave_alone()
    return Handled(one.way, found.kind, did not in {KNOWN, UNKNOWN, NEVER_SENT})


def named_by(said: Sequence[Said], return_path: ReturnPath | None) -> About | None:
    """The mail that a report names: as its provider says, or by an envelope sender in it that we made."""
    for one in said:
        if one.about is not None:
            return one.about
        for sender in one.quoted if return_path else ():
            if return_path and (about := return_path.read(sender)):
                return about
    return None


def with_its_mail(found: Conclusion, *, named: bool, known: bool) -> Conclusion:
    """A conclusion where it may lack its mail: what names none is for a person to read, unless it is of no concern;
    what names one of which nothing is kept is not, so that nothing of who was erased is kept here either.
    """
    if not named and found.kind not in {"auto-reply", "other", "unclear"}:
        return Conclusion("unclear", f"{found.kind}: {NO_MAIL_NAMED}")
    if named and not known and found.kind == "unclear":
        return Conclusion("other", NOTHING_KEPT)
    return found


async def _by_address(returns: Returns, said: Sequence[Said], key: bytes, one: Return) -> About | None:
    """The last mail to the address that a provider reports; anybody can write an address into a mail."""
    address = next((each.address for each in said if each.address), None)
    if one.way == "mail" or address is None:
        return None
    return await returns.newest_sent_to(mailbox(address, key), one.received_at)


@dataclass(frozen=True, slots=True)
class Doing:
    """What a report does to its mail, the mailbox and the subscription."""

    tx: Transaction
    one: Return
    mail: ReturnedMail | None
    now: datetime

    async def what_follows(self, found: Conclusion) -> str:
        """Do it; gives what was done in words."""
        consequence = CONSEQUENCES[found.kind]
        if found.kind == "unclear":
            return "kept for a person to read"
        if not consequence:
            return "nothing"
        if self.mail is None:
            return UNKNOWN
        if not went_out(self.mail.state, self.mail.doubts):
            return NEVER_SENT
        done = []
        if consequence.bounced and await self.bounce(self.mail, found.why):
            done.append("bounced")
        # Leaving stops marks, which is done before anything that a crew may wait for.
        if consequence.leaves and await self.leave(self.mail):
            done.append(f"left {self.mail.subscription}")
        if consequence.suppresses and await self.suppress(self.mail, consequence.suppresses, found.why):
            done.append("suppressed")
        return ", ".join(done) or KNOWN

    async def bounce(self, mail: ReturnedMail, why: str) -> bool:
        """The mail did not arrive, which whoever asked for it is told; False if that was known."""
        ended = await Returns(self.tx.connection).bounce(mail, f"bounced: {why}", self.now)
        await operations.announce(self.tx, ended)
        return bool(ended)

    async def suppress(self, mail: ReturnedMail, kind: SuppressionKind, why: str) -> bool:
        """The mailbox gets nothing more, what is queued included; False if it was suppressed."""
        reason = f"its reader complained: {why}" if kind == "complaint" else why
        if not await Ledger(self.tx.connection).suppress({mail.mailbox: reason}, self.now, kind):
            return False
        await self.record(mail, "mailbox.suppressed", kind)
        return True

    async def leave(self, mail: ReturnedMail) -> bool:
        """Leave the subscription of the mail, if it is of one; False if it was left."""
        lists = [mail.subscription] if mail.subscription else []
        if not lists or not await operations.leave(self.tx, mail.mailbox, lists, self.now):
            return False
        await self.record(mail, "subscription.left", lists[0])
        return True

    async def leave_alone(self) -> None:
        """Suppress a mailbox that took nothing too often."""
        if self.mail is None:
            return
        mails, days = await Returns(self.tx.connection).soft_bounces(self.mail.mailbox, self.now - SOFT_WINDOW)
        if too_often(mails, days):
            await self.suppress(self.mail, "hard-bounce", f"it took none of {mails} mails on {days} days")

    async def record(self, mail: ReturnedMail, act: str, what: str) -> None:
        """For staff to read, and for those of the mailbox."""
        await record(
            self.tx.connection,
            SYSTEM,
            act,
            f"message:{mail.id}",
            at=self.now,
            details={"return": self.one.id, "way": self.one.way, "what": what},
            divisions=[mail.wave] if mail.wave else [],
            mailbox=mail.mailbox,
        )
