"""What those who decide are shown: the waves that wait, one wave, its people, and the batch that would be sent."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection
from clarion.schemas.messages import MessageBatch, Reason
from clarion.services.campaigns.approving import repository as rows
from clarion.services.campaigns.approving.rights import WHOLE
from clarion.services.campaigns.approving.waves import (
    WAVES_AT_MOST,
    Counted,
    RecipientView,
    WaitingPage,
    Wave,
    WaveDetails,
    read_place,
)
from clarion.services.campaigns.domain import words
from clarion.services.campaigns.domain.batches import Elsewhere, batches_of
from clarion.services.campaigns.domain.model import Asked
from clarion.services.campaigns.fanout import message_of_campaign
from clarion.services.campaigns.repository import divisions_by_slug


async def waiting_waves(
    connection: Connection,
    divisions: frozenset[str] | None,
    now: datetime,
    *,
    after: str = "",
    limit: int = WAVES_AT_MOST,
) -> WaitingPage:
    """The waves that wait for approval in these divisions (None: in all), those whose use ends first first; from
    behind `after` on, as the page before named it.

    Raises:
        Refusal: there is no such page.
    """
    place = read_place(after)
    found = await rows.find_waves(connection, now, divisions=divisions, waiting=True, after=place, limit=limit + 1)
    waves = found[:limit]
    counted = await rows.count_waves(connection, waves)
    shown = [wave.view(counted.get((wave.campaign, wave.division), Counted())) for wave in waves]
    return WaitingPage(shown, str(waves[-1].position) if len(found) > limit else None)


async def list_waves(connection: Connection, campaign: str, now: datetime) -> list[WaveDetails]:
    """All waves of a campaign, without what was done to them."""
    if "\x00" in campaign:
        return []
    waves = await rows.find_waves(connection, now, campaign=campaign)
    counted = await rows.count_waves(connection, waves)
    return [wave.view(counted.get((wave.campaign, wave.division), Counted())) for wave in waves]


async def show_wave(connection: Connection, campaign: str, division: str, now: datetime) -> WaveDetails | None:
    """One wave with all that was done to it; None if there is none."""
    wave = await rows.find_wave(connection, campaign, division, now)
    if wave is None:
        return None
    counted = await rows.count_waves(connection, [wave])
    history = await rows.history_of(connection, campaign, division)
    return wave.view(counted.get((campaign, division), Counted()), history)


async def recipients(
    connection: Connection,
    campaign: str,
    division: str,
    *,
    after: str = "",
    limit: int = 50,
    officials: Sequence[str] | None = None,
    now: datetime | None = None,
) -> list[RecipientView]:
    """Whom a wave asks, or would, and who was left out, by city; from behind the official `after` on.

    With `officials` only these. Times say which ask is open: that of the connection's server without `now`.
    """
    wave = await rows.find_wave(connection, campaign, division, now or await rows.QUERIES.server_time(connection))
    if wave is None or "\x00" in after:
        return []
    jurisdiction = (await rows.occasion_of(connection, campaign)).jurisdiction
    found = rows.QUERIES.recipients_of_wave(
        connection,
        campaign=campaign,
        division=division,
        after=after,
        officials=None if officials is None else list(officials),
        letter_roles=rows.ROLES,
        at_most=limit,
    )
    return [_recipient(row, wave, jurisdiction) async for row in found]


def _recipient(row: Mapping[str, Any], wave: Wave, jurisdiction: str) -> RecipientView:
    own = [each["text"] for each in row["own"] or [] if each["kind"] != "hand"]
    city = [words.reason_sentence(each, row["city"], jurisdiction).text for each in row["reasons"]]
    return RecipientView(
        official=row["official"],
        mailbox=row["mailbox"],
        city=row["city"],
        roles=row["roles"],
        reasons=[*own, *city],
        asks=_asks(row, wave),
        included=row["included"],
        reason=row["reason"],
    )


def _asks(row: Mapping[str, Any], wave: Wave) -> list[str]:
    written = wave.common.get("first_ask", "letter") if wave.letters_open else "phone"
    return [kind for kind, asked in ((written, row["writes"]), ("testimony", row["speaks"])) if asked]


async def sample_batch(
    connection: Connection, campaign: str, division: str, official: str, now: datetime
) -> MessageBatch | None:
    """What would be sent to that official's mailbox if the wave were let go now; None if they are not asked."""
    wave = await rows.find_wave(connection, campaign, division, now)
    if wave is None or wave.row["message"] is None or division == WHOLE or "\x00" in official:
        return None
    row = await rows.QUERIES.asked_mailbox(
        connection, campaign=campaign, division=division, official=official, letter_roles=rows.ROLES
    )
    if row is None:
        return None
    message = await message_of_campaign(connection, campaign)
    asked = Asked(
        mailbox=row["mailbox"],
        division=division,
        bucket=row["bucket"],
        officials=tuple(row["officials"]),
        cities=tuple(row["cities"]),
        letter=row["writes"] and wave.letters_open,
        phone=row["writes"] and not wave.letters_open,
        testimony=row["speaks"],
        own=tuple(Reason.model_validate(one) for each in row["own"] or () for one in each),
    )
    divisions = await divisions_by_slug(connection, [division] if division else [])
    [(_, batch)] = batches_of(message, [asked], divisions, Elsewhere(), now)
    return MessageBatch.model_validate_json(batch.model_dump_json())
