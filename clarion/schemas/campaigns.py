"""What happens to campaigns, for anyone who follows them."""

from typing import Annotated, Literal

from pydantic import Field

from clarion.schemas.text import Contract, Identifier, Instant, Line, Text

Stance = Literal["support", "oppose", "support-if-amended", "oppose-unless-amended", "watch"]
CampaignStatus = Literal["waiting", "drafted", "launched", "closed"]


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
