"""What an official would read: one mail, rendered as its sender would write it."""

from dataclasses import dataclass
from datetime import datetime

from clarion.runtime.database import Connection
from clarion.schemas.messages import MessageBatch
from clarion.services.campaigning.desk import Desk, Reading
from clarion.services.campaigning.names import UNKNOWN, names_of
from clarion.services.campaigns.approving import operations as waves
from clarion.services.campaigns.approving.waves import WaveDetails
from clarion.services.campaigns.reports import wave_names
from clarion.services.notifications.rendering.showing import Unshown, render_shown
from clarion.services.templating.mails import RenderedMail, read_mail

NOBODY = "Nobody is asked, so there is no mail."
LOOKED_THROUGH = 50
"""Of a wave's people, so many are looked at to find one who is asked."""


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail of one official, or why they get none."""

    official: str
    name: str
    mail: RenderedMail | None
    none: str = ""


async def mail_of(desk: Desk, reading: Reading, wave: WaveDetails, official: str = "") -> Mail:
    """The mail that an official of the wave would get now; without one, that of the first who is asked."""
    now, batch = desk.clock(), None
    chosen = official or await first_asked(reading.campaigns, wave.campaign, wave.division)
    if chosen and "\x00" not in chosen:
        batch = await waves.sample_batch(reading.campaigns, wave.campaign, wave.division, chosen, now)
    return await mail_of_batch(desk, reading.ledger, batch)


async def first_batch(connection: Connection, campaign: str, now: datetime) -> MessageBatch | None:
    """What the first of a campaign's people would be told, of whichever division."""
    for division in await wave_names(connection, campaign):
        if chosen := await first_asked(connection, campaign, division):
            return await waves.sample_batch(connection, campaign, division, chosen, now)
    return None


async def first_asked(connection: Connection, campaign: str, division: str) -> str | None:
    """The first official of a wave who is not left out."""
    found = await waves.recipients(connection, campaign, division, limit=LOOKED_THROUGH)
    return next((one.official for one in found if one.included), None)


async def mail_of_batch(desk: Desk, ledger: Connection, batch: MessageBatch | None) -> Mail:
    """The mail of a batch's first recipient."""
    if batch is None or not batch.recipients:
        return Mail("", UNKNOWN, None, NOBODY)
    [recipient, *_] = batch.recipients
    official = next(iter(recipient.officials), "")
    name = (await names_of(ledger, recipient.officials)).get(official, UNKNOWN)
    try:
        mail = await render_shown(ledger, desk.renderer, batch, recipient, desk.clock())
    except Unshown as error:
        return Mail(official, name, None, f"There is no mail to show: {error}.")
    return Mail(official, name, read_mail(mail))
