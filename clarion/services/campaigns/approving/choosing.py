"""Whom a division leaves out and adds by hand, and the paragraph of its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from clarion.runtime.database import Transaction
from clarion.runtime.staff.audit import record
from clarion.runtime.staff.rights import Act
from clarion.services.campaigns.approving import repository as rows
from clarion.services.campaigns.approving.rights import WHOLE, Approver
from clarion.services.campaigns.approving.states import WaveState
from clarion.services.campaigns.approving.taking_up import in_time, taken_up, text_of
from clarion.services.campaigns.approving.waves import Refusal, Wave
from clarion.services.campaigns.operations import decide_on

ASKS = ("letter", "testimony")
"""What somebody who is added can be asked: whatever is to be written, and to speak."""
LET_GO = "These calls were approved, and their words with them: stop them before you change the paragraph."
ONE_DIVISION = "Choose people in the division that they are in."


async def leave_out(
    tx: Transaction,
    approver: Approver,
    campaign: str,
    division: str,
    official: str,
    *,
    reason: str | None,
    asks: Sequence[str] = (),  # noqa: ARG001 - the three choices are called alike
    now: datetime,
) -> None:
    """Have an official not be asked. Who was told already is told that it ended, with the reason.

    Raises:
        Refusal: there is no such wave, it is somebody else's or too late, nobody of the id is asked, or no reason.
    """
    wave = await _taken_up(tx, approver, campaign, division, now)
    why = text_of(reason, "a reason")
    found = await _official(tx, wave, official)
    if not found["asked"]:
        raise Refusal(f"{official} is not asked in {wave.row['name']}. Nothing was changed.")
    await _choose(tx, approver, wave, found, included=False, asks=(), reason=why)


async def add(
    tx: Transaction,
    approver: Approver,
    campaign: str,
    division: str,
    official: str,
    *,
    reason: str | None,
    asks: Sequence[str] = ("letter",),
    now: datetime,
) -> None:
    """Have an official of the division be asked for `asks` as well, whatever their city and roles are.

    Raises:
        Refusal: there is no such wave, it is somebody else's or too late, nobody of the id is in office there, they are
            asked already, or no reason.
    """
    wave = await _taken_up(tx, approver, campaign, division, now)
    why = text_of(reason, "a reason")
    wanted = [ask for ask in ASKS if ask in asks]
    if not wanted or len(wanted) != len(set(asks)):
        raise Refusal(f"Say what to ask: {' or '.join(ASKS)}, or both. Nothing was changed.")
    found = await _official(tx, wave, official)
    if found["asked"] and not found["chosen"]:
        raise Refusal(f"{official} is asked already. Nothing was changed.")
    await _choose(tx, approver, wave, found, included=True, asks=wanted, reason=why)


async def undo_choice(
    tx: Transaction,
    approver: Approver,
    campaign: str,
    division: str,
    official: str,
    *,
    reason: str | None = None,  # noqa: ARG001 - the three choices are called alike
    asks: Sequence[str] = (),  # noqa: ARG001
    now: datetime,
) -> None:
    """Take back that somebody was left out or added. Raises Refusal: as for those, or nothing was chosen."""
    wave = await _taken_up(tx, approver, campaign, division, now)
    found = await _official(tx, wave, official)
    if found["chosen"] is None:
        raise Refusal(f"{official} was neither left out nor added. Nothing was changed.")
    await rows.QUERIES.delete_choice(tx.connection, campaign=campaign, official=official)
    await _made_so(tx, approver, wave, found, "call.choice-undone")


async def write_paragraph(  # noqa: PLR0917 - where, what and when, as one says it
    tx: Transaction, approver: Approver, campaign: str, division: str, text: str, now: datetime
) -> None:
    """Write the division's own paragraph, which stands in all its calls; an empty one is none.

    Raises:
        Refusal: there is no such wave, it is somebody else's or too late, it was let go, or the text is none.
    """
    wave = await _taken_up(tx, approver, campaign, division, now)
    if wave.state is WaveState.APPROVED:
        raise Refusal(LET_GO)
    paragraph = text_of(text, "the paragraph") if text.strip() else None
    await rows.QUERIES.save_paragraph(tx.connection, campaign=campaign, division=division, paragraph=paragraph, now=now)
    await record(
        tx.connection,
        approver.actor,
        "wave.worded",
        f"campaign:{campaign}",
        at=now,
        details={"division": division},
        divisions=[division] if division else [],
    )


async def _taken_up(tx: Transaction, approver: Approver, campaign: str, division: str, now: datetime) -> Wave:
    wave = await taken_up(tx, approver, Act.APPROVE_WAVE, (campaign, division), now)
    if division == WHOLE:
        raise Refusal(ONE_DIVISION)
    in_time(wave)
    return wave


async def _official(tx: Transaction, wave: Wave, official: str) -> dict[str, Any]:
    found = None if "\x00" in official else await rows.find_official(tx.connection, wave, official)
    if found is None:
        raise Refusal(f"Nobody with the id {official!r} is in office in {wave.row['name']}. Nothing was changed.")
    return found


async def _choose(
    tx: Transaction,
    approver: Approver,
    wave: Wave,
    found: dict[str, Any],
    *,
    included: bool,
    asks: Sequence[str],
    reason: str,
) -> None:
    await rows.QUERIES.save_choice(
        tx.connection,
        campaign=wave.campaign,
        official=found["id"],
        included=included,
        asks=list(asks),
        reason=reason,
        by=rows.signature(approver.actor),
        now=wave.now,
    )
    await _made_so(tx, approver, wave, found, "call.added" if included else "call.left-out")


async def _made_so(tx: Transaction, approver: Approver, wave: Wave, found: dict[str, Any], act: str) -> None:
    """Record a choice, and have the campaign follow it."""
    await record(
        tx.connection,
        approver.actor,
        act,
        f"official:{found['id']}",
        at=wave.now,
        details={"campaign": wave.campaign, "division": wave.division},
        divisions=[wave.division] if wave.division else [],
        mailbox=found["mailbox"],
    )
    await decide_on(tx, await rows.occasion_of(tx.connection, wave.campaign), wave.now)
