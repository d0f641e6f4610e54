"""A wave is taken up to be decided on: it is there, it is theirs, there is time, and nobody else decides meanwhile."""

from datetime import datetime

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.staff.rights import Act
from clarion.services.campaigns.approving import repository as rows
from clarion.services.campaigns.approving.rights import Approver, why_not
from clarion.services.campaigns.approving.waves import NoSuchWave, NotYours, Refusal, TooLate, Wave
from clarion.services.campaigns.domain.decision import CANCELLED
from clarion.services.campaigns.domain.times import spoken_time
from clarion.services.campaigns.repository import QUERIES as CAMPAIGNS

TEXT_AT_MOST = 2_000
"""Characters of a reason or of a division's own paragraph."""
OPEN = frozenset({"drafted", "launched"})


async def taken_up(tx: Transaction, approver: Approver, act: Act, place: tuple[str, str], now: datetime) -> Wave:
    """The wave of a campaign and division as it is now; nobody else decides on any until this transaction ends.

    Raises:
        NoSuchWave: there is none.
        NotYours: it is somebody else's.
    """
    await CAMPAIGNS.lock_decisions(tx.connection)
    return await allowed(tx.connection, approver, act, place, now)


async def allowed(connection: Connection, approver: Approver, act: Act, place: tuple[str, str], now: datetime) -> Wave:
    """The wave, if they may do this to it; raises as `taken_up` does."""
    campaign, division = place
    wave = await rows.find_wave(connection, campaign, division, now)
    if wave is None:
        raise NoSuchWave(f"There is no wave of {division or 'no division'} in campaign {campaign}.")
    refusal = why_not(approver, act, wave.place)
    if refusal is not None:
        raise NotYours(refusal)
    return wave


def in_time(wave: Wave) -> None:
    """Go on only while what the wave asks helps.

    Raises:
        TooLate: the occasion is over or called off.
        Refusal: the campaign is not ready to be let go.
    """
    if wave.row["hearing_status"] == CANCELLED:
        raise TooLate("It is cancelled: there is nothing to ask any more. Nothing was changed.")
    if wave.row["ends_at"] <= wave.now:
        ended = spoken_time(wave.row["ends_at"], wave.row["zone"])
        raise TooLate(f"It is too late: nobody's voice counts since {ended}. Nothing was changed.")
    if wave.row["status"] not in OPEN:
        problem = wave.row["problem"] or f"it is {wave.row['status']}"
        raise Refusal(f"The campaign cannot be let go: {problem}. Nothing was changed.")


def text_of(text: str | None, what: str) -> str:
    """A text that somebody wrote, without what no mail can hold.

    Raises:
        Refusal: it is empty, too long or not text.
    """
    plain = (text or "").strip()
    if not plain:
        raise Refusal(f"Give {what}: others read it. Nothing was changed.")
    if len(plain) > TEXT_AT_MOST:
        raise Refusal(f"{what.capitalize()} has at most {TEXT_AT_MOST:,} characters. Nothing was changed.")
    if any(not (sign.isprintable() or sign in "\n\t") for sign in plain):
        raise Refusal(f"{what.capitalize()} holds what is no text. Nothing was changed.")
    return plain
