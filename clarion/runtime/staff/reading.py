"""Reading the record of acts: by whom it concerns, and what each act is in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from clarion.runtime.database import Connection, load_queries
from clarion.runtime.staff.audit import Actor
from clarion.runtime.staff.rights import Act, Staff, where

ACTS: Mapping[str, str] = {
    "call.added": "added somebody to a campaign by hand",
    "call.choice-undone": "took back that somebody was added or left out",
    "call.left-out": "left somebody out of a campaign",
    "campaign.cancelled": "called off a campaign",
    "campaign.change-taken-back": "had a campaign as it was before it was moved or called off",
    "campaign.moved": "gave a campaign another end",
    "campaign.resent": "sent a campaign's mail again to those whom it had not reached",
    "campaign.paused": "paused a campaign's mail",
    "campaign.resumed": "resumed a campaign's mail",
    "campaign.started": "started a campaign",
    "correction.accepted": "accepted what somebody said of an official",
    "correction.confirmed": "confirmed an address of theirs",
    "correction.refused": "refused what somebody said of an official",
    "correction.said": "said that something about an official is not so",
    "correction.undone": "undid a correction",
    "deadline.set": "set a hearing's deadline by hand",
    "dead-letter.discarded": "put a dead letter aside",
    "dead-letter.retried": "handed a dead letter to its handler again",
    "dead-letter.taken-back": "took a dead letter back that had been put aside",
    "directory.imported": "imported into the directory",
    "erasure.asked": "asked to be erased",
    "erasure.taken-back": "asked not to be erased after all",
    "export.asked": "asked for all that is kept about the mailbox",
    "holiday-year.known": "said that a year's holidays are all known",
    "holiday-year.unknown": "said that not all of a year's holidays are known",
    "holiday.added": "added a day on which the legislature is closed",
    "holiday.removed": "took out a day on which the legislature was said to be closed",
    "import.confirmed": "confirmed an import into the directory",
    "import.dropped": "threw away a file for the directory",
    "import.uploaded": "put up a file for the directory",
    "key.created": "made an API key",
    "key.refused": "used an API key in vain",
    "key.revoked": "revoked an API key",
    "mailbox.suppressed": "had nothing more sent to a mailbox",
    "mailbox.unsuppressed": "had mail sent to a mailbox again",
    "mailboxes.imported": "imported a list of suppressed mailboxes",
    "messages.replayed": "published messages again",
    "person.erased": "erased what was kept of a person",
    "person.exported": "took out what is kept of a person",
    "person.readmitted": "let somebody in again who had been erased",
    "position.adopted": "adopted a position",
    "position.withdrawn": "withdrew a position",
    "priority.set": "changed the Action Agenda",
    "registration.added": "asked for a seat on somebody's behalf",
    "registration.cancelled": "gave up somebody's seat",
    "registrations.exported": "took out the list of who registered",
    "restored.taken-up": "took up a database restored from a dump",
    "return.read": "took in a mail that came back",
    "rule.restored": "went back to an earlier rule of a committee",
    "rule.set": "set until when a committee takes letters",
    "session.begun": "signed in",
    "session.ended": "signed out",
    "sessions.ended": "signed out everywhere",
    "staff.added": "gave somebody an account",
    "staff.changed": "changed somebody's account",
    "staff.removed": "took somebody's account away",
    "staff.restored": "gave somebody's account back",
    "staff.signed-out": "signed somebody out everywhere",
    "subscription.joined": "joined subscriptions",
    "subscription.left": "left subscriptions",
    "updates.posted": "posted legislative updates",
    "updates.published": "published legislative updates",
    "wave.approved": "let a division's calls go",
    "wave.rejected": "had a division's calls not go out",
    "wave.stopped": "stopped a division's calls",
    "wave.worded": "wrote a division's own paragraph",
    "webinar.cancelled": "cancelled an event",
    "webinar.changed": "changed an event",
    "webinar.created": "made an event",
    "wording.restored": "went back to an older wording of a mail",
    "wording.saved": "saved a wording of a mail",
    "wording.tried": "had a mail sent to try a wording out",
}
"""What each act is, as it stands after the name of who did it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One act; `divisions` are those that it concerns, `subject_name` what people know its subject by."""

    id: int
    at: datetime
    actor: Actor
    act: str
    subject: str
    details: Mapping[str, JsonValue]
    divisions: tuple[str, ...]
    subject_name: str | None = None

    @property
    def words(self) -> str:
        """The act in words."""
        return ACTS.get(self.act, self.act)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: each part narrows it.

    `who` is the actor's id or a part of the name, `kind` what they are (such as staff), `act` one act or the first part
    of several (`wave`), `subject` one thing or a kind (`campaign`), `since` a time, `before` the id of an entry: those
    older than it.
    """

    who: str | None = None
    act: str | None = None
    subject: str | None = None
    since: datetime | None = None
    before: int | None = None
    kind: str | None = None


EVERY = Wanted()


async def list_entries(
    connection: Connection, wanted: Wanted = EVERY, *, reader: Staff | None = None, at_most: int = 100
) -> list[Entry]:
    """The newest entries that fit and that the reader may see; without a reader, all."""
    divisions = None if reader is None else where(reader, Act.SEE_AUDIT)
    rows = load_queries(__package__).list_acts(
        connection,
        divisions=None if divisions is None else sorted(divisions),
        reader=None if reader is None else reader.id,
        who=wanted.who,
        kind=wanted.kind,
        act=wanted.act,
        subject=wanted.subject,
        since=wanted.since,
        before=wanted.before,
        at_most=at_most,
    )
    return [entry_of(row) async for row in rows]


async def concerning(connection: Connection, mailbox: str, *, at_most: int = 100) -> list[Entry]:
    """What was done that concerns the people of a mailbox, newest first, for them to read."""
    rows = load_queries(__package__).list_acts_on_mailbox(connection, mailbox=mailbox, at_most=at_most)
    return [entry_of(row) async for row in rows]


async def purge(connection: Connection, *, days: int, at_most: int) -> int:
    """Remove the oldest entries that are older than so many days, and than 400; gives how many those were.

    No service's role can remove any, so the database does it by a function of its own, which keeps to the 400 days.
    """
    removed: int = await load_queries(__package__).purge_audit(connection, days=days, room=at_most)
    return removed


def entry_of(row: Mapping[str, Any]) -> Entry:
    """A row as an entry."""
    return Entry(
        id=row["id"],
        at=row["at"],
        actor=Actor(row["actor_kind"], row["actor_id"], row["actor_name"], row["place"]),
        act=row["act"],
        subject=row["subject"],
        details=row["details"],
        divisions=tuple(row["divisions"]),
        subject_name=row["subject_name"],
    )
