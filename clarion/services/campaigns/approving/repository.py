"""Rows of waves, verdicts and choices, and the values made of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection, load_queries
from clarion.runtime.staff.audit import Actor
from clarion.schemas.roles import LETTER_ROLES
from clarion.services.campaigns.approving.states import WaveState
from clarion.services.campaigns.approving.waves import WAVES_AT_MOST, Counted, HistoryView, Wave, WavePlace
from clarion.services.campaigns.domain.occasions import Occasion

QUERIES = load_queries(__package__)
ROLES = sorted(LETTER_ROLES)
HISTORY_AT_MOST = 50
NO_PLACE = WavePlace(None, "", "")


async def find_waves(
    connection: Connection,
    now: datetime,
    *,
    campaign: str | None = None,
    division: str | None = None,
    divisions: frozenset[str] | None = None,
    waiting: bool = False,
    after: WavePlace | None = None,
    limit: int = WAVES_AT_MOST,
) -> list[Wave]:
    """The waves that fit, those whose use ends first first, from behind a place on; of those that wait `limit`."""
    rows = QUERIES.find_waves(
        connection,
        campaign=campaign,
        division=division,
        divisions=None if divisions is None else sorted(divisions),
        waiting=waiting,
        now=now,
        at_most=limit,
        **(after or NO_PLACE)._asdict(),
    )
    return [Wave(dict(row), now) async for row in rows]


async def find_wave(connection: Connection, campaign: str, division: str, now: datetime) -> Wave | None:
    """One wave; None if the campaign has none there."""
    if "\x00" in campaign + division:
        return None
    found = await find_waves(connection, now, campaign=campaign, division=division)
    return found[0] if found else None


async def count_waves(connection: Connection, waves: Sequence[Wave]) -> dict[tuple[str, str], Counted]:
    """How many each of these asks, by campaign and division."""
    rows = QUERIES.count_waves(
        connection,
        campaigns=[wave.campaign for wave in waves],
        divisions=[wave.division for wave in waves],
        letter_roles=ROLES,
    )
    names = tuple(Counted.__dataclass_fields__)
    return {(row["campaign"], row["division"]): Counted(**{name: row[name] for name in names}) async for row in rows}


async def history_of(connection: Connection, campaign: str, division: str) -> list[HistoryView]:
    """What was done to a wave, the newest first."""
    rows = QUERIES.verdicts_of_wave(connection, campaign=campaign, division=division, at_most=HISTORY_AT_MOST)
    return [HistoryView(**dict(row)) async for row in rows]


async def occasion_of(connection: Connection, campaign: str) -> Occasion:
    """What a campaign is made for, as it was last told of."""
    return Occasion.model_validate(await QUERIES.occasion_of_campaign(connection, campaign=campaign))


async def save_verdict(
    connection: Connection, wave: Wave, state: WaveState, by: Actor, now: datetime, *, look: str, reason: str | None
) -> None:
    """Keep what was decided of a wave, and that it was."""
    await QUERIES.save_verdict(
        connection,
        campaign=wave.campaign,
        division=wave.division,
        state=str(state),
        revision=wave.row["revision"] + 1,
        look=look,
        reason=reason,
        by=signature(by),
        now=now,
    )


async def find_official(connection: Connection, wave: Wave, official: str) -> dict[str, Any] | None:
    """Somebody in office in the wave's division: whether they are `asked`, and whether they were `chosen` by hand."""
    row = await QUERIES.official_for_wave(
        connection, campaign=wave.campaign, division=wave.division, official=official, letter_roles=ROLES
    )
    return row and dict(row)


def signature(actor: Actor) -> str:
    """How somebody who acts stands in a row: their name is looked up, so that it can be erased."""
    return f"{actor.kind}:{actor.id}"
