"""What is to be looked at among the rules as they are now."""

from datetime import datetime

from clarion.runtime.database import Connection
from clarion.schemas.deadlines import RuleConcern
from clarion.services.campaigns.domain.checking import CommitteeNamed, concerns
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.rules.calendar import calendar_of, known_until
from clarion.services.campaigns.rules.repository import QUERIES, rules_in_force

STALE_DAYS = 180
CAMPAIGNS_SHOWN = 20


async def check_rules(
    connection: Connection, now: datetime, *, days: int = STALE_DAYS, jurisdiction: str = CALIFORNIA
) -> list[RuleConcern]:
    """Everything that somebody should look at; `days` is how old the last look at a rule may be."""
    rules = [known.rule for known in await rules_in_force(connection, jurisdiction)]
    committees = [
        CommitteeNamed(row["name"], row["chamber"], row["jurisdiction"], frozenset(row["name_keys"]))
        async for row in QUERIES.committees_known(connection)
    ]
    calendar = await calendar_of(connection, jurisdiction)
    found = concerns(
        rules,
        committees,
        jurisdiction,
        holidays_end=known_until(calendar.holidays, now.date()),
        today=now.date(),
        days=days,
    )
    return [*await _without_deadline(connection, now), *found]


async def _without_deadline(connection: Connection, now: datetime) -> list[RuleConcern]:
    rows = QUERIES.campaigns_without_deadline(connection, now=now, most=CAMPAIGNS_SHOWN)
    return [
        RuleConcern(
            kind="no-deadline",
            what=f"nobody knows the letters' deadline of {row['title']}",
            todo=f'ask the committee, then clarion campaigns deadline {row["id"]} --at TIME --reason "asked them"',
        )
        async for row in rows
    ]
