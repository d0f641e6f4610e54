"""The outcome so far, and its tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from clarion.runtime.database import Connection, load_queries
from clarion.schemas.outcomes import CampaignOutcome, CityOutcome, DivisionOutcome, MemberOutcome, Tally
from clarion.schemas.roles import LETTER_ROLES
from clarion.schemas.sheets import to_csv
from clarion.services.campaigns.outcome import sums

QUERIES = load_queries(__package__)
By = Literal["division", "member", "city"]
LINES: Mapping[By, type[Tally]] = {"division": DivisionOutcome, "member": MemberOutcome, "city": CityOutcome}


async def outcome_of(connection: Connection, campaign: str, now: datetime) -> CampaignOutcome | None:
    """What came of a campaign so far; None if there is no such campaign."""
    found = await QUERIES.campaign_of_outcome(connection, campaign=campaign)
    if found is None:
        return None
    query = QUERIES.cities_of_outcome(connection, campaign=campaign, letter_roles=sorted(LETTER_ROLES), now=now)
    rows = [dict(row) async for row in query]
    return CampaignOutcome(
        **dict(found),
        at=now.isoformat(),
        total=sums.total(rows),
        divisions=sums.by_division(rows),
        members=sums.by_member(rows),
        cities=sums.by_city(rows),
        without=[row["name"] for row in rows if sums.is_without(row)],
    )


def lines_of(outcome: CampaignOutcome, by: By) -> Sequence[DivisionOutcome | MemberOutcome | CityOutcome]:
    """One line for each division, member or city."""
    match by:
        case "division":
            return outcome.divisions
        case "member":
            return outcome.members
        case "city":
            return outcome.cities


def sheet_of(outcome: CampaignOutcome, by: By) -> str:
    """The same as CSV for a spreadsheet, safe against formula injection."""
    counts = list(Tally.model_fields)
    names = [name for name in LINES[by].model_fields if name not in counts]
    return to_csv([*names, *counts], [line.model_dump() for line in lines_of(outcome, by)])
