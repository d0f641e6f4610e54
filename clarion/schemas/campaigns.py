"""What happens to campaigns, for anyone who follows them."""

from typing import Annotated, Literal

from pydantic import Field

from clarion.schemas.messages import Wave
from clarion.schemas.text import Contract, Identifier, Instant, Line, Text

Stance = Literal["support", "oppose", "support-if-amended", "oppose-unless-amended", "watch"]
CampaignStatus = Literal["waiting", "drafted", "launched", "closed"]


class WaveDecided(Contract):
    """What was decided of a division's part of a campaign: `wave.approved`, `.rejected`, `.stopped`.

    `division` is empty for cities without one, and `*` where a bill that came to a launched campaign was decided on for
    all divisions at once. `revision` counts the decisions on this wave.
    """

    campaign_id: Identifier
    division: Wave
    state: Literal["approved", "rejected", "stopped"] | Identifier
    revision: Annotated[int, Field(ge=1)]
    title: Line
    cities: int
    officials: int
    reason: Text | None = None
    at: Instant


class CampaignChanged(Contract):
    """The state of a campaign at a revision: `campaign.drafted`, `.launched`, `.amended`, `.closed`.

    `problem` says what a campaign that waits is waiting for.
    """

    campaign_id: Identifier
    revision: Annotated[int, Field(ge=1)]
    status: CampaignStatus | Identifier
    hearing_id: Identifier
    title: Line
    bills: list[Line]
    divisions: int = 0
    cities: int = 0
    officials: int = 0
    problem: Text | None = None
    at: Instant
    not_after: Instant | None = None
