"""With what a wording is tried out: what the people of a campaign are told, or a sample."""

from dataclasses import dataclass
from datetime import datetime

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database, open_database
from clarion.runtime.settings import Settings
from clarion.schemas.messages import MessageBatch
from clarion.services.campaigning.mails import first_asked, first_batch
from clarion.services.campaigns.approving.operations import sample_batch
from clarion.services.notifications.domain.messages import Official
from clarion.services.notifications.repository import Projection
from clarion.services.notifications.wordings.samples import ended, samples
from clarion.services.notifications.wordings.trial import Case

OF_CAMPAIGNS = ("call", "over")
"""The templates that can be tried out with a campaign's own data."""


class NoCase(Exception):
    """There is nothing with which to try it out; the text says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """A campaign, and one of its divisions; without a campaign it is a sample."""

    campaign: str = ""
    division: str | None = None


class Cases:
    """Finds data in the databases of campaigns and of the ledger."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    async def find(self, template: str, source: Source) -> Case:
        """One mail's data.

        Raises:
            NoCase: the campaign asks nobody, or the template is none of campaigns'.
        """
        if not source.campaign:
            return Case(name="the sample", batch=samples(template)["sample"])
        if template not in OF_CAMPAIGNS:
            raise NoCase(f"only {' and '.join(OF_CAMPAIGNS)} tell of campaigns: leave the campaign out")
        async with open_database(self._settings, "campaigns", self._clock, size=1) as database:
            batch = await batch_of(database, source, self._clock())
        async with open_database(self._settings, "notifications", self._clock, size=1) as ledger:
            officials = await readers(ledger, batch)
        shown = batch if template == "call" else ended(batch)
        return Case(name=f"campaign {source.campaign}", batch=shown, officials=officials)


async def batch_of(database: Database, source: Source, now: datetime) -> MessageBatch:
    """What the first who is asked would be told; `database` is that of campaigns. Raises NoCase."""
    if "\x00" in source.campaign + (source.division or ""):
        raise NoCase("there is no such campaign")
    async with database.connection() as connection:
        batch = None
        if source.division is None:
            batch = await first_batch(connection, source.campaign, now)
        elif official := await first_asked(connection, source.campaign, source.division):
            batch = await sample_batch(connection, source.campaign, source.division, official, now)
    if batch is None or not batch.recipients:
        where = f" in {source.division}" if source.division else ""
        raise NoCase(f"campaign {source.campaign} asks nobody{where}, or there is none of this name")
    return batch


async def readers(ledger: Database, batch: MessageBatch) -> list[Official]:
    """The officials whom the mail of a batch's recipient names; `ledger` is the database of notifications."""
    [recipient, *_] = batch.recipients
    async with ledger.connection() as connection:
        known = await Projection(connection).officials(recipient.officials)
    return [one for one in known.values() if one.active and one.mailbox == recipient.mailbox]
