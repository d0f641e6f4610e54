"""Saving a wording, going back to an older one, and trying one out with a mail that is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from clarion.runtime.database import Connection, Database, Transaction, mailbox_key
from clarion.runtime.ids import new_id
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import Actor, record
from clarion.schemas.mailboxes import mailbox
from clarion.schemas.messages import MessageBatch
from clarion.services.notifications import operations
from clarion.services.notifications.domain.messages import TRIAL, message_name, thread_of
from clarion.services.notifications.rendering.showing import MAIL_FROM
from clarion.services.notifications.repository import queries
from clarion.services.notifications.wordings.faults import Fault, Faulty, Unusable
from clarion.services.notifications.wordings.samples import samples
from clarion.services.notifications.wordings.trial import Case, Frame, Trial, try_out
from clarion.services.notifications.wordings.vocabulary import VOCABULARY
from clarion.services.notifications.wordings.wording import Draft, examine

NOTE_CHARACTERS = 300
TRIAL_GOOD_FOR = timedelta(hours=1)
START_SUBJECT = "{{ subject }}"
PROJECTS = "the project's own"


class NoSuchWording(LookupError):
    """There is no such template, or no such version of it."""


class Outdated(Exception):
    """Somebody saved a newer version meanwhile; nothing was changed."""

    def __init__(self, newest: Mapping[str, Any]) -> None:
        self.version, self.by, self.at = newest["version"], newest["made_by"], newest["made_at"]
        said = f"{self.by} saved version {self.version} at {self.at:%Y-%m-%d %H:%M} UTC, after you began"
        super().__init__(f"{said}. Nothing was changed: look at theirs, then save yours over it.")


@dataclass(frozen=True, slots=True)
class Saved:
    """The version that holds now; not `new` where the words were the same as before."""

    version: int
    new: bool


def known_template(template: str) -> str:
    """The name, if there is such a template. Raises NoSuchWording."""
    if template not in VOCABULARY:
        raise NoSuchWording(f"there is no template {template!r}; there are {', '.join(VOCABULARY)}")
    return template


def start(template: str) -> Draft:
    """A wording to begin with, that says what the project's own says."""
    source = files(__package__).joinpath("starters", f"{known_template(template)}.md").read_text("utf-8")
    return Draft(template, START_SUBJECT, source)


def frame(settings: Settings) -> Frame:
    """What stands around the words of every mail."""
    return Frame(
        mail_from=settings.mail_from or MAIL_FROM,
        public_url=settings.public_url or "",
        postal_address=settings.postal_address,
        filings_url=settings.filings_url,
    )


async def write_out(
    draft: Draft | None, cases: Sequence[Case], settings: Settings, now: datetime
) -> Mapping[str, bytes]:
    """The mails that a draft makes; without one, those of the project's wording.

    Raises:
        Faulty: its source cannot be used.
        Unusable: it makes no mail of one of them, or took too long.
    """
    if draft is not None and (faults := examine(draft)):
        raise Faulty(faults)
    return await try_out(Trial(draft=draft, frame=frame(settings), now=now, cases=list(cases)))


async def check(draft: Draft, settings: Settings, now: datetime) -> None:
    """Let a draft pass that every mail can be made of.

    Raises:
        Faulty: it cannot be saved.
    """
    known_template(draft.template)
    cases = [Case(name=name, batch=batch) for name, batch in samples(draft.template).items()]
    try:
        await write_out(draft, cases, settings, now)
    except Unusable as error:
        raise Faulty([Fault(draft.template, "body", None, f"no mail can be made: {error},")]) from error


async def save(
    database: Database,
    settings: Settings,
    actor: Actor,
    draft: Draft,
    *,
    note: str = "",
    base: int | None = None,
) -> Saved:
    """Make this the wording of its template from now on; mail that was asked for before keeps the one it had.

    `base` is the version on which it was written; None: whichever there is.

    Raises:
        Faulty: it cannot be used; NoSuchWording; Outdated: there is a newer version than `base`.
    """
    draft = Draft(draft.template, " ".join(draft.subject.split()), draft.body.replace("\r\n", "\n"))
    await check(draft, settings, database.clock())
    async with database.transaction() as tx:
        return await put(tx, actor, draft.template, draft, note=note, base=base)


async def restore(
    database: Database, settings: Settings, actor: Actor, template: str, version: int, *, base: int | None = None
) -> Saved:
    """Make an older version the newest once more, by a new version; version 0 is the project's own wording.

    Raises:
        Faulty: the program has changed since, so that it cannot be used; NoSuchWording; Outdated.
    """
    draft = await find_draft(database, template, version)
    if draft is not None:
        await check(draft, settings, database.clock())
    async with database.transaction() as tx:
        return await put(tx, actor, template, draft, note="", base=base, restores=version)


async def put(
    tx: Transaction,
    actor: Actor,
    template: str,
    draft: Draft | None,
    *,
    note: str,
    base: int | None,
    restores: int | None = None,
) -> Saved:
    """Write the next version down, unless it is what holds already. Raises Outdated."""
    await queries.lock_wordings(tx.connection)
    newest = next(iter(await versions(tx.connection, template)), None)
    before = newest["version"] if newest else 0
    if newest is not None and base is not None and base != before:
        raise Outdated(newest)
    words = (None, None) if draft is None else (draft.subject, draft.body)
    if words == ((newest["subject"], newest["body"]) if newest else (None, None)):
        return Saved(before, new=False)
    said = " ".join(note.split())[:NOTE_CHARACTERS]
    row = await insert(tx, actor, template, draft, version=before + 1, note=said, restores=restores)
    act = "wording.saved" if restores is None else "wording.restored"
    details = {"version": row["version"], **({} if restores is None else {"restores": restores})}
    await record(tx.connection, actor, act, f"template:{template}", at=tx.clock(), details=details)
    return Saved(row["version"], new=True)


async def insert(tx: Transaction, actor: Actor, template: str, draft: Draft | None, **fields: Any) -> Mapping[str, Any]:
    """A row of a wording; without a version it is in force for nothing."""
    found: Mapping[str, Any] = await queries.insert_wording(
        tx.connection,
        template=template,
        subject=draft.subject if draft else None,
        body=draft.body if draft else None,
        made_by_kind=actor.kind,
        made_by=actor.id,
        now=tx.clock(),
        **{"version": None, "note": "", "restores": None, **fields},
    )
    return found


async def versions(connection: Connection, template: str | None = None) -> list[dict[str, Any]]:
    """The versions of a template, or of all, newest first, with how often each could not be used."""
    return [dict(row) async for row in queries.versions_of(connection, template=template)]


async def find_draft(database: Database, template: str, version: int | None) -> Draft | None:
    """The words of a version, of the newest without one; None: the project's own. Raises NoSuchWording."""
    known_template(template)
    async with database.connection() as connection:
        known = await versions(connection, template)
    number = version if version is not None else (known[0]["version"] if known else 0)
    if number == 0:
        return None
    row = next((one for one in known if one["version"] == number), None)
    if row is None:
        newest = known[0]["version"] if known else 0
        raise NoSuchWording(f"template {template!r} has no version {number}; the newest is {newest}")
    return None if row["body"] is None else Draft(template, row["subject"], row["body"])


async def keep_tried(tx: Transaction, actor: Actor, draft: Draft) -> int:
    """Keep a draft without putting it in force; its edition."""
    await queries.lock_wordings(tx.connection)
    row = await insert(tx, actor, draft.template, draft)
    return int(row["edition"])


async def find_tried(connection: Connection, template: str, edition: int) -> Draft | None:
    """A draft that was kept without being put in force."""
    row = await queries.version_in_edition(connection, template=template, edition=edition)
    if row is None or row["version"] is not None or row["edition"] != edition:
        return None
    return Draft(template, row["subject"], row["body"])


@dataclass(frozen=True, slots=True)
class Reader:
    """Of whom a mail is tried out: somebody of staff, at the address of their account."""

    name: str
    email: str


async def send_trial(tx: Transaction, actor: Actor, draft: Draft | None, batch: MessageBatch, reader: Reader) -> str:
    """Send one mail of this content in these words to one of staff, through the ledger as all mail; its id.

    The draft was checked before. Its subject begins with "Test:"; nobody else gets anything.
    """
    matter, now = f"{TRIAL}{new_id()}", tx.clock()
    known = mailbox(reader.email, await mailbox_key(tx.connection))
    to = batch.recipients[0].model_copy(
        update={"mailbox": known, "officials": [], "address": reader.email, "name": reader.name, "told_elsewhere": []}
    )
    fresh = {"matter": matter, "revision": 1, "wave": "", "not_after": now + TRIAL_GOOD_FOR, "recipients": [to]}
    await operations.register(tx, [batch.model_copy(update=fresh)], now)
    edition = 0 if draft is None else await keep_tried(tx, actor, draft)
    await queries.pin_edition(tx.connection, matter=matter, edition=edition)
    await record(tx.connection, actor, "wording.tried", f"template:{batch.template}", at=now, mailbox=known)
    return message_name(thread_of(matter, known), 1)
