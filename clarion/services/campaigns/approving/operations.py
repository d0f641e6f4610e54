"""A wave is approved, rejected, stopped, paused and resumed: each in one transaction, with the record of who did it."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from clarion.runtime.database import Transaction
from clarion.runtime.messaging import Outgoing, enqueue
from clarion.runtime.staff.audit import record
from clarion.runtime.staff.rights import Act
from clarion.schemas.campaigns import WaveDecided
from clarion.schemas.messages import Pause
from clarion.schemas.topics import CAMPAIGNS_LIFECYCLE
from clarion.services.campaigns import pausing
from clarion.services.campaigns.approving import repository as rows
from clarion.services.campaigns.approving.choosing import add, leave_out, undo_choice, write_paragraph
from clarion.services.campaigns.approving.looks import changes, look_of
from clarion.services.campaigns.approving.rights import WHOLE, Approver, Place, why_not
from clarion.services.campaigns.approving.showing import (
    list_waves,
    recipients,
    sample_batch,
    show_wave,
    waiting_waves,
)
from clarion.services.campaigns.approving.states import Verdict, WaveState, moved
from clarion.services.campaigns.approving.taking_up import allowed, in_time, taken_up, text_of
from clarion.services.campaigns.approving.waves import (
    Changed,
    Decided,
    HistoryView,
    NoSuchWave,
    NotYours,
    RecipientView,
    Refusal,
    TooLate,
    WaitingPage,
    Wave,
    WaveDetails,
)
from clarion.services.campaigns.operations import decide_on
from clarion.services.campaigns.repository import QUERIES as CAMPAIGNS

__all__ = [
    "Approver",
    "Changed",
    "Decided",
    "HistoryView",
    "NoSuchWave",
    "NotYours",
    "RecipientView",
    "Refusal",
    "TooLate",
    "WaitingPage",
    "WaveDetails",
    "add",
    "approve",
    "close",
    "leave_out",
    "list_waves",
    "pause",
    "recipients",
    "reject",
    "resume",
    "sample_batch",
    "show_wave",
    "stop",
    "undo_choice",
    "waiting_waves",
    "write_paragraph",
]

NOT_YET = "It waits for approval and nothing of it goes out: reject it instead."
BY_ITSELF = "Its calls go out by themselves: there is nothing to approve. They can be paused or stopped."
REJECT_SENT = "It was approved: stop it instead."
HOLD_WHOLE = "What was added goes out with the divisions' calls: pause or resume those."
STOP_WHOLE = "What was added can only be withdrawn: withdraw the position on it."
Hold = Callable[[Transaction, str, str | None, datetime], Awaitable[list[Pause]]]
ENDS = {WaveState.WAITING: (Act.APPROVE_WAVE, Verdict.REJECT), WaveState.APPROVED: (Act.PAUSE_WAVE, Verdict.STOP)}
"""How a wave of a campaign that is closed by hand ends, and whose act that is; the others have ended."""


async def approve(
    tx: Transaction,
    approver: Approver,
    campaign: str,
    division: str,
    *,
    look: str | None = None,
    reason: str | None = None,
    now: datetime,
) -> None:
    """Let a division's calls go. With a `look`, only if that is still what its recipients would read.

    Raises:
        Refusal: there is no such wave, it is somebody else's, too late, decided already, or other than was looked at.
    """
    wave = await taken_up(tx, approver, Act.APPROVE_WAVE, (campaign, division), now)
    await _decide(tx, approver, wave, Verdict.APPROVE, look=look, reason=reason)
    if division == WHOLE:
        await rows.QUERIES.allow_bills(tx.connection, campaign=campaign, bill_keys=wave.row["held"]["bill_keys"])
    await decide_on(tx, await rows.occasion_of(tx.connection, campaign), now)
    await _still_so(tx, wave, look_of(wave.parts))


async def reject(
    tx: Transaction,
    approver: Approver,
    campaign: str,
    division: str,
    *,
    look: str | None = None,
    reason: str,
    now: datetime,
) -> None:
    """Have a division's calls not go out; nobody is told. It can be approved after all.

    Raises:
        Refusal: as for `approve`, or there is no reason.
    """
    wave = await taken_up(tx, approver, Act.APPROVE_WAVE, (campaign, division), now)
    await _decide(tx, approver, wave, Verdict.REJECT, look=look, reason=text_of(reason, "a reason"))
    await decide_on(tx, await rows.occasion_of(tx.connection, campaign), now)


async def stop(
    tx: Transaction,
    approver: Approver,
    campaign: str,
    division: str,
    *,
    look: str | None = None,  # noqa: ARG001 - holding back needs no look; whoever decides passes what was shown
    reason: str,
    now: datetime,
) -> None:
    """End a division's calls: what is unsent never goes out, and who was told is told why, once.

    Raises:
        Refusal: there is no such wave, it is somebody else's, nothing of it goes out, or there is no reason.
    """
    wave = await taken_up(tx, approver, Act.PAUSE_WAVE, (campaign, division), now)
    if division == WHOLE:
        raise Refusal(STOP_WHOLE)
    await _decide(tx, approver, wave, Verdict.STOP, look=None, reason=text_of(reason, "a reason"))
    await decide_on(tx, await rows.occasion_of(tx.connection, campaign), now)


async def close(tx: Transaction, approver: Approver, campaign: str, *, reason: str, now: datetime) -> int:
    """End a whole campaign before its time: what waits is rejected, what goes out is stopped; how many waves that were.

    Each can be approved again while that helps.

    Raises:
        Refusal: it has no wave that waits or goes out, one is somebody else's, it is too late, or there is no reason.
    """
    said = text_of(reason, "a reason")
    await CAMPAIGNS.lock_decisions(tx.connection)
    found = await rows.find_waves(tx.connection, now, campaign=campaign)
    waves = [wave for wave in found if wave.state in ENDS]
    if not waves:
        raise NoSuchWave(f"Nothing of campaign {campaign} waits or goes out.")
    for wave in waves:
        act, verdict = ENDS[wave.state]
        if (refusal := why_not(approver, act, wave.place)) is not None:
            raise NotYours(refusal)
        await _decide(tx, approver, wave, verdict, look=None, reason=said)
    await decide_on(tx, await rows.occasion_of(tx.connection, campaign), now)
    return len(waves)


async def pause(
    tx: Transaction, approver: Approver, campaign: str, division: str | None, *, now: datetime
) -> list[Pause]:
    """Hold back what is unsent of a division's calls, or of all (None), until it is resumed; gives what holds.

    Raises:
        Refusal: there is nothing such, or it is somebody else's.
    """
    return await _held(tx, approver, pausing.pause, "campaign.paused", (campaign, division), now)


async def resume(
    tx: Transaction, approver: Approver, campaign: str, division: str | None, *, now: datetime
) -> list[Pause]:
    """Go on with a division's calls, or with all that is paused of the campaign (None); gives what was resumed.

    Raises:
        Refusal: there is nothing such, it is somebody else's, or the whole campaign is paused and not the division.
    """
    return await _held(tx, approver, pausing.resume, "campaign.resumed", (campaign, division), now)


async def _held(  # noqa: PLR0917
    tx: Transaction, approver: Approver, change: Hold, act: str, place: tuple[str, str | None], now: datetime
) -> list[Pause]:
    campaign, division = place
    if division == WHOLE:
        raise Refusal(HOLD_WHOLE)
    await _may_hold(tx, approver, campaign, division, now)
    try:
        pauses = await change(tx, campaign, division, now)
    except pausing.NoneSuch as refusal:
        raise NoSuchWave(str(refusal)) from refusal
    except pausing.NotToBePaused as refusal:
        raise Refusal(str(refusal)) from refusal
    divisions = [division] if division is not None else [each async for each in pausing.divisions_of(tx, campaign)]
    await record(
        tx.connection,
        approver.actor,
        act,
        f"campaign:{campaign}",
        at=now,
        details={"division": division},
        divisions=[each for each in divisions if each],
    )
    return pauses


async def _may_hold(tx: Transaction, approver: Approver, campaign: str, division: str | None, now: datetime) -> None:
    """Whether somebody may; who acts for all divisions also holds back what was told before in one that has no part
    in it any more.
    """
    if approver.staff is not None and division is not None:
        await allowed(tx.connection, approver, Act.PAUSE_WAVE, (campaign, division), now)
    place = Place(WHOLE if division is None else division, division or "it", has_account=True, urgent=True)
    refusal = why_not(approver, Act.PAUSE_WAVE, place)
    if refusal is not None:
        raise NotYours(refusal)


async def _decide(
    tx: Transaction, approver: Approver, wave: Wave, verdict: Verdict, *, look: str | None, reason: str | None
) -> None:
    """Keep a verdict, who gave it, and tell whoever follows campaigns."""
    after = moved(wave.state, verdict)
    if after is None:
        raise _not_now(wave, verdict)
    in_time(wave)
    other = [] if look is None else changes(look, wave.parts)
    if other:
        raise Changed(other)
    await rows.save_verdict(
        tx.connection, wave, after, approver.actor, wave.now, look=look_of(wave.parts), reason=reason
    )
    await _record(tx, approver, f"wave.{after}", wave)
    await _announce(tx, wave, after, reason)


def _not_now(wave: Wave, verdict: Verdict) -> Refusal:
    if wave.row["decided_at"] is not None:
        return Decided(wave.row["decided_by"], wave.row["decided_at"], str(wave.state))
    match verdict, wave.state:
        case Verdict.STOP, WaveState.WAITING:
            return Refusal(NOT_YET)
        case Verdict.REJECT, _:
            return Refusal(REJECT_SENT)
        case _:
            return Refusal(BY_ITSELF)


async def _still_so(tx: Transaction, before: Wave, look: str) -> None:
    """Undo the approval of what turned out to be other than was shown, since the campaign was made anew by it."""
    wave = await rows.find_wave(tx.connection, before.campaign, before.division, before.now)
    other = changes(look, wave.parts) if wave is not None and wave.division != WHOLE else []
    if other:
        raise Changed(other)


async def _record(tx: Transaction, approver: Approver, act: str, wave: Wave) -> None:
    await record(
        tx.connection,
        approver.actor,
        act,
        f"campaign:{wave.campaign}",
        at=wave.now,
        details={"division": wave.division},
        divisions=[wave.division] if wave.division not in {"", WHOLE} else [],
    )


async def _announce(tx: Transaction, wave: Wave, state: WaveState, reason: str | None) -> None:
    decided = WaveDecided(
        campaign_id=wave.campaign,
        division=wave.division,
        state=str(state),
        revision=wave.row["revision"] + 1,
        title=wave.row["title"],
        cities=wave.row["cities"],
        officials=wave.row["officials"],
        reason=reason,
        at=wave.now,
    )
    event = Outgoing(CAMPAIGNS_LIFECYCLE, wave.campaign, f"wave.{state}", decided, subject=wave.campaign)
    await enqueue(tx, [event])
