"""A campaign or a division's wave of it is paused and resumed."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.schemas.messages import Pause
from clarion.schemas.topics import CAMPAIGNS_CALLS
from clarion.services.campaigns.outcomes import MATTER
from clarion.services.campaigns.repository import QUERIES


class NotToBePaused(Exception):
    """It cannot be paused or resumed; the message says why, and what can."""


class NoneSuch(NotToBePaused):
    """There is no such campaign, or no such division in it."""


async def pause(tx: Transaction, campaign: str, division: str | None, now: datetime) -> list[Pause]:
    """Pause a wave, or without a division the whole campaign; gives its pause, also if that was in force before.

    Raises:
        NotToBePaused: there is no such campaign, or no such wave of it.
    """
    known = await _known(tx, campaign, division)
    return await _bring(tx, campaign, [division], known, now, paused=True)


async def resume(tx: Transaction, campaign: str, division: str | None, now: datetime) -> list[Pause]:
    """Resume a wave, or without a division everything of the campaign that is paused; gives what was resumed.

    Raises:
        NotToBePaused: there is no such campaign, or no such wave of it, or the whole is paused and not the wave.
    """
    known = await _known(tx, campaign, division)
    if division is None:
        return await _bring(tx, campaign, list(known), known, now, paused=False)
    if None in known and known[None].paused:
        raise NotToBePaused(f"the whole campaign is paused: `clarion campaigns resume {campaign}` resumes it")
    return await _bring(tx, campaign, [one for one in known if one == division], known, now, paused=False)


async def pauses_of(connection: Connection, campaign: str) -> dict[str | None, Pause]:
    """The pauses of a campaign, those that ended too, by division; None is the whole."""
    rows = QUERIES.pauses_of(connection, campaign=campaign)
    return {
        row["division"]: Pause(
            matter=f"{MATTER}{campaign}", wave=row["division"], revision=row["revision"], paused=row["paused"]
        )
        async for row in rows
    }


async def divisions_of(tx: Transaction, campaign: str) -> AsyncIterator[str]:
    """The divisions of a campaign's waves, also of those that were told before and are concerned no more."""
    async for row in QUERIES.divisions_of(tx.connection, campaign=campaign):
        yield row["division"]


async def _known(tx: Transaction, campaign: str, division: str | None) -> dict[str | None, Pause]:
    """The campaign's pauses; its row is locked, so that two who pause at once come one after the other."""
    if await QUERIES.lock_campaign(tx.connection, campaign=campaign) is None:
        raise NoneSuch(f"no campaign {campaign}: `clarion campaigns list` shows the ids")
    divisions = [each async for each in divisions_of(tx, campaign)]
    if division is not None and division not in divisions:
        raise NoneSuch(f"no division {division!r} in it; there are: {', '.join(filter(None, divisions)) or 'none'}")
    return await pauses_of(tx.connection, campaign)


async def _bring(
    tx: Transaction,
    campaign: str,
    divisions: Sequence[str | None],
    known: dict[str | None, Pause],
    now: datetime,
    *,
    paused: bool,
) -> list[Pause]:
    """Have these paused or not; who is so already stays at their revision."""
    brought = []
    for division in divisions:
        pause = known.get(division)
        if pause is None or pause.paused != paused:
            revision = pause.revision + 1 if pause else 1
            pause = Pause(matter=f"{MATTER}{campaign}", wave=division, revision=revision, paused=paused)
            await QUERIES.save_pause(
                tx.connection, campaign=campaign, division=division, revision=revision, paused=paused, now=now
            )
            await enqueue(tx, [_outgoing(campaign, pause)])
        brought.append(pause)
    tx.notify("fanout")
    return brought


def _outgoing(campaign: str, pause: Pause) -> Outgoing:
    kind = "messages.paused" if pause.paused else "messages.resumed"
    return Outgoing(CAMPAIGNS_CALLS, f"{campaign}/pauses", kind, pause, subject=pause.matter)
