"""What staff do with the wordings of mail, whichever way they come: the pages' and the commands' one way in."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, open_database
from clarion.runtime.settings import Settings
from clarion.runtime.staff.accounts import find_account_by_email
from clarion.runtime.staff.audit import Actor
from clarion.services.notifications.wordings import operations
from clarion.services.notifications.wordings.operations import PROJECTS, Reader, Saved, start
from clarion.services.notifications.wordings.vocabulary import DEMANDED, USES, told_names
from clarion.services.notifications.wordings.wording import Draft
from clarion.services.templating.cases import Cases, Source
from clarion.services.templating.mails import RenderedMail, read_mail

SAMPLE = Source()


class NoAccount(Exception):
    """Mail that tries a wording out goes to staff alone, and this is nobody's account."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A template as it stands: its versions, newest first, and the words that one would edit."""

    template: str
    use: str
    versions: list[dict[str, Any]]
    draft: Draft

    @property
    def version(self) -> int:
        """The version in force; 0 is the project's own."""
        return self.versions[0]["version"] if self.versions else 0

    @property
    def projects(self) -> bool:
        """Whether mail goes out in the project's own words."""
        return not self.versions or self.versions[0]["body"] is None

    @property
    def placeholders(self) -> list[str]:
        """All that may be named."""
        return told_names(self.template)

    @property
    def demanded(self) -> tuple[str, ...]:
        """What the body has to name."""
        return DEMANDED[self.template]


class Desk:
    """The wordings of one installation."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.cases = Cases(settings, clock)

    async def standings(self) -> list[Standing]:
        """All templates that can be worded."""
        async with self._ledger() as ledger, ledger.connection() as connection:
            rows = await operations.versions(connection)
        return [standing(name, [row for row in rows if row["template"] == name]) for name in USES]

    async def standing(self, template: str) -> Standing:
        """One of them. Raises NoSuchWording."""
        operations.known_template(template)
        return next(one for one in await self.standings() if one.template == template)

    async def draft(self, template: str, version: int | None) -> Draft | None:
        """The words of a version (None: the newest's); of the project's own None. Raises NoSuchWording."""
        async with self._ledger() as ledger:
            return await operations.find_draft(ledger, template, version)

    async def save(self, actor: Actor, draft: Draft, *, note: str, base: int | None) -> Saved:
        """Put these words in force. Raises Faulty, NoSuchWording, Outdated."""
        async with self._ledger() as ledger:
            return await operations.save(ledger, self._settings, actor, draft, note=note, base=base)

    async def restore(self, actor: Actor, template: str, version: int, *, base: int | None) -> Saved:
        """Put an older version in force again. Raises Faulty, NoSuchWording, Outdated."""
        async with self._ledger() as ledger:
            return await operations.restore(ledger, self._settings, actor, template, version, base=base)

    async def preview(self, template: str, draft: Draft | None, source: Source = SAMPLE) -> RenderedMail:
        """The mail that a draft makes, or the project's words. Raises Faulty, Unusable, NoCase."""
        case = await self.cases.find(template, source)
        mails = await operations.write_out(draft, [case], self._settings, self._clock())
        return read_mail(mails[case.name])

    async def keep_tried(self, actor: Actor, draft: Draft) -> int:
        """Keep a draft for a day, to be looked at; its edition."""
        async with self._ledger() as ledger, ledger.transaction() as tx:
            return await operations.keep_tried(tx, actor, draft)

    async def tried(self, template: str, edition: int) -> Draft | None:
        """A draft that was kept."""
        async with self._ledger() as ledger, ledger.connection() as connection:
            return await operations.find_tried(connection, template, edition)

    async def send_trial(
        self, actor: Actor, template: str, draft: Draft | None, reader: Reader, source: Source = SAMPLE
    ) -> str:
        """Send the mail to one of staff; its id. Raises Faulty, Unusable, NoCase."""
        case = await self.cases.find(template, source)
        await operations.write_out(draft, [case], self._settings, self._clock())
        async with self._ledger() as ledger, ledger.transaction() as tx:
            return await operations.send_trial(tx, actor, draft, case.batch, reader)

    async def reader(self, email: str) -> Reader:
        """Somebody of staff by the address of their account. Raises NoAccount."""
        async with self._ledger() as ledger, ledger.connection() as connection:
            account = await find_account_by_email(connection, email.strip()) if "\x00" not in email else None
        if account is None or account.removed_at is not None:
            raise NoAccount(f"{email} is no address of a staff account: clarion staff list")
        return Reader(account.staff.name, account.staff.email)

    def _ledger(self) -> AbstractAsyncContextManager[Database]:
        return open_database(self._settings, "notifications", self._clock, size=1)


def standing(template: str, rows: list[dict[str, Any]]) -> Standing:
    """A template with its versions; without words of staff's own one begins with what is the same as the project's."""
    newest: Mapping[str, Any] | None = rows[0] if rows else None
    own = newest is not None and newest["body"] is not None
    draft = Draft(template, newest["subject"], newest["body"]) if newest is not None and own else start(template)
    return Standing(template, USES[template], rows, draft)


def in_words(row: Mapping[str, Any]) -> str:
    """What was done in a version: "went back to version 2", "the project's own again", or its note."""
    if row["restores"] == 0:
        return f"{PROJECTS} again"
    if row["restores"] is not None:
        return f"version {row['restores']} again"
    return str(row["note"])
